"""Who sends a mail: a claim on the supporter's item, taken before it is sent and ended with what became of it.

`mail_claim` is `<mail key>@<until>`: until then (ms since 1970) nobody else sends a mail to this supporter. An `until`
of 0 says that the mail certainly did not go out and was given back. Where `until` has passed otherwise, whoever held
the claim died between the provider's answer and the record, or before it asked: the mail may have gone out.

`mailed` holds the keys of the mails that went out, or never will; `?<key>` marks one that may have gone out and whose
claim had to make room for another mail's.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions.store import SupporterItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.catalog import items
from proca_common.mails import counts

GIVEN_BACK = 0


class Claimed(Exception):
    """Somebody else sends to this supporter, until `until_ms` at the latest."""

    def __init__(self, until_ms: int) -> None:
        super().__init__("claimed by somebody else")
        self.until_ms = until_ms


class Changed(Exception):
    """The supporter is not as it was read: read it again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that we alone may send. `possibly_twice`: it may have gone out before; `again`: it was tried before, and
    did not.
    """

    supporter: SupporterItem
    key: str
    value: str
    possibly_twice: bool = False
    again: bool = False

    @property
    def until_ms(self) -> int:
        """Until when nobody else sends to this supporter."""
        return int(self.value.rpartition("@")[2])

    def give_back(self) -> None:
        """The mail certainly did not go out: whoever comes next may send it at once. Raises `Unavailable`."""
        try:
            released = SupporterItem.mail_claim.set(f"{self.key}@{GIVEN_BACK}")
            dynamo.update(_item(self.supporter), [released], SupporterItem.mail_claim == self.value)
        except Cancelled:
            return


def claim(supporter: SupporterItem, key: str, until_ms: int) -> Claim:
    """Claim the mail, if the supporter is still as read. That it may go out a second time is counted with the claim.

    Raises `Claimed`, `Changed`, `Unavailable`.
    """
    held_key, held_until = _held(supporter)
    if held_until > clock.now_ms():
        raise Claimed(held_until)
    died = held_key is not None and held_until != GIVEN_BACK
    value = f"{key}@{until_ms}"
    changes: list[UpdateAction] = [SupporterItem.mail_claim.set(value)]
    if died and held_key != key:
        changes.append(SupporterItem.mailed.add({f"?{held_key}"}))
    possibly_twice = (died and held_key == key) or f"?{key}" in (supporter.mailed or ())
    try:
        if possibly_twice:
            _counting(supporter, changes)
        else:
            dynamo.update(_item(supporter), changes, _as_read(supporter))
    except Cancelled:
        raise Changed from None
    return Claim(supporter, key, value, possibly_twice, again=held_key == key)


def _counting(supporter: SupporterItem, changes: list[UpdateAction]) -> None:
    transaction = Transaction()
    transaction.update("supporter", _item(supporter), changes, _as_read(supporter))
    counts.add_possibly_twice(transaction, int(supporter.org))
    items.commit(transaction)


def settle(held: Claim, *, forget: bool) -> None:
    """The mail went out, or never will: nobody sends it again. `forget`: the address is not needed any more.

    Tries hard, because what is not recorded goes out again. Raises `Unavailable`.
    """
    settled: list[UpdateAction] = [SupporterItem.mailed.add({held.key})]
    if forget:
        settled.append(SupporterItem.mail.remove())
    ours = SupporterItem.mail_claim == held.value
    for pause in pauses():
        try:
            dynamo.update(_item(held.supporter), [*settled, SupporterItem.mail_claim.remove()], ours)
        except Unavailable:
            clock.sleep_ms(pause)
        except Cancelled:  # the claim ran out and is somebody else's, or the supporter was erased
            _add(held.supporter, settled)
            return
        else:
            return
    raise Unavailable("what became of a mail is not recorded")


def forget_address(supporter: SupporterItem) -> None:
    """No mail is due to the supporter any more. Raises `Unavailable`."""
    if supporter.mail is not None:
        _add(supporter, [SupporterItem.mail.remove()])


def _add(supporter: SupporterItem, changes: list[UpdateAction]) -> None:
    try:
        dynamo.update(_item(supporter), changes, SupporterItem.ref.exists())
    except Cancelled:
        return


def _held(supporter: SupporterItem) -> tuple[str | None, int]:
    key, _, until = (supporter.mail_claim or "").rpartition("@")
    return (key, int(until)) if key else (None, GIVEN_BACK)


def _as_read(supporter: SupporterItem) -> Condition:
    held = SupporterItem.mail_claim
    same: Condition = held.does_not_exist() if supporter.mail_claim is None else held == supporter.mail_claim
    mailed = SupporterItem.mailed
    as_many: Condition = mailed.does_not_exist() if supporter.mailed is None else mailed == supporter.mailed
    unchanged: Condition = same & as_many & SupporterItem.mail.exists() & (SupporterItem.status == supporter.status)
    return unchanged


def _item(supporter: SupporterItem) -> SupporterItem:
    return SupporterItem(supporter.ref, supporter.sk)
