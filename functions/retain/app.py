"""Every day: erase what orgs keep longer than their rules allow, and give up what ended campaigns did not send."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.settings import read
from proca_common.aws.settings.jobs import RetainSettings
from proca_common.erasures.retention import of_all, retain
from proca_common.management.campaign_life import expire_messages

ENOUGH_MS = 30_000

dynamo.connect(read(RetainSettings))
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    """Entry point of the schedule. What there is no time for is for the next day."""

    def has_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > ENOUGH_MS)

    people, contacts, fault = 0, 0, None
    for org, rule in of_all(has_time):
        try:
            kept = retain(rule, dry_run=False, has_time=has_time)
        except Exception as error:  # noqa: BLE001 - told at the end, when the other rules are applied
            log_fault("a rule of retention cannot be applied", error, org=org.id, campaign=rule.campaign.id)
            fault = error
            continue
        people, contacts = people + kept.people, contacts + kept.found["contacts"]
    expired = expire_messages(has_time)
    metrics.add_metric("PeopleRetired", MetricUnit.Count, people)
    metrics.add_metric("TargetMailsExpired", MetricUnit.Count, expired.mails)
    done = {"people": people, "contacts": contacts, "mails": expired.mails}
    logger.info("retention", extra=done)
    fault = fault or expired.fault
    if fault is not None:
        raise fault
    return done
