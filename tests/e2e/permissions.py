"""Who may call which endpoint of the management API (domain 12.8): the one table, to which every endpoint adds a row.

In an org of their own staff may what their role may. In an org of others, be it a partner or that of the instance,
nobody may anything, and nobody learns whether it exists: 403. Who does not say who that is gets 401. Whoever owns the
instance may everything everywhere.

`tests/e2e/test_permissions.py` walks the table on a deployed stack, and asks that it has all routes of the template.
"""

from __future__ import annotations

from enum import StrEnum

from proca_common.users.permissions import Role

Roles = frozenset[Role]

STAFF = Roles(Role)
"""Whoever is a member, in whatever role."""
USERS = Roles({Role.OWNER, Role.CAMPAIGNER, Role.TRANSLATOR})
"""change_org_users"""
SETTINGS = Roles({Role.OWNER, Role.CAMPAIGNER})
"""change_org_settings, change_org_services"""
CAMPAIGNS = Roles({Role.OWNER, Role.CAMPAIGNER})
"""manage_campaigns"""
PAGES = Roles({Role.OWNER, Role.CAMPAIGNER})
"""manage_action_pages"""
CAMPAIGN_SETTINGS = Roles(Role)
"""change_campaign_settings"""
EXPORT = Roles({Role.OWNER})
"""export_contacts"""
ERASE = Roles({Role.OWNER})
"""delete_contacts"""
OWNER = Roles({Role.OWNER})
"""org_owner"""
NOBODY = Roles()
"""No role in the org is enough: it takes a permission in the whole instance."""

OF_ORG: dict[str, Roles] = {
    "GET /v1/orgs/{org}": STAFF,
    "PATCH /v1/orgs/{org}": SETTINGS,
    "DELETE /v1/orgs/{org}": OWNER,
    "GET /v1/orgs/{org}/audit": SETTINGS,
    # staff and invitations
    "GET /v1/orgs/{org}/staff": STAFF,
    "POST /v1/orgs/{org}/staff": SETTINGS,
    "GET /v1/orgs/{org}/staff/{user}": STAFF,
    "PATCH /v1/orgs/{org}/staff/{user}": SETTINGS,
    "DELETE /v1/orgs/{org}/staff/{user}": SETTINGS,
    "POST /v1/orgs/{org}/members/me": NOBODY,
    "GET /v1/orgs/{org}/invitations": USERS,
    "POST /v1/orgs/{org}/invitations": USERS,
    "DELETE /v1/orgs/{org}/invitations/{invitation}": USERS,
    # what needs two people
    "GET /v1/orgs/{org}/confirms": CAMPAIGNS,
    "POST /v1/orgs/{org}/confirms/{code}/acceptance": STAFF,
    "POST /v1/orgs/{org}/confirms/{code}/rejection": STAFF,
    "GET /v1/orgs/{org}/partner-invitations": CAMPAIGNS,
    "POST /v1/orgs/{org}/partner-invitations": CAMPAIGNS,
    "DELETE /v1/orgs/{org}/partner-invitations/{invitation}": CAMPAIGNS,
    "POST /v1/orgs/{org}/join-requests": PAGES,
    # keys
    "GET /v1/orgs/{org}/keys": SETTINGS | EXPORT,
    "POST /v1/orgs/{org}/keys": SETTINGS | EXPORT,
    "GET /v1/orgs/{org}/keys/{key}": SETTINGS | EXPORT,
    "POST /v1/orgs/{org}/keys/{key}/activation": SETTINGS | EXPORT,
    "POST /v1/orgs/{org}/keys/{key}/expiry": SETTINGS | EXPORT,
    "DELETE /v1/orgs/{org}/keys/active": SETTINGS | EXPORT,
    # campaigns
    "GET /v1/orgs/{org}/campaigns": STAFF,
    "POST /v1/orgs/{org}/campaigns": CAMPAIGNS,
    "GET /v1/orgs/{org}/campaigns/{campaign}": STAFF,
    "PUT /v1/orgs/{org}/campaigns/{campaign}": CAMPAIGNS,
    "PATCH /v1/orgs/{org}/campaigns/{campaign}": CAMPAIGNS | CAMPAIGN_SETTINGS,
    "DELETE /v1/orgs/{org}/campaigns/{campaign}": CAMPAIGNS,
    "GET /v1/orgs/{org}/campaigns/{campaign}/partners": CAMPAIGNS,
    "GET /v1/orgs/{org}/campaigns/{campaign}/series": STAFF,
    "GET /v1/orgs/{org}/campaigns/{campaign}/audits": CAMPAIGNS,
    "POST /v1/orgs/{org}/campaigns/{campaign}/audits": CAMPAIGNS,
    "GET /v1/orgs/{org}/campaigns/{campaign}/audits/{audit}": CAMPAIGNS,
    # messages
    "GET /v1/orgs/{org}/campaigns/{campaign}/messages": EXPORT,
    "GET /v1/orgs/{org}/campaigns/{campaign}/mtt/next": CAMPAIGN_SETTINGS,
    "GET /v1/orgs/{org}/campaigns/{campaign}/mtt/uncertain": CAMPAIGN_SETTINGS,
    # targets
    "GET /v1/orgs/{org}/campaigns/{campaign}/targets": CAMPAIGN_SETTINGS,
    "PUT /v1/orgs/{org}/campaigns/{campaign}/targets": CAMPAIGN_SETTINGS,
    "POST /v1/orgs/{org}/campaigns/{campaign}/targets": CAMPAIGN_SETTINGS,
    "GET /v1/orgs/{org}/campaigns/{campaign}/targets/{target}": CAMPAIGN_SETTINGS,
    "PATCH /v1/orgs/{org}/campaigns/{campaign}/targets/{target}": CAMPAIGN_SETTINGS,
    "DELETE /v1/orgs/{org}/campaigns/{campaign}/targets/{target}": CAMPAIGN_SETTINGS,
    # pages
    "GET /v1/orgs/{org}/pages": STAFF,
    "POST /v1/orgs/{org}/pages": PAGES,
    "GET /v1/orgs/{org}/pages/{page}": STAFF,
    "PATCH /v1/orgs/{org}/pages/{page}": PAGES,
    "DELETE /v1/orgs/{org}/pages/{page}": PAGES,
    "POST /v1/orgs/{org}/pages/{page}/launch": PAGES,
    # services
    "GET /v1/orgs/{org}/services": SETTINGS,
    "POST /v1/orgs/{org}/services": SETTINGS,
    "GET /v1/orgs/{org}/services/{service}": SETTINGS,
    "PATCH /v1/orgs/{org}/services/{service}": SETTINGS,
    "DELETE /v1/orgs/{org}/services/{service}": SETTINGS,
    # templates
    "GET /v1/orgs/{org}/templates": STAFF,
    "GET /v1/orgs/{org}/templates/{template}/{locale}": STAFF,
    "PUT /v1/orgs/{org}/templates/{template}/{locale}": CAMPAIGN_SETTINGS,
    "DELETE /v1/orgs/{org}/templates/{template}/{locale}": CAMPAIGN_SETTINGS,
    "POST /v1/orgs/{org}/templates/{template}/{locale}/preview": CAMPAIGN_SETTINGS,
    # queues
    "GET /v1/orgs/{org}/queues": STAFF,
    "GET /v1/orgs/{org}/queues/principals": SETTINGS,
    "PUT /v1/orgs/{org}/queues/principals": SETTINGS,
    "POST /v1/orgs/{org}/queue-credentials": EXPORT,
    "GET /v1/orgs/{org}/queues/{queue}/messages": EXPORT,
    "POST /v1/orgs/{org}/queues/{queue}/acknowledgements": EXPORT,
    "POST /v1/orgs/{org}/queues/{queue}/leases": EXPORT,
    "POST /v1/orgs/{org}/queues/{queue}/redrive": EXPORT,
    "POST /v1/orgs/{org}/requeues": EXPORT,
    # exports
    "GET /v1/orgs/{org}/actions": EXPORT,
    "GET /v1/orgs/{org}/contacts": EXPORT,
    "POST /v1/orgs/{org}/contacts/look-up": EXPORT,
    "GET /v1/orgs/{org}/exports": EXPORT,
    "POST /v1/orgs/{org}/exports": EXPORT,
    "GET /v1/orgs/{org}/exports/{export}": EXPORT,
    "DELETE /v1/orgs/{org}/exports/{export}": EXPORT,
    # privacy
    "GET /v1/orgs/{org}/erasures": ERASE,
    "POST /v1/orgs/{org}/erasures": ERASE,
    "GET /v1/orgs/{org}/erasures/{erasure}": ERASE,
    "POST /v1/orgs/{org}/access-requests": EXPORT,
    "GET /v1/orgs/{org}/retention": ERASE,
    "POST /v1/orgs/{org}/retention": ERASE,
}
"""Which roles may, in their own org."""


