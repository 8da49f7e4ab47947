"""The messages of a campaign to its targets, as its lead org takes them out (domain 9.10).

In the order of actions, and of the targets within one. What was written and by whom is sealed, and there only as long
as the campaign keeps it; each row says in any case to whom, when, and what became of it.
"""

from __future__ import annotations

import csv
import heapq
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from proca_common.actions import store as actions
from proca_common.actions.store import ActionItem, Key
from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem, ByCampaign
from proca_common.campaigns.campaign import Campaign
from proca_common.exports.formats import cell
from proca_common.ids import created_at, padded
from proca_common.mtt import store
from proca_common.mtt.store import MailId, MailItem, MailStatus, MessageItem
from proca_common.orgs import encryption
from proca_common.targets import store as targets
from proca_common.targets.target import Target

READ_AT_ONCE: Final = 100
LAST_ID: Final = 2**53 - 1
COLUMNS: Final = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "area": "area",
    "campaign_name": "campaign",
    "target_name": "targetName",
    "msg_subject": "subject",
    "msg_body": "body",
    "created_at": "createdAt",
    "status": "status",
    "action_id": "actionId",
    "target_id": "target",
    "target_external_id": "targetExternalId",
    "testing": "testing",
}
"""Columns of a table (domain 9.10), and what they are called in JSON."""

Row = dict[str, object]
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Place:
    """After so many targets of this action; all those before are done."""

    action: int = 0
    targets: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: those to one `target` (a UUID) or to all, and `duplicates` too, which never went out."""

    target: str | None = None
    duplicates: bool = False


def rows(campaign: Campaign, wanted: Wanted, after: Place, key: PrivateKey) -> Iterator[tuple[Place, Row | None]]:
    """The rows after this place, each with the place that is reached by it; None: nothing there is wanted.

    Raises `Unavailable`.
    """
    known: dict[str, Target] = {}
    for keys in _batches(_keys(campaign.id, after.action)):
        found = actions.read_many(keys)
        with_messages = [item for item in found.values() if isinstance(item, ActionItem) and item.messages]
        messages = actions.read_many(store.message_key(item.ref, int(item.id)) for item in with_messages)
        for action in sorted(with_messages, key=lambda item: int(item.id)):
            message = messages.get(store.message_key(action.ref, int(action.id)))
            if isinstance(message, MessageItem):
                skip = after.targets if int(action.id) == after.action else 0
                yield from _of_message(campaign, message, wanted, skip, known, key)
        yield Place(int(keys[-1][1].removeprefix("A#")), LAST_ID), None


def _of_message(
    campaign: Campaign, message: MessageItem, wanted: Wanted, skip: int, known: dict[str, Target], key: PrivateKey
) -> Iterator[tuple[Place, Row | None]]:
    action = int(message.action)
    addressed = [*enumerate(store.unpacked(message.targets), start=1)][skip:]
    written = _opened(message.text, key) | _opened(message.sender, key)
    for some in _batches(each for each in addressed if wanted.target in (None, each[1])):
        mails = actions.read_many(store.mail_key(MailId(campaign.id, target, action)) for _, target in some)
        missing = {target for _, target in some} - known.keys()
        known |= targets.get_many(campaign.id, missing) if missing else {}
        for number, target in some:
            mail = mails.get(store.mail_key(MailId(campaign.id, target, action)))
            status = mail.status if isinstance(mail, MailItem) else None
            if status == MailStatus.DUPE and not wanted.duplicates:
                continue
            yield Place(action, number), _row(campaign, message, written, target, known.get(target), status)


def _row(
    campaign: Campaign,
    message: MessageItem,
    written: dict[str, Any],
    target: str,
    known: Target | None,
    status: str | None,
) -> Row:
    """`status`: None until the action is delivered."""
    return {
        "firstName": written.get("firstName"),
        "lastName": written.get("lastName"),
        "email": written.get("email"),
        "area": written.get("area"),
        "campaign": campaign.name,
        "targetName": None if known is None else known.name,
        "subject": written.get("subject"),
        "body": written.get("body"),
        "createdAt": f"{created_at(int(message.action)):%Y-%m-%dT%H:%M:%SZ}",
        "status": status,
        "actionId": int(message.action),
        "target": target,
        "targetExternalId": None if known is None else known.external_id,
        "testing": message.testing,
    }


def as_csv(found: Iterable[Row]) -> str:
    """Rows as a table (RFC 4180), of which no spreadsheet takes a cell for a formula."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([cell(row[name]) for name in COLUMNS.values()] for row in found)
    return text.getvalue()


def as_ndjson(found: Iterable[Row]) -> str:
    """Rows as JSON, a row a line."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in found)


def _opened(sealed: bytes | None, key: PrivateKey) -> dict[str, Any]:
    """What was sealed; nothing where it is gone, or was sealed with a key that is."""
    if sealed is None:
        return {}
    try:
        opened: dict[str, Any] = json.loads(encryption.unseal(sealed, key))
    except CryptoError:
        return {}
    return opened


def _keys(campaign: int, first: int) -> Iterator[Key]:
    """The keys of the campaign's actions from this id on, in the order of ids."""
    within = ActionsItem.sk.between(f"A#{padded(first)}", f"A#{padded(LAST_ID)}")
    buckets = (actions.campaign_bucket(campaign, bucket) for bucket in range(actions.CAMPAIGN_BUCKETS))
    streams = [
        itertools.chain.from_iterable(dynamo.index_keys(ByCampaign, bucket, within, READ_AT_ONCE)) for bucket in buckets
    ]
    return heapq.merge(*streams, key=lambda key: key[1])


def _batches(things: Iterable[Thing]) -> Iterator[Sequence[Thing]]:
    left = iter(things)
    while some := tuple(itertools.islice(left, READ_AT_ONCE)):
        yield some
