"""Making an action one of a supporter: its state, its stage and who receives it (domain 4.2, 4.6; design 5)."""

from __future__ import annotations

from typing import Any

from proca_common.action_pages.context import PageContext
from proca_common.actions import store
from proca_common.actions.status import ActionStatus, Stage, SupporterStatus
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws.dynamo import Transaction
from proca_common.pipes.routing import Destination, Way, destinations
from proca_common.stages.machine import stored, transition
from proca_common.stages.outbox import enter, hold, leave

MAX_ACTIONS = 200
MAX_WAITING = 80


def bind(action: ActionItem, supporter: SupporterItem, context: PageContext, now_ms: int) -> None:
    """Set on the action what its supporter makes of it; on a supporter that is new with this action, its state too.

    Only orgs of this page's campaign receive the action, even where the supporter signed another campaign of the same
    org. Nothing moves for a supporter that is held: its signature is for review, all else waits. Nor does it while the
    org is asked for details.
    """
    orgs = {context.org.id: context.org, context.lead.id: context.lead}
    receivers = [org for org in orgs.values() if org.id in supporter.recipients]
    action.ref = supporter.ref
    action.supporter = supporter.id
    action.recipients = [org.id for org in receivers]
    action.campaign_bucket = store.campaign_bucket(int(action.campaign), int(action.id))
    move = transition(
        ActionStatus(action.status),
        SupporterStatus(supporter.status),
        with_consent=action.with_consent,
        effective=context.switches,
    )
    leave(action)
    if supporter.held is not None:
        if action.id == supporter.id:
            hold(action, int(supporter.held), now_ms)
        return
    if move is None:
        return
    if move.stage is not None and _asks_for_details(action, supporter, context):
        enter(action, "emit", int(action.id), Stage.DETAIL, {Destination(context.org.id, Way.DETAIL)}, now_ms)
        return
    supporter.status = move.supporter.value
    action.status = stored(move).value
    if move.stage is not None:
        mails = action.with_consent and supporter.mail is not None and context.may_mail(move.stage)
        writes_for = context.lead if action.messages else None
        owed = destinations(move.stage, context.org, receivers, mails=mails, writes_for=writes_for)
        if owed or move.stage is Stage.DELIVER:
            enter(action, "emit", int(action.id), move.stage, owed, now_ms)


def _asks_for_details(action: ActionItem, supporter: SupporterItem, context: PageContext) -> bool:
    """Whether the page org is asked what it knows of a new supporter before its signature goes on (domain 4.5)."""
    new = supporter.status == SupporterStatus.NEW and not supporter.detailed
    return new and context.org.detail_backend is not None and action.with_consent


def waits(action: ActionItem) -> bool:
    """Whether the action waits for its supporter."""
    return ActionStatus(action.status) is ActionStatus.NEW


def count_action(transaction: Transaction, supporter: SupporterItem, action: ActionItem) -> None:
    """Count a further action on its stored supporter, on condition that its status and who receives it are as read, and
    there is room.
    """
    changes = [SupporterItem.actions.add(1)]
    if waits(action):
        changes.append(SupporterItem.waiting.add(1))
    room = (SupporterItem.actions < MAX_ACTIONS) & (SupporterItem.waiting < MAX_WAITING)
    unchanged = (SupporterItem.status == supporter.status) & (SupporterItem.recipients == supporter.recipients)
    transaction.update("supporter", SupporterItem(supporter.ref, supporter.sk), changes, unchanged & room, old=True)


def is_full(old: dict[str, Any] | None) -> bool:
    """Whether a stored supporter (DynamoDB attribute values; None: it is gone) has no room for a further action."""
    if old is None:
        return False
    return int(old["actions"]["N"]) >= MAX_ACTIONS or int(old["waiting"]["N"]) >= MAX_WAITING
