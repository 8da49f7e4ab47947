"""Erasure queue: go on with erasures that a request had no time for, or died over."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.settings import read
from proca_common.aws.settings.jobs import EraseSettings
from proca_common.aws.stream import batch_answer
from proca_common.erasures.later import Outcome, work

ENOUGH_MS = 30_000

settings = read(EraseSettings)
dynamo.connect(settings)
client("sqs")
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping."""
    failed = []
    resumed = 0
    for record in event["Records"]:
        try:
            outcome = work(
                record["body"],
                settings.erasure_queue_url,
                lambda: context.get_remaining_time_in_millis() > ENOUGH_MS,
            )
            resumed += outcome is not Outcome.NOTHING_LEFT
        except Exception as error:  # noqa: BLE001 - it comes again, and then an alarm tells of it
            log_fault("a person cannot be erased", error)
            failed.append(record["messageId"])
    metrics.add_metric("ErasuresResumed", MetricUnit.Count, resumed)
    return batch_answer(failed)
