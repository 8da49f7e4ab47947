"""Messages to targets as the campaign's lead org sees them: what goes next, what is uncertain, and all of them (domain
9.10; design 7).

What supporters wrote is shown to those who may export contacts; everything else names actions and targets alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from nacl.public import PrivateKey
from pydantic import Field

from proca_common.actions import store as actions
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import NotFound
from proca_common.management import audit, campaigns
from proca_common.management.access import org_of
from proca_common.management.audit import Change
from proca_common.management.places import cursor_of, place_of
from proca_common.mtt import export, schedule, store
from proca_common.mtt.ended import expires_at
from proca_common.mtt.export import Place, Row, Wanted
from proca_common.mtt.settings import Mtt, mtt_of
from proca_common.mtt.store import MailItem
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

MOST_NEXT = 100
USUAL_ROWS = 100
MOST_ROWS = 1_000
MOST_BYTES = 4 * 1024 * 1024
"""An answer may have 6 MB."""

HasTime = Callable[[], bool]


class Format(StrEnum):
    """How messages may be taken out."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


class MessagesInput(Entity):
    """Which messages are wanted, and how."""

    target: Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{36}$")] | None = None
    include_duplicates: bool = False
    format: Format = Format.JSON
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = USUAL_ROWS
    cursor: Annotated[str, Field(max_length=100)] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, as they are asked for, and the cursor to go on with; None: there are no more."""

    format: Format
    rows: list[Row]
    next: str | None


def upcoming(caller: Caller, org_name: str, campaign_name: str) -> dict[str, object]:
    """What would go out now: in this cycle, or in this hour; at most the first 100. Nothing is planned by looking.
    And what waits in all, until when.

    Raises `NotAllowed`, `NotFound`, `Unavailable`.
    """
    campaign, settings = _led(caller, org_name, campaign_name, Permission.CHANGE_CAMPAIGN_SETTINGS)
    due = sorted(schedule.upcoming(campaign, settings, clock.now_ms()), key=lambda each: (each.at_ms, each.mail.action))
    waiting = schedule.waiting(campaign.id)
    return {
        "paused": settings.paused,
        "waiting": waiting.mails,
        "unreachable": waiting.unreachable,
        "expiresAt": _moment(int(expires_at(settings).timestamp() * 1000)),
        "count": len(due),
        "items": [
            {"at": _moment(each.at_ms), "actionId": each.mail.action, "target": each.mail.target}
            for each in due[:MOST_NEXT]
        ],
    }


def uncertain(caller: Caller, org_name: str, campaign_name: str, after: str | None, limit: int) -> list[MailItem]:
    """So many mails of which nobody knows whether they went out, in the order in which that became so, after this one.

    Raises `NotAllowed`, `NotFound`, `Unavailable`.
    """
    campaign, _ = _led(caller, org_name, campaign_name, Permission.CHANGE_CAMPAIGN_SETTINGS)
    keys = [key for page in store.uncertain_in(campaign.id) for key in page]
    found = [item for item in actions.read_many(keys).values() if isinstance(item, MailItem)]
    ordered = sorted((item for item in found if item.done is not None), key=place)
    return [item for item in ordered if after is None or place(item) > after][:limit]


def place(item: MailItem) -> str:
    """Where a mail stands in the list of the uncertain."""
    return f"{int(item.done):016d}.{store.mail_of((item.ref, item.sk))}"


def shown(item: MailItem) -> dict[str, object]:
    """A mail that is uncertain. `since`: when its claim ran out."""
    mail = store.mail_of((item.ref, item.sk))
    return {"actionId": mail.action, "target": mail.target, "since": _moment(int(item.done))}


def messages(
    caller: Caller, org_name: str, campaign_name: str, given: Mapping[str, Any], key: PrivateKey, has_time: HasTime
) -> Part:
    """Some messages of the campaign. They may be fewer than asked for, even none, where many have to be looked at.

    Raises `NotAllowed`, `NotFound`, `Refused`, `Unavailable`.
    """
    org = org_of(caller, org_name, Permission.EXPORT_CONTACTS)
    campaign = campaigns.led_by(org, campaign_name)
    wanted = checked(MessagesInput, given)
    after = Place() if wanted.cursor is None else _opened(wanted.cursor)
    if wanted.cursor is None:
        told = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
        transaction = Transaction()
        audit.record(
            transaction, Change(caller.user.id, org.id, "messages.export", f"campaign#{campaign.id}", {}, told)
        )
        items.commit(transaction)
    target = None if wanted.target is None else wanted.target.lower()
    steps = export.rows(campaign, Wanted(target, wanted.include_duplicates), after, key)
    found, reached = _part(steps, wanted.limit, has_time)
    return Part(wanted.format, found, None if reached is None else cursor_of(reached.action, reached.targets))


def _part(steps: Iterator[tuple[Place, Row | None]], limit: int, has_time: HasTime) -> tuple[list[Row], Place | None]:
    """So many rows, as far as they fit and there is time; and how far that is, None: to the end."""
    found: list[Row] = []
    size = 0
    for reached, row in steps:
        if row is not None:
            found.append(row)
            size += len(str(row).encode())
        if len(found) == limit or size > MOST_BYTES or not has_time():
            return found, reached
    return found, None


def _led(caller: Caller, org_name: str, campaign_name: str, needed: Permission) -> tuple[Campaign, Mtt]:
    campaign = campaigns.led_by(org_of(caller, org_name, needed), campaign_name)
    settings = mtt_of(campaign)
    if settings is None:
        raise NotFound("settings of messages to targets")
    return campaign, settings


def _opened(cursor: str) -> Place:
    action, targets = place_of(cursor)
    return Place(min(action, export.LAST_ID), targets)


def _moment(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
