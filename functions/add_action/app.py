"""POST /v1/pages/{page}/contacts/{contactRef}/actions: a further action of a known or not yet known person."""

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


@app.post("/v1/pages/<page>/contacts/<contact_ref>/actions")
def act(page: str, contact_ref: str) -> Response[str]:
    """Check everything, then store the action with its supporter, or for the supporter to come."""
    event = app.current_event
    client = event.request_context.identity.source_ip
    wish = requests.Wish(json_body(event), event.headers.get("referer"), client, idempotency_key(event))
    taken = requests.act(numeric_id(page, "action page"), contact_ref, wish, vault, settings.guard_key_secret)
    return created(taken.answer(), replayed=taken.replayed)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
