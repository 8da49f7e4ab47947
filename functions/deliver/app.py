"""Stream of Actions, all but the confirm stages: send to the orgs, count, link earlier actions, tell of addresses."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.stages import DeliverSettings
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.pipes.exits import Exits
from proca_common.stages.deliver import deliver

settings = read(DeliverSettings)
exits = Exits(
    settings.queue_url_prefix,
    settings.mail_queue_url,
    settings.push_queue_url,
    settings.detail_queue_url,
    settings.target_mail_queue_url,
)
dynamo.connect(settings)
client("sqs")
init_phase.over()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the stream mapping."""
    return batch_answer(deliver(event["Records"], exits, deadline_ms(context)))
