"""Every day: close the campaigns whose last day is over."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import clock, dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import PageSettings
from proca_common.aws.stream import deadline_ms
from proca_common.management.campaign_life import close_ended

dynamo.connect(read(PageSettings))
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    """Entry point of the schedule."""
    ended = close_ended(clock.today(), deadline_ms(context))
    metrics.add_metric("CampaignsClosed", MetricUnit.Count, len(ended.closed))
    logger.info("campaigns closed", extra={"closed": ended.closed, "complete": ended.complete})
    if ended.fault is not None:
        raise ended.fault
    return {"closed": len(ended.closed)}
