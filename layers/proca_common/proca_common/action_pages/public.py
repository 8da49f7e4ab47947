"""What anybody may see of a page (domain 11.2). Configs are public by definition: secrets have no place in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proca_common.action_pages.context import PageContext
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs.org import Org

if TYPE_CHECKING:
    from proca_common.action_pages.shapes import PublicCampaign, PublicOrg, PublicPage


def public_page(context: PageContext) -> PublicPage:
    """The page with its campaign and org, camelCase."""
    page = context.page
    return {
        "id": page.id,
        "name": page.name,
        "locale": page.locale,
        "live": page.live,
        "thankYouTemplate": page.thank_you_template,
        "config": page.config,
        "captchaServices": [] if context.guards is None else context.guards.services,
        "org": _public_org(context.org),
        "campaign": _public_campaign(context.campaign, context.lead),
    }


def _public_org(org: Org) -> PublicOrg:
    return {"name": org.name, "title": org.title, "config": org.config}


def _public_campaign(campaign: Campaign, lead: Org) -> PublicCampaign:
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
        "org": _public_org(lead),
    }
