"""Stream of the catalogue: tell orgs what happened in it."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.stages import EmitEventsSettings
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.events.emit import emit
from proca_common.pipes.exits import Exits

settings = read(EmitEventsSettings)
exits = Exits(settings.queue_url_prefix, mail="", push=settings.push_queue_url)
dynamo.connect(settings)
client("sqs")
init_phase.over()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the stream mapping."""
    return batch_answer(emit(event["Records"], exits, settings.link_base_url, deadline_ms(context)))
