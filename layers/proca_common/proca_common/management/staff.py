"""The staff of an org: who belongs to it, in which role (domain 12.6, 12.7).

Nobody gives, takes or changes what is above the own permissions, and an org always has an owner: the last one can
neither go nor become something else. Whoever wants that deletes the org.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import InUse, NotAllowed, NotFound, Outdated
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change, record
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users import store as users
from proca_common.users.permissions import (
    CUSTOM,
    NOTHING,
    ROLES,
    Permission,
    Role,
    check_may_give,
    may_any,
    names_of,
    role_of,
)
from proca_common.users.user import MAX_EMAIL, Caller, User

NO_OWNER = "the org would have no owner"
NOT_ONESELF = "You cannot remove yourself"


class NewStaffer(Entity):
    """Somebody with an account, and the role to be."""

    email: Annotated[str, Field(min_length=3, max_length=MAX_EMAIL)]
    role: Role


class NewRole(Entity):
    """The role to be."""

    role: Role


@dataclass(frozen=True, slots=True)
class Staffer:
    """A user, and what may be done for the org."""

    user: User
    perms: Permission

    @property
    def version(self) -> int:
        """The permissions are all that can change of it."""
        return int(self.perms)


def listed(caller: Caller, name: str, after: int, limit: int) -> list[Staffer]:
    """The org's staff in the order of user ids, at most `limit` above `after`; for its members."""
    org = org_of(caller, name)
    staff = users.staff_of(org.id)
    known = users.get_many(sorted(user for user in staff if user > after)[:limit])
    return [Staffer(user, staff[user.id]) for user in known]


def get(caller: Caller, name: str, user: int) -> Staffer:
    """One of them, for members. Raises `NotFound`."""
    return _staffer(org_of(caller, name), user)


def add(caller: Caller, name: str, given: Mapping[str, Any], probe: Callable[[], None]) -> tuple[Staffer, bool]:
    """Make a user a staffer, and whether that is new: who is one already stays as before (domain 12.7).

    `probe`: called before it is known whether there is such a user; may raise `TooMany`. Raises `NotAllowed`,
    `NotFound`, `Refused`.
    """
    org = org_of(caller, name, Permission.CHANGE_ORG_SETTINGS)
    wanted = checked(NewStaffer, given)
    perms = ROLES[wanted.role]
    check_may_give(caller.perms_in(org.id), perms)
    probe()
    user = users.find(wanted.email)
    known = users.staff_of(org.id).get(user.id)
    if known is not None:
        return Staffer(user, known), False
    transaction = Transaction()
    users.put_staffer(transaction, user.id, org.id, perms)
    _record(transaction, caller, org, "staff.add", user.id, NOTHING, perms)
    _commit(transaction)
    return Staffer(user, perms), True


def change(caller: Caller, name: str, user: int, patch: Mapping[str, Any], seen: Seen) -> Staffer:
    """Give a staffer another role. Raises `NotAllowed`, `NotFound`, `Refused`, `InUse`, `Outdated`."""
    org = org_of(caller, name, Permission.CHANGE_ORG_SETTINGS)
    known = _staffer(org, user)
    seen(known.version)
    perms = ROLES[checked(NewRole, {"role": role_of(known.perms), **patch}).role]
    if role_of(known.perms) is role_of(perms) and known.perms == perms:
        return known
    check_may_give(caller.perms_in(org.id), perms, known.perms)
    transaction = Transaction()
    users.put_staffer(transaction, user, org.id, perms, known.perms)
    if role_of(perms) is not Role.OWNER:
        _keep_an_owner(transaction, org, known)
    _record(transaction, caller, org, "staff.update", user, known.perms, perms)
    _commit(transaction)
    return Staffer(known.user, perms)


def remove(caller: Caller, name: str, user: int, seen: Seen) -> None:
    """End a membership; the own one only with join_orgs. Raises as `change`."""
    org = org_of(caller, name, Permission.CHANGE_ORG_SETTINGS)
    known = _staffer(org, user)
    seen(known.version)
    if user == caller.user.id and not may_any(caller.user.perms, Permission.JOIN_ORGS):
        raise NotAllowed(NOT_ONESELF)
    check_may_give(caller.perms_in(org.id), NOTHING, known.perms)
    transaction = Transaction()
    users.remove_staffer(transaction, user, org.id, known.perms)
    _keep_an_owner(transaction, org, known)
    _record(transaction, caller, org, "staff.remove", user, known.perms, NOTHING)
    _commit(transaction)


def join(caller: Caller, name: str) -> Staffer:
    """Make the caller an owner of the org, whatever was before; for users with join_orgs. Raises `NotAllowed`."""
    caller.must_be(Permission.JOIN_ORGS)
    org = orgs.find(name)
    perms, had = ROLES[Role.OWNER], caller.staff.get(org.id)
    if had == perms:
        return Staffer(caller.user, perms)
    transaction = Transaction()
    users.put_staffer(transaction, caller.user.id, org.id, perms, had)
    _record(transaction, caller, org, "staff.join", caller.user.id, had or NOTHING, perms)
    _commit(transaction)
    return Staffer(caller.user, perms)


def shown(staffer: Staffer) -> dict[str, object]:
    """A staffer, for colleagues."""
    return {
        "user": staffer.user.id,
        "email": staffer.user.email,
        "jobTitle": staffer.user.profile.job_title,
        "role": role_of(staffer.perms) or CUSTOM,
        "permissions": names_of(staffer.perms),
    }


def _staffer(org: Org, user: int) -> Staffer:
    known = users.staff_of(org.id).get(user)
    if known is None:
        raise NotFound("staffer")
    return Staffer(users.get(user), known)


def _keep_an_owner(transaction: Transaction, org: Org, leaving: Staffer) -> None:
    """Let the transaction go through only while another owner is there. Raises `InUse` when there is none."""
    if role_of(leaving.perms) is not Role.OWNER:
        return
    for user, perms in sorted(users.staff_of(org.id).items()):
        if user != leaving.user.id and role_of(perms) is Role.OWNER:
            users.check_staffer(transaction, user, org.id, perms)
            return
    raise InUse(NO_OWNER)


def _record(
    transaction: Transaction, caller: Caller, org: Org, action: str, user: int, had: Permission, has: Permission
) -> None:
    before, after = ({"role": role_of(perms) or CUSTOM, "perms": int(perms)} if perms else {} for perms in (had, has))
    record(transaction, Change(caller.user.id, org.id, action, f"user#{user}", before, after))


def _commit(transaction: Transaction) -> None:
    try:
        items.commit(transaction)
    except Cancelled:
        raise Outdated from None
