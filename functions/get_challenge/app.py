"""GET /v1/challenge?page=: what a browser has to compute before it may sign, where the campaign asks for it."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.action_pages.context import page_context
from proca_common.aws import clock, dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import ChallengeSettings
from proca_common.errors import NotFound
from proca_common.failures import BLANK, Failure, Refused
from proca_common.guards.proof_of_work import make_challenge, signing_key
from proca_common.http.answers import answer
from proca_common.http.requests import numeric_id
from proca_common.http.resolver import make_resolver

settings = read(ChallengeSettings)
dynamo.connect(settings)
key = signing_key(secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/challenge")
def challenge() -> Response[str]:
    """A challenge for this page that nobody else got; nothing is stored."""
    page = app.current_event.get_query_string_value("page", "")
    if not page:
        raise Refused([Failure("/page", "blank", BLANK)])
    context = page_context(numeric_id(page, "action page"))
    if context.guards is None or not context.guards.proof_of_work:
        raise NotFound("challenge")
    return answer(200, make_challenge(context.guards.proof_of_work, context.page.id, clock.now_ms(), key))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
