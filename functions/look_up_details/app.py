"""Detail queue: ask orgs what they know of a supporter, and let the signature go on."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo, secrets
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.queue import postpone
from proca_common.aws.settings import read
from proca_common.aws.settings.stages import LookUpDetailsSettings
from proca_common.aws.stream import batch_answer
from proca_common.orgs.encryption import sealing_key
from proca_common.stages.look_up import Desk, look_up

settings = read(LookUpDetailsSettings)
dynamo.connect(settings)
client("sqs")
desk = Desk(
    sealing_key(secrets.secret(settings.sealing_key_secret)),
    settings.service_passwords_secret,
    this_machine=settings.private_targets == "allow",
)
metrics = Metrics()
init_phase.over()


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - calls have limits of their own
    """Entry point of the queue mapping."""
    report = look_up(event["Records"], desk)
    for name in ("Asked", "Failed", "GivenUp"):
        metrics.add_metric(f"Details{name}", MetricUnit.Count, report.counts[name])
    postpone(settings.detail_queue_url, event["Records"], report.again)
    return batch_answer(report.again)
