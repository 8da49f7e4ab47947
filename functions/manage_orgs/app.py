"""/v1/orgs, /v1/orgs/{org} and /v1/orgs/{org}/audit: orgs, and who changed what of them."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import OrgSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import below, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import audit, orgs
from proca_common.management.access import org_of
from proca_common.users.authentication import Authenticator
from proca_common.users.permissions import Permission

settings = read(OrgSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs")
def own() -> Response[str]:
    """The caller's orgs; all orgs for who manages them."""
    caller = authenticator.caller(app.current_event)
    part = asked(app.current_event)
    found = orgs.listed(caller, part.after_id, part.one_more)
    return listed(found, part, lambda org: org.id, lambda some: [orgs.shown_in_list(org, caller) for org in some])


@app.post("/v1/orgs")
def create() -> Response[str]:
    """A new org, whose owner is the caller."""
    caller = authenticator.caller(app.current_event)
    org = orgs.create(caller, json_object(json_body(app.current_event)), settings.queue_url_prefix)
    return record(201, orgs.shown(org), org.version, below(app.current_event, org.name))


@app.get("/v1/orgs/<org>")
def get(org: str) -> Response[str]:
    """An org with its settings."""
    found = org_of(authenticator.caller(app.current_event), org)
    return record(200, orgs.shown(found), found.version)


@app.patch("/v1/orgs/<org>")
def change(org: str) -> Response[str]:
    """Other settings."""
    caller = authenticator.caller(app.current_event)
    patch, seen = json_object(json_body(app.current_event)), partial(check_match, app.current_event)
    changed = orgs.change(caller, org, patch, seen, settings.queue_url_prefix)
    return record(200, orgs.shown(changed), changed.version)


@app.delete("/v1/orgs/<org>")
def delete(org: str) -> Response[str]:
    """The end of an org without campaigns and pages."""
    caller = authenticator.caller(app.current_event)
    orgs.delete(caller, org, partial(check_match, app.current_event), settings.queue_url_prefix)
    return no_content()


@app.get("/v1/orgs/<org>/audit")
def trail(org: str) -> Response[str]:
    """Who changed what, the newest first."""
    found = org_of(authenticator.caller(app.current_event), org, Permission.CHANGE_ORG_SETTINGS)
    part = asked(app.current_event)
    entries = audit.trail(found.id, part.after, part.one_more)
    return listed(entries, part, lambda entry: entry["id"], list)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
