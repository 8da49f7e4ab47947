"""Asking a second person (domain 7.4): invitations of staff and of partners, requests to launch a page or to join a
campaign. What becomes of them when that person decides stands in `approvals.operations`.

Whoever asks is answered with the code, once; it also goes to the second person by mail, and as an event. Lists show
the codes only where staff of the org itself decides, so that for whoever sees them they are no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import MAX_NAME, ActionPage
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.catalog import items
from proca_common.catalog.changes import Along, nothing
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.confirms import store
from proca_common.confirms.confirm import (
    ADD_PARTNER,
    ADD_STAFFER,
    JOIN_CAMPAIGN,
    LAUNCH_PAGE,
    VALID_DAYS,
    Confirm,
)
from proca_common.errors import NotFound, Outdated, TooMany
from proca_common.failures import Refused
from proca_common.ids import created_at
from proca_common.management.access import org_of
from proca_common.management.audit import Change, record
from proca_common.users import store as users
from proca_common.users.permissions import CUSTOM, ROLES, Permission, Role, check_may_give, role_of
from proca_common.users.user import MAX_EMAIL, Caller, email_failures

DAY_S = 86_400
MAX_OPEN = 200
"""How many may be open in an org's list, so that nobody is flooded."""
DECIDED_BY_ORG = (LAUNCH_PAGE, JOIN_CAMPAIGN)

Message = Annotated[str, Field(max_length=2_000)]
Email = Annotated[str, Field(min_length=3, max_length=MAX_EMAIL)]


class Invitation(Entity):
    """Who is to become a staffer, in which role, and what is said to them."""

    email: Email
    role: Role
    message: Message | None = None


class PartnerInvitation(Entity):
    """Whom to ask to run a copy of this page (its name)."""

    email: Email
    page: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    message: Message | None = None


class JoinRequest(Entity):
    """The campaign (its name) in which all pages of the org are to be launched."""

    campaign: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    message: Message | None = None


# --- asking


def invite(caller: Caller, name: str, given: Mapping[str, Any]) -> Confirm:
    """Invite somebody, with or without an account, to the staff of the org (inviteOrgUser of domain 12.7).

    Raises `NotAllowed`, `Refused`, `InUse` and `TooMany`.
    """
    org = org_of(caller, name, Permission.CHANGE_ORG_USERS)
    wanted = checked(Invitation, given)
    _check_email(wanted.email)
    perms = ROLES[wanted.role]
    check_may_give(caller.perms_in(org.id), perms)
    asked = Confirm("", ADD_STAFFER, org.id, int(perms), wanted.email, wanted.message, caller.user.id, org=org.id)
    return _ask(asked, caller, {"role": wanted.role})


def invite_partner(caller: Caller, name: str, given: Mapping[str, Any]) -> Confirm:
    """Invite another org, by somebody's address, to run a copy of a page of a campaign that this org leads.

    Raises as `invite`, and `NotFound`.
    """
    org = org_of(caller, name, Permission.MANAGE_CAMPAIGNS)
    wanted = checked(PartnerInvitation, given)
    _check_email(wanted.email)
    page = pages.find(wanted.page)
    if campaigns.get(page.campaign).org != org.id:
        raise NotFound("action page")
    asked = Confirm("", ADD_PARTNER, page.id, None, wanted.email, wanted.message, caller.user.id, org=org.id)
    return _ask(asked, caller, {"page": page.id})


def request_joining(caller: Caller, name: str, given: Mapping[str, Any]) -> Confirm:
    """Ask the org that leads a campaign to launch all pages that this org has in it. Raises as `invite_partner`."""
    org = org_of(caller, name, Permission.MANAGE_ACTION_PAGES)
    wanted = checked(JoinRequest, given)
    campaign = campaigns.find(wanted.campaign)
    if not pages.of_org(org.id, campaign=campaign.id):
        raise NotFound("action page")
    who = caller.user.id
    asked = Confirm("", JOIN_CAMPAIGN, org.id, campaign.id, None, wanted.message, who, org=campaign.org)
    return _ask(asked, caller, {"campaign": campaign.id, "partner": org.id})


def request_launch(caller: Caller, page: ActionPage, message: str | None = None, along: Along = nothing) -> Confirm:
    """Ask the org that leads the page's campaign to launch it; that the caller may ask, and that it is not live, is
    known already. Who asks again gets the request that is open. `along` adds what is written with it.

    Raises `NotFound`, `TooMany`, `Outdated`.
    """
    campaign = campaigns.get(page.campaign)
    who = caller.user.id
    asked = Confirm("", LAUNCH_PAGE, campaign.id, page.id, None, message, who, org=campaign.org)
    open_already = (each for each in store.open_of(campaign.org, LAUNCH_PAGE) if each.object == page.id)
    mine = next((each for each in open_already if each.creator == who), None)
    return mine or _ask(asked, caller, {"page": page.id, "partner": page.org}, along)


