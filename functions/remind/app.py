"""Every hour: remind supporters who did not confirm, and forget addresses that no mail needs any more."""

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
from proca_common.aws.settings.mails import RemindSettings
from proca_common.aws.stream import deadline_ms
from proca_common.stages.remind import Outcome, remind

settings = read(RemindSettings)
dynamo.connect(settings)
client("sqs")
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    """Entry point of the schedule."""
    hour = remind(settings.mail_queue_url, deadline_ms(context))
    metrics.add_metric("RemindersOrdered", MetricUnit.Count, hour.counts[Outcome.REMINDED])
    metrics.add_metric("AddressesForgotten", MetricUnit.Count, hour.counts[Outcome.WIPED])
    counts = {outcome.value: hour.counts[outcome] for outcome in Outcome}
    logger.info("hour", extra=counts)
    if hour.fault is not None:
        raise hour.fault
    return counts
