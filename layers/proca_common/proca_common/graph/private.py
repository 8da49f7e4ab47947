"""What staff see of campaigns, pages, orgs and people, beyond what anybody may (domain 11.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.confirms.confirm import Confirm
from proca_common.errors import NotFound
from proca_common.graph.context import Context
from proca_common.graph.errors import one_of
from proca_common.graph.views import View, campaign_view, org_view, page_view
from proca_common.mails import templates
from proca_common.management import campaigns as managed
from proca_common.management import partners
from proca_common.monitors import activity
from proca_common.mtt.settings import mtt_of
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.encryption import to_text
from proca_common.orgs.org import Org, PublicKey
from proca_common.targets import store as targets
from proca_common.targets.target import Target
from proca_common.users import store as users
from proca_common.users.permissions import CUSTOM, Permission, role_of
from proca_common.users.user import User

MOST = 1_000
"""How many campaigns or pages of an org are shown at once."""


def campaign_fields(context: Context, campaign: Campaign) -> View:
    """Of a campaign, for staff of its lead."""
    return {
        "__typename": "PrivateCampaign",
        "forceDelivery": campaign.force_delivery,
        "actionPages": lambda _: pages_view(context, _pages_of(campaign)),
        "partnerships": lambda _: _partnerships(context, campaign),
        "mtt": lambda _: _mtt(campaign),
        "targets": lambda _: [target_view(target) for target in targets.listed(campaign.id)],
    }


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
    context.prepare_activity(page.id for page in found)
    return [page_view(context, page, known[page.campaign]) for page in found if page.campaign in known]


def campaigns_view(context: Context, some: Iterable[Campaign]) -> list[View]:
    """Campaigns, whose lead orgs are read together."""
    found = list(some)
    context.prepare_orgs(campaign.org for campaign in found)
    return [campaign_view(context, campaign) for campaign in found]


def org_fields(context: Context, org: Org) -> View:
    """Of an org, for its staff."""
    return {
        "__typename": "PrivateOrg",
        "id": org.id,
        "personalData": _personal_data(org),
        "processing": {
            "emailFrom": org.email_from,
            "emailBackend": org.email_backend,
            "transactionalEmailBackend": org.transactional_email_backend,
            "supporterConfirm": org.supporter_confirm,
            "supporterConfirmTemplate": org.supporter_confirm_template,
            "doiThankYou": org.doi_thank_you,
            "customSupporterConfirm": org.custom_supporter_confirm,
            "customActionConfirm": org.custom_action_confirm,
            "customActionDeliver": org.custom_action_deliver,
            "customEventDeliver": org.custom_event_deliver,
            "eventBackend": org.event_backend,
            "pushBackend": org.push_backend,
            "storageBackend": getattr(org, "storage_backend", None),
            "detailBackend": org.detail_backend,
            "emailTemplates": lambda _: _template_names(org),
        },
        "keys": lambda _, select=None: [key_view(org, key) for key in _keys(context, org, select or {})],
        "key": lambda _, select: _one_key(context, org, select),
        "services": lambda _, select=None: _services(context, org, select or {}),
        "users": lambda _: _staff(org),
        "campaigns": lambda _, select=None: _campaigns(context, org, select or {}),
        "actionPages": lambda _, select=None: _org_pages(context, org, select or {}),
        "actionPage": lambda _, **given: _org_page(context, org, *one_of(**given)),
        "campaign": lambda _, **given: _org_campaign(context, org, *one_of(**given)),
    }


def key_view(org: Org, key: PublicKey, private: bytes | None = None) -> View:
    """A key; its private part only where it was made just now."""
    return {
        "id": key.id,
        "name": key.name,
        "public": to_text(key.public),
        "private": None if private is None else to_text(private),
        "active": org.active_key is not None and org.active_key.id == key.id,
        "expired": key.expired,
        "expiredAt": None,
    }


def user_view(context: Context, user: User, roles: dict[int, Permission]) -> View:
    """A user, and what the user may do for which org."""
    return {
        "id": user.id,
        "email": user.email,
        "phone": user.profile.phone,
        "pictureUrl": user.profile.picture_url,
        "jobTitle": user.profile.job_title,
        "isAdmin": bool(user.perms & Permission.INSTANCE_OWNER),
        "apiToken": lambda _: _api_token(user),
        "roles": lambda _: _roles(context, roles),
    }


def target_view(target: Target) -> View:
    """A target with its addresses."""
    emails = [
        {"email": each.email, "emailStatus": each.email_status.value, "error": each.error} for each in target.emails
    ]
    return {**public_target(target), "__typename": "PrivateTarget", "emails": emails}


def confirm_view(confirm: Confirm) -> View:
    """An operation that waits for somebody, for who may agree."""

    def creator(_: Any) -> View | None:
        try:
            made = None if confirm.creator is None else users.get(confirm.creator)
        except NotFound:
            return None
        return None if made is None else {"email": made.email, "jobTitle": made.profile.job_title}

    return {
        "code": confirm.code,
        "email": confirm.email,
        "message": confirm.message,
        "objectId": confirm.object,
        "creator": creator,
    }


def public_target(target: Target) -> View:
    """What anybody may see of a target."""
    return {
        "__typename": "PublicTarget",
        "id": target.id,
        "name": target.name,
        "externalId": target.external_id,
        "locale": target.locale,
        "area": target.area or "",
        "fields": target.fields,
    }


def _personal_data(org: Org) -> View:
    return {
        "contactSchema": org.contact_schema.value,
        "supporterConfirm": org.supporter_confirm,
        "supporterConfirmTemplate": org.supporter_confirm_template,
        "emailOptIn": org.supporter_confirm,
        "emailOptInTemplate": org.supporter_confirm_template,
        "highSecurity": org.encryption == "encrypted",
        "doiThankYou": org.doi_thank_you,
        "replyEnabled": org.reply_enabled,
        "senderRewrite": org.sender_rewrite,
    }


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


def _pages_of(campaign: Campaign) -> list[ActionPage]:
    return pages.get_many([int(entry.id) for entry in pages.of_campaign(campaign.id)][:MOST])


def _partnerships(context: Context, campaign: Campaign) -> list[View]:
    asked = partners.open_requests(campaign)
    found = []
    for org, own in partners.partners(campaign):
        mine = partners.of_partner(asked, campaign, org, own)
        people = users.get_many({confirm.creator for confirm in mine if confirm.creator is not None})
        found.append(
            {
                "org": org_view(context, org),
                "actionPages": pages_view(context, own),
                "launchRequests": [confirm_view(confirm) for confirm in mine],
                "launchRequesters": [user_view(context, user, {}) for user in people],
            }
        )
    return found


def _keys(context: Context, org: Org, select: dict[str, Any]) -> list[PublicKey]:
    context.user.must(org.id, Permission.CHANGE_ORG_SETTINGS, Permission.EXPORT_CONTACTS)
    known = orgs.keys(org.id)
    active = None if org.active_key is None else org.active_key.id
    return [
        key
        for key in known
        if select.get("id") in (None, key.id)
        and select.get("public") in (None, to_text(key.public))
        and select.get("active") in (None, key.id == active)
    ]


def _one_key(context: Context, org: Org, select: dict[str, Any]) -> View:
    found = _keys(context, org, select)
    if not found:
        raise NotFound("key")
    return key_view(org, found[0])


def _services(context: Context, org: Org, select: dict[str, Any]) -> list[View]:
    context.user.must(org.id, Permission.CHANGE_ORG_SERVICES)
    return [
        service_view(service) for service in services.of_org(org.id) if select.get("name") in (None, service.name.value)
    ]


def service_view(service: services.Service) -> View:
    """A service, without its password."""
    return {
        "id": service.id,
        "name": service.name.value,
        "host": service.host,
        "user": service.user,
        "path": service.path,
        "sendingFrom": service.sending_from,
    }


def _staff(org: Org) -> list[View]:
    staff = users.staff_of(org.id)
    return [
        {"email": user.email, "role": role_of(staff[user.id]) or CUSTOM, "lastSigninAt": None}
        for user in users.get_many(sorted(staff))
    ]


def _template_names(org: Org) -> list[str]:
    return sorted({template.name for template in templates.listed(org.id, None, MOST)})


def _campaigns(context: Context, org: Org, select: dict[str, Any]) -> list[View]:
    title, lead = (select.get("titleLike") or "").strip("%").lower(), select.get("orgName")
    found = [campaign for campaign in managed.listed(org, 0, MOST) if title in campaign.title.lower()]
    context.prepare_orgs(campaign.org for campaign in found)
    if lead is not None:
        found = [campaign for campaign in found if context.org(campaign.org).name.lower() == lead.lower()]
    return campaigns_view(context, found)


def _org_pages(context: Context, org: Org, select: dict[str, Any]) -> list[View]:
    entries = pages.of_org(org.id, campaign=select.get("campaignId"), limit=MOST)
    return pages_view(context, pages.get_many(int(entry.id) for entry in entries))


def _org_page(context: Context, org: Org, name: str, value: Any) -> View:
    page = pages.get(value) if name == "id" else pages.find(value)
    if page.org != org.id:
        raise NotFound("action page")
    return page_view(context, page, campaigns.get(page.campaign))


def _org_campaign(context: Context, org: Org, name: str, value: Any) -> View:
    if name == "externalId":
        found = campaigns.find_external(org.id, value)
        if found is None:
            raise NotFound("campaign")
        return campaign_view(context, found)
    known = campaigns.get(value) if name == "id" else campaigns.find(value)
    return campaign_view(context, managed.seen_by(org, known.name))


def _roles(context: Context, roles: dict[int, Permission]) -> list[View]:
    context.prepare_orgs(roles)
    found = []
    for number, perms in sorted(roles.items()):
        try:
            org = context.org(number)
        except NotFound:
            continue
        found.append({"org": org_view(context, org), "role": role_of(perms) or CUSTOM})
    return found


def _api_token(user: User) -> View | None:
    from proca_common.users import tokens  # noqa: PLC0415

    known = tokens.of_user(user.id, tokens.API)
    return {"expiresAt": datetime.fromtimestamp(known[0].expires_ms // 1000, UTC)} if known else None
