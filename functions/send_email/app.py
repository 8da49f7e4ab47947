"""Mail queue: send each mail that is still due, once."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo, secrets
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.queue import postpone
from proca_common.aws.settings import read
from proca_common.aws.settings.mails import SendEmailSettings
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.confirms.tokens import link_keys
from proca_common.mails.sending import Counted, Office, send_batch
from proca_common.mails.ways_out import WaysOut
from proca_common.orgs.encryption import sealing_key

settings = read(SendEmailSettings)
dynamo.connect(settings)
client("sqs")
office = Office(
    link_base_url=settings.link_base_url,
    link_keys=link_keys(secrets.secret(settings.link_keys_secret)),
    sealing_key=sealing_key(secrets.secret(settings.sealing_key_secret)),
    guard_secret=partial(secrets.secret, settings.guard_key_secret),
    ways=WaysOut(
        partial(secrets.secret, settings.service_passwords_secret),
        settings.ses_configuration_set,
        settings.mail_concurrency,
        this_machine=settings.private_targets == "allow",
    ),
)
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping."""
    report = send_batch(event["Records"], office, deadline_ms(context))
    for counted in Counted:
        metrics.add_metric(counted, MetricUnit.Count, report.counts[counted])
    postpone(settings.mail_queue_url, event["Records"], report.again)
    return batch_answer(report.again)
