"""Users, staff, and operations that need a second person, in GraphQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from proca_common.approvals import codes
from proca_common.approvals.codes import Told
from proca_common.approvals.operations import Outcome
from proca_common.approvals.second import Second
from proca_common.aws import clock
from proca_common.aws.secrets import secret
from proca_common.catalog.given import checked
from proca_common.confirms.confirm import CODE
from proca_common.errors import NotFound
from proca_common.graph.context import Context, Info
from proca_common.graph.errors import BadArgument
from proca_common.graph.given import as_seen, plain
from proca_common.graph.private_people import confirm_view, roles_of, user_view
from proca_common.graph.views import View, campaign_view, org_view, page_view
from proca_common.guards import caps
from proca_common.management import accounts, confirms, notices, staff
from proca_common.management.access import org_of
from proca_common.users import store as users
from proca_common.users import tokens
from proca_common.users.permissions import Permission, Role

MOST = 100
RESET = "reset by a client"


def current_user(_: None, info: Info) -> View:
    """Who asks."""
    caller = info.context.user
    return user_view(info.context, caller.user, lambda: caller.staff)


def some_users(_: None, info: Info, select: dict[str, Any] | None = None) -> list[View]:
    """Users, for who manages them."""
    context, wanted = info.context, select or {}
    caller = context.user
    caller.must_be(Permission.MANAGE_USERS)
    if wanted.get("id") is not None:
        found = users.get_many([wanted["id"]])
    elif wanted.get("orgName") is not None:
        members = users.staff_of(org_of_any(wanted["orgName"]))
        found = users.get_many(sorted(members))
    else:
        found = accounts.listed(caller, 0, MOST, (wanted.get("email") or "").strip("%") or None)
    part = (wanted.get("email") or "").strip("%").lower()
    return [
        user_view(context, user, partial(roles_of, context, user.id)) for user in found if part in user.email.lower()
    ]


def org_of_any(name: str) -> int:
    """The id of the org with this name. Raises `NotFound`."""
    from proca_common.orgs import store as orgs  # noqa: PLC0415

    return orgs.find(name).id


def update_user(_: None, info: Info, input: dict[str, Any], id: int | None = None, email: str | None = None) -> View:  # noqa: A002
    """The own profile; another user's for who manages users."""
    context = info.context
    caller = context.user
    if id is None and email is None:
        changed = accounts.change_profile(caller, plain(input), as_seen)
    else:
        caller.must_be(Permission.MANAGE_USERS)
        number = id if id is not None else users.find(email or "").id
        changed = accounts.change_user(caller, number, plain(input), as_seen)
    return user_view(context, changed, partial(roles_of, context, changed.id))


def reset_api_token(_: None, info: Info) -> str:
    """A new API token, in the place of the one that was asked for in this way before."""
    caller = info.context.user
    for known in tokens.of_user(caller.user.id, tokens.API):
        if known.name == RESET:
            accounts.remove_api_token(caller, known.id)
    return str(accounts.add_api_token(caller, {"name": RESET})["token"])


def add_org_user(_: None, info: Info, orgName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803 - their names
    """A user becomes a staffer."""
    context = info.context
    _found, is_new = staff.add(context.staff, orgName, _role(input), lambda: _count_probe(context))
    return {"status": "success" if is_new else "noop"}


def update_org_user(_: None, info: Info, orgName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803
    """Another role of a staffer."""
    member = _member(info.context, orgName, input["email"])
    staff.change(info.context.staff, orgName, member, {"role": _role(input)["role"]}, as_seen)
    return {"status": "success"}


def invite_org_user(_: None, info: Info, orgName: str, input: dict[str, Any], message: str | None = None) -> View:  # noqa: A002, N803
    """Somebody is asked to become a staffer."""
    given = {**_role(input), **({} if message is None else {"message": message})}
    made = confirms.invite(info.context.staff, orgName, given)
    notices.mail(made, info.context.settings.mail_queue_url)
    return confirm_view(made)


def delete_org_user(_: None, info: Info, orgName: str, email: str) -> View:  # noqa: N803
    """The end of a membership."""
    staff.remove(info.context.staff, orgName, _member(info.context, orgName, email), as_seen)
    return {"status": "success"}


def _role(given: dict[str, Any]) -> dict[str, Any]:
    if given["role"] not in list(Role):
        raise NotFound("role")
    return given


def _member(context: Context, org_name: str, email: str) -> int:
    owner = org_of(context.staff, org_name, Permission.CHANGE_ORG_SETTINGS)
    members = users.get_many(sorted(users.staff_of(owner.id)))
    found = next((user for user in members if user.email.lower() == email.strip().lower()), None)
    if found is None:
        raise NotFound("staffer")
    return found.id


def _count_probe(context: Context) -> None:
    """Whoever adds users could ask in this way who has an account: count it."""
    key = secret(context.settings.guard_key_secret)
    caps.count_probe(context.user.user.id, key, clock.now_ms())


def _decide(verb: Callable[..., Outcome], info: Info, given: dict[str, Any], name: str | None) -> View:
    context = info.context
    org = None if name is None else org_of(context.staff, name).id
    code = given["code"]
    if not CODE.fullmatch(code):
        raise BadArgument("malformed code")
    told = checked(Told, {key: given[key] for key in ("email", "objectId") if given.get(key) is not None})
    second = Second(context.user, org)
    outcome = verb(code, told, second, guess=lambda: _count_guess(context))
    return _outcome(context, outcome)


def _count_guess(context: Context) -> None:
    key = secret(context.settings.guard_key_secret)
    caps.count_guess(context.request.client, key, clock.now_ms(), context.user.user.id)


def _outcome(context: Context, outcome: Outcome) -> View:
    from proca_common.campaigns import store as campaigns  # noqa: PLC0415

    page, campaign, org = outcome.page, outcome.campaign, outcome.org
    return {
        "status": "success" if outcome.changed else "noop",
        "actionPage": None if page is None else page_view(context, page, campaigns.get(page.campaign)),
        "campaign": None if campaign is None else campaign_view(context, campaign),
        "org": None if org is None else org_view(context, org),
        "message": None,
    }


def accept_org_confirm(_: None, info: Info, name: str, confirm: dict[str, Any]) -> View:
    """Somebody agrees, as staff of this org."""
    return _decide(codes.accept, info, confirm, name)


def reject_org_confirm(_: None, info: Info, name: str, confirm: dict[str, Any]) -> View:
    """Somebody refuses, as staff of this org."""
    return _decide(codes.reject, info, confirm, name)


def accept_user_confirm(_: None, info: Info, confirm: dict[str, Any]) -> View:
    """Somebody agrees, for no org in particular."""
    return _decide(codes.accept, info, confirm, None)


def reject_user_confirm(_: None, info: Info, confirm: dict[str, Any]) -> View:
    """Somebody refuses, for no org in particular."""
    return _decide(codes.reject, info, confirm, None)


FIELDS = {
    "RootQueryType": {"currentUser": current_user, "users": some_users},
    "RootMutationType": {
        "updateUser": update_user,
        "resetApiToken": reset_api_token,
        "addOrgUser": add_org_user,
        "updateOrgUser": update_org_user,
        "inviteOrgUser": invite_org_user,
        "deleteOrgUser": delete_org_user,
        "acceptOrgConfirm": accept_org_confirm,
        "rejectOrgConfirm": reject_org_confirm,
        "acceptUserConfirm": accept_user_confirm,
        "rejectUserConfirm": reject_user_confirm,
    },
}
