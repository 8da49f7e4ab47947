"""Sending what works owe to the orgs' queues; what is not taken stays owed (design 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from proca_common.actions.status import Stage
from proca_common.aws.logs import log_fault
from proca_common.pipes.publish import Outgoing, send
from proca_common.pipes.routing import Destination, switched_on
from proca_common.pipes.topology import queue_url
from proca_common.stages.messages import NotReadable, action_message, outgoing
from proca_common.stages.works import Work


def emit(
    works: Iterable[Work], rank_of: Callable[[Work], int], queue_url_prefix: str, deadline_ms: int
) -> tuple[list[Work], list[str]]:
    """Send each work's message to every destination it owes, per queue in the order of the works.

    A destination that took its message, or that must not have it any more, is taken off `unserved`. Returns the works
    whose messages could be built, and the sequence numbers of the others.
    """
    queues: dict[Destination, list[tuple[Work, Outgoing]]] = defaultdict(list)
    sound: list[Work] = []
    failed: list[str] = []
    for work in works:
        try:
            messages = _messages(work, rank_of(work))
        except Exception as error:  # noqa: BLE001 - a poison record must not hold up the others
            log_fault("message cannot be built", error, action=int(work.action.id))
            failed.append(work.sequence)
            continue
        sound.append(work)
        for destination, message in messages.items():
            queues[destination].append((work, message))
    for destination, queued in queues.items():
        url = queue_url(queue_url_prefix, destination.org, destination.queue)
        refused = send(url, (message for _, message in queued), deadline_ms)
        for work, message in queued:
            if message.id not in refused:
                work.unserved.discard(destination)
    return sound, failed


def _messages(work: Work, rank: int) -> dict[Destination, Outgoing]:
    stage = Stage(work.action.stage)
    messages: dict[Destination, Outgoing] = {}
    for destination in sorted(work.unserved):
        receiver = work.context.org_by_id(destination.org)
        contact = work.contacts.get(destination.org)
        without_contact = contact is None and stage is Stage.DELIVER
        if receiver is None or without_contact or destination.queue not in switched_on(receiver):
            work.unserved.discard(destination)
            continue
        try:
            message = action_message(stage, work.action, work.supporter, contact, work.context, rank)
        except NotReadable:  # sealed until the org has a key: the message waits
            continue
        messages[destination] = outgoing(message, receiver)
    return messages
