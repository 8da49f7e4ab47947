"""The sweep: wakes what should have been served long ago (design 5). It emits nothing itself, so there is one emitter.

It sets `due` to now and counts the attempt, on condition that both are as read; that write passes through the stream
again.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from proca_common.actions import store
from proca_common.actions.status import EMITTED
from proca_common.actions.store import Key, Outbox
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ActionsItem, Pending
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import log_fault, logger
from proca_common.stages import outbox

KINDS = ("emit", "link")
ENOUGH_MS = 5_000
MAX_NAMED = 100

_first = [0]
"""The partition that this environment begins with: those at the end must not be asleep while those before are full."""


def forget() -> None:
    """Start anew, as another environment (tests)."""
    _first[0] = 0


@dataclass(slots=True)
class Swept:
    """How many items were overdue and how many of them were woken, for how long the oldest that was never served has
    been owed, how many five attempts did not help, the ids of the first 100 of these, and what kept a partition from
    being swept.
    """

    overdue: int = 0
    woken: int = 0
    oldest_ms: int = 0
    stuck: int = 0
    named: list[int] = field(default_factory=list)
    fault: Exception | None = None


def sweep(deadline_ms: int) -> Swept:
    """Wake all that is overdue, or as much as fits before `deadline_ms` (ms since 1970); the rest is for the next
    minute, which begins where this one ended. A partition that fails does not keep the others asleep.
    """
    swept = Swept()
    partitions = [*itertools.product(KINDS, range(store.PENDING_BUCKETS))]
    first = _first[0] % len(partitions)
    for number, (kind, bucket) in enumerate([*partitions[first:], *partitions[:first]], 1):
        try:
            overdue = ActionsItem.due < clock.now_ms() - outbox.GRACE_MS
            for keys in dynamo.index_keys(Pending, f"{kind}#{bucket}", overdue):
                _wake_all(keys, swept)
                if _is_late(deadline_ms):
                    break
        except Exception as error:  # noqa: BLE001 - the caller tells, when the others are awake
            log_fault("partition cannot be swept", error, kind=kind, bucket=bucket)
            swept.fault = error
        if _is_late(deadline_ms):
            logger.warning("sweep ran out of time", extra={"woken": swept.woken, "kind": kind, "bucket": bucket})
            _first[0] = first + number
            break
    return swept


def _is_late(deadline_ms: int) -> bool:
    return deadline_ms - clock.now_ms() < ENOUGH_MS


def _wake_all(keys: list[Key], swept: Swept) -> None:
    now_ms = clock.now_ms()
    for item in store.read_overdue(keys):
        swept.overdue += 1
        if item.status not in EMITTED:
            swept.oldest_ms = max(swept.oldest_ms, outbox.waited_ms(item, now_ms))
        if int(item.attempt or 0) >= outbox.PATIENT_AFTER:
            swept.stuck += 1
            if len(swept.named) < MAX_NAMED:
                swept.named.append(int(item.id))
        if outbox.is_overdue(item, has_emitted=item.status in EMITTED, now_ms=now_ms) and wake(item, now_ms):
            swept.woken += 1


def wake(item: Outbox, now_ms: int) -> bool:
    """Make the item due now; False when somebody else worked on it meanwhile."""
    again = type(item)(item.ref, item.sk)
    changes = [Outbox.due.set(now_ms), Outbox.attempt.set(int(item.attempt or 0) + 1)]
    as_read = outbox.as_read(item) & (Outbox.attempt == item.attempt)
    try:
        dynamo.update(again, changes, as_read)
    except Cancelled:
        return False
    return True
