"""Campaigns, pages and orgs as the schema shows them: a map of each, whose rarer values are made when they are asked
for.

What is private stands in `private_….py`, so that nothing of that is imported for a widget.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from proca_common.action_pages.context import PageContext
from proca_common.action_pages.page import ActionPage
from proca_common.campaigns.campaign import Campaign
from proca_common.graph.context import Context
from proca_common.ids import created_at
from proca_common.monitors import feed
from proca_common.monitors.public import but_of
from proca_common.monitors.public_actions import public_actions, shown
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org

JOURNEY = ["Petition", "Share"]
MOST_ACTIONS = 100
LOOK_UPS_OF_TARGETS = 25
"""A campaign may have 5,000 targets, of which a call brings 1 MB."""
View = dict[str, Any]


def campaign_view(context: Context, campaign: Campaign) -> View:
    """A campaign, as who asks may see it."""
    view: View = {
        "__typename": "PublicCampaign",
        "id": campaign.id,
        "externalId": campaign.external_id,
        "name": campaign.name,
        "title": campaign.title,
        "status": campaign.status.value,
        "contactSchema": campaign.contact_schema.value,
        "config": campaign.config,
        "start": campaign.start,
        "end": campaign.end,
        "campaignProcessing": {
            "supporterConfirm": campaign.supporter_confirm,
            "supporterConfirmTemplate": campaign.supporter_confirm_template,
            "actionConfirm": campaign.action_confirm,
        },
        "stats": lambda _: stats_view(context, campaign),
        "org": lambda _: org_view(context, context.org(campaign.org)),
        "actions": lambda _, actionType, limit: actions_view(context, campaign, actionType, limit),  # noqa: N803 - its name
        "targets": lambda _: targets_view(context, campaign),
    }
    if context.sees_all_of(campaign):
        from proca_common.graph.private_campaigns import campaign_fields  # noqa: PLC0415 - not for widgets

        view |= campaign_fields(context, campaign)
    return view


def campaigns_view(context: Context, some: Iterable[Campaign]) -> list[View]:
    """Campaigns, whose lead orgs are read together, and their numbers if they are asked for; without those that went
    with their org since they were read.
    """
    found = list(some)
    there = context.prepare_orgs(campaign.org for campaign in found)
    found = [campaign for campaign in found if campaign.org in there]
    context.prepare_numbers(campaign.id for campaign in found)
    return [campaign_view(context, campaign) for campaign in found]


def page_view(context: Context, page: ActionPage, campaign: Campaign) -> View:
    """A page of this campaign, as who asks may see it."""
    view: View = {
        "__typename": "PublicActionPage",
        "id": page.id,
        "locale": page.locale,
        "name": page.name,
        "live": page.live,
        "thankYouTemplate": page.thank_you_template,
        "thankYouTemplateRef": page.thank_you_template,
        "journey": _journey(page),
        "config": page.config,
        "campaign": lambda _: campaign_view(context, campaign),
        "org": lambda _: org_view(context, context.org(page.org)),
        "extraSupporters": None,
    }
    if context.is_member(page.org, campaign.org):
        from proca_common.graph.private_campaigns import page_fields  # noqa: PLC0415 - not for widgets

        view |= page_fields(context, page)
    return view


def _journey(page: ActionPage) -> list[str]:
    """The steps that the config names, which may hold anything."""
    steps = page.config.get("journey")
    return [step for step in steps if isinstance(step, str)] if isinstance(steps, list) else JOURNEY


def page_of(context: Context, known: PageContext) -> View:
    """A page from warm memory."""
    context.know(known.org, known.lead)
    return page_view(context, known.page, known.campaign)


def org_view(context: Context, org: Org) -> View:
    """An org, as who asks may see it."""
    view: View = {"__typename": "PublicOrg", "name": org.name, "title": org.title, "config": org.config, "id": None}
    if context.is_member(org.id):
        from proca_common.graph.private_orgs import org_fields  # noqa: PLC0415 - not for widgets

        view |= org_fields(context, org)
    return view


def stats_view(context: Context, campaign: Campaign) -> View:
    """The campaign's numbers."""
    numbers = context.numbers(campaign.id)
    return {
        "supporterCount": numbers["supporterCount"],
        "supporterCountByArea": numbers["supporterCountByArea"],
        "supporterCountByOrg": lambda _: [
            {"org": _counted_org(context, each["org"]["name"], each["org"]["title"]), "count": each["count"]}
            for each in numbers["supporterCountByOrg"]
        ],
        "supporterCountByOthers": lambda _, orgName: but_of(numbers, orgName)["supporterCountByOthers"],  # noqa: N803
        "actionCount": [{"actionType": name, "count": count} for name, count in numbers["actionCount"].items()],
    }


def _counted_org(context: Context, name: str, title: str) -> View:
    """An org that is known by its name and title; the rest of it is read when it is asked for."""

    @cache
    def rest() -> View:
        context.look_up()
        return org_view(context, orgs.find(name))

    return {
        "__typename": "PublicOrg",
        "name": name,
        "title": title,
        "config": lambda _: rest()["config"],
        "id": lambda _: rest()["id"],
    }


def actions_view(context: Context, campaign: Campaign, action_type: str, limit: int) -> View:
    """The newest public actions of this type, as the campaign shows them now (domain 11.3)."""
    context.look_up(feed.BUCKETS)
    found = public_actions(campaign, action_type, None, min(max(limit, 1), MOST_ACTIONS))
    listed: list[View] = [
        {**each, "insertedAt": created_at(each["actionId"]), "fields": custom_fields(each["customFields"])}
        for each in shown(campaign, action_type, found)
    ]
    return {"fieldKeys": sorted({key for action in listed for key in action["customFields"]}), "list": listed}


def custom_fields(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """Custom fields as the list that older clients know: a value for each."""
    return [
        {"key": key, "value": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
        for key, values in fields.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def targets_view(context: Context, campaign: Campaign) -> list[View]:
    """The campaign's targets, without their addresses."""
    from proca_common.targets.public import public_targets  # noqa: PLC0415 - few ask for it

    context.look_up(LOOK_UPS_OF_TARGETS)
    return [{"__typename": "PublicTarget", **target} for target in public_targets(campaign.id)]
