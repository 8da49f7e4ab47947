"""POST /v1/orgs/{org}/queue-credentials: credentials of AWS for an hour, for an org's own queues and nothing else."""

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
from proca_common.aws.settings.management import QueueCredentialsSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer
from proca_common.http.requests import json_body
from proca_common.http.resolver import make_resolver
from proca_common.management.queue_credentials import Lender, lend
from proca_common.users.authentication import Authenticator

settings = read(QueueCredentialsSettings)
dynamo.connect(settings)
client("sts")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
lender = Lender(settings.queue_reader_role, settings.queue_arn_prefix, settings.queue_url_prefix)
app = make_resolver()
init_phase.over()


@app.post("/v1/orgs/<org>/queue-credentials")
def create(org: str) -> Response[str]:
    """Credentials, shown once; a request without a body asks for an hour."""
    event = app.current_event
    caller, given = authenticator.caller(event), json_object(json_body(event)) if event.body else {}
    return answer(201, lend(caller, org, given, lender))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
