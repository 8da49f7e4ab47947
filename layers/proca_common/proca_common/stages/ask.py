"""Stage `detail`: a signature waits until its org was asked what it knows of the supporter (domain 4.5).

The order goes to a queue of its own, so that a slow service of one org holds up nobody. Whoever takes it ends the
stage, with details or without; should that never happen, the sweep wakes the signature and it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable

from proca_common.actions.store import ActionItem
from proca_common.aws import clock, dynamo
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import log_fault
from proca_common.pipes.exits import Exits
from proca_common.pipes.routing import Destination
from proca_common.stages import outbox
from proca_common.stages.emit import emit
from proca_common.stages.outbox import Entry
from proca_common.stages.works import Work, load

ASK_AGAIN_MS = 30 * outbox.MINUTE_MS


def ask(entries: Iterable[Entry], exits: Exits, deadline_ms: int) -> list[str]:
    """Order the look-up of these signatures; returns the sequence numbers of records that must come again."""
    works, _, failed = load(entries)
    owed = {work.key: set(work.unserved) for work in works}
    sound, unbuilt = emit(works, lambda _: 0, exits, deadline_ms)
    failed += unbuilt
    for work in sound:
        try:
            _wait(work, owed[work.key])
        except Exception as error:  # noqa: BLE001 - the others are stored by themselves
            log_fault("look-up cannot be waited for", error, action=int(work.action.id))
            failed.append(work.sequence)
    return failed


def _wait(work: Work, owed: set[Destination]) -> None:
    """It is owed still: what was ordered may get lost."""
    wait_ms = outbox.wait_ms(int(work.action.attempt or 0)) if work.unserved else ASK_AGAIN_MS
    changes = outbox.postponed(owed, clock.now_ms() + wait_ms)
    as_read = (ActionItem.status == work.action.status) & outbox.as_read(work.action)
    try:
        dynamo.update(ActionItem(*work.key), changes, as_read)
    except Cancelled:
        return  # it was settled already
