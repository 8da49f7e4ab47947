"""Services through the management API: set up, changed, taken away; passwords never come out (domain 13.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests.desks import NOBODY, Desk, desk
from tests.world import PASSWORDS_KEY, World

SERVICES = "/v1/orgs/bees/services"
WEBHOOK = {"name": "webhook", "host": "https://crm.example.org/in", "user": "us"}
PASSWORD = "a-password-of-a-service"
pytestmark = pytest.mark.usefixtures("org")


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


@pytest.fixture
def made(ida: Desk) -> dict[str, Any]:
    answer = ida.post(SERVICES, {**WEBHOOK, "password": PASSWORD})
    assert answer.status == 201, answer.body
    return answer.body


def opened(org: Org, number: int) -> str:
    return services.opened(services.get(org.id, number), PASSWORDS_KEY)


def test_a_password_goes_in_and_never_comes_out(world: World, org: Org, ida: Desk, made: dict[str, Any]) -> None:
    assert (made["name"], made["host"], made["password"]) == ("webhook", "https://crm.example.org/in", True)
    assert ida.get(f"{SERVICES}/{made['id']}").body == made
    assert ida.everything(SERVICES) == [made]
    assert opened(org, made["id"]) == PASSWORD
    [entry] = ida.everything("/v1/orgs/bees/audit")
    assert (entry["action"], entry["after"]["password"]) == ("service.create", "set")
    assert PASSWORD not in json.dumps(entry) + str(world.tables.all_items("CatalogTable"))


def test_all_failed_rules_are_told_at_their_fields(ida: Desk) -> None:
    assert sorted(ida.post(SERVICES, {"name": "fax", "rate": -1, "org": 1}).codes) == [
        ("/name", "invalid"),
        ("/org", "unknown_field"),
        ("/rate", "invalid"),
    ]
    assert ida.post(SERVICES, {"name": "webhook"}).codes == [("/host", "invalid")]
    assert ida.post(SERVICES, {**WEBHOOK, "host": "https://10.0.0.1/in"}).codes == [("/host", "invalid")]
    assert ida.post(SERVICES, {**WEBHOOK, "password": "whsec_short"}).codes == [("/password", "invalid")]
    queue = {"name": "sqs", "host": "eu-central-1", "path": "https://sqs.us-east-1.amazonaws.com/123456789012/q"}
    assert ida.post(SERVICES, queue).codes == [("/path", "invalid")]


def test_nobody_but_the_instance_sends_with_its_own_account(world: World, ida: Desk) -> None:
    ses = {"name": "ses", "host": "eu-central-1"}
    assert ida.post(SERVICES, ses).codes == [("/user", "blank")]
    own = ida.post(SERVICES, {**ses, "user": "AKIAEXAMPLE", "password": PASSWORD})
    assert own.status == 201
    assert ida.patch(f"{SERVICES}/{own.body['id']}", {"user": ""}).codes == [("/user", "blank")]
    assert desk("ole@example.org", instance=Role.OWNER).post("/v1/orgs/instance/services", ses).status == 201


class TestChanging:
    def test_keeps_the_password_unless_another_is_given(self, org: Org, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{SERVICES}/{made['id']}"
        assert ida.patch(path, {"user": "them"}).body["user"] == "them"
        assert opened(org, made["id"]) == PASSWORD
        assert ida.patch(path, {"password": "another"}).status == 200
        assert opened(org, made["id"]) == "another"
        assert ida.everything("/v1/orgs/bees/audit")[0]["after"] == {"password": "another"}
        assert ida.patch(path, {"password": None}).body["password"] is False

    def test_the_name_stays(self, ida: Desk, made: dict[str, Any]) -> None:
        answer = ida.patch(f"{SERVICES}/{made['id']}", {"name": "stripe", "host": ""})
        assert answer.codes == [("/name", "invalid")]
        assert answer.body["errors"][0]["message"] == "cannot be changed"

    def test_the_second_of_two_who_saw_the_same_is_refused(self, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{SERVICES}/{made['id']}"
        seen = {"If-Match": ida.get(path).headers["ETag"]}
        assert ida.patch(path, {"user": "first"}, seen).status == 200
        assert ida.patch(path, {"user": "second"}, seen).status == 412
        assert ida.delete(path, headers=seen).status == 412


class TestTakingAway:
    def test_backends_that_were_it_are_none(self, org: Org, ida: Desk, made: dict[str, Any]) -> None:
        assert ida.patch("/v1/orgs/bees", {"pushBackend": "webhook", "eventBackend": "webhook"}).status == 200
        other = ida.post(SERVICES, WEBHOOK).body
        assert ida.delete(f"{SERVICES}/{other['id']}").status == 204
        assert orgs.get(org.id).push_backend == "webhook"
        assert ida.delete(f"{SERVICES}/{made['id']}").status == 204
        known = orgs.get(org.id)
        assert (known.push_backend, known.event_backend) == (None, None)
        newest = ida.everything("/v1/orgs/bees/audit")[0]
        assert newest["before"]["pushBackend"] == "webhook"
        assert ida.get(f"{SERVICES}/{made['id']}").status == 404


def test_who(world: World, made: dict[str, Any]) -> None:
    world.org("trees")
    ola = desk("ola@example.org", trees=Role.OWNER)
    assert ola.get(f"/v1/orgs/trees/services/{made['id']}").status == 404
    assert ola.get(SERVICES).status == 403
    assert desk("tom@example.org", bees=Role.TRANSLATOR).get(SERVICES).status == 403
    assert desk("eva@example.org", bees=Role.CAMPAIGNER).get(SERVICES).status == 200
    assert NOBODY.get(SERVICES).status == 401


def test_a_list_in_parts(ida: Desk) -> None:
    made = [ida.post(SERVICES, {"name": "stripe"}).body["id"] for _ in range(3)]
    assert [service["id"] for service in ida.everything(SERVICES, limit="1")] == made
