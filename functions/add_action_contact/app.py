"""POST /v1/pages/{page}/actions: a new supporter signs."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from importlib import import_module
from types import ModuleType
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.action_pages.context import page_context
from proca_common.actions.input import parse_action_contact
from proca_common.actions.source import source_of
from proca_common.aws import clock, dynamo, secrets
from proca_common.aws.logs import logger
from proca_common.aws.settings import IntakeSettings, read
from proca_common.http.answers import created
from proca_common.http.requests import idempotency_key, json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.intake.add import Vault, add_action_contact, asked
from proca_common.orgs.encryption import Encryptor

settings = read(IntakeSettings)
dynamo.connect(settings)
vault = Vault(secrets.secret(settings.fingerprint_seed_secret).decode(), Encryptor())
app = make_resolver()
init_phase.over()


@app.post("/v1/pages/<page>/actions")
def sign(page: str) -> Response[str]:
    """Check everything, then store everything."""
    event = app.current_event
    body, key = json_body(event), idempotency_key(event)
    context = page_context(numeric_id(page, "action page"))
    request, contact = parse_action_contact(body, context.campaign.contact_schema, clock.today())
    source = source_of(request.tracking, event.headers.get("referer"))
    once = asked(key, context.page.id, vault, body)
    if context.guards is None:
        result = add_action_contact(context, request, contact, source, once, vault)
    else:
        client, secret = event.request_context.identity.source_ip, settings.guard_key_secret
        result = guarded().add_action_contact(
            context, request, contact, source, once, vault, client=client, guard_secret=secret
        )
    return created(result.answer(contact.first_name), replayed=result.replayed)


def guarded() -> ModuleType:
    """What campaigns with guards need; no other pays for importing it."""
    return import_module("proca_common.intake.guarded")


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
