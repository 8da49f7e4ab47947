"""What anybody may see of a page (domain 11.2). Configs are public by definition: secrets have no place in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proca_common.action_pages.context import PageContext
from proca_common.campaigns.public import public_campaign, public_org
from proca_common.monitors import feed
from proca_common.monitors.public import public_numbers
from proca_common.monitors.public_actions import public_actions, shown

if TYPE_CHECKING:
    from proca_common.action_pages.shapes import PublicPage, StaticPage
    from proca_common.monitors.shapes import PublicNumbers


MAX_TYPES: Final = 10
"""How many action types a static page shows; each costs reads of its own."""


def public_page(context: PageContext, numbers: PublicNumbers | None) -> PublicPage:
    """The page with its org, its campaign and the campaign's numbers, camelCase."""
    page = context.page
    return {
        "id": page.id,
        "name": page.name,
        "locale": page.locale,
        "live": page.live,
        "thankYouTemplate": page.thank_you_template,
        "config": page.config,
        "captchaServices": [] if context.guards is None else context.guards.services,
        "org": public_org(context.org),
        "campaign": public_campaign(context.campaign, context.lead, numbers),
    }


def static_page(context: PageContext, limit: int) -> StaticPage:
    """The page with everything that its widget shows: also the `limit` newest actions of each public type, of the
    first 10 of these. Raises `Unavailable` rather than to leave something out, so that whoever keeps it in a file keeps
    what there is.
    """
    campaign = context.campaign
    return {
        **public_page(context, public_numbers(campaign.id)),
        "actions": {
            action_type: shown(campaign, action_type, public_actions(campaign, action_type, None, limit))
            for action_type in feed.public_types(campaign.public_actions)[:MAX_TYPES]
        },
    }
