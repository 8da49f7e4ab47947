"""From what was written with an action to one mail for each target (design 4).

Up to 1,000 targets come with one action, more than one transaction takes: so it goes in steps, and the message knows
how far they went. Each step is one transaction that holds only if the message is as it was read; whoever comes after a
crash, or at the same time, goes on from there, and no mail is made or counted twice.

Who was written to before is decided for all targets at once, in the first step: the action that is delivered first is
first (`mtt.ranking` says why).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions import store as actions
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.mails.office import Dropped, Later
from proca_common.mtt import ranking, store
from proca_common.mtt.settings import KeepMessages
from proca_common.mtt.store import MailId, MailItem, MailStatus, MessageItem, NumbersItem, WrittenItem
from proca_common.pipes.orders import TargetsOrder
from proca_common.targets import store as targets

STEP: Final = 48
"""Targets of one step: a mail and its target's numbers each, and the message, are 97 of the 100 writes there may be."""
SOON_MS: Final = 5_000
BATCH: Final = 100
WAITS: Final = frozenset({ActionStatus.NEW, ActionStatus.CONFIRMING, ActionStatus.ACCEPTED})


@dataclass(frozen=True, slots=True)
class _Found:
    message: MessageItem
    action: ActionItem
    written: WrittenItem | None


def expand(order: TargetsOrder, keep: KeepMessages) -> list[MailId]:
    """Make the mails of an action; returns those of a test, which go out at once and after no plan.

    `keep`: what the campaign keeps of messages. Raises `Dropped` (there will be none), `Later`, `Unavailable`.
    """
    waits = pauses()
    while True:
        found = _read(order)
        message = found.message
        if message.expanded is not None and message.expanded * store.UUID_BYTES >= len(message.targets):
            return _tests(message)
        transaction = _first_step(found, keep) if message.expanded is None else _next_step(message)
        try:
            transaction.commit()
        except Cancelled:
            pause = next(waits, None)
            if pause is None:
                raise Unavailable("other writes were in the way") from None
            clock.sleep_ms(pause)


def _read(order: TargetsOrder) -> _Found:
    keys = (
        store.message_key(order.ref, order.targets_of),
        actions.action_key(order.ref, order.targets_of),
        store.written_key(order.ref, order.campaign),
    )
    found = actions.read_many(keys)
    message, action, written = (found.get(key) for key in keys)
    if not isinstance(message, MessageItem) or not isinstance(action, ActionItem):
        raise Dropped("gone")
    if message.expanded is None:
        status = ActionStatus(action.status)
        if status in WAITS:  # ordered a moment before it is stored
            raise Later("the action is not delivered yet", clock.now_ms() + SOON_MS)
        if status is not ActionStatus.DELIVERED or message.sender is None:
            raise Dropped("the action is not delivered")
    return _Found(message, action, written if isinstance(written, WrittenItem) else None)


def _first_step(found: _Found, keep: KeepMessages) -> Transaction:
    """Decide which of the targets get a mail. Targets that were removed since are left out."""
    message, written = found.message, found.written
    wanted = store.unpacked(message.targets)
    known = _known(int(message.campaign), wanted)
    there = [target for target in wanted if target in known]
    transaction = Transaction()
    if message.testing:
        shown = ranking.shown(known)
        first, dupes = [target for target in there if target in shown], [each for each in there if each not in shown]
    else:
        before = frozenset(store.unpacked(b"".join(written.targets))) if written is not None else frozenset()
        ranks = ranking.ranked(there, before)
        first, dupes = list(ranks.first), list(ranks.dupes)
        _write_down(transaction, found, first)
    changes: list[UpdateAction] = [
        MessageItem.targets.set(store.packed(there)),
        MessageItem.dupes.set(store.packed(dupes)),
        MessageItem.left.set(len(first)),
        MessageItem.expanded.set(0),
        *(() if first else store.forgetting(keep)),
    ]
    as_read = MessageItem.expanded.does_not_exist() & MessageItem.sender.exists()
    transaction.update("message", MessageItem(message.ref, message.sk), changes, as_read)
    return transaction


def _known(campaign: int, wanted: list[str]) -> dict[str, str | None]:
    """The locales of those of the targets that there are."""
    batches = (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
    return {target.id: target.locale for batch in batches for target in targets.get_many(campaign, batch).values()}


def _write_down(transaction: Transaction, found: _Found, first: list[str]) -> None:
    """From now on this person wrote to these targets."""
    if not first:
        return
    item = WrittenItem(*store.written_key(found.action.ref, int(found.message.campaign)))
    added = {store.packed([target]) for target in first}
    version = 0 if found.written is None else int(found.written.version)
    item.targets, item.version = added, version + 1
    if found.written is None:
        transaction.put("written", item, ActionsItem.ref.does_not_exist())
        return
    changes = [WrittenItem.targets.add(added), WrittenItem.version.set(version + 1)]
    transaction.update("written", item, changes, WrittenItem.version == version)


def _next_step(message: MessageItem) -> Transaction:
    """The mails of the next targets, each with its target's numbers."""
    transaction = Transaction()
    begun = int(message.expanded)
    dupes = frozenset(store.pieces(message.dupes or b""))
    step = store.pieces(message.targets)[begun : begun + STEP]
    for piece in step:
        [target] = store.unpacked(piece)
        mail = MailId(int(message.campaign), target, int(message.action))
        _put_mail(transaction, mail, message, is_dupe=piece in dupes)
    went: list[UpdateAction] = [MessageItem.expanded.set(begun + len(step))]
    as_read: Condition = MessageItem.expanded == begun
    transaction.update("message", MessageItem(message.ref, message.sk), went, as_read)
    return transaction


def _put_mail(transaction: Transaction, mail: MailId, message: MessageItem, *, is_dupe: bool) -> None:
    item = MailItem(*store.mail_key(mail), at=message.ref, testing=True if message.testing else None)
    if message.testing:
        item.status = (MailStatus.SENT if is_dupe else MailStatus.TEST).value
    elif is_dupe:
        item.status = MailStatus.DUPE.value
    else:
        item.status = MailStatus.UNSENT.value
        item.pending, item.due = store.mails_of(mail.campaign, mail.target), mail.action
        numbers = NumbersItem(*store.numbers_key(mail.campaign, mail.target))
        transaction.update(f"numbers {mail.target}", numbers, store.counted(total=1))
    transaction.put(f"mail {mail.target}", item, ActionsItem.ref.does_not_exist())


def _tests(message: MessageItem) -> list[MailId]:
    if not message.testing:
        return []
    dupes = frozenset(store.unpacked(message.dupes))
    campaign, action = int(message.campaign), int(message.action)
    return [MailId(campaign, target, action) for target in store.unpacked(message.targets) if target not in dupes]
