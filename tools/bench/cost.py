"""The price of signatures, from what was recorded and the list prices. Pure.

Lambda bills the time a handler takes. Its waiting is taken as it was here, where the emulator answers about as fast as
AWS does; its CPU time is stretched, because a function of M MB has M/1,769 of a processor.

Left out, because it does not grow with signatures or nearly not: secrets, alarms, the sweep, starts of functions, the
page's own requests, empty polls of the orgs (long polling: three a minute), traffic out (0.09 USD per GB).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.bench import prices

GB = 1024**3
MB_OF_A_PROCESSOR = 1_769
PLATFORM_LOG_BYTES = len(
    '{"time":"2026-01-01T00:00:00.000Z","type":"platform.start","record":'
    '{"requestId":"00000000-0000-0000-0000-000000000000","version":"$LATEST"}}'
    '{"time":"2026-01-01T00:00:00.000Z","type":"platform.report","record":'
    '{"requestId":"00000000-0000-0000-0000-000000000000","metrics":'
    '{"durationMs":10.001,"billedDurationMs":11,"memorySizeMB":512,"maxMemoryUsedMB":100},"status":"success"}}'
)
"""What Lambda itself logs of an invocation (developer guide, "System logs" in JSON at level INFO)."""


@dataclass(frozen=True, slots=True)
class Invocations:
    """A function's part in a signature: how often it is invoked, how long (ms), how much memory (MB), and what it logs
    (bytes)."""

    times: float
    cpu_ms: float
    wall_ms: float
    memory_mb: int
    log_bytes: float

    @property
    def billed_ms(self) -> float:
        """Duration of one invocation at this memory."""
        return self.wall_ms + self.cpu_ms * (max(1.0, MB_OF_A_PROCESSOR / self.memory_mb) - 1)

    @property
    def gb_seconds(self) -> float:
        """GB-seconds of one signature."""
        return self.times * self.memory_mb / 1024 * self.billed_ms / 1000


@dataclass(frozen=True, slots=True)
class Signature:
    """What one signature uses. `sqs_requests` are those of sending; the org's receiving and deleting cost as much each,
    and are billed to the queue's owner."""

    functions: Mapping[str, Invocations]
    write_units: float
    read_units: float
    sqs_requests: float
    stored_bytes: float

    def price(self) -> dict[str, float]:
        """US dollars of a million, by what they are paid for."""
        calls = self.functions.values()
        logged = sum(call.times * (call.log_bytes + PLATFORM_LOG_BYTES) for call in calls)
        one = {
            "API Gateway requests": prices.API_REQUEST,
            "Lambda requests": prices.LAMBDA_REQUEST * sum(call.times for call in calls),
            "Lambda duration": prices.LAMBDA_ARM_GB_SECOND * sum(call.gb_seconds for call in calls),
            "DynamoDB writes": prices.DYNAMODB_WRITE_UNIT * self.write_units,
            "DynamoDB reads": prices.DYNAMODB_READ_UNIT * self.read_units,
            "DynamoDB stream, read by Lambda": 0.0,
            "SQS, sent, received and deleted": prices.SQS_REQUEST * self.sqs_requests * 3,
            "CloudWatch logs": prices.LOGS_GB / GB * logged,
        }
        return {what: price * 1_000_000 for what, price in one.items()}

    def price_of_keeping(self) -> float:
        """US dollars a month for keeping what a million leave in the tables, with continuous backups."""
        return (prices.STORAGE_GB_MONTH + prices.RESTORABLE_GB_MONTH) / GB * self.stored_bytes * 1_000_000
