"""What staff see of their org, beyond what anybody may (domain 11.2).

Clients ask for all of it at once, whatever they show then, and get nothing where a part is refused: so no part is
refused to a member. What a role may not see is null.
"""

from __future__ import annotations

from typing import Any

from proca_common.action_pages import store as pages
from proca_common.campaigns import store as campaigns
from proca_common.errors import NotFound
from proca_common.graph.context import Context
from proca_common.graph.errors import one_of
from proca_common.graph.private_campaigns import pages_view
from proca_common.graph.views import View, campaign_view, campaigns_view, page_view
from proca_common.mails import templates
from proca_common.management import campaigns as managed
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.encryption import to_text
from proca_common.orgs.org import Org, PublicKey
from proca_common.users import store as users
from proca_common.users.permissions import CUSTOM, Permission, may_any, role_of

MOST = 1_000
"""How many campaigns or pages of an org are shown at once."""


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
            "storageBackend": org.storage_backend,
            "detailBackend": org.detail_backend,
            "emailTemplates": lambda _: _template_names(context, org),
        },
        "keys": lambda _, select=None: [key_view(org, key) for key in _keys(context, org, select or {})],
        "key": lambda _, select: _one_key(context, org, select),
        "services": lambda _, select=None: _services(context, org, select or {}),
        "users": lambda _: _staff(context, org),
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


def service_view(service: services.Service, *, whole: bool = True) -> View:
    """A service, without its password; for who may not change services only which it is."""
    return {
        "id": service.id,
        "name": service.name.value,
        "host": service.host if whole else None,
        "user": service.user if whole else None,
        "path": service.path if whole else None,
        "sendingFrom": service.sending_from if whole else None,
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


def _keys(context: Context, org: Org, select: dict[str, Any]) -> list[PublicKey]:
    context.look_up()
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
    context.look_up()
    whole = may_any(context.user.perms_in(org.id), Permission.CHANGE_ORG_SERVICES)
    return [
        service_view(service, whole=whole)
        for service in services.of_org(org.id)
        if select.get("name") in (None, service.name.value)
    ]


def _staff(context: Context, org: Org) -> list[View]:
    context.look_up()
    staff = users.staff_of(org.id)
    return [
        {"email": user.email, "role": role_of(staff[user.id]) or CUSTOM, "lastSigninAt": None}
        for user in users.get_many(sorted(staff))
    ]


def _template_names(context: Context, org: Org) -> list[str]:
    context.look_up()
    return sorted({template.name for template in templates.listed(org.id, None, MOST)})


def _campaigns(context: Context, org: Org, select: dict[str, Any]) -> list[View]:
    context.look_up()
    title, lead = (select.get("titleLike") or "").strip("%").lower(), select.get("orgName")
    found = [campaign for campaign in managed.listed(org, 0, MOST) if title in campaign.title.lower()]
    context.prepare_orgs(campaign.org for campaign in found)
    if lead is not None:
        found = [campaign for campaign in found if context.org(campaign.org).name.lower() == lead.lower()]
    return campaigns_view(context, found)


def _org_pages(context: Context, org: Org, select: dict[str, Any]) -> list[View]:
    context.look_up()
    entries = pages.of_org(org.id, campaign=select.get("campaignId"), limit=MOST)
    return pages_view(context, pages.get_many(int(entry.id) for entry in entries))


def _org_page(context: Context, org: Org, name: str, value: Any) -> View:
    context.look_up()
    page = pages.get(value) if name == "id" else pages.find(value)
    if page.org != org.id:
        raise NotFound("action page")
    return page_view(context, page, campaigns.get(page.campaign))


def _org_campaign(context: Context, org: Org, name: str, value: Any) -> View:
    context.look_up()
    if name == "externalId":
        found = campaigns.find_external(org.id, value)
        if found is None:
            raise NotFound("campaign")
        return campaign_view(context, found)
    known = campaigns.get(value) if name == "id" else campaigns.find(value)
    return campaign_view(context, managed.seen_by(org, known.name))
