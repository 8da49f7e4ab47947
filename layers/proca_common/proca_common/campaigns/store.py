"""Campaigns in the Catalog table."""

from __future__ import annotations

from collections.abc import Callable

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.errors import InUse, NotFound, Taken
from proca_common.orgs import store as orgs

SK = "campaign"


class CampaignItem(CatalogItem, discriminator="campaign"):
    """A campaign. `uses` counts its pages."""

    document = UnicodeAttribute()
    uses = NumberAttribute(default=0)
    version = NumberAttribute(default=1)


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
    campaign = Campaign(id=names.next_number("campaign"), **wanted.model_dump())
    pk, sk = campaign_key(campaign.id)
    transaction = Transaction()
    item = CampaignItem(pk=pk, sk=sk, document=campaign.document())
    transaction.put("campaign", item, CatalogItem.pk.does_not_exist())
    names.claim(transaction, "campaign", campaign.name, campaign.id)
    external = _external_guard(campaign)
    if external is not None:
        transaction.put("external_id", external, CatalogItem.pk.does_not_exist())
    orgs.use(transaction, "org", campaign.org, 1)
    if along is not None:
        along(transaction, campaign)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        for label in ("name", "external_id"):
            if cancelled.refused(label):
                raise Taken(label) from None
        raise NotFound("org") from None
    return campaign


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


def find(name: str) -> Campaign:
    """The campaign with this name, in any case of letters; raises `NotFound`."""
    found = names.find("campaign", name)
    if found is None:
        raise NotFound("campaign")
    return get(found)


def every() -> list[Campaign]:
    """All campaigns by id (admin only)."""
    return sorted((to_campaign(item) for item in items.every(CampaignItem)), key=lambda campaign: campaign.id)


def replace(campaign: Campaign, along: Along = nothing) -> Campaign:
    """Store the changed settings of a campaign that is as it was read, a new name or external id too; its org stays.

    Raises `NotFound`, `Taken` (name, external_id) and `Outdated`.
    """
    old = get(campaign.id)
    transaction = Transaction()
    item = CampaignItem(*campaign_key(campaign.id))
    changes = [CampaignItem.document.set(campaign.document()), CampaignItem.version.set(campaign.version + 1)]
    transaction.update("campaign", item, changes, CampaignItem.version == campaign.version)
    names.rename(transaction, "campaign", old.name, campaign.name, campaign.id)
    if old.external_id != campaign.external_id:
        given_up, taken = _external_guard(old), _external_guard(campaign)
        if given_up is not None:
            transaction.delete("old external_id", given_up)
        if taken is not None:
            transaction.put("external_id", taken, CatalogItem.pk.does_not_exist())
    along(transaction)
    commit(transaction)
    return campaign.model_copy(update={"version": campaign.version + 1})


def delete(campaign: Campaign, along: Along = nothing) -> None:
    """Remove the campaign and its names; raises `InUse` while it has pages (domain 1.18)."""
    transaction = Transaction()
    transaction.delete("campaign", CampaignItem(*campaign_key(campaign.id)), CampaignItem.uses == 0)
    transaction.delete("name", names.guard("campaign", campaign.name, campaign.id))
    external = _external_guard(campaign)
    if external is not None:
        transaction.delete("external_id", external)
    orgs.use(transaction, "org", campaign.org, -1)
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        raise InUse("has action pages") from cancelled


def use(transaction: Transaction, label: str, campaign: int, difference: int) -> None:
    """Count a page of the campaign in the transaction that makes or removes it; refused when the campaign is gone."""
    item = CampaignItem(*campaign_key(campaign))
    transaction.update(label, item, [CampaignItem.uses.add(difference)], CatalogItem.pk.exists())
