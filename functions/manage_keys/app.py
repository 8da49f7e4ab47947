"""/v1/orgs/{org}/keys: what the org's contacts are encrypted with."""

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
from proca_common.aws.settings.management import KeySettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer, below, no_content
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.management import keys
from proca_common.orgs.encryption import to_text
from proca_common.users.authentication import Authenticator

KIND = "Public key"

settings = read(KeySettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/keys")
def all_keys(org: str) -> Response[str]:
    """The org's keys, the newest first."""
    part = asked(app.current_event)
    owner, found = keys.listed(authenticator.caller(app.current_event), org, part.after_id, part.one_more)
    return listed(found, part, lambda key: key.id, lambda some: [keys.shown(key, owner) for key in some])


@app.post("/v1/orgs/<org>/keys")
def create(org: str) -> Response[str]:
    """A new key, not active; the private part of one that is made here is told this once."""
    caller = authenticator.caller(app.current_event)
    owner, key, private = keys.create(caller, org, json_object(json_body(app.current_event)))
    shown = keys.shown(key, owner) if private is None else {**keys.shown(key, owner), "private": to_text(private)}
    return answer(201, shown, {"Location": below(app.current_event, key.id)})


@app.delete("/v1/orgs/<org>/keys/active")
def deactivate(org: str) -> Response[str]:
    """Clear text from now on, if that is said."""
    keys.deactivate(authenticator.caller(app.current_event), org, json_object(json_body(app.current_event)))
    return no_content()


@app.get("/v1/orgs/<org>/keys/<key>")
def get(org: str, key: str) -> Response[str]:
    """One key."""
    owner, found = keys.get(authenticator.caller(app.current_event), org, numeric_id(key, KIND))
    return answer(200, keys.shown(found, owner))


@app.post("/v1/orgs/<org>/keys/<key>/activation")
def activate(org: str, key: str) -> Response[str]:
    """Encrypt for this key."""
    caller = authenticator.caller(app.current_event)
    number = numeric_id(key, KIND)
    owner, found, holds_at = keys.activate(caller, org, number, settings.encrypt_contacts_queue_url)
    return answer(200, {**keys.shown(found, owner), "holdsEverywhereAt": f"{holds_at:%Y-%m-%dT%H:%M:%SZ}"})


@app.post("/v1/orgs/<org>/keys/<key>/expiry")
def expire(org: str, key: str) -> Response[str]:
    """Never use this key again."""
    owner, found = keys.expire(authenticator.caller(app.current_event), org, numeric_id(key, KIND))
    return answer(200, keys.shown(found, owner))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
