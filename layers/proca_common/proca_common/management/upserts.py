"""Campaigns with their pages in one go: made or changed, all of it or nothing (domain 13.2, 13.4).

Pages are found by id, else by name; those that are not named stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage, ActionPageInput, ActionPageSettings, may_be_name
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.catalog import happenings, items, names
from proca_common.errors import NotFound, Outdated, Taken
from proca_common.failures import Failure, Refused
from proca_common.management import action_pages, audit
from proca_common.management import campaigns as managed
from proca_common.management.access import Seen, org_of
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

PAGES = "actionPages"
MAX_PAGES = 15
"""Each page takes five of the hundred writes that a transaction has."""
MAX_BYTES = 1_000_000
TAKEN = Failure("/name", "taken", "has already been taken")


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of it; `created`: whether the campaign is new."""

    campaign: Campaign
    pages: list[ActionPage]
    created: bool


@dataclass(frozen=True, slots=True)
class _Planned:
    """What a page is now, None for a new one, and what it is to be."""

    known: ActionPage | None
    wanted: ActionPage | ActionPageSettings


def upsert(caller: Caller, org_name: str, name: str, given: Mapping[str, Any], seen: Seen) -> Upserted:
    """Make or change the campaign with the external id that is given, else with this name, and its pages.

    Whatever is not given stays as it is; a new campaign has the contact schema of its org. Raises `NotAllowed`,
    `Refused` with all failed rules of campaign and pages, `Taken`, `Outdated`.
    """
    org = org_of(caller, org_name, Permission.MANAGE_CAMPAIGNS)
    settings = {"name": name, **{key: value for key, value in given.items() if key != PAGES}}
    known = _known(org, name, settings.get("externalId"))
    if known is not None:
        seen(known.version)
    said = settings["name"]
    failures = [] if isinstance(said, str) and said.lower() == name.lower() else [Failure.invalid("/name")]
    wanted: Campaign | CampaignInput | None = None
    try:
        if known is None:
            wanted = managed.new_input(org, {"contactSchema": org.contact_schema.value, **settings})
        else:
            wanted = managed.changed_by(org, known, settings)
    except Refused as refused:
        failures += refused.failures
    planned, failed = _planned(org, known, given.get(PAGES, []))
    failures += failed
    if failures or wanted is None:
        raise Refused(failures)
    return _write(caller, org, known, wanted, planned)


def _known(org: Org, name: str, external_id: object) -> Campaign | None:
    if type(external_id) is int:
        found = campaigns.find_external(org.id, external_id)
        if found is not None:
            return found
    number = names.find("campaign", name)
    found = None if number is None else campaigns.get(number)
    if found is not None and found.org != org.id:
        raise Taken("name")
    return found


def _planned(org: Org, campaign: Campaign | None, given: object) -> tuple[list[_Planned], list[Failure]]:
    """The plan for each page, and every failed rule."""
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return [], [Failure.invalid(f"/{PAGES}")]
    if len(given) > MAX_PAGES:
        return [], [Failure(f"/{PAGES}", "too_large", f"should have at most {MAX_PAGES} item(s)")]
    plans: list[_Planned] = []
    failures: list[Failure] = []
    used: set[str | int] = set()
    for index, one in enumerate(given):
        try:
            plan = _plan(org, campaign, one)
        except Refused as refused:
            failures += [failure.below(f"/{PAGES}/{index}") for failure in refused.failures]
            continue
        marks = {plan.wanted.name.lower(), *(() if plan.known is None else (plan.known.id,))}
        if used & marks:
            failures.append(TAKEN.below(f"/{PAGES}/{index}"))
        used |= marks
        plans.append(plan)
    if sum(len(plan.wanted.document()) for plan in plans) > MAX_BYTES:
        failures.append(Failure(f"/{PAGES}", "too_large", f"have more than {MAX_BYTES} bytes together"))
    return plans, failures


def _plan(org: Org, campaign: Campaign | None, given: Mapping[str, Any]) -> _Planned:
    settings = {key: value for key, value in given.items() if key != "id"}
    number = given.get("id")
    known = _by_name(given.get("name")) if number is None else _by_id(number)
    if known is None and number is None:
        return _Planned(None, action_pages.wanted_page(org, settings))
    if known is None or campaign is None or (known.org, known.campaign) != (org.id, campaign.id):
        raise Refused([TAKEN if number is None else Failure("/id", "not_found", "action page not found")])
    return _Planned(known, action_pages.changed_by(org, known, settings))


def _by_id(number: object) -> ActionPage | None:
    if type(number) is not int or not 0 < number < 1 << 53:
        return None
    try:
        return pages.get(number)
    except NotFound:
        return None


def _by_name(name: object) -> ActionPage | None:
    found = names.find("page", name) if isinstance(name, str) and may_be_name(name) else None
    return None if found is None else pages.get(found)


def _write(
    caller: Caller, org: Org, known: Campaign | None, wanted: CampaignInput, planned: Sequence[_Planned]
) -> Upserted:
    transaction = Transaction()
    new = sum(plan.known is None for plan in planned)
    if known is None:
        campaign = campaigns.new(wanted)
        campaigns.put_new(transaction, campaign, new)
        audit.record(transaction, managed.made(caller, campaign))
        happenings.campaign_updated(transaction, campaign.id)
    else:
        campaign = Campaign(**{**wanted.model_dump(), "id": known.id, "version": known.version})
        campaigns.put_changed(transaction, known, campaign, new)
        audit.record(transaction, managed.updated(caller, known, campaign))
        campaign = campaign.model_copy(update={"version": known.version + 1})
    if new or known is None:
        orgs.use(transaction, "org", org.id, new + (known is None))
    done = [_write_page(transaction, caller, campaign, plan, f"{PAGES}/{index}/") for index, plan in enumerate(planned)]
    pages.count_extra(transaction, [plan.known for plan in planned if plan.known is not None], done)
    _commit(transaction, len(planned))
    return Upserted(campaign, done, known is None)


def _write_page(transaction: Transaction, caller: Caller, campaign: Campaign, plan: _Planned, label: str) -> ActionPage:
    if not isinstance(plan.wanted, ActionPage):
        wanted = ActionPageInput(**plan.wanted.model_dump(), org=campaign.org, campaign=campaign.id)
        page = pages.new(wanted)
        pages.put_new(transaction, page, label)
        audit.record(transaction, action_pages.added(caller, page))
        return page
    if plan.known is None or plan.wanted == plan.known:
        return plan.wanted
    pages.put_changed(transaction, plan.known, plan.wanted, label)
    audit.record(transaction, action_pages.updated(caller, plan.known, plan.wanted))
    return plan.wanted.model_copy(update={"version": plan.known.version + 1})


def _commit(transaction: Transaction, number: int) -> None:
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused("external_id"):
            raise Taken("externalId") from None
        for label in ("name", *(f"{PAGES}/{index}/name" for index in range(number))):
            if cancelled.refused(label):
                raise Taken(label) from None
        raise Outdated from None
