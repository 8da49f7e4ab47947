"""Messages to targets in the Actions table (design 4; domain 1.14, 9).

ref                         sk                kind
<contact ref>               T#<action>        Message: what was written with an action, once for all its targets
<contact ref>               W#<campaign>      Written: which targets of a campaign this person wrote to
mtt#<campaign>#<target>     <action>          Mail: the message of one action to one target
mtt#<campaign>#<target>     numbers           Numbers: how many mails the target is due, and got

What was written is personal data: sealed for the instance, until the last of its mails is done. A mail holds none.

Mails that somebody has to look at stand in the index `pending`, under their target or campaign, so that one query finds
them in the right order. Its partitions, and what `due` is there:

mtt#<campaign>#<target>     the action's id: mails that wait, the oldest first
claims#<campaign>           ms since 1970: when a claim without a result becomes uncertain
uncertain#<campaign>        ms since 1970: since when it is

Only sending writes to the two of a campaign, which is as slow as providers are, so they never get hot.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions import store
from proca_common.actions.store import Key
from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem, Pending, Transaction
from proca_common.ids import padded
from proca_common.mtt.settings import KeepMessages

UUID_BYTES: Final = 16
NUMBERS: Final = "numbers"


class MailStatus(StrEnum):
    """What becomes of a mail. `test` waits like `unsent`, outside all plans. `dupe`: this person wrote to this target
    before. `refused`: the provider will never take it. `uncertain`: nobody knows whether it went out. `withdrawn`: it
    was rejected, erased or empty before it went out. `expired`: its campaign was over before it could go out.
    """

    UNSENT = "unsent"
    TEST = "test"
    DUPE = "dupe"
    CLAIMED = "claimed"
    SENT = "sent"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


WAITING: Final = frozenset({MailStatus.UNSENT, MailStatus.TEST})


class MailId(NamedTuple):
    """A mail: what was written with this action, to this target (a UUID) of this campaign."""

    campaign: int
    target: str
    action: int

    def __str__(self) -> str:
        """As providers report it back: letters, digits, `-` and `_`."""
        return f"{self.campaign}_{self.target}_{self.action}"

    @staticmethod
    def parse(text: str) -> MailId | None:
        """The mail of its text; None where it is none."""
        campaign, _, rest = text.partition("_")
        target, _, action = rest.partition("_")
        numbers = all(part.isascii() and part.isdigit() and len(part) <= 16 for part in (campaign, action))
        return MailId(int(campaign), target, int(action)) if numbers and is_target_id(target) else None


class MessageItem(ActionsItem, discriminator="message"):
    """What was written with an action. `text` and `sender`, by whom, are sealed and gone once no mail needs them, as
    the campaign wants it. `targets`: their UUIDs, 16 bytes each.

    `expanded`: for how many of them there are mails already; `left`: how many mails are not done; `dupes`: the targets
    whose mails are done from the start, because this person wrote to them before or another test stands for them. None
    before the first.
    """

    action = NumberAttribute()
    campaign = NumberAttribute()
    testing = BooleanAttribute()
    targets = BinaryAttribute(legacy_encoding=False)
    text = BinaryAttribute(null=True, legacy_encoding=False)
    sender = BinaryAttribute(null=True, legacy_encoding=False)
    expanded = NumberAttribute(null=True)
    dupes = BinaryAttribute(null=True, legacy_encoding=False)
    left = NumberAttribute(null=True)


class WrittenItem(ActionsItem, discriminator="written"):
    """The targets of a campaign that a person has a mail to."""

    targets: BinarySetAttribute = BinarySetAttribute(legacy_encoding=False)
    version = NumberAttribute()


class MailItem(ActionsItem, discriminator="target_mail"):
    """A mail. `at`: the contact ref under which its action and message stand. `claimed`: when it was claimed, `done`:
    when it was known what became of it (ms since 1970).
    """

    at = UnicodeAttribute()
    status = UnicodeAttribute()
    testing = BooleanAttribute(null=True)
    claimed = NumberAttribute(null=True)
    done = NumberAttribute(null=True)


class NumbersItem(ActionsItem, discriminator="target_numbers"):
    """The numbers of a target; without tests and duplicates, and what was withdrawn. `taken`: of all mails, those that
    wait no more, be they being sent, sent, refused, uncertain or expired.

    `hour` is the hour (ms since 1970) that `planned` is for: a time (ms since 1970) and an action's id by turns.
    """

    total = NumberAttribute(default=0)
    taken = NumberAttribute(default=0)
    sent = NumberAttribute(default=0)
    refused = NumberAttribute(default=0)
    uncertain = NumberAttribute(default=0)
    expired = NumberAttribute(default=0)
    hour = NumberAttribute(null=True)
    planned: ListAttribute[int] = ListAttribute(null=True)


def message_key(ref: str, action: int) -> Key:
    """Key of what was written with an action."""
    return ref, f"T#{padded(action)}"


def written_key(ref: str, campaign: int) -> Key:
    """Key of which targets a person wrote to."""
    return ref, f"W#{campaign}"


def mails_of(campaign: int, target: str) -> str:
    """Partition of a target's mails, in the table and in `pending`."""
    return f"mtt#{campaign}#{target}"


def mail_key(mail: MailId) -> Key:
    """Key of a mail."""
    return mails_of(mail.campaign, mail.target), padded(mail.action)


def mail_of(key: Key) -> MailId:
    """The mail of its key."""
    _, campaign, target = key[0].split("#")
    return MailId(int(campaign), target, int(key[1]))


