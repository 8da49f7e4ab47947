"""/v1/orgs/{org}/queues/{queue}/…: reading a queue over HTTPS, for orgs without AWS."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import QueueSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer
from proca_common.http.requests import json_body
from proca_common.http.resolver import make_resolver
from proca_common.management import queue_messages
from proca_common.management.queue_messages import Reader
from proca_common.pipes.receipts import receipt_key
from proca_common.users.authentication import Authenticator

settings = read(QueueSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/queues/<queue>/messages")
def take(org: str, queue: str) -> Response[str]:
    """Messages, which nobody else gets while their lease lasts."""
    who = reader(org, queue)
    return answer(200, {"items": queue_messages.take(who, app.current_event.query_string_parameters or {})})


@app.post("/v1/orgs/<org>/queues/<queue>/acknowledgements")
def acknowledge(org: str, queue: str) -> Response[str]:
    """Messages that are done."""
    who, event = reader(org, queue), app.current_event
    return answer(200, {"items": queue_messages.acknowledge(who, json_object(json_body(event)))})


@app.post("/v1/orgs/<org>/queues/<queue>/leases")
def extend(org: str, queue: str) -> Response[str]:
    """Messages that take longer."""
    who, event = reader(org, queue), app.current_event
    return answer(200, {"items": queue_messages.extend(who, json_object(json_body(event)))})


def reader(org: str, queue: str) -> Reader:
    """Who asks, as somebody who may read this queue."""
    caller = authenticator.caller(app.current_event)
    key = receipt_key(secret(settings.guard_key_secret))
    return queue_messages.reader(caller, org, queue, settings.queue_url_prefix, key)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
