"""Campaigns, as those who lead them make, change and end them (domain 13.2, 13.3, 12.8).

Changed are campaigns by their lead org alone; whoever has a page in one sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from proca_common.action_pages import store as pages
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignInput, CampaignSettings
from proca_common.catalog import names
from proca_common.catalog.given import checked, merge, patched
from proca_common.errors import InUse, NotAllowed, NotFound
from proca_common.failures import Failure, Refused
from proca_common.guards.settings import OwnGuards
from proca_common.guards.settings import checked as stored_guards
from proca_common.mails import templates
from proca_common.management import audit, page_actions
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.management.sizes import check_size
from proca_common.mtt.settings import is_zone, mtt_of
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.targets import store as targets
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

PROCESSING = frozenset(
    {
        "supporterConfirm",
        "supporterConfirmTemplate",
        "actionConfirm",
        "transientActions",
        "publicActions",
        "guards",
    }
)
"""What only who may change settings of campaigns changes; the rest who manages them changes, too (domain 12.8)."""
OF_THE_LEAD = frozenset({"testEmail", "ccContacts"})
"""Addresses in the settings of messages to targets."""
_TYPE_NAME = re.compile(r"/[A-Z]\w*(?=/|$)")
NOT_LED = "Only its lead org may change a campaign"
MAX_PAGES_AT_ONCE = 20


def listed(org: Org, after: int, limit: int) -> list[Campaign]:
    """The campaigns that the org leads or has a page in, in the order of their ids."""
    known = {*campaigns.led_by(org.id), *(int(entry.campaign) for entry in pages.of_org(org.id))}
    numbers = sorted(number for number in known if number > after)[:limit]
    return sorted(campaigns.get_many(numbers).values(), key=lambda campaign: campaign.id)


def seen_by(org: Org, name: str) -> Campaign:
    """The campaign with this name, if the org leads it or has a page in it. Raises `NotFound`."""
    number = names.find("campaign", name)
    if number is None:
        raise NotFound("campaign")
    campaign = campaigns.get(number)
    if campaign.org != org.id and not pages.of_org(org.id, campaign=campaign.id, limit=1):
        raise NotFound("campaign")
    return campaign


def led_by(org: Org, name: str) -> Campaign:
    """The same, if the org leads it. Raises `NotAllowed` for one in which it only has pages."""
    campaign = seen_by(org, name)
    if campaign.org != org.id:
        raise NotAllowed(NOT_LED)
    return campaign


def create(caller: Caller, org_name: str, given: Mapping[str, Any]) -> Campaign:
    """A new campaign. Raises `NotAllowed`, `Refused`, `Taken`."""
    org = org_of(caller, org_name, Permission.MANAGE_CAMPAIGNS)
    wanted = new_input(org, given)

    def along(transaction: Transaction, campaign: Campaign) -> None:
        audit.record(transaction, made(caller, campaign))

    return campaigns.create(wanted, along)


def change(caller: Caller, org_name: str, name: str, patch: Mapping[str, Any], seen: Seen) -> Campaign:
    """Change settings of a campaign. Raises `NotAllowed`, `NotFound`, `Refused`, `Taken`, `Outdated`."""
    others = () if PROCESSING & patch.keys() else (Permission.MANAGE_CAMPAIGNS,)
    org = org_of(caller, org_name, Permission.CHANGE_CAMPAIGN_SETTINGS, *others)
    campaign = led_by(org, name)
    seen(campaign.version)
    changed = changed_by(org, campaign, patch)
    if changed == campaign:
        return campaign
    return campaigns.replace(changed, lambda transaction: audit.record(transaction, updated(caller, campaign, changed)))


def delete(caller: Caller, org_name: str, name: str, seen: Seen) -> None:
    """End a campaign with the pages that its lead has in it, all or nothing, and with its targets (domain 1.18, 13.2).

    Tests on its pages go, too. Targets may be too many for one transaction. They go first, so that none is left when
    that breaks off, and once more after that: while the campaign is there somebody may add one. Raises `InUse` while
    partners have pages in it, or while a page has actions that are no tests.
    """
    org = org_of(caller, org_name, Permission.MANAGE_CAMPAIGNS)
    campaign = led_by(org, name)
    seen(campaign.version)
    entries = pages.of_campaign(campaign.id)
    if any(entry.org != org.id for entry in entries):
        raise InUse("has action pages")
    if len(entries) > MAX_PAGES_AT_ONCE:
        raise InUse(f"has more than {MAX_PAGES_AT_ONCE} action pages: delete them first")
    tests = page_actions.clear(campaign.id)
    own = pages.get_many(int(entry.id) for entry in entries)

    def along(transaction: Transaction) -> None:
        for page in own:
            pages.put_gone(transaction, page)
        pages.count_extra(transaction, own, ())
        pages_gone = [page.name for page in own]
        gone = {**_audited(campaign), "actionPages": pages_gone, "testingActions": tests}
        entry = Change(caller.user.id, org.id, "campaign.delete", f"campaign#{campaign.id}", gone, {})
        audit.record(transaction, entry)

    targets.remove_all(campaign.id)
    campaigns.delete(campaign, along, len(own))
    targets.remove_all(campaign.id)


def shown(some: Sequence[Campaign], to: Org | None = None) -> list[dict[str, object]]:
    """Campaigns, for staff of their lead, or of the org `to`, which sees no address in those of others; `org` is the
    name of the lead.
    """
    leads = orgs.get_many({campaign.org for campaign in some})
    return [
        {**_settings(campaign), **_mtt_without_addresses(campaign, to), "org": leads[campaign.org].name}
        for campaign in some
        if campaign.org in leads
    ]


def _mtt_without_addresses(campaign: Campaign, to: Org | None) -> dict[str, object]:
    if campaign.mtt is None or to is None or to.id == campaign.org:
        return {}
    return {"mtt": {name: value for name, value in campaign.mtt.items() if name not in OF_THE_LEAD}}


# --- what is wanted


def new_input(org: Org, given: Mapping[str, Any]) -> CampaignInput:
    """What a new campaign of the org is to be. Raises `Refused` with every failed rule."""
    settings, guards = _apart(given)
    failures: list[Failure] = []
    wanted, own = None, {}
    try:
        wanted = checked(CampaignSettings, settings)
    except Refused as refused:
        failures += refused.failures
    try:
        own = _guards({}, guards)
    except Refused as refused:
        failures += refused.failures
    if wanted is not None:
        failures += _template_failures(org, wanted, None) + _mtt_failures(org, wanted, None)
    if wanted is None or failures:
        raise Refused(failures)
    made = CampaignInput(**wanted.model_dump(), org=org.id, guards=own)
    check_size(made)
    return made


def changed_by(org: Org, campaign: Campaign, patch: Mapping[str, Any]) -> Campaign:
    """The campaign with a merge patch. Raises `Refused` with every failed rule."""
    settings, guards = _apart(patch)
    failures: list[Failure] = []
    changed, own = campaign, campaign.guards
    try:
        changed = patched(campaign, CampaignSettings, settings)
    except Refused as refused:
        failures += refused.failures
    try:
        own = _guards(campaign.guards, guards)
    except Refused as refused:
        failures += refused.failures
    failures += _template_failures(org, changed, campaign) + _mtt_failures(org, changed, campaign)
    if failures:
        raise Refused(failures)
    changed = changed.model_copy(update={"guards": own})
    check_size(changed)
    return changed


def made(caller: Caller, campaign: Campaign) -> Change:
    """The entry of a new campaign in the trail of its org."""
    what = f"campaign#{campaign.id}"
    return Change(caller.user.id, campaign.org, "campaign.create", what, {}, _audited(campaign))


def updated(caller: Caller, known: Campaign, changed: Campaign) -> Change:
    """The entry of a changed campaign in the trail of its org."""
    what = f"campaign#{known.id}"
    return Change(caller.user.id, known.org, "campaign.update", what, _audited(known), _audited(changed))


def _audited(campaign: Campaign) -> dict[str, Any]:
    """What the trail keeps of a campaign: no patterns, which name people, and no secrets."""
    settings = _settings(campaign)
    del settings["id"]
    return settings


def _settings(campaign: Campaign) -> dict[str, Any]:
    settings = campaign.model_dump(mode="json", by_alias=True, exclude={"version", "guards"})
    guards = OwnGuards.model_validate(_own(campaign.guards)).model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**settings, "guards": guards}


def _own(guards: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in guards.items() if name in OwnGuards.model_fields}


def _apart(given: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
    """The settings, and the guards if any are given."""
    settings = {name: value for name, value in given.items() if name != "guards"}
    guards = given.get("guards", {})
    if guards is not None and not isinstance(guards, Mapping):
        raise Refused([Failure.invalid("/guards")])
    return settings, guards


def _guards(known: Mapping[str, Any], patch: Mapping[str, Any] | None) -> dict[str, Any]:
    """The guards as they are stored; None takes back all that the org sets by itself."""
    own = OwnGuards.model_validate(_own(known)).model_dump(mode="json", by_alias=True, exclude_none=True)
    try:
        wanted = checked(OwnGuards, {} if patch is None else merge(own, patch))
    except Refused as refused:
        raise Refused(_said_of_guards(refused.failures)) from None
    others = {name: value for name, value in known.items() if name not in OwnGuards.model_fields}
    return stored_guards({**others, **wanted.model_dump(mode="json", exclude_none=True)})


def _said_of_guards(failures: Sequence[Failure]) -> list[Failure]:
    """What is wrong with the settings of a guard, without the names of our types, and not that it could be `false`."""
    return [
        replace(failure, pointer="/guards" + _TYPE_NAME.sub("", failure.pointer))
        for failure in failures
        if not failure.pointer.endswith("/literal[False]")
    ]


def _template_failures(org: Org, wanted: CampaignSettings, known: Campaign | None) -> list[Failure]:
    old = None if known is None else known.supporter_confirm_template
    return _missing(org, wanted.supporter_confirm_template, old, "/supporterConfirmTemplate")


def _mtt_failures(org: Org, wanted: CampaignSettings, known: Campaign | None) -> list[Failure]:
    mtt, old = mtt_of(wanted), None if known is None else mtt_of(known)
    if mtt is None or mtt == old:
        return []
    before = None if old is None else old.message_template
    failures = _missing(org, mtt.message_template, before, "/mtt/messageTemplate")
    if not is_zone(mtt.timezone):
        failures.append(Failure.invalid("/mtt/timezone"))
    return failures


def _missing(org: Org, template: str | None, known: str | None, pointer: str) -> list[Failure]:
    """What is wrong with a template that is chosen: an org that mails has to have it, unless it was chosen before."""
    if template in (None, known) or org.email_backend is None or templates.is_there(org.id, template):
        return []
    return [Failure(pointer, "not_found", "Template not found")]
