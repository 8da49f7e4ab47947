"""The partners of a campaign, as its lead sees them (domain 13.3)."""

from __future__ import annotations

from collections.abc import Sequence

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.campaigns.campaign import Campaign
from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import JOIN_CAMPAIGN, LAUNCH_PAGE, Confirm
from proca_common.management.confirms import shown as shown_confirms
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org


def partners(campaign: Campaign) -> list[tuple[Org, list[ActionPage]]]:
    """The orgs that have pages in the campaign besides its lead, with these pages, in the order of their ids."""
    entries = [entry for entry in pages.of_campaign(campaign.id) if entry.org != campaign.org]
    found = pages.get_many(int(entry.id) for entry in entries)
    known = orgs.get_many({page.org for page in found})
    return [(known[number], [page for page in found if page.org == number]) for number in sorted(known)]


def shown(campaign: Campaign, some: Sequence[tuple[Org, list[ActionPage]]]) -> list[dict[str, object]]:
    """Partners with their pages and what they ask for, with the codes to agree or refuse."""
    asked = open_requests(campaign)
    return [
        {
            "id": org.id,
            "name": org.name,
            "title": org.title,
            "pages": [{"id": page.id, "name": page.name, "locale": page.locale, "live": page.live} for page in own],
            "requests": shown_confirms(of_partner(asked, campaign, org, own), code=True),
        }
        for org, own in some
    ]


def open_requests(campaign: Campaign) -> list[Confirm]:
    """What waits for the lead of the campaign to decide about pages, the oldest first."""
    return confirms.open_of(campaign.org, LAUNCH_PAGE, JOIN_CAMPAIGN)


def of_partner(asked: Sequence[Confirm], campaign: Campaign, org: Org, own: Sequence[ActionPage]) -> list[Confirm]:
    """Of these requests, those of this partner, who has these pages in the campaign."""
    return [confirm for confirm in asked if _is_of(confirm, campaign, org, own)]


def _is_of(confirm: Confirm, campaign: Campaign, org: Org, own: Sequence[ActionPage]) -> bool:
    if confirm.operation == LAUNCH_PAGE:
        return confirm.subject == campaign.id and confirm.object in {page.id for page in own}
    return (confirm.subject, confirm.object) == (org.id, campaign.id)
