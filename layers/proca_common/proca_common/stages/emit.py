"""Sending what works owe to the orgs' queues and to our own; what is not taken stays owed (design 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from proca_common.actions.status import Stage
from proca_common.aws.logs import log_fault
from proca_common.pipes.exits import Exits
from proca_common.pipes.orders import DetailOrder, MailOrder, PushOrder, TargetsOrder
from proca_common.pipes.publish import Outgoing, send
from proca_common.pipes.routing import Destination, Way, action_ways
from proca_common.stages.messages import NotReadable, action_message, outgoing
from proca_common.stages.works import Work


def emit(
    works: Iterable[Work], rank_of: Callable[[Work], int], exits: Exits, deadline_ms: int
) -> tuple[list[Work], list[str]]:
    """Send each work's message to every destination it owes, per queue in the order of the works.

    A destination that took its message, or that must not have it any more, is taken off `unserved`. Returns the works
    whose messages could be built, and the sequence numbers of the others.
    """
    queues: dict[str, list[tuple[Work, Destination, Outgoing]]] = defaultdict(list)
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
            queues[exits.url(destination)].append((work, destination, message))
    for url, queued in queues.items():
        refused = send(url, (message for _, _, message in queued), deadline_ms)
        for work, destination, message in queued:
            if message.id not in refused:
                work.unserved.discard(destination)
    return sound, failed


def _messages(work: Work, rank: int) -> dict[Destination, Outgoing]:
    messages: dict[Destination, Outgoing] = {}
    for destination in sorted(work.unserved):
        try:
            message = _message(work, destination, rank)
        except NotReadable:  # sealed until the org has a key: the message waits
            continue
        if message is None:
            work.unserved.discard(destination)
        else:
            messages[destination] = message
    return messages


def _message(work: Work, destination: Destination, rank: int) -> Outgoing | None:
    """The message of a work for one destination; None where it must have none (any more)."""
    match destination.where:
        case Way.MAIL:
            return _mail_order(work, rank)
        case Way.DETAIL:
            return _detail_order(work)
        case Way.TARGETS:
            return _targets_order(work)
        case where:
            stage = Stage(work.action.stage)
            receiver = work.context.org_by_id(destination.org)
            contact = work.contacts.get(destination.org)
            without_contact = contact is None and stage is Stage.DELIVER
            if receiver is None or without_contact or where not in action_ways(stage, receiver):
                return None
            told = action_message(stage, work.action, work.supporter, contact, work.context, rank, work.links)
            message = outgoing(told, receiver)
            if where is not Way.PUSH:
                return message
            pushed = PushOrder(
                org=receiver.id, backend="push", id=message.id, attributes=message.attributes, body=message.body
            )
            return pushed.outgoing()


def _mail_order(work: Work, rank: int) -> Outgoing | None:
    if work.mail is None:
        return None
    return MailOrder(
        mail=work.mail.value,
        key=work.mail.value,
        action=int(work.action.id),
        ref=work.action.ref,
        supporter=int(work.supporter.id),
        org=int(work.action.org),
        page=int(work.action.page),
        rank=rank,
    ).outgoing()


def _detail_order(work: Work) -> Outgoing:
    return DetailOrder(
        action=int(work.action.id),
        ref=work.action.ref,
        supporter=int(work.supporter.id),
        org=int(work.action.org),
        page=int(work.action.page),
    ).outgoing()


def _targets_order(work: Work) -> Outgoing:
    return TargetsOrder(
        targets_of=int(work.action.id),
        ref=work.action.ref,
        org=work.context.lead.id,
        campaign=int(work.action.campaign),
    ).outgoing()
