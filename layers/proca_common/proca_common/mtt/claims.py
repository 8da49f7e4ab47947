"""Who sends a mail to a target, and what becomes of it: at most once, whatever crashes, overlaps or comes twice.

unsent, test ── claim ──► claimed ── sent, refused
     ▲                       │  └── an hour without a result: uncertain
     └────── given back ─────┘
unsent, test ── withdrawn
unsent ── its campaign is over for a while: expired

Each step is one conditional transaction, which also keeps the target's numbers. Only whoever claimed a mail hands it to
a provider, and a claim is given back only where it is certain that the mail did not go out. So a mail whose sender died
is `uncertain` after an hour: it is shown to the campaign's owner and never sent again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions.store import Key
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.mtt import numbers, store
from proca_common.mtt.settings import KeepMessages
from proca_common.mtt.store import WAITING, MailId, MailItem, MailStatus, NumbersItem

UNCERTAIN_AFTER_MS: Final = 3_600_000
COUNTED: Final = {
    MailStatus.SENT: {"sent": 1},
    MailStatus.REFUSED: {"refused": 1},
    MailStatus.UNCERTAIN: {"uncertain": 1},
    MailStatus.WITHDRAWN: {"total": -1},
    MailStatus.EXPIRED: {"taken": 1, "expired": 1},
}
"""What the end of a mail adds to its target's numbers."""


class Taken(Exception):
    """Somebody else has the mail, or had it: it does not wait any more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that we alone may send. `was`: how it waited."""

    mail: MailId
    item: MailItem
    was: MailStatus
    claimed_ms: int

    @property
    def until_ms(self) -> int:
        """When it becomes uncertain."""
        return self.claimed_ms + UNCERTAIN_AFTER_MS

    def give_back(self) -> None:
        """It certainly did not go out: it waits as before. Raises `Unavailable`."""
        transaction = Transaction()
        _move(transaction, self.mail, store.waits(self.mail, self.was), _ours(self))
        _count(transaction, self.mail, self.was, taken=-1)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            if not cancelled.any_condition:
                raise Unavailable("other writes were in the way") from None


def claim(mail: MailId, item: MailItem) -> Claim:
    """Claim a mail that waits, as it was read. Raises `Taken`, `Unavailable`."""
    was = MailStatus(item.status)
    if was not in WAITING:
        raise Taken
    for pause in pauses():
        held = Claim(mail, item, was, clock.now_ms())
        changes: list[UpdateAction] = [
            MailItem.status.set(MailStatus.CLAIMED.value),
            MailItem.claimed.set(held.claimed_ms),
            MailItem.pending.set(store.claims_of(mail.campaign)),
            MailItem.due.set(held.until_ms),
        ]
        transaction = Transaction()
        _move(transaction, mail, changes, MailItem.status == was.value)
        _count(transaction, mail, was, taken=1)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            if cancelled.any_condition:
                raise Taken from None
            clock.sleep_ms(pause)
        else:
            return held
    raise Unavailable("other writes were in the way")


def settle(held: Claim, status: MailStatus, keep: KeepMessages) -> None:
    """It was sent, or refused for good: nobody sends it again. Tries hard, because otherwise it becomes uncertain.

    Raises `Unavailable`.
    """
    _end(held.mail, held.item.at, held.was, status, _ours(held), keep)


def withdraw(mail: MailId, item: MailItem, keep: KeepMessages) -> None:
    """A mail that waits never goes out. Raises `Unavailable`."""
    _end(mail, item.at, MailStatus(item.status), MailStatus.WITHDRAWN, MailItem.status == item.status, keep)


def expire(mail: MailId, keep: KeepMessages) -> bool:
    """A mail that waits has waited too long and never goes out; whether it still waited. Raises `Unavailable`."""
    item = store.read_mail(mail)
    if item is None or item.status != MailStatus.UNSENT:
        return False
    return _end(mail, item.at, MailStatus.UNSENT, MailStatus.EXPIRED, MailItem.status == item.status, keep)


def give_up(key: Key, keep: KeepMessages, now_ms: int) -> bool:
    """Nobody knows whether the mail at this key went out, whose claim is too old; whether it was so.

    Raises `Unavailable`.
    """
    mail = store.mail_of(key)
    item = store.read_mail(mail)
    if item is None or item.status != MailStatus.CLAIMED or int(item.claimed) + UNCERTAIN_AFTER_MS > now_ms:
        return False
    was = MailStatus.TEST if item.testing else MailStatus.UNSENT
    as_read = (MailItem.status == item.status) & (MailItem.claimed == item.claimed)
    return _end(mail, item.at, was, MailStatus.UNCERTAIN, as_read, keep)


def _end(mail: MailId, at: str, was: MailStatus, status: MailStatus, as_read: Condition, keep: KeepMessages) -> bool:
    """Store what became of the mail, with all numbers; False where the mail is not as it was read."""
    for pause in pauses():
        now_ms = clock.now_ms()
        message = store.read_message(at, mail.action)
        transaction = Transaction()
        _move(transaction, mail, _ended(mail, status, now_ms), as_read)
        _count(transaction, mail, was, **COUNTED[status])
        if status is MailStatus.SENT and was is not MailStatus.TEST:
            numbers.add_sent(transaction, mail.campaign)
        if message is not None and message.left is not None:
            store.one_less(transaction, message, keep)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            if cancelled.refused("mail"):
                return False
            clock.sleep_ms(pause)
        except Unavailable:
            clock.sleep_ms(pause * random.uniform(1, 2))
        else:
            return True
    raise Unavailable("what became of a mail is not recorded")


def _ended(mail: MailId, status: MailStatus, now_ms: int) -> list[UpdateAction]:
    changes: list[UpdateAction] = [
        MailItem.status.set(status.value),
        MailItem.done.set(now_ms),
        MailItem.claimed.remove(),
    ]
    if status is MailStatus.UNCERTAIN:
        return [*changes, MailItem.pending.set(store.uncertain_of(mail.campaign)), MailItem.due.set(now_ms)]
    return [*changes, MailItem.pending.remove(), MailItem.due.remove()]


def _move(transaction: Transaction, mail: MailId, changes: list[UpdateAction], condition: Condition) -> None:
    transaction.update("mail", MailItem(*store.mail_key(mail)), changes, condition)


def _count(transaction: Transaction, mail: MailId, was: MailStatus, **added: int) -> None:
    """Tests are not counted."""
    if was is not MailStatus.TEST:
        item = NumbersItem(*store.numbers_key(mail.campaign, mail.target))
        transaction.update("numbers", item, store.counted(**added), NumbersItem.total.exists())


def _ours(held: Claim) -> Condition:
    condition: Condition = (MailItem.status == MailStatus.CLAIMED.value) & (MailItem.claimed == held.claimed_ms)
    return condition
