"""Audit queue: count campaigns again from their actions. Once a week all live ones are put into it."""

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
from proca_common.aws.pace import Pace
from proca_common.aws.settings import read
from proca_common.aws.settings.jobs import AuditSettings
from proca_common.aws.stream import batch_answer
from proca_common.management.campaign_life import every_campaign
from proca_common.management.count_audits import ask_for_all
from proca_common.stages import audit_later

ENOUGH_MS = 60_000

settings = read(AuditSettings)
dynamo.connect(settings)
client("sqs")
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping, and of the schedule."""
    if "Records" not in event:
        asked = ask_for_all(every_campaign(), settings.audit_queue_url)
        metrics.add_metric("AuditsOrdered", MetricUnit.Count, asked)
        logger.info("audits ordered", extra={"audits": asked})
        return {"audits": asked}
    pace, failed, finished = Pace(settings.audit_reads_per_second), [], 0
    for record in event["Records"]:
        try:
            finished += _work(record["body"], pace, context)
        except Exception as error:  # noqa: BLE001 - it comes again, and then an alarm tells of it
            log_fault("campaign cannot be counted", error)
            failed.append(record["messageId"])
    metrics.add_metric("AuditsFinished", MetricUnit.Count, finished)
    return batch_answer(failed)


def _work(body: str, pace: Pace, context: LambdaContext) -> bool:
    """Go on with an audit; whether it is finished. What was wrong is told then, and again if the order comes again."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > ENOUGH_MS

    audit = audit_later.work(body, settings.audit_queue_url, pace, has_time)
    if audit is None:
        return False
    metrics.add_metric("CountsDifference", MetricUnit.Count, audit.wrong)
    metrics.add_metric("CountsUnsettled", MetricUnit.Count, len(audit.unsettled))
    return True
