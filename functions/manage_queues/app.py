"""/v1/orgs/{org}/queues and …/queues/principals: how an org's queues stand, and which AWS principals may read them."""

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
from proca_common.aws.settings.management import QueueSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer, record
from proca_common.http.requests import json_body
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import queues
from proca_common.orgs.org import Org
from proca_common.users.authentication import Authenticator

settings = read(QueueSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/queues")
def overview(org: str) -> Response[str]:
    """How each queue stands."""
    caller = authenticator.caller(app.current_event)
    return answer(200, {"items": queues.overview(caller, org, settings.queue_url_prefix), "next": None})


@app.get("/v1/orgs/<org>/queues/principals")
def principals(org: str) -> Response[str]:
    """Who may read the queues with credentials of AWS."""
    return shown(queues.principals(authenticator.caller(app.current_event), org))


@app.put("/v1/orgs/<org>/queues/principals")
def set_principals(org: str) -> Response[str]:
    """These, and no others."""
    event = app.current_event
    caller, given = authenticator.caller(event), json_object(json_body(event))
    seen = partial(check_match, event)
    return shown(queues.set_principals(caller, org, given, seen, settings.queue_url_prefix))


def shown(org: Org) -> Response[str]:
    """The principals of an org, with its version."""
    return record(200, {"principals": list(org.queue_principals)}, org.version)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
