"""Queue of mails to targets: make the mails of what supporters wrote, and send those that are due, at most once."""

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
from proca_common.aws.settings.mails import SendTargetMailsSettings
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.mails.ways_out import WaysOut
from proca_common.mtt.files import Files
from proca_common.mtt.sending import Counted, Desk, send_batch
from proca_common.orgs.encryption import sealing_key, srs_key

settings = read(SendTargetMailsSettings)
dynamo.connect(settings)
client("sqs")
sealing_secret = secrets.secret(settings.sealing_key_secret)
passwords_secret = partial(secrets.secret, settings.service_passwords_secret)
desk = Desk(
    sealing_key=sealing_key(sealing_secret),
    srs_key=srs_key(sealing_secret),
    ways=WaysOut(
        passwords_secret,
        settings.ses_configuration_set,
        settings.mail_concurrency,
        this_machine=settings.private_targets == "allow",
    ),
    files=Files(passwords_secret),
)
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping."""
    report = send_batch(event["Records"], desk, deadline_ms(context))
    for counted in Counted:
        metrics.add_metric(counted, MetricUnit.Count, report.counts[counted])
    postpone(settings.target_mail_queue_url, event["Records"], report.again)
    return batch_answer(report.again)
