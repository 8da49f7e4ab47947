"""Campaigns in the Catalog table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.aws import clock
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.catalog import entries, happenings, items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.catalog.entries import CAMPAIGNS, Entry
from proca_common.errors import InUse, NotFound, Outdated
from proca_common.orgs import store as orgs

SK = "campaign"
AT_ONCE = 100
"""Keys that one read takes."""
MTT = "mtt"
"""Under it stand the campaigns that take messages to targets."""


class CampaignItem(CatalogItem, discriminator="campaign"):
    """A campaign. `uses` counts its pages. `created`: when it was made (ms since 1970)."""

    document = UnicodeAttribute()
    uses = NumberAttribute(default=0)
    version = NumberAttribute(default=1)
    created = NumberAttribute(null=True)


def campaign_key(campaign: int) -> tuple[str, str]:
    """Where a campaign stands in the table."""
    return f"campaign#{campaign}", SK


def to_campaign(item: CampaignItem) -> Campaign:
    """The campaign of a stored item."""
    return Campaign.load(item.document, id=int(item.pk.removeprefix("campaign#")), version=int(item.version))


def create(wanted: CampaignInput, along: Callable[[Transaction, Campaign], None] | None = None) -> Campaign:
    """A new campaign; raises `Taken` (name, external id of the same org) or `NotFound` (org). `along` adds what is
    written with it.
    """
    campaign = new(wanted)
    transaction = Transaction()
    put_new(transaction, campaign)
    orgs.use(transaction, "org", campaign.org, 1)
    if along is not None:
        along(transaction, campaign)
    try:
        commit(transaction)
    except Outdated:
        raise NotFound("org") from None
    return campaign


def new(wanted: CampaignInput) -> Campaign:
    """The campaign that will be, with its number."""
    return Campaign(id=names.next_number("campaign"), **wanted.model_dump())


def put_new(transaction: Transaction, campaign: Campaign, pages: int = 0) -> None:
    """Write a new campaign, which has so many pages at once, in this transaction; refused under the labels `name` and
    `external_id`. Its org's `uses` is for the caller to count.
    """
    pk, sk = campaign_key(campaign.id)
    item = CampaignItem(pk=pk, sk=sk, document=campaign.document(), uses=pages, created=clock.now_ms())
    transaction.put("campaign", item, CatalogItem.pk.does_not_exist())
    names.claim(transaction, "campaign", campaign.name, campaign.id)
    external = _external_guard(campaign)
    if external is not None:
        transaction.put("external_id", external, CatalogItem.pk.does_not_exist())
    for entry in _entries(campaign):
        entries.put(transaction, entry)
    if campaign.mtt is not None:
        entries.put(transaction, _mtt_entry(campaign))


def _entries(campaign: Campaign) -> tuple[Entry, Entry]:
    return (
        Entry(orgs.org_key(campaign.org)[0], "campaign", campaign.id),
        Entry(CAMPAIGNS, "campaign", campaign.id, org=campaign.org),
    )


def _mtt_entry(campaign: Campaign) -> Entry:
    return Entry(MTT, "campaign", campaign.id, org=campaign.org)


def _external_guard(campaign: Campaign) -> names.NameGuard | None:
    if campaign.external_id is None:
        return None
    return names.guard(f"external#{campaign.org}", str(campaign.external_id), campaign.id)


def get(campaign: int) -> Campaign:
    """The campaign with this id; raises `NotFound`."""
    item = items.read(CampaignItem, *campaign_key(campaign))
    if item is None:
        raise NotFound("campaign")
    return to_campaign(item)


def created_ms(campaign: int) -> int | None:
    """When the campaign was made, in ms since 1970; None where that is not known. Raises `Unavailable`."""
    item = items.read(CampaignItem, *campaign_key(campaign))
    return None if item is None or item.created is None else int(item.created)


def find(name: str) -> Campaign:
    """The campaign with this name, in any case of letters; raises `NotFound`."""
    found = names.find("campaign", name)
    if found is None:
        raise NotFound("campaign")
    return get(found)


def find_external(org: int, external_id: int) -> Campaign | None:
    """The campaign of the org with this external id."""
    found = names.find(f"external#{org}", str(external_id))
    return None if found is None else get(found)


def get_many(numbers: Iterable[int]) -> dict[int, Campaign]:
    """The campaigns with these ids (at most 100 at once), those that exist."""
    keys = [campaign_key(number) for number in numbers]
    found = items.read_many(keys) if keys else {}
    items_found = (item for item in found.values() if isinstance(item, CampaignItem))
    return {campaign.id: campaign for campaign in map(to_campaign, items_found)}


def led_by(org: int) -> list[int]:
    """The ids of the campaigns that the org leads."""
    return [int(entry.id) for entry in entries.under(orgs.org_key(org)[0], "campaign")]


def newest(limit: int) -> list[Campaign]:
    """The campaigns with the highest ids, the newest first, `limit` at most. Raises `Unavailable`."""
    numbers = [int(entry.id) for entry in entries.under(CAMPAIGNS, "campaign")][-limit:]
    parts = (numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE))
    found = [campaign for part in parts for campaign in get_many(part).values()]
    return sorted(found, key=lambda campaign: campaign.id, reverse=True)


def with_mtt() -> list[int]:
    """The ids of the campaigns that take messages to targets."""
    return [int(entry.id) for entry in entries.under(MTT, "campaign")]


def every() -> list[Campaign]:
    """All campaigns by id (admin only)."""
    return sorted((to_campaign(item) for item in items.every(CampaignItem)), key=lambda campaign: campaign.id)


def replace(campaign: Campaign, along: Along = nothing) -> Campaign:
    """Store the changed settings of a campaign that is as it was read, a new name or external id too; its org stays.

    Raises `NotFound`, `Taken` (name, external_id) and `Outdated`.
    """
    transaction = Transaction()
    put_changed(transaction, get(campaign.id), campaign)
    along(transaction)
    commit(transaction)
    return campaign.model_copy(update={"version": campaign.version + 1})


def put_changed(transaction: Transaction, old: Campaign, campaign: Campaign, pages: int = 0) -> None:
    """Write a campaign that is to be as it was read, with so many new pages, in this transaction; refused under the
    labels `campaign`, `name` and `external_id`. Its lead org hears of it.
    """
    happenings.campaign_updated(transaction, campaign.id)
    item = CampaignItem(*campaign_key(campaign.id))
    changes: list[UpdateAction] = [
        CampaignItem.document.set(campaign.document()),
        CampaignItem.version.set(campaign.version + 1),
    ]
    if pages:
        changes.append(CampaignItem.uses.add(pages))
    transaction.update("campaign", item, changes, CampaignItem.version == campaign.version)
    names.rename(transaction, "campaign", old.name, campaign.name, campaign.id)
    if old.mtt is None and campaign.mtt is not None:
        entries.put(transaction, _mtt_entry(campaign))
    if old.mtt is not None and campaign.mtt is None:
        entries.remove(transaction, _mtt_entry(campaign))
    if old.external_id != campaign.external_id:
        given_up, taken = _external_guard(old), _external_guard(campaign)
        if given_up is not None:
            transaction.delete("old external_id", given_up)
        if taken is not None:
            transaction.put("external_id", taken, CatalogItem.pk.does_not_exist())


def delete(campaign: Campaign, along: Along = nothing, pages: int = 0) -> None:
    """Remove the campaign and its names; raises `InUse` while it has pages (domain 1.18), apart from so many that
    `along` removes.
    """
    transaction = Transaction()
    transaction.delete("campaign", CampaignItem(*campaign_key(campaign.id)), CampaignItem.uses == pages)
    transaction.delete("name", names.guard("campaign", campaign.name, campaign.id))
    external = _external_guard(campaign)
    if external is not None:
        transaction.delete("external_id", external)
    for entry in _entries(campaign):
        entries.remove(transaction, entry)
    if campaign.mtt is not None:
        entries.remove(transaction, _mtt_entry(campaign))
    orgs.use(transaction, "org", campaign.org, -1 - pages)
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        raise InUse("has action pages") from cancelled


def use(transaction: Transaction, label: str, campaign: int, difference: int) -> None:
    """Count a page of the campaign in the transaction that makes or removes it; refused when the campaign is gone."""
    item = CampaignItem(*campaign_key(campaign))
    transaction.update(label, item, [CampaignItem.uses.add(difference)], CatalogItem.pk.exists())
