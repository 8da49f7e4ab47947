"""POST /api and GET /api?query=: GraphQL, for clients that speak it."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.graph import GraphSettings
from proca_common.errors import NotKnown, TooMany
from proca_common.failures import Malformed, Refused
from proca_common.graph import engine, schemas
from proca_common.graph.context import Context, Request
from proca_common.graph.requests import BadRequest, Query, of_body, of_parameters
from proca_common.http.answers import CONTENT_TYPE, etag_of, unless_known
from proca_common.http.problems import Problem
from proca_common.http.requests import MAX_LONG_BODY_BYTES, idempotency_key, json_body, raw_body
from proca_common.http.resolver import RETRY_AFTER_S, make_resolver
from proca_common.intake.add import Vault
from proca_common.orgs.encryption import Encryptor

if TYPE_CHECKING:
    from proca_common.users.authentication import Authenticator
    from proca_common.users.user import Caller

SPOKEN = re.compile(r"basic |bearer +(?:API-|ey)", re.IGNORECASE)
"""How callers prove who they are (domain 12.2)."""
MAX_AGE_S = 5
MOST_BYTES = 5_900_000
"""Of an answer, which is escaped as text on its way through the gateway."""
MOST_CHARACTERS = MOST_BYTES // 6
"""So many fit however they are escaped."""

settings = read(GraphSettings)
dynamo.connect(settings)
vault = Vault(secret(settings.fingerprint_seed_secret).decode(), Encryptor())
schemas.public()
app = make_resolver()
init_phase.over()


@app.post("/api")
def post() -> Response[str]:
    """A query or mutation."""
    return answered(sent)


@app.get("/api")
def get() -> Response[str]:
    """A query; what anybody may see may be cached."""
    return answered(lambda _: of_parameters(app.current_event.query_string_parameters or {}))


def sent(caller: Caller | None) -> Query:
    """What a body asks for. Lists of targets and templates are long, and come from staff.

    With somebody's credentials it must be JSON by its type too: a form of somebody else's page can send any text, and
    the browser adds the credentials. Raises `BadRequest`.
    """
    event = app.current_event
    try:
        body = raw_body(event) if caller is None else json_body(event, MAX_LONG_BODY_BYTES)
    except Problem as problem:
        raise BadRequest(problem.detail, problem.status) from None
    except Malformed as error:
        raise BadRequest(str(error)) from None
    return of_body(body)


def answered(read: Callable[[Caller | None], Query]) -> Response[str]:
    """What is asked; nothing of it where whoever asks does not prove who that is (domain 12.2)."""
    event, caller = app.current_event, who()
    query = read(caller)
    context = Context(settings, vault, request_of(query), caller, app.lambda_context.get_remaining_time_in_millis)
    body = engine.answer(query, context, introspection=settings.graphql_introspection == "on")
    if query.is_get and caller is None and "errors" not in body and engine.is_public(query):
        text = as_text(body)
        shown = unless_known(event, text, etag_of(text), MAX_AGE_S)
        shown.headers["Vary"] = "Authorization, Origin"
        return shown
    return answer(200, body)


@app.exception_handler([BadRequest, engine.MethodNotAllowed])
def no_query(error: BadRequest | engine.MethodNotAllowed) -> Response[str]:
    """There is nothing to work on."""
    return answer(405 if isinstance(error, engine.MethodNotAllowed) else error.status, refused(str(error)))


@app.exception_handler([NotKnown, Malformed, TooMany, Unavailable])
def not_let_in(error: NotKnown | Malformed | TooMany | Unavailable) -> Response[str]:
    """Whoever asks does not prove who that is, or not now; in the form that clients of GraphQL understand."""
    match error:
        case NotKnown():
            return answer(401, {"data": None, **refused(str(error), "unauthorized")})
        case Malformed():
            return answer(400, {"data": None, **refused(str(error), "unauthorized")})
        case TooMany():
            return answer(429, {"data": None, **refused(str(error), "too_many")}, error.retry_after_s)
        case Unavailable():
            log_fault("store unavailable", error)
            return answer(503, {"data": None, **refused("Temporarily unavailable", "unavailable")}, RETRY_AFTER_S)


def request_of(query: Query) -> Request:
    """What came with the query. Raises `BadRequest`."""
    event = app.current_event
    client, api = event.request_context.identity.source_ip, event.request_context.api_id or ""
    try:
        key = idempotency_key(event)
    except Refused as error:
        raise BadRequest(error.failures[0].message) from None
    return Request(event.headers.get("referer"), client, query.extensions, api, key)


def who() -> Caller | None:
    """Who asks. A widget does not say, and waits for nothing that would read it; other ways to say it say nothing.

    Raises `NotKnown`, `Malformed`, `TooMany`, `Unavailable`.
    """
    event = app.current_event
    said = event.headers.get("authorization") or ""
    return authenticator().caller_if_any(event) if SPOKEN.match(said.strip()) else None


@cache
def authenticator() -> Authenticator:
    """What tells who asks."""
    from proca_common.users.authentication import Authenticator  # noqa: PLC0415 - 26 ms, not for widgets

    return Authenticator(lambda: secret(settings.guard_key_secret))


def refused(message: str, code: str | None = None) -> dict[str, Any]:
    """Why nothing is answered, in the form of GraphQL."""
    error: dict[str, Any] = {"message": message}
    return {"errors": [error if code is None else {**error, "extensions": {"code": code}}]}


def answer(status: int, body: Mapping[str, Any], retry_after_s: int | None = None) -> Response[str]:
    """An answer that no cache keeps; of its errors the codes are logged."""
    codes = [error.get("extensions", {}).get("code", "rule") for error in body.get("errors", ())]
    logger.info("answered", extra={"status": status, "errors": codes})
    headers: dict[str, str | list[str]] = {"Cache-Control": "no-store"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return Response(status_code=status, content_type=CONTENT_TYPE, body=as_text(body), headers=headers)


def as_text(body: Mapping[str, Any]) -> str:
    """The body as text, or that it is too large: what is larger than 6 MB is no answer at all, but a fault."""
    text = json.dumps(body, ensure_ascii=False)
    if len(text) > MOST_CHARACTERS and len(json.dumps(text)) > MOST_BYTES:
        return json.dumps({"data": None, **refused("The answer is too large: ask for less at once", "too_large")})
    return text


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
