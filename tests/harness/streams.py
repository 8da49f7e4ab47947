"""Drives stream handlers in this process as an event source mapping of Lambda drives them, from a real stream.

The emulator ignores partial failures, bisecting, retry limits and OnFailure, so what happens to a batch that fails is
tested here. The rules, from the Lambda developer guide ("Using Lambda with DynamoDB", "Using event filtering with a
DynamoDB event source", "Configuring partial batch response", "Retain discarded records"):

1. A shard is read in order, a child shard after its parent; one batch at a time (ParallelizationFactor 1).
2. Filters come before batching; a record that matches no filter is dropped and never fails.
3. A batch has at most BatchSize records and at most 6 MB.
4. When the function fails, the whole batch is tried again and the shard waits.
5. With BisectBatchOnFunctionError a failed batch of several records is split in two instead and the halves are tried
   one after the other. Splitting does not consume the retry quota.
6. With ReportBatchItemFailures the lowest sequence number returned is the checkpoint: what comes before it is done,
   everything from it on is tried again, also records that succeeded. With bisecting too, the batch is split at that
   number and only what remains is tried again. A checkpoint at the first record leaves nothing to split off, so it
   consumes a retry: of two readings of the guide the harder one.
7. An empty or null answer, and an empty or null list of failures, is success. An empty, null, misnamed or unknown
   identifier, or an answer that is no object, fails the whole batch. Without ReportBatchItemFailures no answer fails.
8. After MaximumRetryAttempts retries all that is left of a batch is given up, also records behind the one that fails;
   so is a record older than MaximumRecordAgeInSeconds, or than the 24 hours a stream keeps. OnFailure gets a document
   that says where they are in the stream, and the shard goes on.
9. Mappings on one stream know nothing of each other.
"""

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.harness import event_filters
from tests.harness.calls import unseen_client
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed
from tests.harness.mappings import Mapping, failure_document
from tests.harness.stream_reader import Record, StreamReader

__all__ = ["Invocation", "Mapping", "NotIdleError", "StreamHarness"]

RETENTION_S = 24 * 3600
PAYLOAD_LIMIT = 6 * 1024 * 1024  # bytes of an event


class NotIdleError(AssertionError):
    """The stream still has work after the allowed number of invocations."""


@dataclass(frozen=True)
class Invocation:
    """One invocation and what came of it. The first `done` records need no retry; `whole` says that the batch failed
    as a whole: an error of the function, or an answer that Lambda cannot read."""

    mapping: Mapping
    records: list[Record]
    answer: Any
    error: BaseException | None
    done: int
    whole: bool

    @property
    def succeeded(self) -> bool:
        return self.done == len(self.records)


@dataclass
class _Batch:
    shard: str
    records: list[Record]
    retries: int = 0
    invocations: int = 0
    error: bool = False  # whether the last invocation raised


@dataclass
class _Position:
    """How far a mapping is in a shard: `next` record to look at, and batches taken from there but not done."""

    next: int = 0
    batches: deque[_Batch] = field(default_factory=deque)


