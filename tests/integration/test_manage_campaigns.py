"""Campaigns through the management API: made, changed, with pages in one go, ended (domain 13.2, 13.3, 12.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proca_common.campaigns import store as campaigns
from proca_common.catalog.entity import ContactSchema
from proca_common.errors import Outdated
from proca_common.mails import templates
from proca_common.mails.templates import EmailTemplateInput
from proca_common.management import campaigns as managed
from proca_common.management import upserts
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.users import store as users
from proca_common.users.permissions import Role
from tests.desks import NOBODY, Desk, desk
from tests.harness.interleave import run
from tests.world import World

CAMPAIGNS = "/v1/orgs/bees/campaigns"
BEES = f"{CAMPAIGNS}/save_bees"
MTT = {"startAt": "2026-03-02T08:00:00Z", "endAt": "2026-03-15T18:00:00Z"}
NEW = {"name": "save_bees", "title": "Save the bees"}
pytestmark = pytest.mark.usefixtures("org")


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.CAMPAIGNER)


@pytest.fixture
def made(ida: Desk) -> dict[str, Any]:
    answer = ida.post(CAMPAIGNS, NEW)
    assert answer.status == 201, answer.body
    return answer.body


def any_version(_: int) -> None:
    """Whoever changes it has seen none."""


def events(world: World) -> list[str]:
    found = [item for item in world.tables.all_items("CatalogTable") if item["pk"]["S"] == "events"]
    return [item["event_type"]["S"] for item in found]


def trail(who: Desk) -> list[dict[str, Any]]:
    return who.everything("/v1/orgs/bees/audit")


class TestCreating:
    def test_a_campaign_with_what_is_usual(self, world: World, ida: Desk) -> None:
        answer = ida.post(CAMPAIGNS, NEW)
        assert (answer.status, answer.headers["Location"]) == (201, BEES)
        assert answer.body == {
            "id": 1,
            "name": "save_bees",
            "title": "Save the bees",
            "org": "bees",
            "externalId": None,
            "contactSchema": "basic",
            "status": "live",
            "forceDelivery": False,
            "supporterConfirm": None,
            "supporterConfirmTemplate": None,
            "actionConfirm": None,
            "transientActions": [],
            "publicActions": [],
            "start": None,
            "end": None,
            "config": {},
            "mtt": None,
            "retentionMonths": None,
            "guards": {},
        }
        assert ida.get(BEES).body == answer.body
        assert ida.everything(CAMPAIGNS) == [answer.body]
        assert events(world) == []
        [entry] = trail(ida)
        assert (entry["action"], entry["object"], entry["after"]["title"]) == (
            "campaign.create",
            "campaign#1",
            "Save the bees",
        )

    def test_all_failed_rules_are_told_at_once(self, ida: Desk) -> None:
        given = {
            "name": "no spaces",
            "start": "2026-05-01",
            "end": "2026-05-01",
            "org": 7,
            "forceDelivery": True,
            "guards": {"networkCap": {"burst": 0}, "captcha": {}},
        }
        assert sorted(ida.post(CAMPAIGNS, given).codes) == [
            ("/end", "invalid"),
            ("/forceDelivery", "unknown_field"),
            ("/guards/captcha", "unknown_field"),
            ("/guards/networkCap/burst", "invalid"),
            ("/guards/networkCap/sustained", "blank"),
            ("/name", "format"),
            ("/org", "unknown_field"),
            ("/title", "blank"),
        ]

    def test_names_and_external_ids_belong_to_one(self, ida: Desk) -> None:
        assert ida.post(CAMPAIGNS, {**NEW, "externalId": 5501}).status == 201
        again = ida.post(CAMPAIGNS, {**NEW, "name": "SAVE_bees"})
        assert (again.status, again.codes) == (409, [("/name", "taken")])
        again = ida.post(CAMPAIGNS, {**NEW, "name": "other", "externalId": 5501})
        assert (again.status, again.codes) == (409, [("/externalId", "taken")])

    def test_how_messages_to_targets_are_sent(self, org: Org, ida: Desk) -> None:
        answer = ida.post(CAMPAIGNS, {**NEW, "mtt": MTT})
        assert answer.body["mtt"] == {
            **MTT,
            "dripDelivery": True,
            "messageTemplate": None,
            "testEmail": None,
            "ccContacts": [],
            "ccSender": False,
            "maxEmailsPerHour": None,
            "timezone": "Etc/UTC",
            "paused": False,
            "keepMessages": "none",
        }
        assert campaigns.with_mtt() == [answer.body["id"]]
        services.add(org.id, ServiceInput(name=ServiceName.SES, host="eu-central-1"))
        orgs.replace(orgs.get(org.id).model_copy(update={"email_backend": "ses"}))
        wrong = {**MTT, "messageTemplate": "to_meps", "timezone": "Europe/Atlantis"}
        assert sorted(ida.patch(BEES, {"mtt": wrong}).codes) == [
            ("/mtt/messageTemplate", "not_found"),
            ("/mtt/timezone", "invalid"),
        ]
        templates.put(org.id, EmailTemplateInput(name="to_meps", locale="en", subject="Hi", html="<p>Hi</p>"))
        paused = ida.patch(BEES, {"mtt": {"messageTemplate": "to_meps", "paused": True}}).body["mtt"]
        assert paused == {**answer.body["mtt"], "messageTemplate": "to_meps", "paused": True}
        assert ida.patch(BEES, {"mtt": {"endAt": None}}).codes == [("/mtt/endAt", "blank")]
        assert ida.patch(BEES, {"mtt": None}).body["mtt"] is None
        assert campaigns.with_mtt() == []

    def test_a_template_must_be_there_where_the_org_mails(self, org: Org, ida: Desk) -> None:
        services.add(org.id, ServiceInput(name=ServiceName.SES, host="eu-central-1"))
        orgs.replace(orgs.get(org.id).model_copy(update={"email_backend": "ses"}))
        given = {**NEW, "supporterConfirmTemplate": "confirm"}
        assert ida.post(CAMPAIGNS, given).codes == [("/supporterConfirmTemplate", "not_found")]
        templates.put(org.id, EmailTemplateInput(name="confirm", locale="en", subject="Hi", html="<p>Hi</p>"))
        assert ida.post(CAMPAIGNS, given).status == 201


@pytest.mark.usefixtures("made")
class TestChanging:
    def test_a_merge_patch_that_is_told(self, world: World, ida: Desk) -> None:
        answer = ida.patch(BEES, {"status": "closed", "config": {"a": 1}, "externalId": 7})
        assert (answer.status, answer.body["status"], answer.body["externalId"]) == (200, "closed", 7)
        assert ida.patch(BEES, {"config": {"b": 2}, "externalId": None}).body["config"] == {"a": 1, "b": 2}
        assert events(world) == ["campaign_updated"] * 2
        newest = trail(ida)[0]
        assert newest["before"] == {"externalId": 7, "config": {"a": 1}}
        assert newest["after"] == {"externalId": None, "config": {"a": 1, "b": 2}}

    def test_the_second_of_two_who_saw_the_same_is_refused(self, ida: Desk) -> None:
        seen = {"If-Match": ida.get(BEES).headers["ETag"]}
        assert ida.patch(BEES, {"title": "First"}, seen).status == 200
        assert ida.patch(BEES, {"title": "Second"}, seen).status == 412
        assert ida.put(BEES, {"title": "Second"}, seen).status == 412
        assert ida.delete(BEES, headers=seen).status == 412

    @pytest.mark.parametrize("schedule", ["ABAB", "AABBAB", "BABA"])
    def test_of_two_at_once_none_overwrites_the_other(self, ida: Desk, schedule: str) -> None:
        caller, _ = users.caller(ida.user)
        outcome = run(
            lambda: managed.change(caller, "bees", "save_bees", {"title": "New"}, any_version),
            lambda: upserts.upsert(caller, "bees", "save_bees", {"status": "closed"}, any_version),
            schedule,
        )
        errors = [result.error for result in (outcome.a, outcome.b)]
        assert {type(error) for error in errors} <= {type(None), Outdated}
        stored = campaigns.find("save_bees")
        assert (stored.title == "New") + (stored.status == "closed") == errors.count(None) >= 1

    def test_guards_of_an_org_leave_those_of_operators_alone(self, ida: Desk) -> None:
        patterns = [{"id": 1, "kind": "address", "pattern": "spam@example.org", "action": "refuse"}]
        campaign = campaigns.find("save_bees")
        campaigns.replace(campaign.model_copy(update={"guards": {"patterns": patterns}}))
        answer = ida.patch(BEES, {"guards": {"proofOfWork": True, "networkCap": {"burst": 5, "sustained": 9}}})
        assert answer.body["guards"]["proofOfWork"]["algorithm"] == "SCRYPT"
        assert answer.body["guards"]["networkCap"] == {"burst": 5, "sustained": 9}
        assert ida.patch(BEES, {"guards": {"networkCap": {"burst": 6}}}).body["guards"]["networkCap"]["burst"] == 6
        assert ida.patch(BEES, {"guards": None}).body["guards"] == {}
        assert campaigns.find("save_bees").guards == {"patterns": patterns}
        assert "spam@" not in json.dumps(trail(ida))

    def test_what_changes_nothing_is_no_change(self, world: World, ida: Desk) -> None:
        before = ida.get(BEES).headers["ETag"]
        assert ida.patch(BEES, {"title": NEW["title"]}).headers["ETag"] == before
        assert events(world) == []

    def test_another_name(self, ida: Desk) -> None:
        assert ida.patch(BEES, {"name": "save_all_bees"}).status == 200
        assert ida.get(BEES).status == 404
        assert ida.get(f"{CAMPAIGNS}/save_all_bees").status == 200


class TestUpserting:
    """PUT with pages: found by external id, else by name; all or nothing."""

    PAGES = ({"name": "bees/en", "locale": "en"}, {"name": "bees/de", "locale": "de", "config": {"a": 1}})

    def test_makes_campaign_and_pages(self, world: World, org: Org, ida: Desk) -> None:
        orgs.replace(orgs.get(org.id).model_copy(update={"contact_schema": ContactSchema.IT_CI}))
        answer = ida.put(BEES, {"title": "Save the bees", "externalId": 5, "actionPages": self.PAGES})
        assert answer.status == 201, answer.body
        assert answer.body["contactSchema"] == "it_ci"
        assert [(page["name"], page["live"], page["org"], page["campaign"]) for page in answer.body["actionPages"]] == [
            ("bees/en", False, "bees", "save_bees"),
            ("bees/de", False, "bees", "save_bees"),
        ]
        assert events(world) == ["campaign_updated"]
        assert sorted(entry["action"] for entry in trail(ida)) == ["campaign.create", "page.create", "page.create"]
        assert ida.delete("/v1/orgs/bees").status == 403
        assert world.get(f"/v1/pages/{answer.body['actionPages'][0]['id']}").status == 200

    def test_the_same_again_changes_only_what_is_said(self, ida: Desk) -> None:
        first = ida.put(BEES, {"title": "Save the bees", "actionPages": self.PAGES}).body
        more = [{"name": "BEES/de", "locale": "de_AT"}, {"name": "bees/fr", "locale": "fr"}]
        second = ida.put(BEES, {"actionPages": more})
        assert (second.status, second.body["id"], second.body["title"]) == (200, first["id"], "Save the bees")
        changed, added = second.body["actionPages"]
        assert changed == {**first["actionPages"][1], "name": "BEES/de", "locale": "de_AT"}
        by_id = ida.put(BEES, {"actionPages": [{"id": added["id"], "name": "bees/fr2"}]}).body["actionPages"]
        assert [(page["id"], page["name"]) for page in by_id] == [(added["id"], "bees/fr2")]

    def test_an_external_id_finds_it_under_another_name(self, ida: Desk) -> None:
        first = ida.put(BEES, {"title": "Bees", "externalId": 5}).body
        second = ida.put(f"{CAMPAIGNS}/all_bees", {"externalId": 5}).body
        assert (second["id"], second["name"]) == (first["id"], "all_bees")

    def test_all_or_nothing_and_every_failed_rule(self, world: World, ida: Desk) -> None:
        other = world.org("trees")
        world.page(other, name="trees/en")
        before = sorted(map(repr, world.tables.all_items("CatalogTable")))
        pages = [
            {"name": "no-slash", "locale": "english"},
            {"name": "trees/en", "locale": "en"},
            {"id": 999, "name": "bees/x"},
            {"name": "bees/en", "locale": "en"},
            {"name": "Bees/EN", "locale": "en", "org": 1},
            {"name": "Bees/EN", "locale": "en"},
        ]
        answer = ida.put(BEES, {"status": "famous", "actionPages": pages})
        assert sorted(answer.codes) == [
            ("/actionPages/0/locale", "format"),
            ("/actionPages/0/name", "invalid"),
            ("/actionPages/1/name", "taken"),
            ("/actionPages/2/id", "not_found"),
            ("/actionPages/4/org", "unknown_field"),
            ("/actionPages/5/name", "taken"),
            ("/status", "invalid"),
            ("/title", "blank"),
        ]
        assert sorted(map(repr, world.tables.all_items("CatalogTable"))) == before

    def test_as_many_pages_as_fit_and_no_more(self, ida: Desk) -> None:
        pages = [{"name": f"bees/{number}", "locale": "en"} for number in range(upserts.MAX_PAGES + 1)]
        assert ida.put(BEES, {"title": "Bees", "actionPages": pages}).codes == [("/actionPages", "too_large")]
        answer = ida.put(BEES, {"title": "Bees", "externalId": 1, "actionPages": pages[1:]})
        assert (answer.status, len(answer.body["actionPages"])) == (201, upserts.MAX_PAGES)
        moved = [{"id": page["id"], "name": f"moved/{page['id']}"} for page in answer.body["actionPages"]]
        assert ida.put(BEES, {"externalId": 2, "actionPages": moved}).status == 200

    def test_the_name_of_another_orgs_campaign_is_taken(self, world: World, ida: Desk) -> None:
        world.campaign(world.org("trees"), "trees")
        assert ida.put(f"{CAMPAIGNS}/trees", {"title": "Mine"}).codes == [("/name", "taken")]

    @pytest.mark.parametrize("pages", [7, "x", [1], {"name": "bees/en"}])
    def test_what_are_no_pages(self, ida: Desk, pages: Any) -> None:
        assert ida.put(BEES, {"title": "Bees", "actionPages": pages}).codes == [("/actionPages", "invalid")]

    def test_a_name_that_is_not_that_of_the_path(self, ida: Desk) -> None:
        assert ida.put(BEES, {"title": "Bees", "name": "other"}).codes == [("/name", "invalid")]


@pytest.mark.usefixtures("made")
class TestDeleting:
    def test_its_own_pages_go_with_it(self, world: World, org: Org, ida: Desk) -> None:
        ida.put(BEES, {"actionPages": [{"name": "bees/en", "locale": "en"}, {"name": "bees/de", "locale": "de"}]})
        assert ida.delete(BEES).status == 204
        left = {item["pk"]["S"] for item in world.tables.all_items("CatalogTable")}
        assert not left & {"campaign#1", "page#1", "page#2", "name#campaign#save_bees", "name#page#bees/en"}
        newest = trail(ida)[0]
        assert (newest["action"], newest["before"]["actionPages"]) == ("campaign.delete", ["bees/en", "bees/de"])
        orgs.delete(orgs.get(org.id))  # nothing of it is left that an org could be needed for

    def test_not_with_pages_of_partners(self, world: World, ida: Desk) -> None:
        world.page(world.org("trees"), campaigns.find("save_bees"))
        answer = ida.delete(BEES)
        assert (answer.status, answer.body["detail"]) == (409, "has action pages")

    def test_not_with_actions(self, world: World, org: Org, ida: Desk) -> None:
        world.sign(world.page(org, campaigns.find("save_bees")))
        answer = ida.delete(BEES)
        assert (answer.status, answer.body["detail"]) == (409, "has action data")
        assert ida.get(BEES).status == 200


@pytest.mark.usefixtures("made")
class TestWho:
    @pytest.fixture
    def partner(self, world: World) -> Desk:
        world.page(world.org("trees"), campaigns.find("save_bees"), name="trees/en")
        return desk("ola@example.org", trees=Role.OWNER)

    def test_a_partner_sees_it_and_changes_nothing(self, partner: Desk) -> None:
        path = "/v1/orgs/trees/campaigns/save_bees"
        assert partner.get(path).body["org"] == "bees"
        assert [found["name"] for found in partner.everything("/v1/orgs/trees/campaigns")] == ["save_bees"]
        for answer in (partner.patch(path, {"title": "Mine"}), partner.delete(path), partner.get(f"{path}/partners")):
            assert (answer.status, answer.body["detail"]) == (403, "Only its lead org may change a campaign")
        assert partner.put(path, {"title": "Mine"}).status == 409
        assert partner.get(BEES).status == 403

    def test_a_partner_sees_no_addresses_of_the_lead(self, partner: Desk, ida: Desk) -> None:
        own = {"testEmail": "desk@example.org", "ccContacts": ["press@example.org"]}
        assert ida.patch(BEES, {"mtt": {**MTT, **own}}).status == 200
        assert own.items() <= ida.get(BEES).body["mtt"].items()
        for found in (
            partner.get("/v1/orgs/trees/campaigns/save_bees").body,
            *partner.everything("/v1/orgs/trees/campaigns"),
        ):
            assert MTT.items() <= found["mtt"].items()
            assert not own.keys() & found["mtt"].keys()

    def test_somebody_else_sees_nothing(self, world: World) -> None:
        world.org("rivers")
        eva = desk("eva@example.org", rivers=Role.OWNER)
        assert eva.get("/v1/orgs/rivers/campaigns/save_bees").status == 404
        assert eva.patch("/v1/orgs/rivers/campaigns/save_bees", {"title": "Mine"}).status == 404
        assert eva.everything("/v1/orgs/rivers/campaigns") == []
        assert NOBODY.get(CAMPAIGNS).status == 401

    def test_the_lead_sees_its_partners(self, partner: Desk, ida: Desk) -> None:
        assert partner.user
        [found] = ida.everything(f"{BEES}/partners")
        assert (found["name"], [page["name"] for page in found["pages"]]) == ("trees", ["trees/en"])

    def test_roles(self, ida: Desk) -> None:
        for role in (Role.TRANSLATOR, Role.COORDINATOR):
            who = desk(f"{role}@example.org", bees=role)
            assert who.patch(BEES, {"title": f"By {role}", "supporterConfirm": True}).status == 200
            assert who.post(CAMPAIGNS, {**NEW, "name": "other"}).status == 403
            assert who.put(BEES, {"title": "New"}).status == 403
            assert who.delete(BEES).status == 403
        assert ida.patch(BEES, {"title": "New", "supporterConfirm": False}).status == 200


def test_a_list_in_parts(ida: Desk) -> None:
    for number in range(5):
        ida.post(CAMPAIGNS, {"name": f"c{number}", "title": "C"})
    assert [found["name"] for found in ida.everything(CAMPAIGNS, limit="2")] == [f"c{number}" for number in range(5)]