def numbers_key(campaign: int, target: str) -> Key:
    """Key of a target's numbers."""
    return mails_of(campaign, target), NUMBERS


def claims_of(campaign: int) -> str:
    """Partition of `pending` with the mails that are being sent."""
    return f"claims#{campaign}"


def uncertain_of(campaign: int) -> str:
    """Partition of `pending` with the mails of which nobody knows whether they went out."""
    return f"uncertain#{campaign}"


def is_target_id(text: str) -> bool:
    """Whether it is a UUID in its usual form, in small letters."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def packed(targets: Iterable[str]) -> bytes:
    """UUIDs as they are stored."""
    return b"".join(uuid.UUID(target).bytes for target in targets)


def unpacked(stored: bytes | None) -> list[str]:
    """UUIDs of their stored form."""
    return [str(uuid.UUID(bytes=each)) for each in pieces(stored or b"")]


def pieces(stored: bytes) -> list[bytes]:
    """The 16 bytes of each UUID."""
    return [stored[start : start + UUID_BYTES] for start in range(0, len(stored), UUID_BYTES)]


def forget_content(transaction: Transaction, label: str, ref: str, action: int) -> None:
    """Take away what was written: its mails are withdrawn when their turn comes. Refused where it is not there."""
    item = MessageItem(*message_key(ref, action))
    transaction.update(label, item, [MessageItem.text.remove(), MessageItem.sender.remove()], ActionsItem.ref.exists())


def counted(**numbers: int) -> list[UpdateAction]:
    """What adds to a target's numbers; its item is made by the first. It needs its kind, as it may be made by this."""
    kind = NumbersItem.kind.set(NumbersItem)
    return [kind, *(getattr(NumbersItem, name).add(number) for name, number in numbers.items())]


def forgetting(keep: KeepMessages) -> list[UpdateAction]:
    """What of a message is taken away when none of its mails is left."""
    match keep:
        case KeepMessages.NONE:
            return [MessageItem.text.remove(), MessageItem.sender.remove()]
        case KeepMessages.TEXT:
            return [MessageItem.sender.remove()]
        case KeepMessages.ALL:
            return []


def one_less(transaction: Transaction, message: MessageItem, keep: KeepMessages) -> None:
    """One of its mails is done, in this transaction; with the last, what is not kept goes. Refused under `message`
    where another was the last meanwhile.
    """
    last = int(message.left or 0) <= 1
    changes: list[UpdateAction] = [MessageItem.left.add(-1), *(forgetting(keep) if last else ())]
    as_read = MessageItem.left == message.left if last else MessageItem.left > 1
    transaction.update("message", MessageItem(message.ref, message.sk), changes, as_read)


def withdraw(transaction: Transaction, actions: Collection[tuple[str, int]]) -> None:
    """Forget in this transaction what was written with these actions (contact ref, id), where it is known still.

    Raises `Unavailable`.
    """
    keys = {message_key(ref, action): (ref, action) for ref, action in actions}
    for key in store.read_many(keys):
        ref, action = keys[key]
        forget_content(transaction, f"message {action}", ref, action)


def read_message(ref: str, action: int) -> MessageItem | None:
    """What was written with an action, as last written. Raises `Unavailable`."""
    found = store.read(message_key(ref, action))
    return found if isinstance(found, MessageItem) else None


def read_mail(mail: MailId) -> MailItem | None:
    """The mail, as last written. Raises `Unavailable`."""
    found = store.read(mail_key(mail))
    return found if isinstance(found, MailItem) else None


def numbers_of(campaign: int, targets: Collection[str]) -> dict[str, NumbersItem]:
    """The numbers of these targets, as last written; zeros where nobody wrote to one yet. Raises `Unavailable`."""
    keys = {numbers_key(campaign, target): target for target in targets}
    found = store.read_many(keys)
    none = (NumbersItem(*key, total=0, taken=0) for key in keys if key not in found)
    known = [item for item in found.values() if isinstance(item, NumbersItem)]
    return {keys[item.ref, item.sk]: item for item in (*known, *none)}


def waiting_for(campaign: int, target: str, limit: int) -> list[int]:
    """The actions whose mails to the target wait, the oldest first, so many at most. Raises `Unavailable`."""
    found: list[int] = []
    if limit > 0:
        for keys in dynamo.index_keys(Pending, mails_of(campaign, target), page_size=min(limit, 1_000)):
            found += [int(sk) for _, sk in keys]
            if len(found) >= limit:
                break
    return found[:limit]


def overdue_claims(campaign: int, now_ms: int) -> Iterator[list[Key]]:
    """Pages of keys of mails that were claimed too long ago. Raises `Unavailable`."""
    return dynamo.index_keys(Pending, claims_of(campaign), ActionsItem.due <= now_ms)


def uncertain_in(campaign: int) -> Iterator[list[Key]]:
    """Pages of keys of mails of which nobody knows whether they went out. Raises `Unavailable`."""
    return dynamo.index_keys(Pending, uncertain_of(campaign))


def waits(mail: MailId, status: MailStatus) -> list[UpdateAction]:
    """What makes it wait to be sent: tests stand in no plan."""
    changes: list[UpdateAction] = [MailItem.status.set(status.value), MailItem.claimed.remove()]
    if status is MailStatus.TEST:
        return [*changes, MailItem.pending.remove(), MailItem.due.remove()]
    waiting = mails_of(mail.campaign, mail.target)
    return [*changes, MailItem.pending.set(waiting), MailItem.due.set(mail.action)]
