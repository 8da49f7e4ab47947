"""/v1/orgs/{org}/campaigns/{campaign}/messages and …/mtt: what supporters write to targets, and what goes out next."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from nacl.public import PrivateKey

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import MessagesSettings
from proca_common.http.answers import answer, text
from proca_common.http.lists import asked, listed
from proca_common.http.resolver import make_resolver
from proca_common.management import messages
from proca_common.management.messages import Format
from proca_common.mtt.export import as_csv, as_ndjson
from proca_common.orgs.encryption import sealing_key
from proca_common.users.authentication import Authenticator

ENOUGH_MS = 10_000
"""What some more rows take at worst."""
NEXT = "X-Next-Cursor"

settings = read(MessagesSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/campaigns/<campaign>/messages")
def taken_out(org: str, campaign: str) -> Response[str]:
    """Some messages: as JSON, or as a part of a file whose next part the header names."""
    caller, given = authenticator.caller(app.current_event), app.current_event.query_string_parameters or {}
    part = messages.messages(caller, org, campaign, given, key(), has_time)
    following = {} if part.next is None else {NEXT: part.next}
    match part.format:
        case Format.CSV:
            return text("text/csv; charset=utf-8; header=present", as_csv(part.rows), following)
        case Format.NDJSON:
            return text("application/x-ndjson", as_ndjson(part.rows), following)
        case Format.JSON:
            return answer(200, {"items": part.rows, "next": part.next})


@app.get("/v1/orgs/<org>/campaigns/<campaign>/mtt/next")
def upcoming(org: str, campaign: str) -> Response[str]:
    """What would go out now."""
    return answer(200, messages.upcoming(authenticator.caller(app.current_event), org, campaign))


@app.get("/v1/orgs/<org>/campaigns/<campaign>/mtt/uncertain")
def uncertain(org: str, campaign: str) -> Response[str]:
    """Mails of which nobody knows whether they went out."""
    part = asked(app.current_event)
    found = messages.uncertain(authenticator.caller(app.current_event), org, campaign, part.after, part.one_more)
    return listed(found, part, messages.place, lambda some: [messages.shown(item) for item in some])


@cache
def key() -> PrivateKey:
    """What opens messages; read by the first who may see them."""
    return sealing_key(secret(settings.sealing_key_secret))


def has_time() -> bool:
    """Whether there is time for some more rows."""
    return bool(app.lambda_context.get_remaining_time_in_millis() > ENOUGH_MS)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
