"""The second person: who decides about an operation, and in whose name (domain 7.4)."""

from __future__ import annotations

from dataclasses import dataclass

from proca_common.errors import NotAllowed, NotKnown
from proca_common.users.permissions import Permission, may_any
from proca_common.users.user import Caller

NEEDED = "unauthorized"
"""What is said to somebody who did not say who that is."""
WHICH = "Say for which of your orgs you accept"


@dataclass(frozen=True, slots=True)
class Second:
    """`caller`: None for somebody without an account. `org`: the org that the caller says to act for."""

    caller: Caller | None = None
    org: int | None = None

    def known(self) -> Caller:
        """Who it is. Raises `NotKnown`."""
        if self.caller is None:
            raise NotKnown(NEEDED)
        return self.caller

    def must(self, org: int, permission: Permission) -> None:
        """Raise `NotAllowed` unless the second person is staff of this org who may, and acts for no other."""
        if self.org not in {None, org}:
            raise NotAllowed("It is for another org to decide")
        self.known().must(org, permission)

    def org_with(self, permission: Permission) -> int:
        """The org that is acted for: the one that is said, else the only one where that may be done. Raises
        `NotAllowed`.
        """
        caller = self.known()
        if self.org is not None:
            caller.must(self.org, permission)
            return self.org
        found = [org for org, perms in caller.staff.items() if may_any(perms, permission)]
        if not found:
            raise NotAllowed(f"You do not have the required permission: {str(permission.name).lower()}")
        if len(found) > 1:
            raise NotAllowed(WHICH)
        return found[0]
