"""The settings of an event source mapping, and the document it sends for a batch that is given up."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from tests.harness import event_filters
from tests.harness.stream_reader import Record
from tests.harness.template import Resource, Template, project_template

Handler = Callable[[dict[str, Any], Any], Any]
OnFailure = str | Callable[[dict[str, Any]], None] | None
"""Where the document of a batch that was given up goes besides `harness.failures`: a queue's URL or a callable."""


@dataclass(eq=False)
class Mapping:
    """An event source mapping: a function and how it reads the stream. Defaults are those of Lambda.

    `max_retries` and `max_record_age_s` are None for "until the record expires". Compared by identity, so one
    function can have two mappings.
    """

    name: str
    handler: Handler
    filters: Sequence[str | event_filters.Pattern] = ()
    batch_size: int = 100
    bisect: bool = False
    max_retries: int | None = None
    max_record_age_s: int | None = None
    report_batch_item_failures: bool = False
    on_failure: OnFailure = None
    timeout_s: float = 3
    table: str = ""  # logical id of the stream's table, where the mapping comes from a template
    on_failure_resource: str = ""  # logical id of the OnFailure destination, likewise

    def __post_init__(self) -> None:
        self.patterns = [event_filters.parse(pattern) for pattern in self.filters]

    @classmethod
    def from_template(
        cls, function: str, handler: Handler | None = None, *, template: Template | None = None, **overrides: Any
    ) -> Self:
        """The mapping of a function with the settings of the template (the project's, if none is given) and, without
        `handler`, the function's own handler from its source folder. `overrides` replace settings: `batch_size=1`.

        FileNotFoundError without a template, LookupError when the function does not exist or has not exactly one
        stream mapping.
        """
        template = template or project_template()
        events = template.stream_events(function)
        if len(events) != 1:
            raise LookupError(f"{function} has {len(events)} stream mappings")
        event = events[0]
        stream = event["Stream"]
        destination = event.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        settings: dict[str, Any] = {
            "name": function,
            "handler": handler or template.handler(function),
            "filters": [entry["Pattern"] for entry in event.get("FilterCriteria", {}).get("Filters", [])],
            "batch_size": int(event.get("BatchSize", 100)),
            "bisect": _flag(event.get("BisectBatchOnFunctionError")),
            "max_retries": _limit(event.get("MaximumRetryAttempts")),
            "max_record_age_s": _limit(event.get("MaximumRecordAgeInSeconds")),
            "report_batch_item_failures": "ReportBatchItemFailures" in event.get("FunctionResponseTypes", []),
            "timeout_s": float(template.function(function).get("Timeout", 3)),
            "table": stream.logical_id if isinstance(stream, Resource) else "",
            "on_failure_resource": destination.logical_id if isinstance(destination, Resource) else "",
        }
        return cls(**{**settings, **overrides})


def failure_document(
    mapping: Mapping,
    shard: str,
    records: Sequence[Record],
    *,
    condition: str,
    invocations: int,
    error: bool,
    now: float,
) -> dict[str, Any]:
    """What Lambda sends to OnFailure (developer guide, "Example Amazon SQS invocation record" of DynamoDB): where the
    records are in the stream, without their content. `condition` is RetryAttemptsExhausted or RecordAgeExceeded;
    records given up before any invocation have no responseContext."""
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
    if error:
        response["functionError"] = "Unhandled"
    first, last = (records[index]["dynamodb"] for index in (0, -1))
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:eu-central-1:000000000000:function:{mapping.name}",
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        **({"responseContext": response} if invocations else {}),
        "version": "1.0",
        "timestamp": _iso(now, "milliseconds"),
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _iso(first["ApproximateCreationDateTime"], "seconds"),
            "approximateArrivalOfLastRecord": _iso(last["ApproximateCreationDateTime"], "seconds"),
            "batchSize": len(records),
            "streamArn": records[0]["eventSourceARN"],
        },
    }


def _iso(epoch_s: float, precision: str) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _limit(value: Any) -> int | None:
    """A limit of the template: absent or -1 is none."""
    return None if value is None or int(value) == -1 else int(value)


def _flag(value: Any) -> bool:
    return str(value).lower() == "true"
