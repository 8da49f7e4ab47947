"""/v1/orgs/{org}/campaigns: what the org leads or has a page in."""

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
from proca_common.aws.settings.management import CampaignSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import below, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import action_pages, campaigns, partners, upserts
from proca_common.management.access import org_of
from proca_common.users.authentication import Authenticator
from proca_common.users.permissions import Permission

settings = read(CampaignSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/campaigns")
def all_campaigns(org: str) -> Response[str]:
    """What the org leads or has a page in."""
    found = org_of(authenticator.caller(app.current_event), org)
    part = asked(app.current_event)
    return listed(
        campaigns.listed(found, part.after_id, part.one_more),
        part,
        lambda campaign: campaign.id,
        partial(campaigns.shown, to=found),
    )


@app.post("/v1/orgs/<org>/campaigns")
def create(org: str) -> Response[str]:
    """A new campaign."""
    caller = authenticator.caller(app.current_event)
    campaign = campaigns.create(caller, org, json_object(json_body(app.current_event)))
    return record(201, campaigns.shown([campaign])[0], campaign.version, below(app.current_event, campaign.name))


@app.get("/v1/orgs/<org>/campaigns/<campaign>")
def get(org: str, campaign: str) -> Response[str]:
    """A campaign."""
    asking = org_of(authenticator.caller(app.current_event), org)
    found = campaigns.seen_by(asking, campaign)
    return record(200, campaigns.shown([found], asking)[0], found.version)


@app.put("/v1/orgs/<org>/campaigns/<campaign>")
def put(org: str, campaign: str) -> Response[str]:
    """A campaign with pages."""
    caller = authenticator.caller(app.current_event)
    given, seen = json_object(json_body(app.current_event)), partial(check_match, app.current_event)
    done = upserts.upsert(caller, org, campaign, given, seen)
    body = {**campaigns.shown([done.campaign])[0], upserts.PAGES: action_pages.shown(done.pages)}
    return record(201 if done.created else 200, body, done.campaign.version)


@app.patch("/v1/orgs/<org>/campaigns/<campaign>")
def change(org: str, campaign: str) -> Response[str]:
    """Other settings."""
    caller = authenticator.caller(app.current_event)
    patch, seen = json_object(json_body(app.current_event)), partial(check_match, app.current_event)
    changed = campaigns.change(caller, org, campaign, patch, seen)
    return record(200, campaigns.shown([changed])[0], changed.version)


@app.delete("/v1/orgs/<org>/campaigns/<campaign>")
def delete(org: str, campaign: str) -> Response[str]:
    """The end of a campaign and of its lead's pages in it."""
    caller = authenticator.caller(app.current_event)
    campaigns.delete(caller, org, campaign, partial(check_match, app.current_event))
    return no_content()


@app.get("/v1/orgs/<org>/campaigns/<campaign>/partners")
def all_partners(org: str, campaign: str) -> Response[str]:
    """The orgs that have pages in it besides its lead, which alone sees them together."""
    caller = authenticator.caller(app.current_event)
    found = campaigns.led_by(org_of(caller, org, Permission.MANAGE_CAMPAIGNS), campaign)
    part = asked(app.current_event)
    some = [partner for partner in partners.partners(found) if partner[0].id > part.after_id]
    return listed(some[: part.one_more], part, lambda partner: partner[0].id, partial(partners.shown, found))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
