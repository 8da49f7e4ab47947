"""What a signature asks of AWS: DynamoDB calls and units, messages, invocations, log lines, bytes kept.

The real handlers run in this process against the emulator's tables, streams and queues (tests.world): signatures are
taken in, then the deliver function gets them as a batch. One org with a key, nothing to be mailed.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from itertools import count
from logging import StreamHandler
from statistics import median
from typing import Any, TextIO, cast

from proca_common.action_pages.page import ActionPage
from proca_common.aws.logs import logger
from proca_common.orgs.org import Org
from tests.harness.calls import Calls, hooked, unseen_client
from tests.harness.context import LambdaContext
from tests.world import World, api_event, function
from tools.bench import capacity, signature
from tools.bench.capacity import Table
from tools.bench.meter import Meter, Read, Write

INTAKE, DELIVER = "intake", "deliver"
FUNCTIONS = {INTAKE: "AddActionContactFunction", DELIVER: "DeliverFunction"}
SQS_REQUEST_BYTES = 64 * 1024
"""What SQS bills as one request of a payload."""

BY_THE_MINUTE = {"activity"}
"""What is written once a minute for each page, however many sign; the breakdown shows it."""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What signatures used that were delivered in batches of `batch`.

    `calls`: DynamoDB calls of a warm signature at intake, by operation. `reported`: write units by ConsumedCapacity.
    `sqs_requests`, `stored_bytes` and `invocations` (by phase) are per signature; `log_bytes`, `cpu_ms` and `wall_ms`
    per invocation, by phase, the times being medians.
    """

    batch: int
    signatures: int
    calls: dict[str, int]
    writes: list[Write]
    reads: list[Read]
    reported: float
    sqs_requests: float
    stored_bytes: float
    invocations: dict[str, float]
    log_bytes: dict[str, float]
    cpu_ms: dict[str, float]
    wall_ms: dict[str, float]

    @property
    def write_units(self) -> float:
        """Write units of one signature, from the widget to delivered."""
        return sum(write.units for write in self.writes if write.what not in BY_THE_MINUTE) / self.signatures

    @property
    def read_units(self) -> float:
        """Read units of one signature."""
        return sum(read.units for read in self.reads) / self.signatures

    def breakdown(self) -> list[tuple[str, str, str, str, int, float]]:
        """What is written: phase, where, what, verb, bytes of the largest, units per signature; the dearest first."""
        units: Counter[tuple[str, str, str, str]] = Counter()
        sizes: dict[tuple[str, str, str, str], int] = defaultdict(int)
        for write in self.writes:
            group = write.phase, write.where, write.what, write.verb
            units[group] += write.units
            sizes[group] = max(sizes[group], write.size)
        rows = [(*group, sizes[group], total / self.signatures) for group, total in units.items()]
        return sorted(rows, key=lambda row: (row[0] != INTAKE, -row[-1]))


class Logs:
    """A stream for the functions' log lines that only counts their bytes, by phase."""

    def __init__(self) -> None:
        self.phase = ""
        self.bytes: Counter[str] = Counter()

    def write(self, text: str) -> int:
        self.bytes[self.phase] += len(text.encode())
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


