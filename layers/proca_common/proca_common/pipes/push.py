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

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from proca_common.aws import clock
from proca_common.aws.clients import client
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.queue import postpone
from proca_common.pipes.backends import Found, backend_of
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.sending import Failed, Outcome, Refused, Taken

LONGEST_PAUSE_S = 900
SUSPICIOUS_AFTER = 5
ENOUGH_MS = 20_000
"""What one call may take, at most: resolving, two tries to connect, the call (see `pipes.calling`)."""


@dataclass(frozen=True, slots=True)
class Queues:
    """The URLs of the push queue and of the one that keeps what could not be pushed."""

    push: str
    failures: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record of the push queue. `receives`: how often it came, this time included. `message`: None if unreadable."""

    record: Mapping[str, Any]
    message: PushOrder | None

    @property
    def id(self) -> str:
        """SQS's id of it."""
        return str(self.record["messageId"])

    @property
    def receives(self) -> int:
        """How often it was received, this time included."""
        return int(self.record["attributes"]["ApproximateReceiveCount"])

    @property
    def group(self) -> str:
        """The backend's group."""
        return str(self.record["attributes"]["MessageGroupId"])


@dataclass(slots=True)
class Result:
    """What became of the parcels of one group. `held`: to come again, in order, after `pause_s` seconds."""

    kind: str = ""
    taken: list[Parcel] = field(default_factory=list)
    dropped: list[Parcel] = field(default_factory=list)
    unwanted: list[Parcel] = field(default_factory=list)
    held: list[Parcel] = field(default_factory=list)
    reason: str = ""
    failed: bool = False
    pause_s: int = 0

    @property
    def has_opened(self) -> bool:
        """Whether the circuit was closed until now."""
        return self.failed and (bool(self.taken) or self.held[0].receives == 1)

    @property
    def has_closed(self) -> bool:
        """Whether the circuit was open until now."""
        return bool(self.taken) and not self.failed and self.taken[0].receives > 1


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
        result = _push_group(parcels, found, deadline_ms)
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


def pause_s(receives: int) -> int:
    """Seconds until a backend is tried again after this many tries: 1, 2, 4 … up to 15 min, up to a tenth less at
    random so that not all come back at once.
    """
    longest = min(1 << min(receives - 1, 20), LONGEST_PAUSE_S)
    return ceil(longest * random.uniform(0.9, 1))


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


def _push_group(parcels: Sequence[Parcel], found: Found, deadline_ms: int) -> Result:
    """Send the parcels of one group to its backend; nothing is raised."""
    result = Result(found.kind)
    readable = [(parcel, parcel.message) for parcel in parcels if parcel.message is not None]
    result.unwanted = [parcel for parcel in parcels if parcel.message is None]
    if found.is_off:
        result.dropped = [parcel for parcel, _ in readable]
        result.reason = found.reason
        return result
    if found.backend is None:
        _hold(result, [parcel for parcel, _ in readable], Failed(found.reason))
        return result
    sent = found.backend.send([message for _, message in readable])
    with closing(sent):
        if found.backend.sends_together:
            _take_together(result, [parcel for parcel, _ in readable], sent)
        else:
            _take_in_order(result, [parcel for parcel, _ in readable], sent, deadline_ms)
    return result


def _take_together(result: Result, parcels: list[Parcel], sent: Iterator[Outcome]) -> None:
    """What became of parcels that were sent with one call: each has an outcome of its own."""
    outcomes = [(parcel, _next(sent)) for parcel in parcels]
    result.taken = [parcel for parcel, outcome in outcomes if isinstance(outcome, Taken)]
    others = [(parcel, outcome) for parcel, outcome in outcomes if not isinstance(outcome, Taken)]
    result.unwanted += [
        parcel
        for parcel, outcome in others
        if isinstance(outcome, Refused) and result.taken and parcel.receives >= SUSPICIOUS_AFTER
    ]
    left = [(parcel, outcome) for parcel, outcome in others if parcel not in result.unwanted]
    if left:
        _hold(result, [parcel for parcel, _ in left], Failed(left[0][1].reason))


def _take_in_order(result: Result, waiting: list[Parcel], sent: Iterator[Outcome], deadline_ms: int) -> None:
    """Send one parcel after the other, until one fails."""
    refused: list[Parcel] = []
    while waiting:
        if deadline_ms - clock.now_ms() < ENOUGH_MS:
            result.held, result.reason = [*refused, *waiting], "no time left"
            return
        outcome = _next(sent)
        if isinstance(outcome, Taken):
            result.taken.append(waiting.pop(0))
            result.unwanted += refused
            refused = []
            continue
        may_go_on = isinstance(outcome, Refused) and waiting[0].receives >= SUSPICIOUS_AFTER and not refused
        if not (may_go_on and len(waiting) > 1):
            _hold(result, [*refused, *waiting], outcome)
            return
        refused.append(waiting.pop(0))


def _next(sent: Iterator[Outcome]) -> Outcome:
    try:
        return next(sent)
    except Exception as error:  # noqa: BLE001 - one org's backend must not hold up the others
        log_fault("backend of an org broke", error)
        return Failed(type(error).__name__)


def _hold(result: Result, parcels: list[Parcel], outcome: Failed | Refused) -> None:
    if parcels:
        asked_s = outcome.retry_after_s if isinstance(outcome, Failed) else 0
        result.held, result.reason, result.failed = parcels, outcome.reason, True
        result.pause_s = max(pause_s(parcels[0].receives), asked_s)


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
