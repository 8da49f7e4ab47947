"""Who sends a mail to staff: a claim on an item of its own, `mail#<key>`, as `claims` has it for supporters.

`until`: until then (ms since 1970) nobody else sends it; 0 where it certainly did not go out and was given back. The
items disappear when no order of the queue can be left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pynamodb.attributes import BooleanAttribute, NumberAttribute, TTLAttribute

from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.catalog import items
from proca_common.mails import counts
from proca_common.mails.claims import GIVEN_BACK, Claimed

KEPT_S = 30 * 86_400


class AlreadySent(Exception):
    """It went out, or never will."""


class StaffMailItem(CatalogItem, discriminator="staff_mail"):
    """What became of a mail."""

    until = NumberAttribute()
    sent = BooleanAttribute(default=False)
    expires = TTLAttribute()


@dataclass(frozen=True, slots=True)
class StaffClaim:
    """A mail that we alone may send until then. `possibly_twice`: it may have gone out; `again`: it was tried."""

    key: str
    until_ms: int
    possibly_twice: bool = False
    again: bool = False

    def give_back(self) -> None:
        """The mail certainly did not go out: whoever comes next may send it at once. Raises `Unavailable`."""
        try:
            dynamo.save(_item(self.key, GIVEN_BACK), StaffMailItem.until == self.until_ms)
        except Cancelled:
            return


def claim(key: str, org: int, until_ms: int) -> StaffClaim:
    """Claim the mail; that it may go out a second time is counted for the org with it.

    Raises `Claimed`, `AlreadySent`, `Unavailable`.
    """
    known = items.read(StaffMailItem, *_key(key))
    if known is None:
        condition = CatalogItem.pk.does_not_exist()
    elif known.sent:
        raise AlreadySent
    elif int(known.until) > clock.now_ms():
        raise Claimed(int(known.until))
    else:
        condition = (StaffMailItem.until == known.until) & (StaffMailItem.sent == False)  # noqa: E712 - a condition
    possibly_twice = known is not None and int(known.until) != GIVEN_BACK
    transaction = Transaction()
    transaction.put("mail", _item(key, until_ms), condition)
    if possibly_twice:
        counts.add_possibly_twice(transaction, org)
    try:
        items.commit(transaction)
    except Cancelled:
        raise Claimed(clock.now_ms()) from None
    return StaffClaim(key, until_ms, possibly_twice, again=known is not None)


def settle(held: StaffClaim) -> None:
    """It went out, or never will. Tries hard, because what is not recorded goes out again. Raises `Unavailable`."""
    for pause in pauses():
        try:
            dynamo.save(_item(held.key, held.until_ms, sent=True))
        except Unavailable:
            clock.sleep_ms(pause)
        else:
            return
    raise Unavailable("what became of a mail is not recorded")


def _key(key: str) -> tuple[str, str]:
    return f"mail#{key}", "mail"


def _item(key: str, until_ms: int, *, sent: bool = False) -> StaffMailItem:
    pk, sk = _key(key)
    expires = datetime.fromtimestamp(clock.now_ms() // 1000 + KEPT_S, UTC)
    return StaffMailItem(pk=pk, sk=sk, until=until_ms, sent=sent, expires=expires)
