"""Pages through the management API: added, copied, changed, launched, ended (domain 13.3, 13.4, 12.8)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.campaigns import store as campaigns
from proca_common.errors import Outdated
from proca_common.mails import templates
from proca_common.mails.templates import EmailTemplateInput
from proca_common.management import action_pages as managed
from proca_common.management import page_actions
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.users import store as users
from proca_common.users.permissions import Role
from tests.desks import NOBODY, Desk, desk
from tests.harness.faults import faults, throttle
from tests.harness.interleave import run
from tests.world import World

PAGES = "/v1/orgs/bees/pages"
NEW = {"name": "bees/en", "locale": "en", "campaign": "save_bees"}
pytestmark = pytest.mark.usefixtures("org")


@pytest.fixture
def org(world: World) -> Org:
    made = world.org("bees")
    world.campaign(made, "save_bees")
    return made


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.CAMPAIGNER)


@pytest.fixture
def trees(world: World) -> Org:
    return world.org("trees")


@pytest.fixture
def ola(trees: Org) -> Desk:
    return desk("ola@example.org", trees=Role.CAMPAIGNER)


@pytest.fixture
def made(ida: Desk) -> dict[str, Any]:
    answer = ida.post(PAGES, NEW)
    assert answer.status == 201, answer.body
    return answer.body


def persons(world: World) -> list[dict[str, Any]]:
    """What is stored of persons and their actions."""
    return [item for item in world.items() if item["sk"].startswith(("A#", "S#", "C#", "M#", "T#", "id"))]


def any_version(_: int) -> None:
    """Whoever changes it has seen none."""


class TestAdding:
    def test_to_a_campaign(self, ida: Desk) -> None:
        answer = ida.post(PAGES, {**NEW, "config": {"a": 1}})
        assert (answer.status, answer.headers["Location"]) == (201, f"{PAGES}/1")
        assert answer.body == {
            "id": 1,
            "name": "bees/en",
            "locale": "en",
            "org": "bees",
            "campaign": "save_bees",
            "delivery": True,
            "live": False,
            "extraSupporters": 0,
            "thankYouTemplate": None,
            "supporterConfirmTemplate": None,
            "duplicateTemplate": None,
            "config": {"a": 1},
            "status": "standby",
            "location": None,
        }
        assert ida.get(f"{PAGES}/1").body == answer.body
        assert ida.everything(PAGES) == [answer.body]
        newest = ida.everything("/v1/orgs/bees/audit")[0]
        assert (newest["action"], newest["object"], newest["after"]["name"]) == ("page.create", "page#1", "bees/en")

    def test_to_a_campaign_of_others_without_asking(self, ola: Desk) -> None:
        answer = ola.post("/v1/orgs/trees/pages", {**NEW, "name": "trees/en"})
        assert (answer.status, answer.body["org"], answer.body["live"]) == (201, "trees", False)

    def test_as_a_copy_of_a_page(self, ida: Desk, ola: Desk) -> None:
        original = {**NEW, "config": {"a": {"b": 1}}, "delivery": False, "extraSupporters": 7, "locale": "de"}
        ida.post(PAGES, original)
        answer = ola.post("/v1/orgs/trees/pages", {"name": "trees/de", "fromPage": "BEES/en"})
        assert answer.status == 201, answer.body
        copied = answer.body
        assert (copied["locale"], copied["delivery"], copied["config"]) == ("de", False, {"a": {"b": 1}})
        assert (copied["extraSupporters"], copied["live"], copied["campaign"]) == (0, False, "save_bees")
        other = ola.post("/v1/orgs/trees/pages", {"name": "trees/fr", "fromPage": "bees/en", "locale": "fr"})
        assert other.body["locale"] == "fr"

    def test_as_a_copy_of_the_leads_newest_page(self, ida: Desk, ola: Desk) -> None:
        wanted = {"name": "trees/copy", "fromCampaign": "save_bees"}
        refused = ola.post("/v1/orgs/trees/pages", wanted)
        assert refused.codes == [("/fromCampaign", "not_found")]
        assert refused.body["errors"][0]["message"] == "Campaign save_bees does not have action pages"
        ida.post(PAGES, NEW)
        ida.post(PAGES, {**NEW, "name": "bees/newest", "locale": "it"})
        ola.post("/v1/orgs/trees/pages", {**NEW, "name": "trees/not_the_leads", "locale": "sv"})
        assert ola.post("/v1/orgs/trees/pages", wanted).body["locale"] == "it"

    def test_all_failed_rules_are_told_at_once(self, ida: Desk) -> None:
        given = {"name": "no-slash", "locale": "english", "live": True, "campaign": "nothing", "extraSupporters": -1}
        assert sorted(ida.post(PAGES, given).codes) == [
            ("/campaign", "not_found"),
            ("/extraSupporters", "invalid"),
            ("/live", "unknown_field"),
            ("/locale", "format"),
            ("/name", "invalid"),
        ]
        assert ida.post(PAGES, {"name": "bees/en", "locale": "en"}).codes == [("/campaign", "invalid")]
        twice = ida.post(PAGES, {**NEW, "fromPage": "bees/en"})
        assert twice.codes == [("/campaign", "invalid")]

    @pytest.mark.usefixtures("made")
    def test_a_name_belongs_to_one(self, ida: Desk) -> None:
        answer = ida.post(PAGES, {**NEW, "name": "Bees/EN"})
        assert (answer.status, answer.codes) == (409, [("/name", "taken")])


class TestChanging:
    def test_a_merge_patch(self, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{PAGES}/{made['id']}"
        answer = ida.patch(path, {"name": "bees/all", "config": {"a": 1}, "extraSupporters": 5})
        assert (answer.status, answer.body) == (
            200,
            {**made, "name": "bees/all", "config": {"a": 1}, "extraSupporters": 5},
        )
        assert ida.everything("/v1/orgs/bees/audit")[0]["before"] == {
            "name": "bees/en",
            "extraSupporters": 0,
            "config": {},
        }
        assert ida.patch(path, {"live": True, "org": "trees"}).codes == [
            ("/live", "unknown_field"),
            ("/org", "unknown_field"),
        ]

    def test_the_second_of_two_who_saw_the_same_is_refused(self, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{PAGES}/{made['id']}"
        seen = {"If-Match": ida.get(path).headers["ETag"]}
        assert ida.patch(path, {"locale": "de"}, seen).status == 200
        assert ida.patch(path, {"locale": "fr"}, seen).status == 412
        assert ida.delete(path, headers=seen).status == 412

    @pytest.mark.parametrize("schedule", ["ABAB", "AABBAB", "BABA"])
    def test_of_two_at_once_none_overwrites_the_other(self, ida: Desk, made: dict[str, Any], schedule: str) -> None:
        caller, _ = users.caller(ida.user)
        outcome = run(
            lambda: managed.change(caller, "bees", made["id"], {"locale": "de"}, any_version),
            lambda: managed.change(caller, "bees", made["id"], {"delivery": False}, any_version),
            schedule,
        )
        errors = [result.error for result in (outcome.a, outcome.b)]
        assert {type(error) for error in errors} <= {type(None), Outdated}
        stored = pages.get(made["id"])
        assert (stored.locale == "de") + (not stored.delivery) == errors.count(None) >= 1

    def test_templates_must_be_there_where_the_org_mails(self, org: Org, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{PAGES}/{made['id']}"
        wanted = {"thankYouTemplate": "thanks", "duplicateTemplate": "again"}
        assert ida.patch(path, {"supporterConfirmTemplate": "later"}).status == 200
        services.add(org.id, ServiceInput(name=ServiceName.SES, host="eu-central-1"))
        orgs.replace(orgs.get(org.id).model_copy(update={"email_backend": "ses"}))
        assert ida.patch(path, wanted).codes == [
            ("/thankYouTemplate", "not_found"),
            ("/duplicateTemplate", "not_found"),
        ]
        for name in wanted.values():
            templates.put(org.id, EmailTemplateInput(name=name, locale="de", subject="Hi", html="<p>Hi</p>"))
        assert ida.patch(path, wanted).status == 200


class TestDeleting:
    def test_an_unused_page_and_its_name_are_gone(self, world: World, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{PAGES}/{made['id']}"
        assert ida.delete(path).status == 204
        assert ida.get(path).status == 404
        assert world.get(f"/v1/pages/{made['id']}").status == 404
        assert ida.everything(PAGES) == []
        assert ida.everything("/v1/orgs/bees/audit")[0]["before"]["name"] == "bees/en"
        assert ida.post(PAGES, NEW).status == 201
        campaigns.delete(campaigns.find("save_bees"), lambda _: None, 1)  # it has exactly one again

    def test_not_one_with_actions(self, world: World, ida: Desk, made: dict[str, Any]) -> None:
        other = ida.post(PAGES, {**NEW, "name": "bees/other"}).body
        page = pages.get(made["id"])
        world.sign(page, testing=True, email="mara@example.org")
        world.sign(page)
        before = world.items()
        answer = ida.delete(f"{PAGES}/{made['id']}")
        assert (answer.status, answer.body["detail"]) == (409, "has action data")
        assert world.items() == before
        assert ida.delete(f"{PAGES}/{other['id']}").status == 204

    @pytest.mark.parametrize("delivered", [True, False])
    def test_tests_go_with_it(self, world: World, ida: Desk, made: dict[str, Any], *, delivered: bool) -> None:
        page = pages.get(made["id"])
        signed = world.sign(page, testing=True)
        world.act(page, signed.contact_ref, testing=True)
        world.sign(page, testing=True, email="mara@example.org")
        if delivered:
            world.run()
        assert ida.delete(f"{PAGES}/{made['id']}").status == 204
        assert persons(world) == []
        newest = ida.everything("/v1/orgs/bees/audit")[0]
        assert (newest["action"], newest["before"]["testingActions"]) == ("page.delete", 3)
        world.run()
        assert persons(world) == []

    def test_of_who_did_something_elsewhere_only_the_tests_go(
        self, world: World, ida: Desk, made: dict[str, Any]
    ) -> None:
        other = pages.get(ida.post(PAGES, {**NEW, "name": "bees/other"}).body["id"])
        page = pages.get(made["id"])
        signed = world.sign(other)
        before = persons(world)
        world.act(page, signed.contact_ref, testing=True)
        assert ida.delete(f"{PAGES}/{made['id']}").status == 204
        assert persons(world) == before

    def test_who_tested_first_and_then_acted_elsewhere_stays_and_so_does_the_page(
        self, world: World, ida: Desk, made: dict[str, Any]
    ) -> None:
        other = pages.get(ida.post(PAGES, {**NEW, "name": "bees/other"}).body["id"])
        signed = world.sign(pages.get(made["id"]), testing=True)
        world.act(other, signed.contact_ref)
        before = world.items()
        answer = ida.delete(f"{PAGES}/{made['id']}")
        assert (answer.status, answer.body["detail"]) == (409, "has supporter data")
        assert world.items() == before

    def test_many_tests_take_more_than_one_request(
        self, world: World, ida: Desk, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_actions, "MAX_PERSONS", 2)
        for number in range(3):
            world.sign(pages.get(made["id"]), testing=True, email=f"tester{number}@example.org")
        answer = ida.delete(f"{PAGES}/{made['id']}")
        assert (answer.status, answer.body["detail"]) == (409, page_actions.MORE)
        assert ida.delete(f"{PAGES}/{made['id']}").status == 204
        assert persons(world) == []

    def test_whatever_breaks_off_can_be_ended(self, world: World, ida: Desk, made: dict[str, Any]) -> None:
        page = pages.get(made["id"])
        for number in range(2):
            signed = world.sign(page, testing=True, email=f"tester{number}@example.org")
            world.act(page, signed.contact_ref, testing=True)
        with faults(throttle(on="TransactWriteItems", nth=2, attempts=99)):
            assert ida.delete(f"{PAGES}/{made['id']}").status == 503
        assert len({item["ref"] for item in persons(world) if "#" not in item["ref"]}) == 1
        assert ida.delete(f"{PAGES}/{made['id']}").status == 204
        assert persons(world) == []

    def test_tests_go_with_the_campaign(self, world: World, ida: Desk, made: dict[str, Any]) -> None:
        world.sign(pages.get(made["id"]), testing=True)
        world.run()
        assert ida.delete("/v1/orgs/bees/campaigns/save_bees").status == 204
        assert persons(world) == []

    def test_not_where_it_cannot_be_known(
        self, world: World, ida: Desk, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_actions, "MAX_LOOKED_AT", 1)
        other = ida.post(PAGES, {**NEW, "name": "bees/other"}).body
        world.sign(pages.get(made["id"]))
        answer = ida.delete(f"{PAGES}/{other['id']}")
        assert (answer.status, answer.body["detail"]) == (409, page_actions.TOO_MANY)


class TestWho:
    def test_pages_of_others_are_not_there(self, ola: Desk, made: dict[str, Any]) -> None:
        path = f"/v1/orgs/trees/pages/{made['id']}"
        for answer in (ola.get(path), ola.patch(path, {"locale": "de"}), ola.delete(path)):
            assert answer.status == 404
        assert ola.get(f"{PAGES}/{made['id']}").status == 403
        assert ola.everything("/v1/orgs/trees/pages") == []
        assert NOBODY.get(PAGES).status == 401
        assert NOBODY.post(PAGES, NEW).status == 401

    def test_roles(self, made: dict[str, Any]) -> None:
        for role in (Role.TRANSLATOR, Role.COORDINATOR):
            who = desk(f"{role}@example.org", bees=role)
            assert who.get(f"{PAGES}/{made['id']}").status == 200
            assert who.patch(f"{PAGES}/{made['id']}", {"locale": "de"}).status == 403
            assert who.post(PAGES, NEW).status == 403
            assert who.delete(f"{PAGES}/{made['id']}").status == 403

    @pytest.mark.parametrize("page", ["0", "x", "99999999999999999999", "-1"])
    def test_what_is_no_id(self, ida: Desk, page: str) -> None:
        assert ida.get(f"{PAGES}/{page}").status == 404


class TestLaunching:
    def test_the_lead_makes_its_own_pages_live(self, ida: Desk, made: dict[str, Any]) -> None:
        path = f"{PAGES}/{made['id']}"
        answer = ida.post(f"{path}/launch")
        assert (answer.status, answer.body) == (200, {**made, "live": True})
        again = ida.post(f"{path}/launch")
        assert (again.status, again.headers["ETag"]) == (200, answer.headers["ETag"])
        newest = ida.everything("/v1/orgs/bees/audit")[0]
        assert (newest["action"], newest["after"]) == ("page.launch", {"live": True})

    def test_a_partner_asks_the_lead(self, world: World, ida: Desk, ola: Desk) -> None:
        page = ola.post("/v1/orgs/trees/pages", {**NEW, "name": "trees/en"}).body["id"]
        path = f"/v1/orgs/trees/pages/{page}"
        asked = ola.post(f"{path}/launch", {"message": "please add us"})
        assert (asked.status, asked.body["status"]) == (202, "CONFIRMING")
        assert "code" not in asked.body
        assert ola.post(f"{path}/launch").body == asked.body
        orders = [(order["mail"], order["user"], order["key"]) for order in world.orders("mail")]
        assert set(orders) == {("launch_page", ida.user, f"confirm.{asked.body['confirm']}.{ida.user}")}  # one mail

        [partner] = ida.everything("/v1/orgs/bees/campaigns/save_bees/partners")
        assert (partner["name"], [one["live"] for one in partner["pages"]]) == ("trees", [False])
        [request] = partner["requests"]
        assert (request["operation"], request["message"], request["creator"]) == (
            "launch_page",
            "please add us",
            "ola@example.org",
        )
        assert ola.get(path).body["live"] is False

    def test_the_lead_answers_what_was_asked_by_launching(self, ida: Desk, ola: Desk) -> None:
        page = ola.post("/v1/orgs/trees/pages", {**NEW, "name": "trees/en"}).body["id"]
        ola.post(f"/v1/orgs/trees/pages/{page}/launch")
        assert ida.post(f"{PAGES}/{page}/launch").body["live"] is True
        [partner] = ida.everything("/v1/orgs/bees/campaigns/save_bees/partners")
        assert (partner["requests"], partner["pages"][0]["live"]) == ([], True)
        assert ola.get(f"/v1/orgs/trees/pages/{page}").body["live"] is True

    def test_nobody_else_does(self, world: World, made: dict[str, Any]) -> None:
        world.org("rivers")
        eva = desk("eva@example.org", rivers=Role.OWNER)
        assert eva.post(f"/v1/orgs/rivers/pages/{made['id']}/launch").status == 404
        assert eva.post(f"{PAGES}/{made['id']}/launch").status == 403
        assert desk("tom@example.org", bees=Role.TRANSLATOR).post(f"{PAGES}/{made['id']}/launch").status == 403


def test_a_list_in_parts_and_of_one_campaign(world: World, org: Org, ida: Desk) -> None:
    world.campaign(org, "other")
    for number in range(4):
        ida.post(PAGES, {**NEW, "name": f"bees/{number}", "campaign": ("save_bees", "other")[number % 2]})
    assert [page["name"] for page in ida.everything(PAGES, limit="1")] == [f"bees/{number}" for number in range(4)]
    assert [page["name"] for page in ida.everything(PAGES, campaign="OTHER", limit="1")] == ["bees/1", "bees/3"]
    assert ida.everything(PAGES, campaign="nothing") == []
