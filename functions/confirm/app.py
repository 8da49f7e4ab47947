"""Stream of Actions, stages supporter_confirm and action_confirm: tell the org's confirm queues."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.stages import ConfirmSettings
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.confirms.links import links
from proca_common.confirms.tokens import link_keys
from proca_common.pipes.exits import Exits
from proca_common.stages.confirm import confirm

settings = read(ConfirmSettings)
exits = Exits(settings.queue_url_prefix, settings.mail_queue_url, settings.push_queue_url)
links_of = partial(links, settings.link_base_url, link_keys(secret(settings.link_keys_secret)))
dynamo.connect(settings)
client("sqs")
init_phase.over()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the stream mapping."""
    return batch_answer(confirm(event["Records"], exits, links_of, deadline_ms(context)))
