"""Linking earlier actions to the supporter who came later (domain 3.2.7, design 5): the newest 25 of the same page org.

Each is moved by a conditional transaction of its own, outside the signature's, so that strangers who know or guess a
ref cannot make a signature fail.
"""

from __future__ import annotations

from pynamodb.exceptions import PynamoDBException

from proca_common.action_pages.context import page_context
from proca_common.actions import store
from proca_common.actions.store import ActionIdItem, ActionItem, SupporterItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ActionsItem, Transaction, translated
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.stages import outbox
from proca_common.stages.binding import bind, count_action, is_full

NEWEST = 25


def link(entry: outbox.Entry) -> None:
    """Link what waits for the supporter of this record, then end its stage. Raises `Unavailable`; safe to repeat."""
    supporter = store.read((entry.image.ref, entry.image.sk))
    if not isinstance(supporter, SupporterItem) or not outbox.is_current(supporter, entry.image, clock.now_ms()):
        return
    for action in _waiting_for(supporter):
        if not _move(action, supporter):
            break
    end, as_read = SupporterItem(supporter.ref, supporter.sk), outbox.as_read(supporter)
    supporter.stage = None
    events = outbox.owed_by(supporter)  # something is to be told of it, too
    left = outbox.owing(supporter, events, clock.now_ms()) if events else outbox.finished()
    changes = [*left, SupporterItem.link_refs.remove()]
    try:
        dynamo.update(end, changes, as_read)
    except Cancelled:
        return  # the sweep woke it meanwhile, or more is to be linked: the new record ends it


def _waiting_for(supporter: SupporterItem) -> list[ActionItem]:
    waiting = [action for ref in supporter.link_refs or () for action in _newest_under(ref)]
    return sorted(waiting, key=lambda action: int(action.id))[-NEWEST:]


def _newest_under(ref: str) -> list[ActionItem]:
    try:
        newest = ActionItem.query(
            ref, ActionItem.sk.startswith("A#"), scan_index_forward=False, limit=NEWEST, consistent_read=True
        )
        return list(newest)
    except PynamoDBException as error:
        raise translated(error) from None


def _move(action: ActionItem, supporter: SupporterItem) -> bool:
    """Move one action under its supporter; False when the supporter is gone or full."""
    unbound = ActionItem(action.ref, action.sk)
    for pause in pauses():
        bound = ActionItem.from_raw_data(action.serialize())
        bound.expires = None
        bind(bound, supporter, page_context(int(action.page)), clock.now_ms())
        transaction = Transaction()
        transaction.delete("unbound", unbound, ActionsItem.ref.exists())
        transaction.put("action", bound)
        where = ActionIdItem(*store.action_id_key(int(action.id)))
        moved = [ActionIdItem.at.set(bound.ref), ActionIdItem.expires.remove()]
        transaction.update("id", where, moved, ActionsItem.ref.exists())
        count_action(transaction, supporter, bound)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            if cancelled.refused("unbound") or cancelled.refused("id"):
                return True  # it was moved before, or is just expiring
            if cancelled.refused("supporter"):
                old = cancelled.old.get("supporter")
                if old is None or is_full(old):
                    return False
                supporter = SupporterItem.from_raw_data(old)
                continue
            clock.sleep_ms(pause)
        else:
            return True
    raise Unavailable("other writes were in the way")
