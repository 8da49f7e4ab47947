"""Export queue: write the files that orgs asked for."""

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
from proca_common.aws.queue import postpone
from proca_common.aws.settings import read
from proca_common.aws.settings.jobs import ExportFileSettings
from proca_common.aws.stream import batch_answer
from proca_common.exports.work import NotYet, Outcome, give_up, work

ENOUGH_MS = 60_000
TRIES = 5
"""As often as the queue lets an order come."""
PAUSE_MS = 30_000

settings = read(ExportFileSettings)
dynamo.connect(settings)
client("sqs")
client("s3")
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping."""
    again = {}
    for record in event["Records"]:
        tries = int(record["attributes"]["ApproximateReceiveCount"])
        try:
            outcome = work(
                record["body"],
                settings.export_queue_url,
                lambda: context.get_remaining_time_in_millis() > ENOUGH_MS,
            )
        except Exception as error:  # noqa: BLE001 - it comes again, and at last an alarm tells of it
            if not isinstance(error, NotYet):
                log_fault("export cannot be written now", error, tries=tries)
            again[record["messageId"]] = tries * PAUSE_MS
            outcome = last_try(record["body"]) if tries >= TRIES else None
        logger.info("export", extra={"outcome": outcome})
        metrics.add_metric("ExportsReady", MetricUnit.Count, outcome is Outcome.READY)
        metrics.add_metric("ExportsFailed", MetricUnit.Count, outcome is Outcome.FAILED)
    postpone(settings.export_queue_url, event["Records"], again)
    return batch_answer(again)


def last_try(body: str) -> Outcome | None:
    """Tell the org that there will be no file."""
    try:
        return Outcome.FAILED if give_up(body) else None
    except Exception as fault:  # noqa: BLE001 - the order is in the failures queue then, and the org sees nothing move
        log_fault("an export cannot be given up", fault)
        return None
