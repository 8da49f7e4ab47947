"""/v1/orgs/{org}/actions, …/contacts, …/contacts/look-up and …/exports: what an org takes out."""

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
from proca_common.aws.settings.management import ExportsSettings
from proca_common.catalog.given import json_object
from proca_common.exports.rows import Kind
from proca_common.http.answers import answer, below, no_content
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.management import exports
from proca_common.users.authentication import Authenticator

ENOUGH_MS = 10_000
"""What some more rows take at worst."""

settings = read(ExportsSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/actions")
def actions(org: str) -> Response[str]:
    """Some of the org's actions."""
    return rows(org, Kind.ACTIONS)


@app.get("/v1/orgs/<org>/contacts")
def contacts(org: str) -> Response[str]:
    """Some of the actions with which a contact came."""
    return rows(org, Kind.CONTACTS)


def rows(org: str, kind: Kind) -> Response[str]:
    """Those that the query asks for."""
    caller, given = authenticator.caller(app.current_event), app.current_event.query_string_parameters or {}
    return answer(200, exports.rows(caller, org, kind, given, has_time))


@app.post("/v1/orgs/<org>/contacts/look-up")
def look_up(org: str) -> Response[str]:
    """All that the org has of one person."""
    caller, given = authenticator.caller(app.current_event), json_object(json_body(app.current_event))
    return answer(200, exports.look_up(caller, org, given, lambda: secret(settings.fingerprint_seed_secret).decode()))


@app.get("/v1/orgs/<org>/exports")
def files(org: str) -> Response[str]:
    """The org's files, the newest first."""
    part = asked(app.current_event)
    found = exports.listed(authenticator.caller(app.current_event), org, part.after_id or None, part.one_more)
    return listed(found, part, lambda item: int(item.id), lambda some: [exports.shown(item) for item in some])


@app.post("/v1/orgs/<org>/exports")
def begin(org: str) -> Response[str]:
    """A file, which is written from now on."""
    caller, given = authenticator.caller(app.current_event), json_object(json_body(app.current_event))
    item = exports.begin(caller, org, given, settings.export_bucket, settings.export_queue_url)
    return answer(202, exports.shown(item), {"Location": below(app.current_event, int(item.id))})


@app.get("/v1/orgs/<org>/exports/<export>")
def get(org: str, export: str) -> Response[str]:
    """How far a file is, and the link to it once it is ready."""
    caller = authenticator.caller(app.current_event)
    return answer(200, exports.shown(exports.get(caller, org, numeric_id(export, "export")), with_link=True))


@app.delete("/v1/orgs/<org>/exports/<export>")
def remove(org: str, export: str) -> Response[str]:
    """The end of a file, or of its being written."""
    exports.remove(authenticator.caller(app.current_event), org, numeric_id(export, "export"))
    return no_content()


def has_time() -> bool:
    """Whether there is time for some more rows."""
    return bool(app.lambda_context.get_remaining_time_in_millis() > ENOUGH_MS)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
