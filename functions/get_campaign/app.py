"""GET /v1/campaigns/{campaign}, ?name=, /{campaign}/numbers and /{campaign}/actions: what anybody may see of one."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import PublicSettings
from proca_common.campaigns.public import (
    CampaignContext,
    campaign_context,
    campaign_context_by_name,
    public_campaign,
)
from proca_common.failures import Failure, Refused
from proca_common.http.answers import cacheable
from proca_common.http.lists import asked, part_of
from proca_common.http.requests import numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.monitors.public import MAX_AGE_S, but_of, numbers_if_known, public_numbers
from proca_common.monitors.public_actions import MAX_AGE_S as LIST_MAX_AGE_S
from proca_common.monitors.public_actions import USUAL, public_actions, shown

dynamo.connect(read(PublicSettings))
app = make_resolver()
init_phase.over()


@app.get("/v1/campaigns/<campaign>")
def by_id(campaign: str) -> Response[str]:
    """The campaign with this id."""
    return _shown(_context(campaign))


@app.get("/v1/campaigns")
def by_name() -> Response[str]:
    """The campaign with this name, in any case of letters."""
    name = app.current_event.get_query_string_value("name", "")
    if not name:
        raise Refused([Failure.blank("/name")])
    return _shown(campaign_context_by_name(name))


@app.get("/v1/campaigns/<campaign>/numbers")
def numbers(campaign: str) -> Response[str]:
    """How many signed the campaign with this id."""
    found = public_numbers(_context(campaign).campaign.id)
    others = app.current_event.get_query_string_value("others")
    return cacheable(app.current_event, found if others is None else but_of(found, others), MAX_AGE_S)


@app.get("/v1/campaigns/<campaign>/actions")
def actions(campaign: str) -> Response[str]:
    """The actions of a type that the campaign shows, the newest first."""
    known = _context(campaign).campaign
    action_type = app.current_event.get_query_string_value("type", "")
    part = asked(app.current_event, usual=USUAL, others=[] if action_type else [Failure.blank("/type")])
    before = None if part.after is None else part.after_id
    found = public_actions(known, action_type, before, part.one_more)
    body = part_of(found, part, lambda action: action.id, partial(shown, known, action_type))
    return cacheable(app.current_event, body, LIST_MAX_AGE_S)


def _context(campaign: str) -> CampaignContext:
    return campaign_context(numeric_id(campaign, "campaign"))


def _shown(context: CampaignContext) -> Response[str]:
    numbers = numbers_if_known(context.campaign.id)
    return cacheable(app.current_event, public_campaign(context.campaign, context.lead, numbers), MAX_AGE_S)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
