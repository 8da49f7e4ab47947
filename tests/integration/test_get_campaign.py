"""GET of a campaign, its numbers and what people said (domain 10.1, 11.2, 11.3)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs import store as orgs
from proca_common.orgs import titles
from proca_common.stages import decide
from tests.harness.calls import calls
from tests.harness.faults import faults, throttle
from tests.simulated import SimulatedTime
from tests.world import Answer, World

UNKNOWN = 999_999_999
SHOWN = ["register:comment", "share:medium"]


@pytest.fixture
def campaign(world: World) -> Campaign:
    lead = world.org("lead", config={"colour": "blue"})
    settings: dict[str, Any] = {"config": {"hero": "x"}, "start": date(2026, 1, 1), "status": "closed"}
    return world.campaign(lead, "save_bees", external_id=5501, public_actions=SHOWN, **settings)


@pytest.fixture
def page(world: World, campaign: Campaign) -> ActionPage:
    return world.page(orgs.find("lead"), campaign)


def actions(world: World, campaign: Campaign, **query: str) -> Answer:
    return world.get(f"/v1/campaigns/{campaign.id}/actions", **query)


class TestCampaign:
    def test_what_anybody_may_see_of_it(self, world: World, campaign: Campaign) -> None:
        answer = world.get(f"/v1/campaigns/{campaign.id}")
        assert answer.body == {
            "id": campaign.id,
            "externalId": 5501,
            "name": "save_bees",
            "title": "Save_Bees",
            "status": "closed",
            "contactSchema": "basic",
            "config": {"hero": "x"},
            "start": "2026-01-01",
            "end": None,
            "org": {"name": "lead", "title": "Lead", "config": {"colour": "blue"}},
            "numbers": {
                "supporterCount": 0,
                "supporterCountByOrg": [],
                "supporterCountByArea": [],
                "actionCount": {},
            },
        }
        assert answer.headers["Cache-Control"] == "public, max-age=5"
        by_name = world.get("/v1/campaigns", name="Save_BEES")
        assert (by_name.body, by_name.headers["ETag"]) == (answer.body, answer.headers["ETag"])
        assert world.get("/v1/campaigns", {"If-None-Match": answer.headers["ETag"]}, name="save_bees").status == 304

    @pytest.mark.parametrize("unknown", [UNKNOWN, "0", "abc", "-1", "9" * 30])
    def test_an_unknown_one(self, world: World, unknown: object) -> None:
        for path in ("", "/numbers", "/actions"):
            answer = world.get(f"/v1/campaigns/{unknown}{path}", type="register")
            assert (answer.status, answer.body["detail"]) == (404, "No such campaign")

    def test_names_that_nobody_has(self, world: World) -> None:
        assert world.get("/v1/campaigns", name="no_such").status == 404
        with calls() as recorded:
            for name in ("ø", "a b", "x" * 101, "\ud800"):
                assert world.get("/v1/campaigns", name=name).status == 404
        assert not recorded.operations
        assert world.get("/v1/campaigns").codes == [("/name", "blank")]

    def test_settings_are_at_most_30_s_old_and_used_on_while_the_store_does_not_answer(
        self, world: World, time: SimulatedTime, campaign: Campaign
    ) -> None:
        path = f"/v1/campaigns/{campaign.id}"
        world.get(path)
        campaigns.replace(campaign.model_copy(update={"title": "Bees!"}))
        time.forward(seconds=29)
        assert world.get(path).body["title"] == "Save_Bees"
        time.forward(seconds=1)
        with faults(throttle("GetItem", nth=None)):
            assert world.get(path).body["title"] == "Save_Bees"
        time.forward(seconds=30)
        assert world.get(path).body["title"] == "Bees!"


class TestNumbers:
    def test_by_org_and_area_with_the_extra_supporters_of_pages(self, world: World, page: ActionPage) -> None:
        campaign, partner, silent = campaigns.get(page.campaign), world.org("partner"), world.org("silent")
        sister = world.page(partner, campaign)
        world.page(silent, campaign, extra_supporters=7)
        for name, country in (("ida", "DK"), ("per", "NO"), ("siri", "NO"), ("liv", None)):
            world.sign(sister, email=f"{name}@example.org", country=country)
        world.sign(page, email="ida@example.org")
        world.sign(page, email="eva@example.org", country="SE")
        world.sign(page, email="tore@example.org", testing=True)
        rejected = world.sign(page, email="kari@example.org")
        world.run()
        decide.reject_supporter(rejected.action)
        path = f"/v1/campaigns/{campaign.id}/numbers"

        assert world.get(path).body == {
            "supporterCount": 12,
            "supporterCountByOrg": [
                {"org": {"name": "silent", "title": "Silent"}, "count": 7},
                {"org": {"name": "partner", "title": "Partner"}, "count": 4},
                {"org": {"name": "lead", "title": "Lead"}, "count": 1},
            ],
            "supporterCountByArea": [
                {"area": "NO", "count": 2},
                {"area": "DK", "count": 1},
                {"area": "SE", "count": 1},
            ],
            "actionCount": {"register": 6},
        }
        for others, count in (("silent", 5), ("SILENT", 5), ("partner", 8), ("no such org", 12), ("", 12)):
            assert world.get(path, others=others).body["supporterCountByOthers"] == count
        assert world.get(f"/v1/pages/{sister.id}/numbers", others="lead").body["supporterCountByOthers"] == 11

    def test_names_of_orgs_are_at_most_five_minutes_old(
        self, world: World, time: SimulatedTime, page: ActionPage
    ) -> None:
        def title() -> str:
            entry = world.get(f"/v1/campaigns/{page.campaign}/numbers").body["supporterCountByOrg"][0]
            return str(entry["org"]["title"])

        world.sign(page)
        world.run()
        assert title() == "Lead"
        orgs.replace(orgs.get(page.org).model_copy(update={"title": "Leaders"}))
        time.now_ms += titles.FRESH_MS - 1
        assert title() == "Lead"
        time.forward(seconds=5)
        with calls() as recorded:
            assert title() == "Leaders"
        assert recorded.operations == ["BatchGetItem", "BatchGetItem"]


class TestActions:
    def signed(self, world: World, page: ActionPage, *names: str) -> list[int]:
        """The actions of these people, the newest first."""
        taken = [world.sign(page, email=f"{name}@example.org", fields={"comment": name, "shoes": 41}) for name in names]
        world.run()
        return [answer.action for answer in reversed(taken)]

    def test_the_newest_first_with_what_may_be_seen(self, world: World, page: ActionPage, campaign: Campaign) -> None:
        newest, _ = self.signed(world, page, "ida", "per")
        answer = actions(world, campaign, type="register")
        assert [action["customFields"] for action in answer.body["items"]] == [{"comment": "per"}, {"comment": "ida"}]
        first = answer.body["items"][0]
        assert (first["actionId"], first["actionType"], first["area"]) == (newest, "register", "DK")
        assert first["createdAt"].endswith("Z")
        assert first.keys() == {"actionId", "actionType", "createdAt", "area", "customFields"}
        assert (answer.body["next"], answer.headers["Cache-Control"]) == (None, "public, max-age=30")
        asked = {"If-None-Match": answer.headers["ETag"]}
        assert world.get(f"/v1/campaigns/{campaign.id}/actions", asked, type="register").status == 304

    def test_ten_unless_more_are_asked_for_and_on_with_a_cursor(
        self, world: World, page: ActionPage, campaign: Campaign
    ) -> None:
        wanted = self.signed(world, page, *(f"person{number}" for number in range(13)))
        assert [action["actionId"] for action in actions(world, campaign, type="register").body["items"]] == wanted[:10]
        found, cursor = [], {}
        while True:
            answer = actions(world, campaign, type="register", limit="5", **cursor)
            found += [action["actionId"] for action in answer.body["items"]]
            if answer.body["next"] is None:
                break
            cursor = {"cursor": answer.body["next"]}
        assert found == wanted

    def test_what_the_campaign_lists_no_more_is_gone_when_its_settings_are_known(
        self, world: World, time: SimulatedTime, page: ActionPage, campaign: Campaign
    ) -> None:
        self.signed(world, page, "ida")
        assert actions(world, campaign, type="register").body["items"][0]["customFields"] == {"comment": "ida"}
        changed = campaigns.replace(campaign.model_copy(update={"public_actions": ("register:shoes", "register:x")}))
        time.forward(seconds=30)
        assert actions(world, campaign, type="register").body["items"][0]["customFields"] == {}
        campaigns.replace(changed.model_copy(update={"public_actions": ()}))
        time.forward(seconds=30)
        with calls() as recorded:
            assert actions(world, campaign, type="register").body == {"items": [], "next": None}
        assert "Query" not in recorded.operations

    def test_types_that_are_not_shown_cost_nothing(self, world: World, page: ActionPage, campaign: Campaign) -> None:
        self.signed(world, page, "ida")
        actions(world, campaign, type="register")
        with calls() as recorded:
            for other in ("donate", "registe", "register:comment", "register#", "\0"):
                assert actions(world, campaign, type=other).body == {"items": [], "next": None}
        assert not recorded.operations

    def test_everything_that_is_wrong_is_told(self, world: World, campaign: Campaign) -> None:
        answer = actions(world, campaign, limit="101", cursor="!")
        assert (answer.status, answer.codes) == (
            422,
            [("/type", "blank"), ("/limit", "invalid"), ("/cursor", "format")],
        )
        assert actions(world, campaign, type="register", cursor="YWJj").codes == [("/cursor", "format")]

    def test_the_newest_are_read_once_in_30_s_for_everybody(
        self, world: World, time: SimulatedTime, page: ActionPage, campaign: Campaign
    ) -> None:
        self.signed(world, page, "ida", "per")
        actions(world, campaign, type="register")
        self.signed(world, page, "eva")
        with calls() as recorded:
            for limit in ("1", "2", "10", "100"):
                assert len(actions(world, campaign, type="register", limit=limit).body["items"]) == min(2, int(limit))
                world.get(f"/v1/pages/{page.id}")
        assert "Query" not in recorded.operations
        time.forward(seconds=30)
        with faults(throttle("Query", nth=None)):
            assert len(actions(world, campaign, type="register").body["items"]) == 2
        time.forward(seconds=30)
        with calls() as recorded:
            assert len(actions(world, campaign, type="register").body["items"]) == 3
        assert recorded.operations.count("Query") == 8

    def test_nobody_can_have_older_parts_read_without_end(
        self, world: World, time: SimulatedTime, page: ActionPage, campaign: Campaign
    ) -> None:
        self.signed(world, page, *(f"person{number}" for number in range(3)))
        cursors, cursor = [], ""
        for part in range(3):
            answer = actions(world, campaign, type="register", limit="1", **({"cursor": cursor} if part else {}))
            cursor = answer.body["next"]
            cursors.append(cursor)
        assert cursors.pop() is None

        def ask(number: int) -> Answer:
            made = _cursor(10**15 + number)
            return actions(world, campaign, type="register", limit="1", cursor=made)

        with calls() as recorded:
            statuses = [ask(number).status for number in range(12)]
        assert statuses == [200] * 8 + [429] * 4, "two were asked for above"
        assert len(recorded) == 8 * 8
        refused = ask(99)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
        assert ask(3).status == 200, "what is known is told"
        assert actions(world, campaign, type="register").status == 200
        time.forward(seconds=5)
        assert ask(99).status == 200


def _cursor(number: int) -> str:
    from base64 import urlsafe_b64encode  # noqa: PLC0415 - as a stranger would make one up

    return urlsafe_b64encode(str(number).encode()).rstrip(b"=").decode()


def test_pages_of_a_campaign_share_its_numbers(world: World, page: ActionPage) -> None:
    other = pages.get(world.page(orgs.find("lead"), campaigns.get(page.campaign), "lead/other").id)
    world.get(f"/v1/pages/{page.id}/numbers")
    world.get(f"/v1/pages/{other.id}")
    with calls() as recorded:
        world.get(f"/v1/pages/{other.id}/numbers")
        world.get(f"/v1/pages/{page.id}/numbers")
    assert not recorded.operations