class Account(StrEnum):
    """Who may, where it is about no org."""

    ANYBODY = "anybody"
    """Without an account, too."""
    USER = "user"
    """Whoever has an account."""
    MANAGER = "manager"
    """Who has manage_users."""


OF_ACCOUNT: dict[str, Account] = {
    "GET /v1/orgs": Account.USER,
    "POST /v1/orgs": Account.USER,
    "POST /v1/account": Account.ANYBODY,
    "GET /v1/account": Account.USER,
    "PATCH /v1/account": Account.USER,
    "POST /v1/account/confirmations": Account.ANYBODY,
    "POST /v1/account/confirmations/{token}": Account.ANYBODY,
    "POST /v1/account/password-resets": Account.ANYBODY,
    "POST /v1/account/password-resets/{token}": Account.ANYBODY,
    "PUT /v1/account/password": Account.USER,
    "POST /v1/account/email-changes": Account.USER,
    "POST /v1/account/email-changes/{token}": Account.USER,
    "GET /v1/account/tokens": Account.USER,
    "POST /v1/account/tokens": Account.USER,
    "DELETE /v1/account/tokens/{token}": Account.USER,
    "POST /v1/account/confirms/{code}/acceptance": Account.USER,
    "POST /v1/account/confirms/{code}/rejection": Account.USER,
    "GET /v1/users": Account.MANAGER,
    "GET /v1/users/{user}": Account.MANAGER,
    "PATCH /v1/users/{user}": Account.MANAGER,
}

NOT_THERE = {
    "user": "999999999",
    "invitation": "999999999",
    "key": "999999999",
    "export": "999999999",
    "erasure": "999999999",
    "audit": "999999999",
    "code": "0",
    "queue": "deliver-dlq",
    "token": "none",
    "campaign": "none",
    "target": "none",
    "page": "999999999",
    "service": "999999999",
    "template": "none",
    "name": "none",
    "locale": "en",
}
"""What stands in paths besides the org: things that are not there, so that whoever may changes nothing."""
