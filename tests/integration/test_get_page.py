"""GET of a page by id and by name, its ETag, and the health of the instance (domain 11.2, 14.1; design 8)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.campaigns import store as campaigns
from proca_common.guards.settings import Guards
from proca_common.intake.guarded import _verifiers
from proca_common.monitors import public
from proca_common.orgs import store as orgs
from tests.harness.calls import calls
from tests.harness.faults import faults, lose_request, refuse, throttle
from tests.world import World

UNKNOWN = 999_999_999
Json = dict[str, Any]


@pytest.fixture
def page(world: World) -> ActionPage:
    lead = world.org("lead", config={"colour": "blue"})
    partner = world.org("partner")
    campaign = world.campaign(
        lead, external_id=5501, config={"hero": "x"}, start=date(2026, 1, 1), end=date(2026, 2, 1), status="closed"
    )
    config = {"journey": ["Petition", "Share"], "free": {"a": None, "ø": 1.5}}
    return world.page(partner, campaign, "Act.partner.example/Bees", live=True, config=config, thank_you_template="ty")


def test_what_anybody_may_see_of_a_page(world: World, page: ActionPage) -> None:
    answer = world.get(f"/v1/pages/{page.id}")
    assert answer.status == 200
    assert answer.body == {
        "id": page.id,
        "name": "Act.partner.example/Bees",
        "locale": "en",
        "live": True,
        "thankYouTemplate": "ty",
        "config": {"journey": ["Petition", "Share"], "free": {"a": None, "ø": 1.5}},
        "captchaServices": [],
        "org": {"name": "partner", "title": "Partner", "config": {}},
        "campaign": {
            "id": page.campaign,
            "externalId": 5501,
            "name": "bees",
            "title": "Bees",
            "status": "closed",
            "contactSchema": "basic",
            "config": {"hero": "x"},
            "start": "2026-01-01",
            "end": "2026-02-01",
            "org": {"name": "lead", "title": "Lead", "config": {"colour": "blue"}},
            "numbers": {
                "supporterCount": 0,
                "supporterCountByOrg": [],
                "supporterCountByArea": [],
                "actionCount": {},
            },
        },
    }
    assert answer.headers["Cache-Control"] == "public, max-age=5"


@pytest.mark.parametrize("name", ["Act.partner.example/Bees", "act.partner.example/bees"])
def test_by_name_in_any_case_it_is_the_same(world: World, page: ActionPage, name: str) -> None:
    by_name, by_id = world.get("/v1/pages", name=name), world.get(f"/v1/pages/{page.id}")
    assert (by_name.body, by_name.headers["ETag"]) == (by_id.body, by_id.headers["ETag"])


def test_nothing_of_keys_switches_or_queues_is_shown(world: World, page: ActionPage) -> None:
    text = repr(world.get(f"/v1/pages/{page.id}").body).lower()
    for word in ("key", "confirm", "queue", "principal", "deliver", "encrypt"):
        assert word not in text


class TestCaptchaServices:
    POW, HCAPTCHA = {"proof_of_work": True}, {"captcha": {"service": "hcaptcha", "url": "https://hcaptcha.example.org"}}

    @pytest.mark.parametrize(
        ("guards", "services"),
        [
            ({}, []),
            ({"address_cap": True}, []),
            (POW, ["altcha"]),
            (HCAPTCHA, ["hcaptcha"]),
            ({**HCAPTCHA, **POW}, ["altcha", "hcaptcha"]),
        ],
    )
    def test_it_says_what_a_signature_needs(self, world: World, guards: Json, services: list[str]) -> None:
        org = world.org("ngo")
        page = world.page(org, world.campaign(org, guards=guards))

        answer = world.get(f"/v1/pages/{page.id}")

        assert answer.body["captchaServices"] == services
        assert list(_verifiers(Guards.model_validate(guards))) == services


class TestNumbers:
    def test_they_are_those_of_the_campaign_over_all_its_pages(self, world: World, page: ActionPage) -> None:
        partner, campaign = world.org("sister"), campaigns.get(page.campaign)
        sister = world.page(partner, campaign, "sister.example.org/bees")
        ref = world.sign(page, email="ida@example.org").contact_ref
        world.sign(page, email="bo@example.org")
        world.sign(sister, email="ida@example.org")
        world.act(sister, ref)
        world.run()

        answer = world.get(f"/v1/pages/{sister.id}/numbers")

        assert answer.body == {
            "supporterCount": 2,
            "supporterCountByOrg": [{"org": {"name": "partner", "title": "Partner"}, "count": 2}],
            "supporterCountByArea": [{"area": "DK", "count": 2}],
            "actionCount": {"register": 3, "share": 1},
        }
        assert world.get(f"/v1/pages/{page.id}").body["campaign"]["numbers"] == answer.body
        assert answer.headers["Cache-Control"] == "public, max-age=5"
        again = world.get(f"/v1/pages/{sister.id}/numbers", {"If-None-Match": answer.headers["ETag"]})
        assert (again.status, again.body) == (304, {})

    def test_however_many_ask_it_costs_one_call_in_five_seconds(
        self, world: World, page: ActionPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, now = f"/v1/pages/{page.id}/numbers", clock.now_ms()
        monkeypatch.setattr(clock, "now_ms", lambda: now)
        world.get(path)
        world.sign(page)
        world.run()
        names = ["BatchGetItem", "BatchGetItem"]  # of numbers, and of the orgs that are new among them
        for later, count, read in ((4_999, 0, []), (5_000, 1, names), (9_999, 1, []), (10_000, 1, names[:1])):
            monkeypatch.setattr(clock, "now_ms", lambda later=later: now + later)
            with calls() as recorded:
                counts = {world.get(path).body["supporterCount"] for _ in range(10)}
            assert (counts, recorded.operations) == ({count}, read)

    def test_while_the_store_does_not_answer_the_last_known_are_told(self, world: World, page: ActionPage) -> None:
        path = f"/v1/pages/{page.id}/numbers"
        first = world.get(path)
        world.ahead_ms = 6_000
        with faults(throttle("BatchGetItem", nth=None)):
            assert world.get(path).body == first.body
            public.forget()
            assert world.get(path).status == 503
            shown = world.get(f"/v1/pages/{page.id}")
            assert (shown.status, shown.body["campaign"]["numbers"]) == (200, None)

    def test_an_unknown_page_has_none(self, world: World) -> None:
        for unknown in (UNKNOWN, "0", "abc"):
            assert world.get(f"/v1/pages/{unknown}/numbers").status == 404


class TestStatic:
    """All that a widget shows, for orgs that host it themselves."""

    @pytest.fixture
    def letter(self, world: World) -> ActionPage:
        org = world.org("ngo")
        shown = [f"{name}:comment" for name in ("register", "share", *"abcdefghij")]
        page = world.page(org, world.campaign(org, public_actions=shown))
        for name in ("ida", "per", "liv"):
            ref = world.sign(page, email=f"{name}@example.org", fields={"comment": name, "shoes": 41}).contact_ref
        world.act(page, ref, customFields={"comment": "fediverse"})
        world.run()
        return page

    def test_it_is_the_page_with_the_newest_of_what_may_be_seen(self, world: World, letter: ActionPage) -> None:
        answer = world.get(f"/v1/pages/{letter.id}/static", limit="2")
        actions = answer.body.pop("actions")
        assert answer.body == world.get(f"/v1/pages/{letter.id}").body
        assert answer.body["campaign"]["numbers"]["supporterCount"] == 3
        assert answer.headers["Cache-Control"] == "public, max-age=30"
        assert [action["customFields"] for action in actions["register"]] == [{"comment": "liv"}, {"comment": "per"}]
        assert [action["customFields"] for action in actions["share"]] == [{"comment": "fediverse"}]
        assert actions.keys() == {"register", "share", *"abcdefgh"}, "ten types at most"

    def test_it_fails_rather_than_to_leave_something_out(self, world: World, letter: ActionPage) -> None:
        path = f"/v1/pages/{letter.id}/static"
        for operation in ("BatchGetItem", "Query"):
            world.forget()
            world.get(f"/v1/pages/{letter.id}/numbers" if operation == "Query" else "/v1/pages", name=letter.name)
            public.forget()
            with faults(throttle(operation, nth=None)):
                assert world.get(path).status == 503
            assert world.get(path).status == 200


class TestEtag:
    def test_who_has_it_gets_304_without_a_body(self, world: World, page: ActionPage) -> None:
        path = f"/v1/pages/{page.id}"
        first = world.get(path)
        tag = first.headers["ETag"]
        for asked in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = world.get(path, {"If-None-Match": asked})
            assert (again.status, again.body) == (304, {})
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        for asked in ('"other"', tag.strip('"'), ""):
            assert world.get(path, {"If-None-Match": asked}).status == 200

    def test_it_changes_with_the_page_the_campaign_and_the_orgs(self, world: World, page: ActionPage) -> None:
        tags = [world.get(f"/v1/pages/{page.id}").headers["ETag"]]
        pages.replace(page.model_copy(update={"live": False}))
        orgs.replace(orgs.get(page.org).model_copy(update={"title": "New title"}))
        tags.append(world.get(f"/v1/pages/{page.id}").headers["ETag"])
        assert tags[0] == tags[1]  # 30 s from warm memory
        world.ahead_ms = 31_000
        tags.append(world.get(f"/v1/pages/{page.id}").headers["ETag"])
        assert tags[2] != tags[1]


class TestNotFound:
    @pytest.mark.parametrize("page_id", [UNKNOWN, "0", "abc", "-1", "9" * 30])
    def test_an_unknown_id(self, world: World, page_id: object) -> None:
        answer = world.get(f"/v1/pages/{page_id}")
        assert (answer.status, answer.body["type"]) == (404, "urn:proca:problem:not-found")
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_an_unknown_name(self, world: World) -> None:
        answer = world.get("/v1/pages", name="no such/page")
        assert (answer.status, answer.body["detail"]) == (404, "No such action page")

    @pytest.mark.parametrize(
        "name", ["no such/page", "page", "x/" + "a" * 254, "x/" + "a" * 9_000, "ø/ø", "\ud800", "\0"]
    )
    def test_what_is_no_name_is_not_looked_for(self, world: World, name: str) -> None:
        with calls() as recorded:
            answer = world.get("/v1/pages", name=name)
        assert (answer.status, answer.body["detail"]) == (404, "No such action page")
        assert not recorded.operations

    def test_the_longest_name_is_looked_for(self, world: World) -> None:
        with calls() as recorded:
            assert world.get("/v1/pages", name="x/" + "a" * 253).status == 404
        assert len(recorded) == 1

    def test_no_name(self, world: World) -> None:
        for answer in (world.get("/v1/pages"), world.get("/v1/pages", name="")):
            assert (answer.status, answer.codes) == (422, [("/name", "blank")])

    def test_what_is_unknown_is_remembered_for_a_moment(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        now = clock.now_ms()
        monkeypatch.setattr(clock, "now_ms", lambda: now)
        for ask in (lambda: world.get(f"/v1/pages/{UNKNOWN}"), lambda: world.get("/v1/pages", name="no/page")):
            with calls() as recorded:
                assert [ask().status for _ in range(20)] == [404] * 20
            assert len(recorded) == 1


class TestWarm:
    def test_a_warm_page_costs_no_call(self, world: World, page: ActionPage) -> None:
        world.get("/v1/pages", name=page.name)
        with calls() as recorded:
            world.get(f"/v1/pages/{page.id}")
            world.get("/v1/pages", name=page.name)
        assert not recorded.operations

    def test_a_store_that_does_not_answer_is_a_503(self, world: World, page: ActionPage) -> None:
        world.forget()
        with faults(throttle("GetItem", nth=None)):
            answer = world.get(f"/v1/pages/{page.id}")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert world.get(f"/v1/pages/{page.id}").status == 200


class TestHealth:
    def test_ok(self, world: World) -> None:
        with calls() as recorded:
            answer = world.get("/health")
        assert (answer.status, answer.body) == (200, {"status": "ok"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert recorded.operations == ["GetItem"]

    @pytest.mark.parametrize(
        "fault",
        [
            throttle("GetItem", nth=None),
            lose_request("GetItem", nth=None),
            refuse("AccessDeniedException", "GetItem", nth=None),
            refuse("InternalServerError", "GetItem", status=500, nth=None),
        ],
        ids=["throttled", "no connection", "denied", "server error"],
    )
    def test_503_when_the_store_does_not_answer(self, world: World, fault: object) -> None:
        with faults(fault):  # type: ignore[arg-type]
            answer = world.get("/health")
        assert (answer.status, answer.body) == (503, {"status": "error", "message": "database unreachable"})
