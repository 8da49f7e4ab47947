"""The outbox (design 5): a write that needs something emitted stores stage, due, owed and attempt on the item it
concerns.

The stream image only says where to look. Whoever works on an item reads it again and does nothing when it owes another
stage by now, or not yet, and ends or changes a stage only on condition that stage, due and status are still as read.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem, Outbox, pending_bucket
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.logs import log_fault
from proca_common.pipes.routing import Destination

MINUTE_MS = 60_000
LONGEST_WAIT_MS = 6 * 60 * MINUTE_MS
CLOCK_SKEW_MS = 30_000
GRACE_MS = MINUTE_MS
PATIENT_AFTER = 5


class Later(NamedTuple):
    """What is left to do with an item that owes nothing: a kind of `pending`, and from when on (ms since 1970)."""

    kind: str
    due_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream record: its sequence number and the item as it was written."""

    sequence: str
    image: Outbox


def entries(records: Iterable[dict[str, Any]]) -> tuple[list[Entry], list[str]]:
    """The outbox items of stream records, and the sequence numbers of records that cannot be read."""
    read: list[Entry] = []
    failed: list[str] = []
    for record in records:
        change = record["dynamodb"]
        try:
            image = ActionsItem.from_raw_data(change["NewImage"])
            if isinstance(image, Outbox):
                read.append(Entry(change["SequenceNumber"], image))
        except Exception as error:  # noqa: BLE001 - a poison record must not hold up the others
            log_fault("stream record cannot be read", error, sequence=change["SequenceNumber"])
            failed.append(change["SequenceNumber"])
    return read, failed


def too_early(image: Outbox, now_ms: int) -> bool:
    """Whether the item waits for a later time, beyond what clocks may differ: the sweep will wake it."""
    return image.due is None or int(image.due) > now_ms + CLOCK_SKEW_MS


def is_current(found: ActionsItem | None, image: Outbox, now_ms: int) -> bool:
    """Whether the item still owes the stage of the image, and owes it now.

    When it is due may differ: where the stream is more than a minute late, the sweep has woken the item meanwhile, and
    the new record is behind all others.
    """
    return isinstance(found, Outbox) and found.stage == image.stage and not too_early(found, now_ms)


def enter(item: Outbox, kind: str, identifier: int, stage: Stage, owed: Collection[Destination], now_ms: int) -> None:
    """Set on a new item that this stage is owed, from now on."""
    item.stage = stage.value
    item.due = now_ms
    item.owed = {str(destination) for destination in owed} or None
    item.attempt = 0
    item.pending = pending_bucket(kind, identifier)


def entered(item: Outbox) -> list[UpdateAction]:
    """The same for a stored item: what `enter` has set on this copy, with nobody to serve."""
    return [
        Outbox.stage.set(item.stage),
        Outbox.due.set(item.due),
        Outbox.attempt.set(item.attempt),
        Outbox.pending.set(item.pending),
    ]


def owing(item: Outbox, owed: Collection[Destination], now_ms: int) -> list[UpdateAction]:
    """Enter stage `event` on a stored item that may owe something already: that is owed still, and links come first.

    `due` is never as before: whoever is at work on the item now must not end what is entered here.
    """
    links = item.stage == Stage.LINK
    return [
        Outbox.stage.set(Stage.LINK.value if links else Stage.EVENT.value),
        Outbox.due.set(max(now_ms, int(item.due or 0) + 1)),
        Outbox.attempt.set(0),
        Outbox.owed.set({str(destination) for destination in {*owed_by(item), *owed}}),
        Outbox.pending.set(pending_bucket("link" if links else "emit", int(item.id))),
    ]


def leave(item: Outbox) -> None:
    """Set on an item that nothing is owed."""
    item.stage = item.due = item.owed = item.attempt = item.pending = None


def hold(action: ActionItem, rule: int, now_ms: int) -> None:
    """Set on a new action that somebody has to look at it, because of this rule: it is listed, and never swept."""
    action.held = rule
    action.due = now_ms
    action.pending = pending_bucket("review", int(action.id))


def finished() -> list[UpdateAction]:
    """Nothing is owed any more."""
    return [
        Outbox.stage.remove(),
        Outbox.due.remove(),
        Outbox.owed.remove(),
        Outbox.attempt.remove(),
        Outbox.pending.remove(),
    ]


def set_aside(item: Outbox, later: Later) -> list[UpdateAction]:
    """Nothing is owed any more, but something else is to be done with the item later."""
    return [
        Outbox.stage.remove(),
        Outbox.owed.remove(),
        Outbox.attempt.remove(),
        Outbox.due.set(later.due_ms),
        Outbox.pending.set(pending_bucket(later.kind, int(item.id))),
    ]


def postponed(owed: Collection[Destination], due_ms: int) -> list[UpdateAction]:
    """Only these destinations are owed still, at a later time."""
    return [Outbox.owed.set({str(destination) for destination in owed}), Outbox.due.set(due_ms)]


def served(
    unserved: Collection[Destination], item: Outbox, now_ms: int, then: Later | None = None
) -> list[UpdateAction]:
    """What is stored after a try: the end of the stage, and what comes then, or what is left of it for later."""
    if not unserved:
        return finished() if then is None else set_aside(item, then)
    attempt = int(item.attempt or 0)
    is_left_to_the_sweep = item.stage != Stage.DELIVER and attempt >= PATIENT_AFTER  # see `is_overdue`
    return postponed(unserved, now_ms if is_left_to_the_sweep else now_ms + wait_ms(attempt))


def wait_ms(attempt: int) -> int:
    """1 min x 2^attempt, 6 h from the fifth attempt on, up to a tenth more at random so that not all come back at
    once.
    """
    wait = LONGEST_WAIT_MS if attempt >= PATIENT_AFTER else MINUTE_MS << attempt
    return wait + random.randrange(wait // 10)


def as_read(item: Outbox) -> Condition:
    """Stage and due are as this copy of the item says."""
    stage = Outbox.stage.does_not_exist() if item.stage is None else Outbox.stage == item.stage
    due = Outbox.due.does_not_exist() if item.due is None else Outbox.due == item.due
    condition: Condition = stage & due
    return condition


def is_overdue(item: Outbox, *, has_emitted: bool, now_ms: int) -> bool:
    """Whether the sweep should wake the item: 60 s after `due`, which deliver moves when only destinations failed.

    An item that was never served in five attempts holds a fault of ours: it is tried every 6 h until the cause is gone.
    """
    if item.due is None:
        return False
    patient = int(item.attempt or 0) >= PATIENT_AFTER and not has_emitted
    return int(item.due) + (LONGEST_WAIT_MS if patient else GRACE_MS) < now_ms


def waited_ms(item: Outbox, now_ms: int) -> int:
    """For how long the stage has been owed, at least: each time that the sweep woke it came a minute or more after the
    one before.
    """
    return max(0, now_ms - int(item.due or now_ms)) + int(item.attempt or 0) * GRACE_MS


def owed_by(item: Outbox) -> set[Destination]:
    """The destinations still to be served."""
    return {Destination.parse(text) for text in item.owed or ()}
