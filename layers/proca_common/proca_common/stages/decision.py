"""What every decision about a supporter and its actions is made of: read, decide, commit in one transaction that holds
only if everything is as read, else read and decide anew. Doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from pynamodb.expressions.condition import Condition

from proca_common.action_pages.context import page_context
from proca_common.actions import store
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.errors import NotFound
from proca_common.stages import outbox
from proca_common.stages.binding import bind, waits


def decided(decide: Callable[[], Transaction | None]) -> bool:
    """Commit what is decided, deciding anew when something moved meanwhile. An empty transaction means: read again."""
    for pause in pauses():
        transaction = decide()
        if transaction is None:
            return False
        try:
            if len(transaction):
                transaction.commit()
                return True
        except Cancelled:
            pass
        clock.sleep_ms(pause)
    raise Unavailable("other writes were in the way")


def action_and_supporter(action_id: int) -> tuple[ActionItem, SupporterItem]:
    """An action and the supporter it is of, as last written. Raises `NotFound`, `Unavailable`."""
    action = store.action_by_id(action_id)
    if action is None or action.supporter is None:
        raise NotFound("action")
    supporter = store.read(store.supporter_key(action.ref, int(action.org), int(action.supporter)))
    if not isinstance(supporter, SupporterItem):
        raise NotFound("supporter")
    return action, supporter


def waiting_for(supporter: SupporterItem) -> list[ActionItem] | None:
    """The actions that wait for the supporter; None when one came or went while they were read."""
    if not supporter.waiting:
        return []
    waiting = [action for action in store.actions_of(supporter.ref, int(supporter.id)) if waits(action)]
    return waiting if len(waiting) == supporter.waiting else None


def as_read(supporter: SupporterItem) -> Condition:
    """The supporter's status is as this copy says, and so are what waits for it and who receives it."""
    same: Condition = (SupporterItem.status == supporter.status) & (SupporterItem.waiting == supporter.waiting)
    same &= SupporterItem.recipients == supporter.recipients
    if supporter.held is not None:
        same &= SupporterItem.held == supporter.held
    return same


def gone_on(action: ActionItem, status: str, supporter: SupporterItem, now_ms: int) -> ActionItem:
    """The action with this status, as its supporter makes it go on; on a supporter that is new, its status too."""
    after = ActionItem.from_raw_data(action.serialize())
    after.status, after.held = status, None
    bind(after, supporter, page_context(int(action.page)), now_ms)
    return after


def unchanged(action: ActionItem) -> Condition:
    """The action's status, what it owes and who receives it are as this copy says."""
    condition: Condition = (ActionItem.status == action.status) & outbox.as_read(action)
    if action.recipients is not None:
        condition &= ActionItem.recipients == action.recipients
    return condition
