"""Every five minutes: look at the queues of the orgs, and tell an org of one that it does not read."""

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
from proca_common.aws.settings.jobs import WatchSettings
from proca_common.aws.stream import deadline_ms
from proca_common.monitors.queues import watch

settings = read(WatchSettings)
dynamo.connect(settings)
client("sqs")
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    """Entry point of the schedule."""
    watched = watch(settings.queue_url_prefix, settings.mail_queue_url, deadline_ms(context))
    metrics.add_metric("OrgQueueMessages", MetricUnit.Count, watched.messages)
    metrics.add_metric("OrgQueueOldestAge", MetricUnit.Seconds, watched.oldest_s)
    metrics.add_metric("OrgQueuesUnread", MetricUnit.Count, watched.unread)
    logger.info("watched", extra={"unread": watched.unread, "told": watched.ordered, "complete": watched.complete})
    if watched.fault is not None:
        raise watched.fault
    return {"unread": watched.unread, "told": watched.ordered}
