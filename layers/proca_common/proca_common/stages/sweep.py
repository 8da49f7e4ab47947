"""The sweep: wakes what should have been served long ago (design 5). It emits nothing itself, so there is one emitter.

It sets `due` to now and counts the attempt, on condition that both are as read; that write passes through the stream
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pynamodb.exceptions import PynamoDBException

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem, Key, Outbox
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ActionsItem, translated
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import logger
from proca_common.stages import outbox

KINDS = ("emit", "link")
PAGE = 100
ENOUGH_MS = 5_000
EMITTED = (ActionStatus.DELIVERED, ActionStatus.REPEAT)


@dataclass(slots=True)
class Swept:
    """How many items were woken, and the ids of those that five attempts did not help."""

    woken: int = 0
    stuck: list[int] = field(default_factory=list)


def sweep(deadline_ms: int) -> Swept:
    """Wake all that is overdue, or as much as fits before `deadline_ms` (ms since 1970); the rest is for the next
    minute.
    """
    swept = Swept()
    for kind in KINDS:
        for bucket in range(store.PENDING_BUCKETS):
            for keys in _overdue_keys(f"{kind}#{bucket}"):
                _wake_all(keys, swept)
                if deadline_ms - clock.now_ms() < ENOUGH_MS:
                    logger.warning(
                        "sweep ran out of time", extra={"woken": swept.woken, "kind": kind, "bucket": bucket}
                    )
                    return swept
    return swept


def _overdue_keys(partition: str) -> Iterator[list[Key]]:
    """Pages of keys that are due for longer than the grace, oldest first."""
    before = clock.now_ms() - outbox.GRACE_MS
    found = ActionsItem.by_due.query(partition, ActionsItem.due < before, page_size=PAGE)
    page: list[Key] = []
    try:
        for item in found:
            page.append((item.ref, item.sk))
            if len(page) == PAGE:
                yield page
                page = []
    except PynamoDBException as error:
        raise translated(error) from None
    if page:
        yield page


def _wake_all(keys: list[Key], swept: Swept) -> None:
    now_ms = clock.now_ms()
    for item in store.read_many(keys).values():
        if not isinstance(item, Outbox):
            continue
        has_emitted = isinstance(item, ActionItem) and ActionStatus(item.status) in EMITTED
        if int(item.attempt or 0) >= outbox.PATIENT_AFTER:
            swept.stuck.append(int(item.id))
        if outbox.is_overdue(item, has_emitted=has_emitted, now_ms=now_ms) and wake(item, now_ms):
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
