"""Permission bits, roles and who may give which: tables of domain 12.1, 12.6 and the end of 12.8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.errors import NotAllowed
from proca_common.users.permissions import (
    ADMIN,
    LEGACY_OWNER,
    NOTHING,
    ROLES,
    Permission,
    Role,
    check_may_give,
    may_any,
    names_of,
    role_of,
)
from proca_common.users.user import Caller, User

P = Permission
ORG = 7


def test_bits_are_those_of_the_table() -> None:
    assert {permission.name.lower(): int(permission) for permission in P.__members__.values() if permission.name} == {
        "instance_owner": 1,
        "join_orgs": 2,
        "manage_users": 4,
        "manage_orgs": 8,
        "org_owner": 128,
        "use_api": 256,
        "export_contacts": 512,
        "delete_contacts": 1024,
        "change_org_users": 32_768,
        "change_org_settings": 65_536,
        "manage_campaigns": 131_072,
        "manage_action_pages": 262_144,
        "launch_action_page": 524_288,
        "change_campaign_settings": 1_048_576,
    }
    assert P.CHANGE_ORG_SERVICES is P.CHANGE_ORG_SETTINGS


def test_masks_are_those_of_the_table() -> None:
    assert {role.value: int(bits) for role, bits in ROLES.items()} == {
        "owner": 1_541_760,
        "campaigner": 1_540_096,
        "translator": 1_081_344,
        "coordinator": 1_048_576,
    }
    assert int(LEGACY_OWNER) == 1_540_736
    assert int(ADMIN) == 15


@pytest.mark.parametrize(
    ("perms", "role"),
    [
        *((bits, role) for role, bits in ROLES.items()),
        (LEGACY_OWNER, Role.OWNER),
        (ROLES[Role.CAMPAIGNER] | P.EXPORT_CONTACTS, Role.CAMPAIGNER),
        (ROLES[Role.TRANSLATOR] | P.MANAGE_CAMPAIGNS, Role.TRANSLATOR),
        (P.EXPORT_CONTACTS | P.DELETE_CONTACTS, None),
        (P.MANAGE_CAMPAIGNS, None),
        (NOTHING, None),
        (ADMIN, None),
    ],
)
def test_role_is_the_highest_whose_bits_are_all_there(perms: Permission, role: Role | None) -> None:
    assert role_of(perms) is role


MAY_GIVE = {
    Role.OWNER: {*Role},
    Role.CAMPAIGNER: {Role.CAMPAIGNER, Role.TRANSLATOR, Role.COORDINATOR},
    Role.TRANSLATOR: {Role.TRANSLATOR, Role.COORDINATOR},
    Role.COORDINATOR: {Role.COORDINATOR},
}
"""Who may give whom which role, as far as roles go; a coordinator has no permission to invite anybody."""


def may_give(own: Permission, given: Permission, had: Permission = NOTHING) -> bool:
    try:
        check_may_give(own, given, had)
    except NotAllowed:
        return False
    return True


def test_the_refusal_has_the_words_of_the_reference() -> None:
    with pytest.raises(NotAllowed, match=r"^User must have higher role$"):
        check_may_give(ROLES[Role.COORDINATOR], ROLES[Role.OWNER])


@pytest.mark.parametrize("own", Role)
@pytest.mark.parametrize("role", Role)
def test_nobody_gives_more_than_the_own_role(own: Role, role: Role) -> None:
    assert may_give(ROLES[own], ROLES[role]) is (role in MAY_GIVE[own])


@pytest.mark.parametrize("own", Role)
@pytest.mark.parametrize("had", Role)
def test_nobody_touches_a_role_above_the_own(own: Role, had: Role) -> None:
    assert may_give(ROLES[own], ROLES[Role.COORDINATOR], ROLES[had]) is (had in MAY_GIVE[own])
    assert may_give(ROLES[own], NOTHING, ROLES[had]) is (had in MAY_GIVE[own])


def test_a_legacy_owner_gives_what_an_owner_may() -> None:
    assert may_give(LEGACY_OWNER, ROLES[Role.OWNER])


def test_the_owner_of_the_instance_gives_all() -> None:
    assert may_give(P.INSTANCE_OWNER, ROLES[Role.OWNER], ROLES[Role.OWNER])
    assert not may_give(P.MANAGE_USERS | P.MANAGE_ORGS, ROLES[Role.COORDINATOR])


@given(own=st.integers(0, 2**21 - 1), given=st.integers(0, 2**21 - 1))
def test_what_is_given_was_had(own: int, given: int) -> None:
    if may_give(P(own), P(given)) and not own & 1:
        assert not P(given) & ~(P(own) | ROLES[Role.OWNER])
        assert role_of(P(own)) is Role.OWNER or not P(given) & ~P(own)


NEEDED = {
    "add campaign": (P.MANAGE_CAMPAIGNS,),
    "change campaign": (P.MANAGE_CAMPAIGNS, P.CHANGE_CAMPAIGN_SETTINGS),
    "invite": (P.CHANGE_ORG_USERS,),
    "update page": (P.MANAGE_ACTION_PAGES,),
    "delete contact": (P.DELETE_CONTACTS,),
    "export": (P.EXPORT_CONTACTS,),
}
OWNER, CAMPAIGNER, TRANSLATOR = (ROLES[role] for role in (Role.OWNER, Role.CAMPAIGNER, Role.TRANSLATOR))


@pytest.mark.parametrize(
    ("what", "allowed"),
    [
        ("add campaign", (True, True, False)),
        ("change campaign", (True, True, True)),
        ("invite", (True, True, True)),
        ("update page", (True, True, False)),
        ("delete contact", (True, False, False)),
        ("export", (True, False, False)),
    ],
)
def test_matrix(what: str, allowed: tuple[bool, ...]) -> None:
    assert tuple(may_any(perms, *NEEDED[what]) for perms in (OWNER, CAMPAIGNER, TRANSLATOR)) == allowed
    assert may_any(P.INSTANCE_OWNER, *NEEDED[what])
    assert not may_any(NOTHING, *NEEDED[what])


def test_a_legacy_owner_deletes_no_contact() -> None:
    assert not may_any(LEGACY_OWNER, P.DELETE_CONTACTS)
    assert may_any(LEGACY_OWNER, P.EXPORT_CONTACTS)


def test_names_are_listed_once() -> None:
    assert names_of(P.CHANGE_ORG_SETTINGS | P.INSTANCE_OWNER) == ["instance_owner", "change_org_settings"]


# --- who asks


def caller(perms: Permission = NOTHING, **staff: Permission) -> Caller:
    return Caller(
        User(1, "ida@example.org", perms), {int(org.removeprefix("org")): bits for org, bits in staff.items()}
    )


def refusal(check: object, *needed: object) -> str:
    with pytest.raises(NotAllowed) as error:
        check(*needed)  # type: ignore[operator]
    return str(error.value)


def test_a_stranger_learns_nothing_of_an_org() -> None:
    stranger = caller(P.MANAGE_ORGS | P.JOIN_ORGS, org8=ROLES[Role.OWNER])

    for check in (lambda: stranger.must_be_member(ORG), lambda: stranger.must(ORG, P.MANAGE_CAMPAIGNS)):
        assert refusal(check) == "User is not a member of organisation"


def test_a_member_learns_what_is_missing() -> None:
    member = caller(org7=ROLES[Role.COORDINATOR])

    member.must_be_member(ORG)
    assert refusal(member.must, ORG, P.EXPORT_CONTACTS, P.DELETE_CONTACTS).endswith(
        "required permission: export_contacts, delete_contacts"
    )


def test_the_owner_of_the_instance_is_a_member_everywhere() -> None:
    owner = caller(P.INSTANCE_OWNER)

    owner.must_be_member(ORG)
    owner.must(ORG, P.DELETE_CONTACTS)
    owner.must_be(P.MANAGE_USERS)


def test_permissions_of_staff_are_not_of_the_instance() -> None:
    assert refusal(caller(org7=ROLES[Role.OWNER] | ADMIN).must_be, P.MANAGE_USERS).endswith("manage_users")
    caller(P.MANAGE_USERS).must_be(P.MANAGE_USERS)
