"""Campaigns, their pages and their targets, in GraphQL."""

from __future__ import annotations

from typing import Any

from proca_common.action_pages import store as known_pages
from proca_common.action_pages.page import ActionPage
from proca_common.campaigns import store as known_campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.errors import NotFound
from proca_common.graph.context import Context, Info
from proca_common.graph.errors import one_of
from proca_common.graph.given import as_seen, plain, without
from proca_common.graph.private_campaigns import private_target
from proca_common.graph.views import View, campaign_view, page_view
from proca_common.management import action_pages, campaigns, launches, target_lists, upserts
from proca_common.management.access import org_of
from proca_common.targets import store as known_targets
from proca_common.targets.given import OutdatedTargets
from proca_common.users.permissions import Permission


def add_campaign(_: None, info: Info, orgName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803 - their names
    """A new campaign of an org."""
    made = campaigns.create(info.context.staff, orgName, plain(without(input, ("actionPages",))))
    return campaign_view(info.context, made)


def upsert_campaign(_: None, info: Info, orgName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803
    """A campaign with its pages, new or known by its external id or name."""
    given = plain(input)
    name = given.get("name") or _name_of(info.context, orgName, given.get("externalId"))
    done = upserts.upsert(info.context.staff, orgName, name, {**given, "name": name}, as_seen)
    return campaign_view(info.context, done.campaign)


def _name_of(context: Context, org_name: str, external_id: int | None) -> str:
    """The name of a known campaign that is only given by its external id; none for what is not known."""
    owner = org_of(context.staff, org_name, Permission.MANAGE_CAMPAIGNS)
    found = None if external_id is None else known_campaigns.find_external(owner.id, external_id)
    return "" if found is None else found.name


def update_campaign(_: None, info: Info, input: dict[str, Any], **given: Any) -> View:  # noqa: A002
    """Other settings of a campaign."""
    return _changed(info.context, _campaign(one_of(**given)), plain(without(input, ("actionPages",))))


def update_campaign_processing(_: None, info: Info, name: str | None = None, **given: Any) -> View:
    """How actions of a campaign are worked on; null is as the page's org has it."""
    return _changed(info.context, _campaign(one_of(name=name)), given)


def _changed(context: Context, known: Campaign, patch: dict[str, Any]) -> View:
    lead = context.org(known.org).name
    if "mtt" in patch and patch["mtt"] is not None and known.mtt is not None:
        patch = {**patch, "mtt": {**known.mtt, **patch["mtt"]}}
    return campaign_view(context, campaigns.change(context.staff, lead, known.name, patch, as_seen))


def delete_campaign(_: None, info: Info, **given: Any) -> str:
    """The end of a campaign with its lead's pages."""
    name, value = one_of(**given)
    known = _by_external_id(info.context, value) if name == "externalId" else _campaign((name, value))
    campaigns.delete(info.context.staff, info.context.org(known.org).name, known.name, as_seen)
    return "success"


def _by_external_id(context: Context, external_id: int) -> Campaign:
    """The campaign with this external id of an org of who asks."""
    for org in context.staff.staff:
        found = known_campaigns.find_external(org, external_id)
        if found is not None:
            return found
    raise NotFound("campaign")


def _campaign(identifier: tuple[str, Any]) -> Campaign:
    name, value = identifier
    return known_campaigns.get(value) if name == "id" else known_campaigns.find(value)


def add_action_page(_: None, info: Info, orgName: str, campaignName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803
    """A new page of an org."""
    return _shown(info, action_pages.create(info.context.staff, orgName, {**plain(input), "campaign": campaignName}))


def copy_action_page(_: None, info: Info, orgName: str, name: str, fromName: str) -> View:  # noqa: N803
    """A copy of a page for an org."""
    return _shown(info, action_pages.create(info.context.staff, orgName, {"name": name, "fromPage": fromName}))


def copy_campaign_action_page(_: None, info: Info, orgName: str, name: str, fromCampaignName: str) -> View:  # noqa: N803
    """A copy of the newest page of a campaign's lead, for an org."""
    given = {"name": name, "fromCampaign": fromCampaignName}
    return _shown(info, action_pages.create(info.context.staff, orgName, given))


def update_action_page(_: None, info: Info, input: dict[str, Any], **given: Any) -> View:  # noqa: A002
    """Other settings of a page."""
    page, owner = _page_and_owner(info.context, one_of(**given))
    return _shown(info, action_pages.change(info.context.staff, owner, page.id, plain(input), as_seen))


def delete_action_page(_: None, info: Info, **given: Any) -> str:
    """The end of a page."""
    page, owner = _page_and_owner(info.context, one_of(**given))
    action_pages.delete(info.context.staff, owner, page.id, as_seen)
    return "success"


def launch_action_page(_: None, info: Info, name: str, message: str | None = None) -> View:
    """A page goes live, or its campaign's lead is asked to let it (domain 13.4)."""
    context = info.context
    page = known_pages.find(name)
    campaign = known_campaigns.get(page.campaign)
    acts_for = campaign.org if campaign.org in context.staff.staff else page.org
    given = {} if message is None else {"message": message}
    owner, queue = context.org(acts_for).name, context.settings.mail_queue_url
    _launched, asked = launches.launch(context.staff, owner, page.id, given, queue)
    return {"status": "success" if asked is None else "confirming"}


def upsert_targets(
    _: None,
    info: Info,
    targets: list[dict[str, Any]],
    campaignId: int,  # noqa: N803
    outdatedTargets: str | None = None,  # noqa: N803
) -> list[View]:
    """Targets of a campaign, new or known by their external ids."""
    context, campaign = info.context, known_campaigns.get(campaignId)
    given = [_without_nulls(target) for target in targets]
    outdated = OutdatedTargets(outdatedTargets or "keep")
    target_lists.upsert(context.staff, context.org(campaign.org).name, campaign.name, given, outdated)
    known = {target.external_id: target for target in known_targets.listed(campaign.id)}
    return [private_target(known[each["externalId"]]) for each in given if each["externalId"] in known]


def _without_nulls(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _page_and_owner(context: Context, identifier: tuple[str, Any]) -> tuple[ActionPage, str]:
    name, value = identifier
    page = known_pages.get(value) if name == "id" else known_pages.find(value)
    return page, context.org(page.org).name


def _shown(info: Info, page: ActionPage) -> View:
    return page_view(info.context, page, known_campaigns.get(page.campaign))


FIELDS = {
    "RootMutationType": {
        "addCampaign": add_campaign,
        "upsertCampaign": upsert_campaign,
        "updateCampaign": update_campaign,
        "updateCampaignProcessing": update_campaign_processing,
        "deleteCampaign": delete_campaign,
        "upsertTargets": upsert_targets,
        "addActionPage": add_action_page,
        "copyActionPage": copy_action_page,
        "copyCampaignActionPage": copy_campaign_action_page,
        "updateActionPage": update_action_page,
        "deleteActionPage": delete_action_page,
        "launchActionPage": launch_action_page,
    },
}
