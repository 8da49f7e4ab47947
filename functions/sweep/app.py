"""Every minute: wake what should have been served long ago, and say what five attempts did not help."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.stages import SweepSettings
from proca_common.aws.stream import deadline_ms
from proca_common.events.emit import wake
from proca_common.stages.sweep import sweep

dynamo.connect(read(SweepSettings))
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    """Entry point of the schedule."""
    swept, events = sweep(deadline_ms(context)), wake()
    metrics.add_metric("StuckActions", MetricUnit.Count, swept.stuck + len(events.stuck))
    metrics.add_metric("WokenActions", MetricUnit.Count, swept.woken)
    metrics.add_metric("OverdueActions", MetricUnit.Count, swept.overdue)
    metrics.add_metric("OldestOverdue", MetricUnit.Seconds, swept.oldest_ms // 1000)
    if swept.stuck:
        logger.error("actions are stuck", extra={"actions": swept.named, "stuck": swept.stuck})
    if events.stuck:
        logger.error("events of the catalogue are stuck", extra={"events": events.stuck})
    logger.info("swept", extra={"woken": swept.woken, "stuck": swept.stuck, "events_woken": events.woken})
    fault = swept.fault or events.fault
    if fault is not None:
        raise fault
    return {"woken": swept.woken, "stuck": swept.stuck}
