"""/v1/orgs/{org}/campaigns/{campaign}/targets: to whom supporters of a campaign write."""

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
from proca_common.aws.settings.management import ManagementSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer, below, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import MAX_LONG_BODY_BYTES, csv_body, json_body
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import target_lists, targets
from proca_common.targets import table
from proca_common.targets.given import listed_in, outdated_of
from proca_common.users.authentication import Authenticator

settings = read(ManagementSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/campaigns/<campaign>/targets")
def all_targets(org: str, campaign: str) -> Response[str]:
    """The targets with their addresses and numbers."""
    _, found = targets.led_by(authenticator.caller(app.current_event), org, campaign)
    part = asked(app.current_event)
    some = targets.listed(found, part.after, part.one_more)
    return listed(some, part, lambda target: target.id, partial(targets.shown, found))


@app.put("/v1/orgs/<org>/campaigns/<campaign>/targets")
def put(org: str, campaign: str) -> Response[str]:
    """A list of targets, as JSON or as a table."""
    caller = authenticator.caller(app.current_event)
    lead, found = targets.led_by(caller, org, campaign)
    outdated = outdated_of(app.current_event.get_query_string_value("outdated", None))
    sent = csv_body(app.current_event, MAX_LONG_BODY_BYTES)
    given = (
        listed_in(json_object(json_body(app.current_event, MAX_LONG_BODY_BYTES))) if sent is None else table.rows(sent)
    )
    return answer(200, target_lists.upsert_in(caller, lead, found, given, outdated).shown())


@app.post("/v1/orgs/<org>/campaigns/<campaign>/targets")
def create(org: str, campaign: str) -> Response[str]:
    """One more target."""
    caller = authenticator.caller(app.current_event)
    found, target = targets.create(caller, org, campaign, json_object(json_body(app.current_event)))
    return record(201, targets.shown(found, [target])[0], target.version, below(app.current_event, target.id))


@app.get("/v1/orgs/<org>/campaigns/<campaign>/targets/<target>")
def get(org: str, campaign: str, target: str) -> Response[str]:
    """A target."""
    _, found = targets.led_by(authenticator.caller(app.current_event), org, campaign)
    known = targets.get(found, target)
    return record(200, targets.shown(found, [known])[0], known.version)


@app.patch("/v1/orgs/<org>/campaigns/<campaign>/targets/<target>")
def change(org: str, campaign: str, target: str) -> Response[str]:
    """Other settings, other addresses."""
    caller = authenticator.caller(app.current_event)
    patch, seen = json_object(json_body(app.current_event)), partial(check_match, app.current_event)
    found, changed = targets.change(caller, org, campaign, target, patch, seen)
    return record(200, targets.shown(found, [changed])[0], changed.version)


@app.delete("/v1/orgs/<org>/campaigns/<campaign>/targets/<target>")
def delete(org: str, campaign: str, target: str) -> Response[str]:
    """The end of a target without messages."""
    caller = authenticator.caller(app.current_event)
    targets.delete(caller, org, campaign, target, partial(check_match, app.current_event))
    return no_content()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
