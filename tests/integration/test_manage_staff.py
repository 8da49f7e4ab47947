"""The staff of an org through the management API: roles, and who may give and take them (domain 12.6, 12.7)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from proca_common.aws.dynamo import Transaction
from proca_common.errors import InUse, Outdated
from proca_common.guards import caps
from proca_common.management import staff
from proca_common.orgs.org import Org
from proca_common.users import store as users
from proca_common.users.permissions import LEGACY_OWNER, Permission, Role
from tests.desks import NOBODY, Desk, desk, join
from tests.harness.calls import calls
from tests.harness.interleave import run, schedules
from tests.world import World

pytestmark = pytest.mark.usefixtures("org")
STAFF, INVITATIONS = "/v1/orgs/bees/staff", "/v1/orgs/bees/invitations"
BELOW = {
    Role.OWNER: set(Role),
    Role.CAMPAIGNER: {Role.CAMPAIGNER, Role.TRANSLATOR, Role.COORDINATOR},
    Role.TRANSLATOR: {Role.TRANSLATOR, Role.COORDINATOR},
    Role.COORDINATOR: set[Role](),
}
"""Which roles each may invite to (domain 12.6)."""
MAY_MANAGE = {Role.OWNER, Role.CAMPAIGNER}
"""Who may add and change directly."""


@pytest.fixture(autouse=True)
def _nobody_guessed_yet() -> None:
    caps.forget()


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees", key=False)


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def role(user: int, org: Org) -> Permission | None:
    return users.staff_of(org.id).get(user)


def any_version(_: int) -> None:
    """Whoever changes it has seen none."""


class TestStaff:
    def test_somebody_with_an_account_is_added_and_found(self, ida: Desk) -> None:
        ola = desk("ola@example.org")
        added = ida.post(STAFF, {"email": "Ola@Example.org", "role": "translator"})

        assert added.status == 201, added.body
        assert added.headers["Location"] == f"{STAFF}/{ola.user}"
        expected = {
            "user": ola.user,
            "email": "ola@example.org",
            "jobTitle": None,
            "role": "translator",
            "permissions": ["change_org_users", "change_campaign_settings"],
        }
        assert added.body == expected
        found = ola.get(f"{STAFF}/{ola.user}")
        assert (found.body, found.headers["ETag"]) == (expected, added.headers["ETag"])
        assert [each["email"] for each in ola.everything(STAFF, limit="1")] == ["ida@example.org", "ola@example.org"]

    def test_whoever_is_staff_already_stays_as_before(self, ida: Desk) -> None:
        desk("ola@example.org", bees=Role.COORDINATOR)
        again = ida.post(STAFF, {"email": "ola@example.org", "role": "owner"})
        assert (again.status, again.body["role"]) == (200, "coordinator")

    @pytest.mark.parametrize(
        ("given", "failed"),
        [
            ({}, [("/email", "blank"), ("/role", "blank")]),
            ({"email": "ola@example.org", "role": "king"}, [("/role", "invalid")]),
            ({"email": "ola@example.org", "role": "custom"}, [("/role", "invalid")]),
            ({"email": "ola@example.org", "role": "owner", "perms": 15}, [("/perms", "unknown_field")]),
        ],
    )
    def test_what_is_wrong_is_told_at_once(self, ida: Desk, given: dict[str, Any], failed: list[Any]) -> None:
        answer = ida.post(STAFF, given)
        assert (answer.status, answer.codes) == (422, failed)

    def test_nobody_without_an_account_is_added(self, ida: Desk) -> None:
        assert ida.post(STAFF, {"email": "who@example.org", "role": "owner"}).status == 404

    def test_staff_is_no_way_to_ask_for_accounts(self, ida: Desk) -> None:
        desk("ola@example.org")
        wanted = {"role": "coordinator"}
        answers = [ida.post(STAFF, wanted | {"email": f"who{n}@example.org"}).status for n in range(70)]
        assert set(answers[:60]) == {404}
        assert set(answers[61:]) == {429}
        assert ida.post(STAFF, wanted | {"email": "ola@example.org"}).status == 429

    def test_a_role_is_changed_only_as_it_was_seen(self, ida: Desk, org: Org) -> None:
        ola = desk("ola@example.org", bees=Role.COORDINATOR)
        seen = ida.get(f"{STAFF}/{ola.user}").headers["ETag"]
        changed = ida.patch(f"{STAFF}/{ola.user}", {"role": "campaigner"}, {"If-Match": seen})
        assert (changed.status, changed.body["role"]) == (200, "campaigner")
        assert ida.patch(f"{STAFF}/{ola.user}", {"role": "owner"}, {"If-Match": seen}).status == 412
        assert ida.delete(f"{STAFF}/{ola.user}", headers={"If-Match": seen}).status == 412
        assert role(ola.user, org) == Permission(1_540_096)

    def test_a_membership_ends(self, ida: Desk, org: Org) -> None:
        ola = desk("ola@example.org", bees=Role.CAMPAIGNER)
        assert ida.delete(f"{STAFF}/{ola.user}").status == 204
        assert role(ola.user, org) is None
        assert ola.get(STAFF).status == 403
        assert ida.get(f"{STAFF}/{ola.user}").status == 404
        assert ida.delete(f"{STAFF}/{ola.user}").status == 404

    def test_what_was_done_is_written_down_without_addresses(self, ida: Desk) -> None:
        ola = desk("ola@example.org")
        ida.post(STAFF, {"email": "ola@example.org", "role": "coordinator"})
        ida.patch(f"{STAFF}/{ola.user}", {"role": "translator"})
        ida.delete(f"{STAFF}/{ola.user}")
        trail = ida.get("/v1/orgs/bees/audit").body["items"]
        assert [(each["action"], each["before"].get("role"), each["after"].get("role")) for each in trail] == [
            ("staff.remove", "translator", None),
            ("staff.update", "coordinator", "translator"),
            ("staff.add", None, "coordinator"),
        ]
        assert {(each["who"], each["object"]) for each in trail} == {(ida.user, f"user#{ola.user}")}
        assert "@" not in str(trail)


class TestWhoMay:
    """The tables of domain 12.6; nobody touches what is above the own role (decision 33 of domain 15)."""

    @pytest.mark.parametrize("own", Role)
    def test_give_which_role(self, own: Role) -> None:
        who = desk("who@example.org", bees=own)
        for wanted in Role:
            desk(f"{wanted}@example.org")
            added = who.post(STAFF, {"email": f"{wanted}@example.org", "role": wanted})
            assert added.status == (201 if own in MAY_MANAGE and wanted in BELOW[own] else 403), wanted
            invited = who.post(INVITATIONS, {"email": "per@example.org", "role": wanted})
            assert invited.status == (201 if wanted in BELOW[own] else 403), wanted

    @pytest.mark.parametrize("own", Role)
    @pytest.mark.parametrize("had", Role)
    def test_touch_whom(self, ida: Desk, own: Role, had: Role) -> None:
        who = desk("who@example.org", bees=own)
        ola = desk("ola@example.org", bees=had)
        allowed = own in MAY_MANAGE and had in BELOW[own]
        for wanted in Role:
            changed = who.patch(f"{STAFF}/{ola.user}", {"role": wanted})
            fine = own in MAY_MANAGE and (wanted is had or (allowed and wanted in BELOW[own]))
            assert changed.status == (200 if fine else 403), wanted
            if fine and wanted is not had:
                ida.patch(f"{STAFF}/{ola.user}", {"role": had})
        assert who.delete(f"{STAFF}/{ola.user}").status == (204 if allowed else 403)

    def test_a_legacy_owner_counts_as_an_owner(self, org: Org, ida: Desk) -> None:
        who = desk("who@example.org")
        self.put(who.user, org, LEGACY_OWNER)
        assert who.get(f"{STAFF}/{who.user}").body["role"] == "owner"
        assert who.post(INVITATIONS, {"email": "per@example.org", "role": "owner"}).status == 201
        assert who.delete(f"{STAFF}/{ida.user}").status == 204
        assert who.patch(f"{STAFF}/{who.user}", {"role": "owner"}).status == 200
        assert role(who.user, org) == Permission(1_541_760)

    def test_extra_permissions_are_lost_with_a_new_role(self, org: Org, ida: Desk) -> None:
        who = desk("who@example.org")
        self.put(who.user, org, Permission(1_081_344) | Permission.USE_API)
        assert ida.get(f"{STAFF}/{who.user}").body["role"] == "translator"
        assert ida.patch(f"{STAFF}/{who.user}", {"role": "coordinator"}).status == 403  # nobody here has use_api
        owner = desk("root@example.org", perms=Permission.INSTANCE_OWNER)
        assert owner.patch(f"{STAFF}/{who.user}", {"role": "coordinator"}).status == 200
        assert role(who.user, org) == Permission(1_048_576)

    def test_whoever_owns_the_instance_may_without_being_staff(self, ida: Desk) -> None:
        root = desk("root@example.org", perms=Permission.INSTANCE_OWNER)
        desk("ola@example.org")
        assert root.post(STAFF, {"email": "ola@example.org", "role": "owner"}).status == 201
        assert root.delete(f"{STAFF}/{ida.user}").status == 204
        assert root.get("/v1/orgs/none/staff").status == 404

    def test_nobody_learns_which_orgs_there_are(self) -> None:
        ola = desk("ola@example.org")
        seen = []
        for name in ("bees", "none"):
            for method, path, body in (
                ("GET", "staff", None),
                ("POST", "staff", {"email": "x@example.org", "role": "owner"}),
                ("DELETE", "staff/1", None),
                ("GET", "invitations", None),
            ):
                with calls() as made:
                    answer = ola.ask(method, f"/v1/orgs/{name}/{path}", body)
                seen.append((answer.status, answer.body, tuple(made.operations)))
        assert len(set(map(str, seen))) == 1
        assert seen[0][0] == 403
        assert NOBODY.get(STAFF).status == 401

    @staticmethod
    def put(user: int, org: Org, perms: Permission) -> None:
        transaction = Transaction()
        users.put_staffer(transaction, user, org.id, perms)
        transaction.commit()


class TestTheLastOwner:
    def test_stays(self, ida: Desk, org: Org) -> None:
        root = desk("root@example.org", perms=Permission.INSTANCE_OWNER | Permission.JOIN_ORGS)
        desk("ola@example.org", bees=Role.CAMPAIGNER)
        for who in (ida, root):
            assert who.patch(f"{STAFF}/{ida.user}", {"role": "campaigner"}).status == 409
        assert root.delete(f"{STAFF}/{ida.user}").status == 409
        assert ida.delete(f"{STAFF}/{ida.user}").status == 403
        assert role(ida.user, org) == Permission(1_541_760)

    def test_may_go_once_there_is_another(self, ida: Desk) -> None:
        ola = desk("ola@example.org", bees=Role.OWNER)
        assert ida.patch(f"{STAFF}/{ida.user}", {"role": "coordinator"}).status == 200
        assert ola.delete(f"{STAFF}/{ida.user}").status == 204

    def test_two_who_remove_each_other_at_once_do_not_both_succeed(self, ida: Desk, org: Org) -> None:
        ola = desk("ola@example.org", bees=Role.OWNER)
        people = [users.caller(who.user)[0] for who in (ida, ola)]
        removals = [
            partial(staff.remove, people[0], "bees", ola.user, any_version),
            partial(staff.remove, people[1], "bees", ida.user, any_version),
        ]
        for schedule in schedules(6, 6, preemptions=2):
            done = run(*removals, schedule)
            errors = [result.error for result in (done.a, done.b)]
            assert len([error for error in errors if error is None]) == 1, str(done)
            assert all(isinstance(error, InUse | Outdated | None) for error in errors), str(done)
            [left] = users.staff_of(org.id)
            join(({ida.user, ola.user} - {left}).pop(), "bees", Role.OWNER)

    def test_oneself_is_removed_only_by_who_may_join_again(self, ida: Desk) -> None:
        ola = desk("ola@example.org", perms=Permission.JOIN_ORGS, bees=Role.OWNER)
        assert ida.delete(f"{STAFF}/{ida.user}").body["detail"] == "You cannot remove yourself"
        assert ola.delete(f"{STAFF}/{ola.user}").status == 204


class TestJoining:
    JOIN = "/v1/orgs/bees/members/me"

    def test_whoever_may_join_orgs_owns_them(self, ida: Desk) -> None:
        ola = desk("ola@example.org", perms=Permission.JOIN_ORGS)
        joined = ola.post(self.JOIN)
        assert (joined.status, joined.body["role"]) == (200, "owner")
        assert ola.post(self.JOIN).status == 200
        assert ola.post("/v1/orgs/none/members/me").status == 404
        [entry] = ida.get("/v1/orgs/bees/audit").body["items"]
        assert (entry["action"], entry["who"]) == ("staff.join", ola.user)

    def test_a_membership_becomes_an_owners(self, org: Org) -> None:
        ola = desk("ola@example.org", perms=Permission.JOIN_ORGS, bees=Role.COORDINATOR)
        assert ola.post(self.JOIN).body["role"] == "owner"
        assert role(ola.user, org) == Permission(1_541_760)

    def test_nobody_else_may(self, ida: Desk) -> None:
        assert ida.post(self.JOIN).status == 403
        assert desk("ola@example.org").post(self.JOIN).status == 403
        assert NOBODY.post(self.JOIN).status == 401
