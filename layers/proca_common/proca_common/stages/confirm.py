"""The confirm stages: tell the page org's confirm queues that a supporter or an action waits (domain 4.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem
from proca_common.aws import clock, dynamo, metrics
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import log_fault, logger
from proca_common.confirms.links import Links
from proca_common.monitors import activity
from proca_common.pipes.exits import Exits
from proca_common.stages import outbox
from proca_common.stages.emit import emit
from proca_common.stages.forget import after_confirming
from proca_common.stages.works import Work, load


def confirm(
    records: Iterable[dict[str, Any]], exits: Exits, links_of: Callable[[str, int], Links], deadline_ms: int
) -> list[str]:
    """Work on a batch of stream records; returns the sequence numbers of those that must come again.

    `links_of` makes the links of a contact ref's action. `deadline_ms`: when the function will be stopped, in ms since
    1970.
    """
    entries, failed = outbox.entries(records)
    now_ms = clock.now_ms()
    works, memberships, broken = load(entry for entry in entries if not outbox.too_early(entry.image, now_ms))

    def rank_of(work: Work) -> int:
        return memberships[work.person].rank(int(work.supporter.id))

    for work in works:
        work.mail = work.due_mail(work.status)
        if work.action.stage == Stage.SUPPORTER_CONFIRM:
            work.links = links_of(work.action.ref, int(work.action.id))
    sound, unbuilt = emit(works, rank_of, exits, deadline_ms)
    failed += broken + unbuilt
    for work in sound:
        try:
            _end(work)
        except Exception as error:  # noqa: BLE001 - the others are stored by themselves
            log_fault("stage cannot be ended", error, action=int(work.action.id))
            failed.append(work.sequence)
    activity.note(work.action for work in works)
    logger.info("confirm stages sent", extra={"records": len(entries), "worked_on": len(works), "failed": len(failed)})
    return failed


def _end(work: Work) -> None:
    """End the stage, or keep what is owed; whoever changed the action meanwhile has decided what comes next."""
    item = ActionItem(*work.key)
    now_ms = clock.now_ms()
    then = after_confirming(work.action, work.supporter, work.context, now_ms)
    changes = outbox.served(work.unserved, work.action, now_ms, then)
    as_read = (ActionItem.status == work.action.status) & outbox.as_read(work.action)
    try:
        dynamo.update(item, changes, as_read)
    except Cancelled:
        logger.info("stage was changed by somebody else", extra={"action": int(work.action.id)})
        return
    if not work.unserved:
        waited = outbox.waited_ms(work.action, now_ms)
        metrics.emit({"StageLag": waited}, "Milliseconds", stage=str(work.action.stage))
