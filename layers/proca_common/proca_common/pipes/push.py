"""Pushing messages on to orgs that want them somewhere else than in a queue of ours (domain 5.8, 5.9).

The push queue is FIFO with a group for each backend of an org, so order is kept and a backend that fails holds up
nobody else. What SQS counts and hides is also the circuit of each backend, so nothing else has to be stored:

- closed: batches flow;
- open: the first message of the group that fails stays in the queue with all that follow, hidden for a pause that
  grows with the times it was received (1 s to 15 min). Then one batch comes, and only its first message is tried;
- it closes with the first message that is taken.

A message that a healthy backend does not want holds nobody up for long: after five tries the next one is tried too, and
if that is taken the other is set aside in the queue of failures. Where both are refused, it is the backend that fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from proca_common.aws.clients import client
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.queue import postpone
from proca_common.pipes.backends import Found, backend_of
from proca_common.pipes.circuit import Parcel, Result, pause_s, push_group
from proca_common.pipes.orders import PushOrder


@dataclass(frozen=True, slots=True)
class Queues:
    """The URLs of the push queue and of the one that keeps what could not be pushed."""

    push: str
    failures: str


@dataclass(frozen=True, slots=True)
class Pushing:
    """What became of a batch. `again`: SQS's ids of what must come again. `counts`: of (what happened, to what kind of
    backend).
    """

    again: list[str]
    counts: Counter[tuple[str, str]]


def push(
    records: Iterable[Mapping[str, Any]],
    queues: Queues,
    passwords_secret: str,
    deadline_ms: int,
    *,
    this_machine: bool = False,
) -> Pushing:
    """Push a batch of records of the push queue on to their backends, each group by itself and in order.

    `passwords_secret`: the entry of the key that services' passwords are sealed with. `deadline_ms`: when the function
    will be stopped, in ms since 1970. `this_machine`: see `pipes.address_rules`.
    """
    groups: dict[str, list[Parcel]] = {}
    for record in records:
        parcel = _parcel(record)
        groups.setdefault(parcel.group, []).append(parcel)
    alone = len(groups) == 1
    works = [(parcels, _found(parcels, passwords_secret, this_machine=this_machine)) for parcels in groups.values()]

    def work(parcels: list[Parcel], found: Found) -> Result:
        result = push_group(parcels, found, deadline_ms)
        _settle(result, queues, alone=alone)
        return result

    if alone:
        results = [work(*works[0])]
    else:  # a slow backend must not keep the others waiting
        client("sqs")
        with ThreadPoolExecutor(len(works)) as threads:
            results = [*threads.map(work, *zip(*works, strict=True))]
    counts: Counter[tuple[str, str]] = Counter()
    for result in results:
        _tell(result)
        counts[("Sent", result.kind)] += len(result.taken)
        counts[("Failed", result.kind)] += result.failed
        counts[("SetAside", result.kind)] += len(result.unwanted)
        counts[("Opened", result.kind)] += result.has_opened
        counts[("Closed", result.kind)] += result.has_closed
    return Pushing([parcel.id for result in results for parcel in result.held], +counts)


def _parcel(record: Mapping[str, Any]) -> Parcel:
    try:
        return Parcel(record, PushOrder.model_validate_json(record["body"]))
    except ValidationError as error:
        log_fault("message of the push queue cannot be read", error, sqs_id=record["messageId"])
        return Parcel(record, None)


def _found(parcels: Sequence[Parcel], passwords_secret: str, *, this_machine: bool) -> Found:
    """The backend of these parcels, which are of one group."""
    message = next((parcel.message for parcel in parcels if parcel.message is not None), None)
    if message is None:
        return Found("none", reason="unreadable")
    return backend_of(message.org, message.backend, passwords_secret, this_machine=this_machine)


def _settle(result: Result, queues: Queues, *, alone: bool) -> None:
    """Tell SQS what became of a group; what fails here is only slower or comes twice."""
    kept = [parcel for parcel in result.unwanted if not _set_aside(parcel, queues.failures)]
    if kept:
        result.unwanted = [parcel for parcel in result.unwanted if parcel not in kept]
        result.held = [*kept, *result.held]
        result.pause_s = max(result.pause_s, pause_s(kept[0].receives))
    postpone(
        queues.push,
        (parcel.record for parcel in result.held),
        {parcel.id: 1000 * result.pause_s for parcel in result.held},
    )
    done = [*result.taken, *result.dropped, *result.unwanted]
    if done and not alone:  # the group need not wait until the slowest of this batch is done
        _delete(done, queues.push)


def _delete(parcels: Sequence[Parcel], url: str) -> None:
    """Lambda deletes them too, once all groups of the batch are done."""
    entries = [
        {"Id": str(index), "ReceiptHandle": parcel.record["receiptHandle"]} for index, parcel in enumerate(parcels)
    ]
    try:
        client("sqs").delete_message_batch(QueueUrl=url, Entries=entries)
    except (ClientError, BotoCoreError) as error:
        log_fault("messages cannot be deleted early", error, messages=len(parcels))


def _set_aside(parcel: Parcel, url: str) -> bool:
    """Keep a message in the queue of failures, as SQS itself does with one that came too often."""
    attributes = parcel.record["attributes"]
    try:
        client("sqs").send_message(
            QueueUrl=url,
            MessageBody=parcel.record["body"],
            MessageGroupId=attributes["MessageGroupId"],
            MessageDeduplicationId=attributes["MessageDeduplicationId"],
        )
    except (ClientError, BotoCoreError) as error:
        log_fault("message cannot be set aside", error, sqs_id=parcel.id)
        return False
    return True


def _tell(result: Result) -> None:
    parcels = [*result.taken, *result.dropped, *result.unwanted, *result.held]
    facts: dict[str, object] = {"group": parcels[0].group, "backend": result.kind, "sent": len(result.taken)}
    if result.held:
        facts |= {"held": len(result.held), "reason": result.reason, "pause_s": result.pause_s}
        facts["receives"] = max(parcel.receives for parcel in result.held)
    if result.unwanted:
        facts["set_aside"] = _named(result.unwanted)
    if result.dropped:
        logger.warning("dropped: nothing is pushed there any more", extra=facts | {"dropped": _named(result.dropped)})
    elif result.has_opened:
        logger.warning("circuit opened", extra=facts)
    elif result.has_closed:
        logger.warning("circuit closed", extra=facts)
    else:
        logger.info("pushed", extra=facts)


def _named(parcels: Iterable[Parcel]) -> list[str]:
    return [parcel.id if parcel.message is None else parcel.message.id for parcel in parcels]