class StreamHarness:
    """Reads the stream of a table and drives mappings with it.

        harness = StreamHarness(tables["ActionsTable"], deliver := Mapping.from_template("DeliverFunction"))
        harness.run_until_idle()
        assert not harness.failures[deliver]

    `clock` gives epoch seconds for the age of records. Their creation time is the emulator's, so simulate time with an
    offset to `time.time()`.
    """

    def __init__(self, table: str, *mappings: Mapping, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.mappings = mappings
        self.failures: dict[Mapping, list[dict[str, Any]]] = {mapping: [] for mapping in mappings}
        self.invocations: list[Invocation] = []
        self.stream = StreamReader(table)
        self._positions: dict[Mapping, dict[str, _Position]] = {mapping: {} for mapping in mappings}
        self._turns = 0

    def step(self, mapping: Mapping, *, batch_size: int | None = None) -> Invocation | None:
        """Invokes the function with its next batch and deals with the outcome as Lambda does; None without work."""
        self.stream.read()
        batch = self._next_batch(mapping, batch_size or mapping.batch_size)
        if batch is None:
            return None
        invocation = _invoke(mapping, batch.records)
        batch.invocations += 1
        batch.error = invocation.error is not None
        self.invocations.append(invocation)
        batches = self._position(mapping, batch.shard).batches
        batches.popleft()
        batches.extendleft(reversed(self._rest(batch, invocation)))
        return invocation

    def run_until_idle(self, limit: int = 1000) -> int:
        """Gives the mappings one batch each in turn until none has work, the handlers' own writes included. Returns
        the number of invocations; raises `NotIdleError` where more than `limit` would be needed."""
        count = 0
        idle = False
        while not idle:
            idle = True
            for mapping in self.mappings:
                if count == limit and self.waiting()[mapping]:
                    raise NotIdleError(f"still work after {limit} invocations: {self._summary()}")
                if count < limit and self.step(mapping) is not None:
                    count += 1
                    idle = False
        return count

    def waiting(self) -> dict[Mapping, int]:
        """How many records each mapping has before it, after filtering."""
        self.stream.read()
        return {mapping: sum(1 for _ in self._ahead(mapping)) for mapping in self.mappings}

    def rewind(self, mapping: Mapping) -> None:
        """Puts a mapping back to TRIM_HORIZON: every record is delivered again."""
        self._positions[mapping] = {}

    def redeliver(self, invocation: Invocation) -> Invocation:
        """Gives a function once more what it was given before, as Lambda may do at any time (at least once). The
        checkpoint stays where it is and a failure has no consequences."""
        return _invoke(invocation.mapping, invocation.records)

    def records(self) -> list[Record]:
        """Every record of the stream, unfiltered, as functions get them."""
        self.stream.read()
        return [record for shard in self.stream.shards.values() for record in shard.records]

    def _position(self, mapping: Mapping, shard: str) -> _Position:
        return self._positions[mapping].setdefault(shard, _Position())

    def _ahead(self, mapping: Mapping) -> Iterator[Record]:
        for shard in self.stream.shards.values():
            position = self._position(mapping, shard.id)
            for batch in position.batches:
                yield from batch.records
            yield from (
                record for record in shard.records[position.next :] if event_filters.accepts(mapping.patterns, record)
            )

    def _next_batch(self, mapping: Mapping, size: int) -> _Batch | None:
        """The next batch of the shards in turn. Records past their age are given up on the way (rule 8)."""
        shards = list(self.stream.shards.values())
        self._turns += 1
        start = self._turns % len(shards) if shards else 0
        for shard in shards[start:] + shards[:start]:
            if shard.parent in self.stream.shards and not self._finished(mapping, shard.parent):
                continue
            position = self._position(mapping, shard.id)
            while position.batches or self._take(mapping, shard.id, size):
                batch = position.batches[0]
                self._drop_old(mapping, batch)
                if batch.records:
                    return batch
                position.batches.popleft()
        return None

    def _finished(self, mapping: Mapping, shard: str) -> bool:
        position = self._position(mapping, shard)
        return not position.batches and position.next == len(self.stream.shards[shard].records)

    def _take(self, mapping: Mapping, shard: str, size: int) -> bool:
        """Takes the next batch of matching records (rules 2 and 3); false at the end of the shard."""
        position = self._position(mapping, shard)
        taken: list[Record] = []
        payload = 0
        for record in self.stream.shards[shard].records[position.next :]:
            if event_filters.accepts(mapping.patterns, record):
                payload += len(json.dumps(record))
                if len(taken) == size or (taken and payload > PAYLOAD_LIMIT):
                    break
                taken.append(record)
            position.next += 1
        if taken:
            position.batches.append(_Batch(shard, taken))
        return bool(taken)

    def _drop_old(self, mapping: Mapping, batch: _Batch) -> None:
        limit = min(mapping.max_record_age_s or math.inf, RETENTION_S)
        young = [record for record in batch.records if self._age(record) <= limit]
        old = [record for record in batch.records if self._age(record) > limit]
        if old:
            self._give_up(mapping, batch, old, "RecordAgeExceeded")
        batch.records = young

    def _age(self, record: Record) -> float:
        return self.clock() - float(record["dynamodb"]["ApproximateCreationDateTime"])

    def _rest(self, batch: _Batch, invocation: Invocation) -> list[_Batch]:
        """What is to be tried again, in order (rules 4 to 6 and 8)."""
        mapping, left = invocation.mapping, batch.records[invocation.done :]
        if not left:
            return []
        if mapping.bisect and invocation.whole and len(left) > 1:
            middle = (len(left) + 1) // 2
            return [replace(batch, records=left[:middle]), replace(batch, records=left[middle:])]
        if mapping.bisect and invocation.done:
            return [replace(batch, records=left)]
        if mapping.max_retries is not None and batch.retries >= mapping.max_retries:
            self._give_up(mapping, batch, left, "RetryAttemptsExhausted")
            return []
        return [replace(batch, records=left, retries=batch.retries + 1)]

    def _give_up(self, mapping: Mapping, batch: _Batch, records: list[Record], condition: str) -> None:
        document = failure_document(
            mapping,
            batch.shard,
            records,
            condition=condition,
            invocations=batch.invocations,
            error=batch.error,
            now=self.clock(),
        )
        self.failures[mapping].append(document)
        if callable(mapping.on_failure):
            mapping.on_failure(document)
        elif mapping.on_failure is not None:
            unseen_client("sqs").send_message(QueueUrl=mapping.on_failure, MessageBody=json.dumps(document))

    def _summary(self) -> str:
        waiting = {mapping.name: count for mapping, count in self.waiting().items()}
        last = self.invocations[-1] if self.invocations else None
        return f"{waiting}; the last invocation ended with {last.error or last.answer if last else None!r}"


def _invoke(mapping: Mapping, records: list[Record]) -> Invocation:
    """Through JSON and back, as between Lambda and a function: no shared objects, nothing that JSON cannot say."""
    event = json.loads(json.dumps({"Records": records}))
    try:
        answer = json.loads(json.dumps(mapping.handler(event, LambdaContext(mapping.name, mapping.timeout_s))))
    except (Exception, Killed) as error:  # noqa: BLE001  to Lambda any error of a function is the same
        return Invocation(mapping, records, None, error, done=0, whole=True)
    done = _checkpoint(records, answer) if mapping.report_batch_item_failures else len(records)
    return Invocation(mapping, records, answer, None, done=done or 0, whole=done is None)


def _checkpoint(records: list[Record], answer: Any) -> int | None:
    """How many records of the batch are done after this answer, None for a failure of the whole (rules 6 and 7)."""
    if answer is None or answer == "":
        return len(records)
    if not isinstance(answer, dict):
        return None
    failures = answer.get("batchItemFailures")
    if not failures:
        return len(records)
    positions = {record["dynamodb"]["SequenceNumber"]: index for index, record in enumerate(records)}
    try:
        return min(positions[failure["itemIdentifier"]] for failure in failures)
    except (KeyError, TypeError):
        return None