class Campaign:
    """A campaign of one org with a key, in a world of its own; the first signatures have been delivered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.org: Org = world.org("bench")
        self.page: ActionPage = world.page(self.org)
        self.intake = function(FUNCTIONS[INTAKE])
        with _logged_to(Logs()):
            self.sign()
            world.run()

    def sign(self) -> None:
        """One more person signs."""
        event = api_event("POST", f"/v1/pages/{self.page.id}/actions", json.dumps(body()), signature.HEADERS)
        answer = self.intake(event, LambdaContext(FUNCTIONS[INTAKE], 10))
        if answer["statusCode"] != 201:
            raise RuntimeError(f"a signature was answered with {answer['statusCode']}: {answer['body']}")

    def measure(self, batch: int, rounds: int) -> Usage:
        """Deliver `rounds` batches of `batch` signatures, each with every write weighed; then some without, by time."""
        world = self.world
        tables = _tables(world)
        meter, calls, logs = Meter(tables), Calls(), Logs()
        kept = _kept(world, tables["Actions"])
        per_signature: Counter[tuple[str, ...]] = Counter()
        invocations = len(world.streams.invocations)
        with hooked(meter, calls), _logged_to(logs):
            for meter.round in range(rounds):
                meter.phase = logs.phase = INTAKE
                for _ in range(batch):
                    before = len(calls)
                    self.sign()
                    per_signature[tuple(call.operation for call in calls.all[before:])] += 1
                meter.phase = logs.phase = DELIVER
                world.run()
        signatures = rounds * batch
        batches = len(world.streams.invocations) - invocations
        ((usual, _),) = per_signature.most_common(1)
        stored_bytes = (_kept(world, tables["Actions"]) - kept) / signatures
        cpu_ms, wall_ms = self._times(batch)
        return Usage(
            batch=batch,
            signatures=signatures,
            calls=dict(Counter(usual)),
            writes=meter.writes,
            reads=meter.reads,
            reported=meter.reported / signatures,
            sqs_requests=sum(map(_sqs_requests, calls.of("sqs"))) / signatures,
            stored_bytes=stored_bytes,
            invocations={INTAKE: 1.0, DELIVER: batches / signatures},
            log_bytes={INTAKE: logs.bytes[INTAKE] / signatures, DELIVER: logs.bytes[DELIVER] / batches},
            cpu_ms=cpu_ms,
            wall_ms=wall_ms,
        )

    def _times(self, batch: int) -> tuple[dict[str, float], dict[str, float]]:
        """CPU and wall time of an invocation, nothing being recorded."""
        took: dict[str, list[tuple[float, float]]] = {INTAKE: [], DELIVER: []}
        intake, deliver = self.intake, self.world.deliver.handler
        self.intake, self.world.deliver.handler = _timed(intake, took[INTAKE]), _timed(deliver, took[DELIVER])
        try:
            with _logged_to(Logs()):
                for _ in range(20):
                    for _ in range(batch):
                        self.sign()
                    self.world.run()
        finally:
            self.intake, self.world.deliver.handler = intake, deliver
        cpu, wall = ({phase: median(pair[i] for pair in pairs) for phase, pairs in took.items()} for i in (0, 1))
        return cpu, wall


def body() -> dict[str, Any]:
    """The signature of somebody who has not signed yet."""
    return signature.body_of(next(_numbers))


def _timed(handler: Callable[..., Any], took: list[tuple[float, float]]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return handler(*arguments)
        finally:
            took.append(((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000))

    return call


def _tables(world: World) -> dict[str, Table]:
    """The world's tables by name, labelled as in the template: `Actions` of ActionsTable."""
    dynamodb = unseen_client("dynamodb")
    found = {
        name: Table.from_description(logical_id.removesuffix("Table"), dynamodb.describe_table(TableName=name)["Table"])
        for logical_id, name in world.tables.items()
    }
    return found | {table.label: table for table in found.values()}


def _kept(world: World, table: Table) -> int:
    return sum(capacity.stored_bytes(table, item) for item in world.tables.all_items("ActionsTable"))


def _sqs_requests(call: Any) -> int:
    return math.ceil(sum(len(entry["MessageBody"].encode()) for entry in call.params["Entries"]) / SQS_REQUEST_BYTES)


@contextmanager
def _logged_to(logs: Logs) -> Iterator[None]:
    """The functions' log lines go there, and the metrics among them."""
    handler = cast("StreamHandler[Any]", logger.registered_handler)
    before = handler.setStream(logs)
    try:
        with redirect_stdout(cast(TextIO, logs)):
            yield
    finally:
        handler.setStream(before)
