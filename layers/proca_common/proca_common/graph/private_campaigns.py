"""What staff see of campaigns, their pages, partners and targets, beyond what anybody may (domain 11.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.graph.context import Context
from proca_common.graph.private_people import confirm_view, roles_of, user_view
from proca_common.graph.views import LOOK_UPS_OF_TARGETS, View, org_view, page_view
from proca_common.management import partners
from proca_common.monitors import activity
from proca_common.mtt.settings import mtt_of
from proca_common.targets import store as targets
from proca_common.targets.public import shown
from proca_common.targets.target import Target
from proca_common.users import store as users
from proca_common.users.permissions import Permission, may_any

MOST = 1_000
"""How many pages of a campaign are shown at once."""


def campaign_fields(context: Context, campaign: Campaign) -> View:
    """Of a campaign, for staff of its lead; addresses of targets for those of them who may change targets."""
    fields: View = {
        "__typename": "PrivateCampaign",
        "forceDelivery": campaign.force_delivery,
        "actionPages": lambda _: pages_view(context, _pages_of(context, campaign)),
        "partnerships": lambda _: _partnerships(context, campaign),
        "mtt": lambda _: _mtt(campaign),
    }
    if may_any(context.user.perms_in(campaign.org), Permission.CHANGE_CAMPAIGN_SETTINGS):
        fields["targets"] = lambda _: _targets(context, campaign)
    return fields


def page_fields(context: Context, page: ActionPage) -> View:
    """Of a page, for staff of its org and of the campaign's lead."""
    return {
        "__typename": "PrivateActionPage",
        "extraSupporters": page.extra_supporters,
        "delivery": page.delivery,
        "supporterConfirmTemplate": page.supporter_confirm_template,
        "duplicateTemplate": page.duplicate_template,
        "location": lambda _: getattr(context.activity(page.id), "location", None),
        "status": lambda _: activity.status(context.activity(page.id), clock.now_ms()).value,
    }


def pages_view(context: Context, some: Iterable[ActionPage]) -> list[View]:
    """Pages, whose orgs, campaigns and activity are read together."""
    found = list(some)
    known = campaigns.get_many({page.campaign for page in found})
    context.prepare_orgs({page.org for page in found} | {campaign.org for campaign in known.values()})
    context.prepare_numbers(known)
    context.prepare_activity(page.id for page in found)
    return [page_view(context, page, known[page.campaign]) for page in found if page.campaign in known]


def private_target(target: Target) -> View:
    """A target with its addresses."""
    emails = [
        {"email": each.email, "emailStatus": each.email_status.value, "error": each.error} for each in target.emails
    ]
    return {**shown(target), "__typename": "PrivateTarget", "emails": emails}


def _targets(context: Context, campaign: Campaign) -> list[View]:
    context.look_up(LOOK_UPS_OF_TARGETS)
    return [private_target(target) for target in targets.listed(campaign.id)]


def _mtt(campaign: Campaign) -> View | None:
    mtt = mtt_of(campaign)
    if mtt is None:
        return None
    return {
        "startAt": mtt.start_at,
        "endAt": mtt.end_at,
        "messageTemplate": mtt.message_template,
        "testEmail": mtt.test_email,
        "ccContacts": list(mtt.cc_contacts),
        "ccSender": mtt.cc_sender,
        "dripDelivery": mtt.drip_delivery,
    }


def _pages_of(context: Context, campaign: Campaign) -> list[ActionPage]:
    context.look_up()
    return pages.get_many([int(entry.id) for entry in pages.of_campaign(campaign.id)][:MOST])


def _partnerships(context: Context, campaign: Campaign) -> list[View]:
    context.look_up()
    asked = partners.open_requests(campaign)
    found = []
    for org, own in partners.partners(campaign):
        context.look_up()
        mine = partners.of_partner(asked, campaign, org, own)
        people = users.get_many({confirm.creator for confirm in mine if confirm.creator is not None})
        found.append(
            {
                "org": org_view(context, org),
                "actionPages": pages_view(context, own),
                "launchRequests": [confirm_view(confirm) for confirm in mine],
                "launchRequesters": [user_view(context, user, partial(roles_of, context, user.id)) for user in people],
            }
        )
    return found
