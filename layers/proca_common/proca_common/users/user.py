"""A user, as rules and answers see it (domain 1.10, 12.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field

from proca_common.catalog.entity import Entity
from proca_common.errors import LacksPermission, NotMember
from proca_common.failures import Failure
from proca_common.users.permissions import NOTHING, Permission, may_any, names_of

MAX_EMAIL = 160
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
PICTURE = re.compile(r"https?://[^\s/?#]+/[^\s?#]+\.(?:apng|avif|gif|jpe?g|png|svg|webp)", re.IGNORECASE)


def email_failures(email: str, pointer: str = "/email") -> list[Failure]:
    """Every rule that the address of a user breaks."""
    failures = []
    if not EMAIL.fullmatch(email):
        failures.append(Failure(pointer, "format", "must have the @ sign and no spaces"))
    if len(email) > MAX_EMAIL:
        failures.append(Failure.too_long(pointer, MAX_EMAIL))
    return failures


def _is_picture(url: str) -> str:
    if not PICTURE.fullmatch(url):
        raise ValueError("URL is invalid")
    return url


class Profile(Entity):
    """What users say of themselves."""

    job_title: Annotated[str, Field(max_length=128)] | None = None
    phone: Annotated[str, Field(pattern=r"^[0-9 +/()-]{3,30}$")] | None = None
    picture_url: Annotated[str, Field(max_length=1000), AfterValidator(_is_picture)] | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user. `perms`: in the whole instance. `confirmed`: whether the address was proven.

    `tokens_since_ms`: tokens made before this moment (ms since 1970) are void; a new password moves it.
    """

    id: int
    email: str
    perms: Permission = NOTHING
    confirmed: bool = False
    profile: Profile = field(default_factory=Profile)
    external_id: str | None = None
    tokens_since_ms: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what the membership in each org allows (by org id)."""

    user: User
    staff: Mapping[int, Permission]

    def perms_in(self, org: int) -> Permission:
        """All that the caller may do for this org."""
        return self.user.perms | self.staff.get(org, NOTHING)

    def must_be_member(self, org: int) -> None:
        """Raise `NotAllowed` for who is no staffer of the org, unless it is who owns the instance.

        The same for an org that does not exist: nobody learns which do.
        """
        if org not in self.staff and not self.user.perms & Permission.INSTANCE_OWNER:
            raise NotMember

    def must(self, org: int, *needed: Permission) -> None:
        """Raise `NotAllowed` unless the caller is a member who has one of these permissions."""
        self.must_be_member(org)
        _check(self.perms_in(org), needed, org if org in self.staff else None)

    def must_be(self, *needed: Permission) -> None:
        """Raise `NotAllowed` unless the user has one of these permissions in the whole instance."""
        _check(self.user.perms, needed)


def _check(perms: Permission, needed: Sequence[Permission], org: int | None = None) -> None:
    if not may_any(perms, *needed):
        raise LacksPermission([name for permission in needed for name in names_of(permission)], names_of(perms), org)
