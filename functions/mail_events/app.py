"""Topic of the mail provider: what became of mails, and of the addresses they went to."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.mails import MailEventsSettings
from proca_common.stages.mail_reports import Patience, hear

settings = read(MailEventsSettings)
patience = Patience(settings.soft_bounces, settings.soft_bounce_days)
dynamo.connect(settings)
init_phase.over()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - it takes no batch
    """Entry point of the subscription."""
    hear(event["Records"], settings.mail_events_topic, patience)
