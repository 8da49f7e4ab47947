"""What anybody may see of a campaign (domain 11.2). Configs are public by definition: secrets have no place in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items, names
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.errors import NotFound
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org

if TYPE_CHECKING:
    from proca_common.campaigns.shapes import PublicCampaign, PublicOrg
    from proca_common.monitors.shapes import PublicNumbers

FRESH_MS: Final = 30_000
UNKNOWN_MS: Final = 5_000
MAX_ENTRIES: Final = 500
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class CampaignContext:
    """A campaign with its lead org."""

    campaign: Campaign
    lead: Org


_by_id: FreshOrKnown[int, CampaignContext | None] = FreshOrKnown(FRESH_MS, MAX_ENTRIES, UNKNOWN_MS)
_by_name: FreshOrKnown[str, int | None] = FreshOrKnown(FRESH_MS, MAX_ENTRIES, UNKNOWN_MS)


def forget() -> None:
    """Empty the cache (tests)."""
    _by_id.forget()
    _by_name.forget()


def campaign_context(campaign: int) -> CampaignContext:
    """The campaign with this id, at most 30 s old; older while the store does not answer. Raises `NotFound`,
    `Unavailable`.
    """
    found = _by_id.get(campaign, lambda: _fetch(campaign))
    if found is None:
        raise NotFound("campaign")
    return found


def campaign_context_by_name(name: str) -> CampaignContext:
    """The same, by the campaign's name in any case of letters."""
    if not _NAME.fullmatch(name):
        raise NotFound("campaign")  # the table has no such keys, and refuses some of them
    number = _by_name.get(name.lower(), lambda: names.find("campaign", name))
    if number is None:
        raise NotFound("campaign")
    return campaign_context(number)


def public_campaign(campaign: Campaign, lead: Org, numbers: PublicNumbers | None) -> PublicCampaign:
    """The campaign with its lead org and numbers, camelCase."""
    return {
        "id": campaign.id,
        "externalId": campaign.external_id,
        "name": campaign.name,
        "title": campaign.title,
        "status": campaign.status.value,
        "contactSchema": campaign.contact_schema.value,
        "config": campaign.config,
        "start": None if campaign.start is None else campaign.start.isoformat(),
        "end": None if campaign.end is None else campaign.end.isoformat(),
        "org": public_org(lead),
        "numbers": numbers,
    }


def public_org(org: Org) -> PublicOrg:
    """What anybody may see of an org."""
    return {"name": org.name, "title": org.title, "config": org.config}


def _fetch(number: int) -> CampaignContext | None:
    item = items.read(campaigns.CampaignItem, *campaigns.campaign_key(number))
    if item is None:
        return None
    campaign = campaigns.to_campaign(item)
    return CampaignContext(campaign, orgs.get(campaign.org))