def _ask(wanted: Confirm, caller: Caller, details: Mapping[str, Any], more: Along = nothing) -> Confirm:
    org = wanted.org or 0
    if len(store.open_of(org, wanted.operation)) >= MAX_OPEN:
        raise TooMany("too many are open: wait for answers, or take some back")

    def along(transaction: Transaction, confirm: Confirm) -> None:
        what = Change(caller.user.id, org, f"{confirm.operation}.request", f"confirm#{confirm.id}", {}, details)
        record(transaction, what)
        more(transaction)

    try:
        return store.create(replace(wanted, expires=clock.now_ms() // 1000 + VALID_DAYS * DAY_S), along)
    except Cancelled:
        raise Outdated from None


def _check_email(email: str) -> None:
    if failures := email_failures(email):
        raise Refused(failures)


# --- what is open


def invitations(caller: Caller, name: str) -> list[Confirm]:
    """Open invitations of staff, the oldest first; for whoever may invite."""
    org = org_of(caller, name, Permission.CHANGE_ORG_USERS)
    return store.open_of(org.id, ADD_STAFFER)


def partner_invitations(caller: Caller, name: str) -> list[Confirm]:
    """Open invitations of partners, the oldest first; for whoever may invite them."""
    org = org_of(caller, name, Permission.MANAGE_CAMPAIGNS)
    return store.open_of(org.id, ADD_PARTNER)


def to_decide(caller: Caller, name: str) -> list[Confirm]:
    """What waits for this org to decide, the oldest first; for whoever may decide, because it has the codes."""
    org = org_of(caller, name, Permission.MANAGE_CAMPAIGNS)
    return store.open_of(org.id, *DECIDED_BY_ORG)


def take_back_invitation(caller: Caller, name: str, number: int) -> None:
    """End an invitation of staff; nobody ends one to a role above the own. Raises `NotAllowed`, `NotFound`."""
    confirm = _listed(invitations(caller, name), number)
    check_may_give(caller.perms_in(confirm.subject), Permission(confirm.object or 0))
    _take_back(caller, confirm)


def take_back_partner_invitation(caller: Caller, name: str, number: int) -> None:
    """End an invitation of a partner. Raises `NotAllowed`, `NotFound`."""
    _take_back(caller, _listed(partner_invitations(caller, name), number))


def _listed(found: Sequence[Confirm], number: int) -> Confirm:
    confirm = next((each for each in found if each.id == number), None)
    if confirm is None:
        raise NotFound("invitation")
    return confirm


def _take_back(caller: Caller, confirm: Confirm) -> None:
    transaction = Transaction()
    store.end(transaction, confirm)
    action = f"{confirm.operation}.take_back"
    what = Change(caller.user.id, confirm.org or 0, action, f"confirm#{confirm.id}", {"open": True}, {"open": False})
    record(transaction, what)
    try:
        items.commit(transaction)
    except Cancelled:
        raise NotFound("invitation") from None


# --- as it is shown


def shown(found: Sequence[Confirm], *, code: bool = False) -> list[dict[str, object]]:
    """Confirms as JSON; with their codes only for whoever asked just now, or is to decide."""
    creators = {user.id: user.email for user in users.get_many({each.creator for each in found if each.creator})}
    return [_shown(confirm, creators, code=code) for confirm in found]


def _shown(confirm: Confirm, creators: Mapping[int, str], *, code: bool) -> dict[str, object]:
    about: dict[str, object]
    match confirm.operation:
        case "add_staffer":
            about = {"email": confirm.email, "role": role_of(Permission(confirm.object or 0)) or CUSTOM}
            if code:
                about["objectId"] = confirm.object
        case "add_partner":
            about = {"email": confirm.email, "page": confirm.subject}
        case "launch_page":
            about = {"campaign": confirm.subject, "page": confirm.object, "objectId": confirm.object}
        case _:
            about = {"org": confirm.subject, "campaign": confirm.object, "objectId": confirm.object}
    return {
        "id": confirm.id,
        "operation": confirm.operation,
        **({"code": confirm.code} if code else {}),
        **about,
        "message": confirm.message,
        "creator": creators.get(confirm.creator or 0),
        "createdAt": _text(created_at(confirm.id or 0)),
        "expiresAt": None if confirm.expires is None else _text(datetime.fromtimestamp(confirm.expires, UTC)),
    }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
