"""POST /v1/orgs/{org}/requeues and …/queues/{queue}/redrive: what an org lost comes again."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import SendAgainSettings
from proca_common.catalog.given import json_object
from proca_common.confirms.links import Links, links
from proca_common.confirms.tokens import link_keys
from proca_common.http.answers import answer
from proca_common.http.requests import json_body
from proca_common.http.resolver import make_resolver
from proca_common.management.sending_again import Means, redrive_queue, requeue_actions
from proca_common.pipes.exits import Exits
from proca_common.users.authentication import Authenticator

settings = read(SendAgainSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
exits = Exits(settings.queue_url_prefix, settings.mail_queue_url, settings.push_queue_url)
app = make_resolver()
init_phase.over()


@app.post("/v1/orgs/<org>/requeues")
def requeue(org: str) -> Response[str]:
    """Messages of actions, chosen by ids or by campaign and time."""
    event = app.current_event
    return answer(200, requeue_actions(authenticator.caller(event), org, json_object(json_body(event)), means()))


@app.post("/v1/orgs/<org>/queues/<queue>/redrive")
def redrive(org: str, queue: str) -> Response[str]:
    """What was given up, back from the dead-letter queue; a request without a body asks for all of it."""
    event = app.current_event
    caller, given = authenticator.caller(event), json_object(json_body(event)) if event.body else {}
    return answer(200, redrive_queue(caller, org, queue, given, means()))


def means() -> Means:
    """What it takes, and how long it may."""
    base = settings.link_base_url.replace("{api}", app.current_event.request_context.api_id)
    return Means(exits, partial(_links, base), app.lambda_context.get_remaining_time_in_millis)


def _links(base: str, ref: str, action: int) -> Links:
    return links(base, link_keys(secret(settings.link_keys_secret)), ref, action)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
