"""/v1/orgs/{org}/templates: what the org's mails say."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import clock, dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import ManagementSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import MAX_LONG_BODY_BYTES, json_body
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.mails.templates import place
from proca_common.management import templates
from proca_common.users.authentication import Authenticator

settings = read(ManagementSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/templates")
def all_templates(org: str) -> Response[str]:
    """The org's templates, without their texts."""
    caller = authenticator.caller(app.current_event)
    part = asked(app.current_event)
    found = templates.listed(caller, org, part.after, part.one_more)
    return listed(found, part, place, lambda some: [templates.shown_in_list(template) for template in some])


@app.get("/v1/orgs/<org>/templates/<name>/<locale>")
def get(org: str, name: str, locale: str) -> Response[str]:
    """A template."""
    found = templates.get(authenticator.caller(app.current_event), org, unquote(name), unquote(locale))
    return record(200, templates.shown(found), found.version)


@app.put("/v1/orgs/<org>/templates/<name>/<locale>")
def put(org: str, name: str, locale: str) -> Response[str]:
    """This template, new or changed."""
    caller = authenticator.caller(app.current_event)
    given, seen = texts(), partial(check_match, app.current_event)
    made, is_new = templates.put(caller, org, unquote(name), unquote(locale), given, seen)
    return record(201 if is_new else 200, templates.shown(made), made.version)


@app.delete("/v1/orgs/<org>/templates/<name>/<locale>")
def delete(org: str, name: str, locale: str) -> Response[str]:
    """The end of a template."""
    caller = authenticator.caller(app.current_event)
    templates.remove(caller, org, unquote(name), unquote(locale), partial(check_match, app.current_event))
    return no_content()


@app.post("/v1/orgs/<org>/templates/<name>/<locale>/preview")
def preview(org: str, name: str, locale: str) -> Response[str]:
    """What a mail would say."""
    caller = authenticator.caller(app.current_event)
    given = texts()
    return answer(200, asdict(templates.preview(caller, org, unquote(name), unquote(locale), given, clock.now_ms())))


def texts() -> dict[str, Any]:
    """What was sent; texts of mails are long."""
    return json_object(json_body(app.current_event, MAX_LONG_BODY_BYTES))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
