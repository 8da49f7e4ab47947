"""POST /v1/pages/{page}/actions: a new supporter signs."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo, secrets
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import IntakeSettings
from proca_common.http.answers import created
from proca_common.http.requests import idempotency_key, json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.intake import requests
from proca_common.intake.add import Vault
from proca_common.orgs.encryption import Encryptor

settings = read(IntakeSettings)
dynamo.connect(settings)
vault = Vault(secrets.secret(settings.fingerprint_seed_secret).decode(), Encryptor())
app = make_resolver(count_refusals=True)
init_phase.over()


@app.post("/v1/pages/<page>/actions")
def sign(page: str) -> Response[str]:
    """Check everything, then store everything."""
    event = app.current_event
    client = event.request_context.identity.source_ip
    wish = requests.Wish(json_body(event), event.headers.get("referer"), client, idempotency_key(event))
    taken, first_name = requests.sign(numeric_id(page, "action page"), wish, vault, settings.guard_key_secret)
    return created(taken.answer(first_name), replayed=taken.replayed)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
