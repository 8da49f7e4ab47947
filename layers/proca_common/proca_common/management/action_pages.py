"""Action pages, as their orgs add, copy, change, launch and end them (domain 13.3, 13.4, 12.8).

An org adds a page to any campaign without asking; whether it is live is for the campaign's lead to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from proca_common.action_pages import store as pages
from proca_common.action_pages.copies import taken_over
from proca_common.action_pages.page import MAX_NAME, ActionPage, ActionPageInput, ActionPageSettings
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import names
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked, patched
from proca_common.errors import NotFound
from proca_common.failures import Failure, Refused
from proca_common.mails import templates
from proca_common.management import audit, page_actions
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.management.sizes import check_size
from proca_common.monitors import activity
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

TEMPLATES = ("thank_you_template", "supporter_confirm_template", "duplicate_template")
ONE_ORIGIN = "should be exactly one of campaign, fromPage and fromCampaign"
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class Origin(Entity):
    """Where a new page belongs: to this campaign, or where the page or the newest page of a campaign's lead is that it
    is copied from. Each is a name.
    """

    campaign: Name | None = None
    from_page: Name | None = None
    from_campaign: Name | None = None


def listed(org: Org, after: int, limit: int, campaign: str | None) -> list[ActionPage]:
    """The org's pages in the order of their ids, of the campaign with this name if one is given."""
    wanted = None
    if campaign is not None:
        wanted = names.find("campaign", campaign)
        if wanted is None:
            return []
    entries = pages.of_org(org.id, after=after, limit=limit, campaign=wanted)
    return pages.get_many(int(entry.id) for entry in entries)


def of_org(org: Org, page: int) -> ActionPage:
    """The org's page with this id. Raises `NotFound`."""
    found = pages.get(page)
    if found.org != org.id:
        raise NotFound("action page")
    return found


def create(caller: Caller, org_name: str, given: Mapping[str, Any]) -> ActionPage:
    """A new page of the org, not live. A copy has the campaign, config, delivery and locale of its original, as far as
    nothing else is given; no templates, no added supporters. Raises `NotAllowed`, `Refused`, `Taken`.
    """
    org = org_of(caller, org_name, Permission.MANAGE_ACTION_PAGES)
    said = {name: value for name, value in given.items() if name in ("campaign", "fromPage", "fromCampaign")}
    failures: list[Failure] = []
    campaign, original = None, None
    try:
        campaign, original = _placed(checked(Origin, said))
    except Refused as refused:
        failures += refused.failures
    known = {} if original is None else taken_over(original)
    settings = {**known, **{name: value for name, value in given.items() if name not in said}}
    if campaign is None and "locale" not in settings:
        settings["locale"] = "en"  # which the original would say
    wanted = None
    try:
        wanted = wanted_page(org, settings)
    except Refused as refused:
        failures += refused.failures
    if failures or wanted is None or campaign is None:
        raise Refused(failures)

    def along(transaction: Transaction, page: ActionPage) -> None:
        audit.record(transaction, added(caller, page))

    return pages.create(ActionPageInput(**wanted.model_dump(), org=org.id, campaign=campaign.id), along)


def change(caller: Caller, org_name: str, page: int, patch: Mapping[str, Any], seen: Seen) -> ActionPage:
    """Change settings of a page. Raises `NotAllowed`, `NotFound`, `Refused`, `Taken`, `Outdated`."""
    org = org_of(caller, org_name, Permission.MANAGE_ACTION_PAGES)
    known = of_org(org, page)
    seen(known.version)
    changed = changed_by(org, known, patch)
    if changed == known:
        return known
    return pages.replace(changed, lambda transaction: audit.record(transaction, updated(caller, known, changed)))


