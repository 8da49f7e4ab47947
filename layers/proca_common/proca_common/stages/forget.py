"""When the sealed copy of an address goes (design 7.1): once no mail is due any more, and at the latest after a while.
What was written to targets goes, too, where the action is not delivered by then.

An action whose supporter may be due a mail later, or that has such a message, is in `pending` until then, though it
owes nothing: kind `remind` where its supporter is to be reminded, else `wipe`.
"""

from __future__ import annotations

from proca_common.action_pages.context import PageContext
from proca_common.actions import store
from proca_common.actions.status import ActionStatus, Stage
from proca_common.actions.store import ActionItem, Key, SupporterItem
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.confirms.tokens import VALID_DAYS
from proca_common.ids import created_ms
from proca_common.mails.reminders import reminders
from proca_common.stages import outbox
from proca_common.stages.outbox import Later

DAY_MS = 86_400_000
UNSENT_DAYS = 30


def after_confirming(action: ActionItem, supporter: SupporterItem, context: PageContext, now_ms: int) -> Later | None:
    """What is left to do for a supporter who was asked to confirm: to remind it, or to forget its address."""
    if supporter.mail is None:
        return with_link(action) if action.messages else None
    wanted = reminders(context) if action.stage == Stage.SUPPORTER_CONFIRM and action.with_consent else None
    if wanted is None:
        return with_link(action)
    return unless_ended(Later("remind", now_ms + wanted.delay_ms), with_link(action))


def with_link(action: ActionItem) -> Later:
    """When the link to confirm has ended, and a day, the address goes, and what was written to targets."""
    return Later("wipe", created_ms(int(action.id)) + (VALID_DAYS + 1) * DAY_MS)


def unless_ended(reminder: Later, end: Later) -> Later:
    """Nobody is reminded of a link that has ended."""
    return reminder if reminder.due_ms < end.due_ms - DAY_MS else end


def after_ordering(now_ms: int) -> Later:
    """When to forget the address of a mail that was ordered but never went out: after all queues have."""
    return Later("wipe", now_ms + UNSENT_DAYS * DAY_MS)


def forget(transaction: Transaction, supporter: Key) -> None:
    """Take the address off the supporter, if it is still there."""
    transaction.update("address", SupporterItem(*supporter), [SupporterItem.mail.remove()], ActionsItem.ref.exists())


def wipe(keys: list[Key], now_ms: int) -> int:
    """Forget the addresses of the supporters of these actions, which are in `pending` for that, and what they wrote to
    targets with those that never were delivered; how many were due.

    Raises `Unavailable`.
    """
    wiped = 0
    for action in store.read_many(keys).values():
        if not isinstance(action, ActionItem) or not _is_due(action, now_ms):
            continue
        transaction = Transaction()
        transaction.update("action", ActionItem(action.ref, action.sk), outbox.finished(), outbox.as_read(action))
        forget(transaction, store.supporter_key(action.ref, int(action.org), int(action.supporter)))
        if action.messages and action.status != ActionStatus.DELIVERED:
            from proca_common.mtt import store as messages  # noqa: PLC0415 - few actions have messages

            messages.withdraw(transaction, [(action.ref, int(action.id))])
        try:
            transaction.commit()
        except Cancelled:
            continue  # it moved on meanwhile, or the supporter was erased: the next run sees
        wiped += 1
    return wiped


def _is_due(action: ActionItem, now_ms: int) -> bool:
    waits = action.stage is None and action.pending is not None and action.pending.startswith("wipe#")
    return waits and int(action.due) <= now_ms
