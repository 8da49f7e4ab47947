"""What users and staffers may do: permission bits, and the roles made of them (domain 12.1, 12.6). Pure."""

from __future__ import annotations

from enum import IntFlag, StrEnum

from proca_common.errors import NotAllowed


class Permission(IntFlag):
    """The first four bits are of users, in the whole instance; the others of staffers, in one org."""

    INSTANCE_OWNER = 1
    JOIN_ORGS = 2
    MANAGE_USERS = 4
    MANAGE_ORGS = 8
    ORG_OWNER = 128
    USE_API = 256
    EXPORT_CONTACTS = 512
    DELETE_CONTACTS = 1024
    CHANGE_ORG_USERS = 32_768
    CHANGE_ORG_SETTINGS = 65_536
    CHANGE_ORG_SERVICES = 65_536
    MANAGE_CAMPAIGNS = 131_072
    MANAGE_ACTION_PAGES = 262_144
    LAUNCH_ACTION_PAGE = 524_288
    CHANGE_CAMPAIGN_SETTINGS = 1_048_576


P = Permission
NOTHING = Permission(0)
ADMIN = P.INSTANCE_OWNER | P.JOIN_ORGS | P.MANAGE_USERS | P.MANAGE_ORGS


class Role(StrEnum):
    """The roles that can be given, from the highest down."""

    OWNER = "owner"
    CAMPAIGNER = "campaigner"
    TRANSLATOR = "translator"
    COORDINATOR = "coordinator"


ROLES = {
    Role.OWNER: P.ORG_OWNER
    | P.EXPORT_CONTACTS
    | P.DELETE_CONTACTS
    | P.CHANGE_ORG_USERS
    | P.CHANGE_ORG_SETTINGS
    | P.CHANGE_CAMPAIGN_SETTINGS
    | P.MANAGE_CAMPAIGNS
    | P.MANAGE_ACTION_PAGES,
    Role.CAMPAIGNER: P.CHANGE_ORG_USERS
    | P.CHANGE_ORG_SETTINGS
    | P.CHANGE_CAMPAIGN_SETTINGS
    | P.MANAGE_CAMPAIGNS
    | P.MANAGE_ACTION_PAGES,
    Role.TRANSLATOR: P.CHANGE_ORG_USERS | P.CHANGE_CAMPAIGN_SETTINGS,
    Role.COORDINATOR: P.CHANGE_CAMPAIGN_SETTINGS,
}
LEGACY_OWNER = ROLES[Role.OWNER] & ~P.DELETE_CONTACTS
"""What owners had before the right to erase people was one of its own."""
CUSTOM = "custom"


def role_of(perms: Permission) -> Role | None:
    """The highest role whose bits are all there; a legacy owner is an owner. None: `custom`."""
    if perms & LEGACY_OWNER == LEGACY_OWNER:
        return Role.OWNER
    return next((role for role, bits in ROLES.items() if perms & bits == bits), None)


def may_any(perms: Permission, *needed: Permission) -> bool:
    """Whether one of these is there; the owner of the instance may do everything."""
    return bool(perms & P.INSTANCE_OWNER) or any(perms & permission for permission in needed)


def check_may_give(own: Permission, given: Permission, had: Permission = NOTHING) -> None:
    """Raise `NotAllowed` unless whoever has `own` may give `given` to a staffer who had `had` until now.

    Nobody gives, takes or changes what is above the own bits (decision 33 of domain 15); an owner counts as holding all
    bits of owners; the owner of the instance may give any.
    """
    if own & P.INSTANCE_OWNER:
        return
    if role_of(own) is Role.OWNER:
        own |= ROLES[Role.OWNER]
    if (given | had) & ~own:
        raise NotAllowed("User must have higher role")


def names_of(perms: Permission) -> list[str]:
    """The names of the bits, from the lowest."""
    return [str(permission.name).lower() for permission in Permission if permission in perms]
