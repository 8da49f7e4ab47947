"""Orgs through the management API: settings, queues, names, the end of one, and who may do what (domain 13.1, 12.8)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.catalog.names import NameGuard
from proca_common.errors import Outdated
from proca_common.mails import templates
from proca_common.mails.templates import EmailTemplateInput
from proca_common.management import orgs as managed
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.pipes import topology
from proca_common.pipes.routing import Queue
from proca_common.users import store as users
from proca_common.users.permissions import Permission, Role
from tests.desks import NOBODY, Desk, desk, join
from tests.harness.calls import calls, unseen_client
from tests.harness.interleave import run
from tests.world import World

pytestmark = pytest.mark.usefixtures("org")
NEW = {"name": "rivers", "title": "Rivers", "encryption": "encrypted"}


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def queues(world: World, org: int) -> set[str]:
    found = unseen_client("sqs").list_queues(QueueNamePrefix=f"test-org-{org}-").get("QueueUrls", [])
    return {url.removeprefix(f"{world.prefix}{org}-") for url in found}


def any_version(_: int) -> None:
    """Whoever changes it has seen none."""


def trail(who: Desk, org: str = "bees") -> list[dict[str, Any]]:
    return who.everything(f"/v1/orgs/{org}/audit")


class TestCreating:
    def test_whoever_makes_one_owns_it_with_its_queues(self, world: World) -> None:
        ola = desk("ola@example.org")
        answer = ola.post("/v1/orgs", NEW)

        assert answer.status == 201, answer.body
        assert answer.headers["Location"] == "/v1/orgs/rivers"
        assert answer.headers["Cache-Control"] == "no-store"
        assert (answer.body["name"], answer.body["encryption"]) == ("rivers", "encrypted")
        assert answer.body["emailFrom"] == "ola@example.org"
        assert queues(world, answer.body["id"]) == {"deliver", "deliver-dlq"}
        [listed] = ola.everything("/v1/orgs")
        assert (listed["name"], listed["role"]) == ("rivers", "owner")
        assert "delete_contacts" in listed["permissions"]
        assert ola.get("/v1/orgs/rivers").body == answer.body
        [entry] = trail(ola, "rivers")
        assert (entry["who"], entry["action"], entry["object"]) == (
            ola.user,
            "org.create",
            f"org#{answer.body['id']}",
        )

    def test_the_instance_hears_of_it(self, world: World) -> None:
        desk("ola@example.org").post("/v1/orgs", NEW)
        [event] = [item for item in world.tables.all_items("CatalogTable") if item["pk"]["S"] == "events"]
        assert event["event_type"]["S"] == "new_org"

    def test_mails_go_out_through_the_instance_where_it_mails(self, world: World) -> None:
        instance = orgs.get(world.instance.org)
        services.add(instance.id, ServiceInput(name=ServiceName.SES, host="eu-central-1"))
        orgs.replace(instance.model_copy(update={"email_backend": "ses"}))
        assert desk("ola@example.org").post("/v1/orgs", NEW).body["emailBackend"] == "system"

    def test_an_address_must_be_proven_first(self) -> None:
        answer = desk("ola@example.org", confirmed=False).post("/v1/orgs", NEW)
        assert answer.status == 403
        assert "Confirm your e-mail address" in answer.body["detail"]

    def test_all_failed_rules_are_told_at_once(self) -> None:
        answer = desk("ola@example.org").post(
            "/v1/orgs", {"name": "no spaces", "queuePrincipals": ["*"], "isFamous": True}
        )
        assert answer.status == 422
        assert sorted(answer.codes) == [
            ("/encryption", "blank"),
            ("/isFamous", "unknown_field"),
            ("/name", "format"),
            ("/queuePrincipals/0", "invalid"),
            ("/title", "blank"),
        ]

    def test_a_name_belongs_to_one(self, ida: Desk) -> None:
        answer = ida.post("/v1/orgs", {**NEW, "name": "BEES"})
        assert (answer.status, answer.codes) == (409, [("/name", "taken")])

    def test_a_key_or_number_cannot_be_given(self, ida: Desk) -> None:
        answer = ida.post("/v1/orgs", {**NEW, "id": 1, "activeKey": {"id": 1}, "version": 7, "instanceEvents": True})
        assert {code for _, code in answer.codes} == {"unknown_field"}

    def test_nobody_owns_any_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(managed, "MAX_OWNED", 1)
        ola = desk("ola@example.org")
        assert ola.post("/v1/orgs", NEW).status == 201
        assert ola.post("/v1/orgs", {**NEW, "name": "lakes"}).status == 403


class TestChanging:
    def test_a_merge_patch(self, ida: Desk) -> None:
        before = ida.get("/v1/orgs/bees")
        first = ida.patch("/v1/orgs/bees", {"title": "Bees of the world", "config": {"a": 1, "b": {"c": 2}}})
        assert (first.status, first.body["title"]) == (200, "Bees of the world")
        assert first.headers["ETag"] != before.headers["ETag"]
        second = ida.patch("/v1/orgs/bees", {"config": {"a": None, "b": {"d": 3}}})
        assert second.body["config"] == {"b": {"c": 2, "d": 3}}
        assert {**second.body, "title": "Bees", "config": {}} == before.body

    def test_the_second_of_two_who_saw_the_same_is_refused(self, ida: Desk) -> None:
        seen = {"If-Match": ida.get("/v1/orgs/bees").headers["ETag"]}
        assert ida.patch("/v1/orgs/bees", {"title": "First"}, seen).status == 200
        assert ida.patch("/v1/orgs/bees", {"title": "Second"}, seen).status == 412
        assert ida.get("/v1/orgs/bees").body["title"] == "First"

    @pytest.mark.parametrize("schedule", ["ABAB", "BABA", "AABBAB"])
    def test_of_two_at_once_none_overwrites_the_other(self, ida: Desk, schedule: str) -> None:
        caller, _ = users.caller(ida.user)
        outcome = run(
            lambda: managed.change(caller, "bees", {"title": "New"}, any_version, ""),
            lambda: managed.change(caller, "bees", {"doiThankYou": True}, any_version, ""),
            schedule,
        )
        errors = [result.error for result in (outcome.a, outcome.b)]
        assert {type(error) for error in errors} <= {type(None), Outdated}
        stored = orgs.find("bees")
        assert (stored.title == "New") + stored.doi_thank_you == errors.count(None) >= 1

    def test_the_trail_says_who_changed_what(self, ida: Desk) -> None:
        ida.patch("/v1/orgs/bees", {"title": "New", "customSupporterConfirm": False})
        [entry] = trail(ida)
        assert (entry["who"], entry["action"]) == (ida.user, "org.update")
        assert (entry["before"], entry["after"]) == ({"title": "Bees"}, {"title": "New"})

    def test_what_changes_nothing_is_no_change(self, ida: Desk) -> None:
        before = ida.get("/v1/orgs/bees").headers["ETag"]
        assert ida.patch("/v1/orgs/bees", {"title": "Bees"}).headers["ETag"] == before
        assert trail(ida) == []

    def test_another_name(self, ida: Desk) -> None:
        assert ida.patch("/v1/orgs/bees", {"name": "Bumblebees"}).status == 200
        assert ida.get("/v1/orgs/bumblebees").status == 200
        assert ida.get("/v1/orgs/bees").status == 403

    def test_the_mode_of_encryption_is_not_a_setting(self, ida: Desk) -> None:
        assert ida.patch("/v1/orgs/bees", {"encryption": "clear"}).codes == [("/encryption", "unknown_field")]

    def test_a_config_cannot_grow_without_end(self, ida: Desk) -> None:
        for letter in "ab":
            assert ida.patch("/v1/orgs/bees", {"config": {letter: "x" * 60_000}}).status == 200
        assert ida.patch("/v1/orgs/bees", {"config": {"c": "x" * 60_000}}).codes == [("", "too_large")]

    def test_only_the_instances_org_hears_of_all(self, ida: Desk) -> None:
        join(ida.user, "instance", Role.OWNER)
        assert ida.patch("/v1/orgs/bees", {"instanceEvents": True}).codes == [("/instanceEvents", "unknown_field")]
        assert ida.patch("/v1/orgs/instance", {"instanceEvents": True}).body["instanceEvents"] is True


class TestQueues:
    def test_they_follow_the_settings(self, world: World, org: Org, ida: Desk) -> None:
        ida.patch("/v1/orgs/bees", {"customSupporterConfirm": True, "eventQueue": True, "customActionDeliver": False})
        assert queues(world, org.id) == {"confirm-supporter", "confirm-supporter-dlq", "event", "event-dlq"}

    def test_other_settings_leave_them_alone(self, ida: Desk) -> None:
        with calls() as recorded:
            ida.patch("/v1/orgs/bees", {"title": "New"})
        assert not {"CreateQueue", "SetQueueAttributes"} & set(recorded.operations)

    def test_the_same_once_more_makes_what_is_missing(self, world: World, org: Org, ida: Desk) -> None:
        topology.remove(world.prefix, org.id)
        assert ida.patch("/v1/orgs/bees", {"customActionDeliver": True}).status == 200
        assert queues(world, org.id) == {"deliver", "deliver-dlq"}

    def test_the_orgs_own_principals_may_read(self, world: World, org: Org, ida: Desk) -> None:
        principal = "arn:aws:iam::123456789012:role/crm"
        ida.patch("/v1/orgs/bees", {"queuePrincipals": [principal]})
        url = topology.queue_url(world.prefix, org.id, Queue.DELIVER)
        policy = unseen_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
        assert principal in policy["Policy"]


class TestWhatMustBeThere:
    def test_a_backend_is_a_service_of_the_org(self, org: Org, ida: Desk) -> None:
        wanted = {"pushBackend": "webhook", "emailBackend": "ses", "transactionalEmailBackend": "system"}
        answer = ida.patch("/v1/orgs/bees", {**wanted, "storageBackend": "s3"})
        assert {(failed["pointer"], failed["message"]) for failed in answer.body["errors"]} == {
            ("/pushBackend", "no such service"),
            ("/emailBackend", "no such service"),
            ("/storageBackend", "no such service"),
            ("/transactionalEmailBackend", "instance org has no transactional email backend configured"),
        }
        services.add(org.id, ServiceInput(name=ServiceName.WEBHOOK, host="https://crm.example.org/in"))
        assert ida.patch("/v1/orgs/bees", {"pushBackend": "webhook"}).body["pushBackend"] == "webhook"
        assert ida.patch("/v1/orgs/bees", {"pushBackend": None}).body["pushBackend"] is None

    def test_a_service_that_cannot_do_it(self, ida: Desk) -> None:
        assert ida.patch("/v1/orgs/bees", {"pushBackend": "ses"}).codes == [("/pushBackend", "invalid")]

    def test_the_instances_own_org_cannot_borrow_from_itself(self, ida: Desk) -> None:
        join(ida.user, "instance", Role.OWNER)
        assert ida.patch("/v1/orgs/instance", {"emailBackend": "system"}).codes == [("/emailBackend", "invalid")]

    def test_a_template_where_the_org_mails(self, org: Org, ida: Desk) -> None:
        assert ida.patch("/v1/orgs/bees", {"supporterConfirmTemplate": "later"}).status == 200
        services.add(org.id, ServiceInput(name=ServiceName.SES, host="eu-central-1"))
        refused = ida.patch("/v1/orgs/bees", {"emailBackend": "ses"})
        assert refused.codes == [("/supporterConfirmTemplate", "not_found")]
        assert refused.body["errors"][0]["message"] == "Template not found"
        templates.put(org.id, EmailTemplateInput(name="later", locale="de", subject="Hallo", html="<p>Hallo</p>"))
        assert ida.patch("/v1/orgs/bees", {"emailBackend": "ses"}).status == 200


class TestDeleting:
    def test_all_of_it_goes_but_an_entry_with_the_instance(self, world: World, org: Org, ida: Desk) -> None:
        ola = desk("ola@example.org", bees=Role.CAMPAIGNER, instance=Role.OWNER)
        services.add(org.id, ServiceInput(name=ServiceName.STRIPE), "secret")
        assert ida.delete("/v1/orgs/bees").status == 204
        assert queues(world, org.id) == set()
        left = [item["pk"]["S"] for item in world.tables.all_items("CatalogTable")]
        assert f"org#{org.id}" not in left
        assert ida.get("/v1/orgs/bees").status == 403
        assert [found["name"] for found in ola.everything("/v1/orgs")] == ["instance"]
        [entry] = trail(ola, "instance")
        assert (entry["action"], entry["object"], entry["after"]) == ("org.delete", f"org#{org.id}", {})

    def test_not_while_it_has_campaigns(self, world: World, org: Org, ida: Desk) -> None:
        world.campaign(org)
        answer = ida.delete("/v1/orgs/bees")
        assert (answer.status, answer.body["detail"]) == (409, "org has campaigns or action pages")
        assert ida.get("/v1/orgs/bees").status == 200

    def test_not_when_it_was_changed_meanwhile(self, ida: Desk) -> None:
        seen = {"If-Match": ida.get("/v1/orgs/bees").headers["ETag"]}
        ida.patch("/v1/orgs/bees", {"title": "New"})
        assert ida.delete("/v1/orgs/bees", headers=seen).status == 412

    def test_not_the_instances(self, ida: Desk) -> None:
        join(ida.user, "instance", Role.OWNER)
        assert ida.delete("/v1/orgs/instance").status == 409

    def test_one_with_more_than_fits_into_one_transaction(self, world: World, org: Org, ida: Desk) -> None:
        with NameGuard.batch_write() as batch:
            for number in range(150):
                batch.save(NameGuard(pk=f"org#{org.id}", sk=f"other#{number}", id=number))
        assert ida.delete("/v1/orgs/bees").status == 204
        assert f"org#{org.id}" not in [item["pk"]["S"] for item in world.tables.all_items("CatalogTable")]


class TestWho:
    def test_nobody(self) -> None:
        for method, path in (("GET", "/v1/orgs"), ("POST", "/v1/orgs"), ("GET", "/v1/orgs/bees"),
                             ("PATCH", "/v1/orgs/bees"), ("DELETE", "/v1/orgs/bees"),
                             ("GET", "/v1/orgs/bees/audit")):  # fmt: skip
            answer = NOBODY.ask(method, path, None if method == "GET" else {})
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic")

    def test_an_org_of_others_is_as_one_that_is_not_there(self) -> None:
        ola = desk("ola@example.org")
        answers, made = [], []
        for name in ("bees", "nothing"):
            with calls() as recorded:
                answers.append(ola.get(f"/v1/orgs/{name}"))
            made.append(recorded.operations)
        assert answers[0] == answers[1]
        assert made[0] == made[1]
        assert (answers[0].status, answers[0].body["detail"]) == (403, "User is not a member of organisation")
        for name in ("bees", "nothing"):
            assert ola.patch(f"/v1/orgs/{name}", {"title": "Mine"}).status == 403
            assert ola.delete(f"/v1/orgs/{name}").status == 403
            assert ola.get(f"/v1/orgs/{name}/audit").status == 403

    def test_roles(self) -> None:
        for role, may_change in ((Role.CAMPAIGNER, True), (Role.TRANSLATOR, False), (Role.COORDINATOR, False)):
            who = desk(f"{role}@example.org", bees=role)
            assert who.get("/v1/orgs/bees").status == 200
            assert (who.patch("/v1/orgs/bees", {"title": "New"}).status == 200) is may_change
            assert (who.get("/v1/orgs/bees/audit").status == 200) is may_change
            assert who.delete("/v1/orgs/bees").status == 403

    def test_whoever_owns_the_instance_sees_all(self, world: World) -> None:
        world.org("trees")
        root = desk("root@example.org", perms=Permission.INSTANCE_OWNER)
        assert root.get("/v1/orgs/bees").status == 200
        assert root.get("/v1/orgs/nothing").status == 404
        assert [found["name"] for found in root.everything("/v1/orgs", limit="1")] == ["instance", "bees", "trees"]
        manager = desk("manager@example.org", perms=Permission.MANAGE_ORGS)
        assert len(manager.everything("/v1/orgs")) == 3
        assert manager.get("/v1/orgs/bees").status == 403


class TestLists:
    def test_parts_one_after_the_other(self, ida: Desk) -> None:
        for number in range(5):
            ida.patch("/v1/orgs/bees", {"title": f"Title {number}"})
        first = ida.get("/v1/orgs/bees/audit", limit="2").body
        assert [entry["after"]["title"] for entry in first["items"]] == ["Title 4", "Title 3"]
        titles = [entry["after"]["title"] for entry in ida.everything("/v1/orgs/bees/audit", limit="2")]
        assert titles == [f"Title {number}" for number in (4, 3, 2, 1, 0)]

    @pytest.mark.parametrize(
        ("query", "failed"),
        [
            ({"limit": "0"}, ["/limit"]),
            ({"limit": "101"}, ["/limit"]),
            ({"limit": "x", "cursor": "***"}, ["/limit", "/cursor"]),
            ({"cursor": "YWJj"}, ["/cursor"]),
        ],
    )
    def test_what_cannot_be_asked_for(self, ida: Desk, query: dict[str, str], failed: list[str]) -> None:
        answer = ida.get("/v1/orgs", **query)
        assert (answer.status, [pointer for pointer, _ in answer.codes]) == (422, failed)
