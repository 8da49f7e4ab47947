"""What staff see of users, and of operations that wait for somebody, in GraphQL (domain 11.2, 12.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from proca_common.confirms.confirm import Confirm
from proca_common.errors import NotFound
from proca_common.graph.context import Context
from proca_common.graph.views import View, org_view
from proca_common.users import store as users
from proca_common.users import tokens
from proca_common.users.permissions import CUSTOM, Permission, role_of
from proca_common.users.user import User


def user_view(context: Context, user: User, staff: Callable[[], Mapping[int, Permission]]) -> View:
    """A user, and what the user may do for which org; when the own token ends is told to nobody else (domain 12.4)."""
    return {
        "id": user.id,
        "email": user.email,
        "phone": user.profile.phone,
        "pictureUrl": user.profile.picture_url,
        "jobTitle": user.profile.job_title,
        "isAdmin": bool(user.perms & Permission.INSTANCE_OWNER),
        "apiToken": lambda _: _api_token(user) if context.user.user.id == user.id else None,
        "roles": lambda _: _roles(context, staff()),
    }


def roles_of(context: Context, user: int) -> Mapping[int, Permission]:
    """What a user may do for which org, as last written."""
    context.look_up()
    caller, _password = users.caller(user)
    return caller.staff


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


def _roles(context: Context, roles: Mapping[int, Permission]) -> list[View]:
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
    known = tokens.of_user(user.id, tokens.API)
    return {"expiresAt": datetime.fromtimestamp(known[0].expires_ms // 1000, UTC)} if known else None
