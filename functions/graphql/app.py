"""POST /api and GET /api?query=: GraphQL, for clients that speak it."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import GraphSettings, read
from proca_common.errors import NotKnown
from proca_common.failures import Malformed, Refused
from proca_common.graph import engine, schemas
from proca_common.graph.context import Context, Request
from proca_common.graph.requests import BadRequest, Query, of_body, of_parameters
from proca_common.http.answers import CONTENT_TYPE, etag_of, unless_known
from proca_common.http.requests import idempotency_key, raw_body
from proca_common.http.resolver import make_resolver
from proca_common.intake.add import Vault
from proca_common.orgs.encryption import Encryptor

if TYPE_CHECKING:
    from proca_common.users.authentication import Authenticator
    from proca_common.users.user import Caller

MAX_AGE_S = 5

settings = read(GraphSettings)
dynamo.connect(settings)
vault = Vault(secret(settings.fingerprint_seed_secret).decode(), Encryptor())
schemas.public()
app = make_resolver()
init_phase.over()


@app.post("/api")
def post() -> Response[str]:
    """A query or mutation."""
    try:
        return answered(of_body(raw_body(app.current_event)))
    except BadRequest as error:
        return answer(400, refused(str(error)))


@app.get("/api")
def get() -> Response[str]:
    """A query; what anybody may see may be cached."""
    try:
        query = of_parameters(app.current_event.query_string_parameters or {})
    except BadRequest as error:
        return answer(400, refused(str(error)))
    return answered(query)


def answered(query: Query) -> Response[str]:
    """What is asked; nothing of it where whoever asks does not prove who that is (domain 12.2)."""
    event = app.current_event
    try:
        caller = who()
    except NotKnown as error:
        return answer(401, {"data": None, **refused(str(error), "unauthorized")})
    except Malformed as error:
        return answer(400, {"data": None, **refused(str(error), "unauthorized")})
    try:
        key = idempotency_key(event)
    except Refused as error:
        return answer(400, refused(error.failures[0].message))
    request = Request(
        event.headers.get("referer"),
        event.request_context.identity.source_ip,
        query.extensions,
        event.request_context.api_id or "",
        key,
    )
    context = Context(settings, vault, request, caller, app.lambda_context.get_remaining_time_in_millis)
    try:
        body = engine.answer(query, context, introspection=settings.graphql_introspection == "on")
    except engine.MethodNotAllowed as error:
        return answer(405, refused(str(error)))
    if query.is_get and caller is None and "errors" not in body and engine.is_public(query):
        text = json.dumps(body, ensure_ascii=False)
        return unless_known(event, text, etag_of(text), MAX_AGE_S)
    return answer(200, body)


def who() -> Caller | None:
    """Who asks. A widget does not say, and waits for nothing that would read it."""
    event = app.current_event
    return authenticator().caller_if_any(event) if event.headers.get("authorization") else None


@cache
def authenticator() -> Authenticator:
    """What tells who asks."""
    from proca_common.users.authentication import Authenticator  # noqa: PLC0415 - 26 ms, not for widgets

    return Authenticator(lambda: secret(settings.guard_key_secret))


def refused(message: str, code: str | None = None) -> dict[str, Any]:
    """Why nothing is answered, in the form of GraphQL."""
    error: dict[str, Any] = {"message": message}
    return {"errors": [error if code is None else {**error, "extensions": {"code": code}}]}


def answer(status: int, body: Mapping[str, Any]) -> Response[str]:
    """An answer that no cache keeps; of its errors the codes are logged."""
    codes = [error.get("extensions", {}).get("code", "rule") for error in body.get("errors", ())]
    logger.info("answered", extra={"status": status, "errors": codes})
    return Response(
        status_code=status,
        content_type=CONTENT_TYPE,
        body=json.dumps(body, ensure_ascii=False),
        headers={"Cache-Control": "no-store"},
    )


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