def delete(caller: Caller, org_name: str, page: int, seen: Seen) -> None:
    """End a page on which nobody did more than test; tests go with it (domain 13.4). Raises `InUse`.

    Its widget may still be open somewhere: a signature in the 30 s for which functions know the page stays behind.
    """
    org = org_of(caller, org_name, Permission.MANAGE_ACTION_PAGES)
    known = of_org(org, page)
    seen(known.version)
    tests = page_actions.clear(known.campaign, known.id)
    gone = {**_audited(known), "testingActions": tests}
    entry = Change(caller.user.id, org.id, "page.delete", f"page#{known.id}", gone, {})
    pages.delete(known, lambda transaction: audit.record(transaction, entry))


def shown(some: Sequence[ActionPage]) -> list[dict[str, object]]:
    """Pages, for staff of their orgs; `org` and `campaign` are names, `status` and `location` what goes on there."""
    owners = orgs.get_many({page.org for page in some})
    known = campaigns.get_many({page.campaign for page in some})
    active, now_ms = activity.read_many(page.id for page in some), clock.now_ms()
    return [
        {
            **page.model_dump(mode="json", by_alias=True, exclude={"version"}),
            "org": owners[page.org].name,
            "campaign": known[page.campaign].name,
            "status": activity.status(active.get(page.id), now_ms).value,
            "location": active[page.id].location if page.id in active else None,
        }
        for page in some
        if page.org in owners and page.campaign in known
    ]


# --- what is wanted, also by whoever makes or changes pages with their campaign


def wanted_page(org: Org, settings: Mapping[str, Any]) -> ActionPageSettings:
    """What a new page of the org is to be. Raises `Refused` with every failed rule."""
    wanted = checked(ActionPageSettings, settings)
    _check(org, wanted, None)
    return wanted


def changed_by(org: Org, page: ActionPage, patch: Mapping[str, Any]) -> ActionPage:
    """The page with a merge patch. Raises `Refused` with every failed rule."""
    changed = patched(page, ActionPageSettings, patch)
    _check(org, changed, page)
    return changed


def added(caller: Caller, page: ActionPage) -> Change:
    """The entry of a new page in the trail of its org."""
    return Change(caller.user.id, page.org, "page.create", f"page#{page.id}", {}, _audited(page))


def updated(caller: Caller, known: ActionPage, changed: ActionPage) -> Change:
    """The entry of a changed page in the trail of its org."""
    return Change(caller.user.id, known.org, "page.update", f"page#{known.id}", _audited(known), _audited(changed))


def _placed(origin: Origin) -> tuple[Campaign, ActionPage | None]:
    """The campaign of a new page, and the page that it is copied from, if any. Raises `Refused`."""
    if [origin.campaign, origin.from_page, origin.from_campaign].count(None) != 2:
        raise Refused([Failure("/campaign", "invalid", ONE_ORIGIN)])
    try:
        if origin.campaign is not None:
            return campaigns.find(origin.campaign), None
        if origin.from_page is not None:
            original = pages.find(origin.from_page)
            return campaigns.get(original.campaign), original
        campaign = campaigns.find(origin.from_campaign or "")
    except NotFound as missing:
        name = next(name for name, value in origin.model_dump(by_alias=True).items() if value is not None)
        raise Refused([Failure(f"/{name}", "not_found", f"{missing.kind} not found")]) from None
    own = [int(entry.id) for entry in pages.of_campaign(campaign.id) if entry.org == campaign.org]
    if not own:
        said = f"Campaign {campaign.name} does not have action pages"
        raise Refused([Failure("/fromCampaign", "not_found", said)])
    return campaign, pages.get(max(own))


def _check(org: Org, wanted: ActionPageSettings, known: ActionPage | None) -> None:
    check_size(wanted)
    if org.email_backend is None:
        return
    failures = []
    for setting, name in zip(TEMPLATES, ("thankYou", "supporterConfirm", "duplicate"), strict=True):
        template = getattr(wanted, setting)
        if template in (None, getattr(known, setting, None)) or templates.is_there(org.id, template):
            continue
        failures.append(Failure(f"/{name}Template", "not_found", "Template not found"))
    if failures:
        raise Refused(failures)


def _audited(page: ActionPage) -> dict[str, Any]:
    return page.model_dump(mode="json", by_alias=True, exclude={"id", "version"})
