"""POST /v1/pages/{page}/contacts/{contactRef}/links: earlier actions become those of a person who has signed."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.action_pages.context import page_context
from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import LinkSettings
from proca_common.http.answers import answer
from proca_common.http.requests import idempotency_key, json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.intake.clients import admit
from proca_common.intake.link import link_actions, parse_links

settings = read(LinkSettings)
dynamo.connect(settings)
app = make_resolver(count_refusals=True)
init_phase.over()


@app.post("/v1/pages/<page>/contacts/<contact_ref>/links")
def link(page: str, contact_ref: str) -> Response[str]:
    """Ask for it; whether there is anybody or anything to link is not told."""
    event = app.current_event
    body = json_body(event)
    idempotency_key(event)  # it must be one, but a repetition does nothing twice anyway
    context = page_context(numeric_id(page, "action page"))
    link_refs = parse_links(body, contact_ref).link_refs
    admit(context, event.request_context.identity.source_ip, settings.guard_key_secret)
    link_actions(context.org.id, contact_ref, link_refs)
    return answer(202, {"contactRef": contact_ref, "firstName": None})


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
