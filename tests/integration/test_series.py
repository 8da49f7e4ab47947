"""Numbers over time, for who works on a campaign."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from proca_common.aws.dynamo import Transaction
from proca_common.campaigns import store as campaigns
from proca_common.monitors import store as stats
from proca_common.monitors.persons import Label
from proca_common.stages import decide
from proca_common.users.permissions import Role
from tests.coalition import Coalition, Petition
from tests.desks import Desk, desk
from tests.harness.calls import calls
from tests.recount import assert_sound, counted
from tests.simulated import SimulatedTime
from tests.world import Answer, World


@pytest.fixture
def petition(world: World, time: SimulatedTime) -> Petition:
    """People sign in three hours of two days: the second day begins in the third."""
    time.now_ms += (23 * 3_600_000 - time.now_ms % 86_400_000) % 86_400_000  # the last hour of a day
    time.forward(hours=-1)
    petition = Coalition(world).petition()
    petition.sign("ida", tracking={"source": "newsletter"})
    petition.sign("per", partner=True, country="NO")
    time.forward(hours=1)
    siri = petition.sign("siri", country=None, tracking={"source": "newsletter"})
    taken_back = petition.sign("liv")
    time.forward(hours=1)
    petition.sign("ida", partner=True, tracking={"source": "ads"})
    petition.sign("tore", testing=True)
    petition.share(siri)
    world.run()
    assert decide.reject_supporter(taken_back.action)
    assert_sound(world, petition.campaign)
    return petition


@pytest.fixture
def lead(petition: Petition) -> Desk:
    return desk("lead@example.org", lead=Role.TRANSLATOR)


@pytest.fixture
def partner(petition: Petition) -> Desk:
    return desk("partner@example.org", partner=Role.CAMPAIGNER)


def asked(who: Desk, petition: Petition, org: str = "lead", **query: str) -> Answer:
    return who.get(f"/v1/orgs/{org}/campaigns/{petition.campaign.name}/series", **query)


def lines(answer: Answer) -> dict[str, list[int]]:
    """The lines by name, without the zeros before the first number."""
    assert answer.status == 200, answer.body
    body = answer.body
    assert all(len(line["numbers"]) == len(body["times"]) for line in body["lines"])
    filled = min((next((i for i, n in enumerate(line["numbers"]) if n), 99) for line in body["lines"]), default=0)
    return {line["name"]: line["numbers"][filled:] for line in body["lines"]}


class TestLines:
    def test_of_the_campaign_by_hour_and_day(self, lead: Desk, petition: Petition) -> None:
        assert lines(asked(lead, petition, by="hour")) == {"signatures": [2, 1, 1], "persons": [2, 1, 0]}
        answer = asked(lead, petition)
        assert lines(answer) == {"signatures": [3, 1], "persons": [3, 0]}
        assert (answer.body["by"], answer.body["of"], len(answer.body["times"])) == ("day", "campaign", 30)
        assert (answer.body["since"], answer.body["until"]) == (answer.body["times"][0], answer.body["times"][-1])

    def test_of_pages_areas_sources_and_types(self, lead: Desk, petition: Petition) -> None:
        assert lines(asked(lead, petition, of="page")) == {
            petition.page.name: [2, 0],
            petition.partner_page.name: [1, 1],
        }
        assert lines(asked(lead, petition, of="area")) == {"DK": [1, 1], "NO": [1, 0]}
        assert lines(asked(lead, petition, of="source")) == {"newsletter": [2, 0], "ads": [0, 1]}
        assert lines(asked(lead, petition, of="type")) == {"register": [3, 1], "share": [0, 1]}
        pages = asked(lead, petition, of="page").body["lines"]
        assert {line["page"] for line in pages} == {petition.page.id, petition.partner_page.id}

    def test_all_steps_come_to_what_is_counted(self, world: World, lead: Desk, petition: Petition) -> None:
        numbers = counted(world, petition.campaign.id)
        for kind, of in (("type", "type"), ("page", "page"), ("place", "area"), ("source", "source")):
            found = Counter({line["name"]: sum(line["numbers"]) for line in asked(lead, petition, of=of).body["lines"]})
            of_hours = sum(number for name, number in numbers.items() if f" {kind}:" in name)
            assert found.total() == of_hours > 0

    def test_of_hours_that_nothing_was_done_in(self, lead: Desk, petition: Petition) -> None:
        empty = asked(lead, petition, since="2025-01-01", until="2025-01-02")
        assert [line["numbers"] for line in empty.body["lines"]] == [[0, 0], [0, 0]]
        assert asked(lead, petition, since="2025-01-01", until="2025-01-02", of="area").body["lines"] == []

    def test_of_very_many_names_the_rest_is_other(self, lead: Desk, petition: Petition) -> None:
        campaign, hour = petition.campaign.id, "2026-01-05T10"
        transaction = Transaction()
        numbers = {Label(campaign, "place", f"A{number:03}", hour): 200 - number for number in range(120)}
        stats.add(transaction, Counter(numbers), 3)
        transaction.commit()
        found = lines(asked(lead, petition, of="area", since="2026-01-05", until="2026-01-05"))
        assert len(found) == 101
        assert found["A000"] == [200]
        assert found["other"] == [sum(200 - number for number in range(100, 120))]

    def test_it_costs_a_query_for_each_shard_and_nothing_for_30_s_more(
        self, time: SimulatedTime, lead: Desk, petition: Petition
    ) -> None:
        asked(lead, petition)
        time.forward(seconds=30)
        for queries in (stats.SHARDS, 0):
            with calls() as recorded:
                asked(lead, petition)
            shards = [call for call in recorded.all if call.operation == "Query" and "#" in str(call.keys[0][2])]
            own = [call for call in shards if str(petition.campaign.id) + "#" in str(call.keys[0][2])]
            assert len(own) == queries


class TestWho:
    def test_a_partner_sees_its_own_pages(self, partner: Desk, petition: Petition) -> None:
        own = asked(partner, petition, "partner", of="page")
        assert lines(own) == {petition.partner_page.name: [1, 1]}
        for of in ("campaign", "area", "source", "type"):
            answer = asked(partner, petition, "partner", of=of)
            assert (answer.status, answer.body["type"]) == (403, "urn:proca:problem:not-allowed")
        assert asked(partner, petition, "partner").status == 403

    def test_nobody_sees_a_campaign_of_others(self, world: World, lead: Desk, petition: Petition) -> None:
        world.org("stranger")
        stranger = desk("stranger@example.org", stranger=Role.OWNER)
        assert asked(stranger, petition, "stranger", of="page").status == 404
        assert asked(stranger, petition, "lead", of="page").status == 403
        assert asked(lead, petition, "no_such_org", of="page").status == 403
        assert lead.get("/v1/orgs/lead/campaigns/no_such/series").status == 404

    def test_everything_that_is_wrong_is_told(self, lead: Desk, petition: Petition) -> None:
        answer = asked(lead, petition, by="week", of="planet", since="x", until="y")
        wrong: list[tuple[str, Any]] = [
            ("/of", "invalid"),
            ("/by", "invalid"),
            ("/until", "format"),
            ("/since", "format"),
        ]
        assert (answer.status, answer.codes) == (422, wrong)

    def test_a_renamed_campaign_keeps_its_numbers(self, lead: Desk, petition: Petition) -> None:
        renamed = campaigns.replace(petition.campaign.model_copy(update={"name": "renamed"}))
        answer = lead.get(f"/v1/orgs/lead/campaigns/{renamed.name}/series")
        assert lines(answer) == {"signatures": [3, 1], "persons": [3, 0]}
