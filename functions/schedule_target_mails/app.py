"""Every two minutes: order the mails to targets that are due."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.mails import ScheduleTargetMailsSettings
from proca_common.aws.stream import deadline_ms
from proca_common.mtt.schedule import Counted, schedule

settings = read(ScheduleTargetMailsSettings)
dynamo.connect(settings)
client("sqs")
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    """Entry point of the schedule."""
    run = schedule(settings.target_mail_queue_url, deadline_ms(context))
    for counted in Counted:
        metrics.add_metric(counted, MetricUnit.Count, run.counts[counted])
    counts = {counted.value: run.counts[counted] for counted in Counted}
    logger.info("cycle", extra=counts)
    if run.fault is not None:
        raise run.fault
    return counts
