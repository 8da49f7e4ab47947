"""/v1/orgs/{org}/pages: the org's action pages."""

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
from proca_common.aws.settings.management import LaunchSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer, below, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import action_pages, launches
from proca_common.management.access import org_of
from proca_common.users.authentication import Authenticator

KIND = "action page"

settings = read(LaunchSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/pages")
def all_pages(org: str) -> Response[str]:
    """The org's pages; of one campaign, if its name is given."""
    found = org_of(authenticator.caller(app.current_event), org)
    part = asked(app.current_event)
    campaign = app.current_event.get_query_string_value("campaign", None)
    some = action_pages.listed(found, part.after_id, part.one_more, campaign)
    return listed(some, part, lambda page: page.id, action_pages.shown)


@app.post("/v1/orgs/<org>/pages")
def create(org: str) -> Response[str]:
    """A new page, or a copy."""
    caller = authenticator.caller(app.current_event)
    page = action_pages.create(caller, org, json_object(json_body(app.current_event)))
    return record(201, action_pages.shown([page])[0], page.version, below(app.current_event, page.id))


@app.get("/v1/orgs/<org>/pages/<page>")
def get(org: str, page: str) -> Response[str]:
    """A page."""
    owner = org_of(authenticator.caller(app.current_event), org)
    found = action_pages.of_org(owner, numeric_id(page, KIND))
    return record(200, action_pages.shown([found])[0], found.version)


@app.patch("/v1/orgs/<org>/pages/<page>")
def change(org: str, page: str) -> Response[str]:
    """Other settings."""
    caller = authenticator.caller(app.current_event)
    patch, seen = json_object(json_body(app.current_event)), partial(check_match, app.current_event)
    changed = action_pages.change(caller, org, numeric_id(page, KIND), patch, seen)
    return record(200, action_pages.shown([changed])[0], changed.version)


@app.delete("/v1/orgs/<org>/pages/<page>")
def delete(org: str, page: str) -> Response[str]:
    """The end of a page on which nobody did more than test."""
    caller = authenticator.caller(app.current_event)
    action_pages.delete(caller, org, numeric_id(page, KIND), partial(check_match, app.current_event))
    return no_content()


@app.post("/v1/orgs/<org>/pages/<page>/launch")
def launch(org: str, page: str) -> Response[str]:
    """Live at once for the lead; a partner asks the lead."""
    caller = authenticator.caller(app.current_event)
    given = json_object(json_body(app.current_event)) if app.current_event.body else {}
    found, confirm = launches.launch(caller, org, numeric_id(page, KIND), given, settings.mail_queue_url)
    if confirm is not None:
        return answer(202, {"status": "CONFIRMING", "confirm": confirm.id})
    return record(200, action_pages.shown([found])[0], found.version)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
