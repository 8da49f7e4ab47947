"""What happened in the catalogue and orgs are to be told of (domain 5.5 to 5.7): an outbox in the Catalog table.

An event is written in the transaction of the change, so nothing is told that did not happen and all that did is told.
It names what it is about; the message is made when it is sent, of what is there then. Who may hear is decided then,
too, so whoever changes something needs to know neither the orgs nor their queues.

pk          sk
events      <ms since 1970, 16 digits>-<random>
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Final

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from proca_common.aws import clock
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.ids import padded

PK: Final = "events"
Subject = dict[str, int | str | list[int] | None]


class EventType(StrEnum):
    """What happened."""

    CAMPAIGN_UPDATED = "campaign_updated"
    CONFIRM_CREATED = "confirm_created"
    NEW_USER = "new_user"
    NEW_ORG = "new_org"
    JOIN_CAMPAIGN = "join_campaign"
    SUPPORTER_ERASED = "supporter.erased"


class EventItem(CatalogItem, discriminator="event"):
    """An event that some org was not told of yet. `subject`: ids of what it is about, and the address of who did it.

    `owed`: destinations still to be served; missing until it was looked up who is to hear. `due`: ms since 1970 from
    when it is to be told. `attempt`: how often the sweep woke it.
    """

    event_type = UnicodeAttribute()
    subject = JSONAttribute()
    happened = NumberAttribute()
    due = NumberAttribute()
    attempt = NumberAttribute(default=0)
    owed = UnicodeSetAttribute(null=True)


def campaign_updated(transaction: Transaction, campaign: int) -> None:
    """A campaign was changed; also by an upsert that created it, but not when it was just added (domain 5.5)."""
    _happened(transaction, EventType.CAMPAIGN_UPDATED, {"campaign": campaign})


def confirm_created(transaction: Transaction, code: str) -> None:
    """An operation waits for a second person."""
    _happened(transaction, EventType.CONFIRM_CREATED, {"code": code})


def new_user(transaction: Transaction, email: str) -> None:
    """Somebody registered."""
    _happened(transaction, EventType.NEW_USER, {"email": email})


def new_org(transaction: Transaction, org: int, email: str | None) -> None:
    """An org was made. `email`: of the user who did; None: an operator."""
    _happened(transaction, EventType.NEW_ORG, {"org": org, "email": email})


def join_campaign(transaction: Transaction, page: int, email: str | None) -> None:
    """A partner's page was let into a campaign. `email`: of the user who asked for it; without one nobody is told."""
    if email is not None:
        _happened(transaction, EventType.JOIN_CAMPAIGN, {"page": page, "email": email})


def supporter_erased(transaction: Transaction, org: int, receiver: int, actions: list[int]) -> None:
    """A supporter is erased for an org; told to an org that got these of its actions, and never whose they were."""
    subject: Subject = {"org": org, "receiver": receiver, "actions": actions}
    _happened(transaction, EventType.SUPPORTER_ERASED, subject)


def _happened(transaction: Transaction, event_type: EventType, subject: Subject) -> None:
    now_ms = clock.now_ms()
    sk = f"{padded(now_ms)}-{secrets.token_hex(8)}"
    item = EventItem(pk=PK, sk=sk, event_type=event_type.value, subject=subject, happened=now_ms, due=now_ms)
    transaction.put(f"event {sk}", item)
