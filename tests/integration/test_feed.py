"""What stands in the public feed, from delivery to rejection, and in which order it is read (domain 11.3)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Unavailable
from proca_common.campaigns import store as campaigns
from proca_common.ids import RANDOM_BITS
from proca_common.monitors import feed
from proca_common.monitors.feed import PublicAction
from proca_common.stages import decide
from tests.harness.calls import calls
from tests.harness.faults import faults, throttle
from tests.recount import assert_sound
from tests.world import World

CAMPAIGN = 7
SHOWN = ["register:comment", "register:job", "share:"]


@pytest.fixture
def page(world: World) -> ActionPage:
    org = world.org("bees")
    return world.page(org, world.campaign(org, public_actions=SHOWN))


def seen(page: ActionPage, action_type: str = "register", limit: int = 100) -> list[tuple[int, str | None, Any]]:
    found = feed.newest(page.campaign, action_type, None, limit)
    return [(action.id, action.area, action.fields) for action in found]


class TestWhatStandsInIt:
    def test_a_delivered_signature_with_the_fields_that_may_be_seen(self, world: World, page: ActionPage) -> None:
        signed = world.sign(page, fields={"comment": "My kids swim here", "shoes": 41}).action
        assert seen(page) == []
        world.run()
        assert seen(page) == [(signed, "DK", {"comment": "My kids swim here"})]
        assert_sound(world, page.campaign)

    def test_the_newest_first(self, world: World, page: ActionPage) -> None:
        signed = [world.sign(page, email=f"{name}@example.org") for name in ("ida", "per", "liv")]
        shared = world.act(page, signed[0].contact_ref).action
        world.run()
        assert [action for action, *_ in seen(page)] == [each.action for each in reversed(signed)]
        assert seen(page, "share") == [(shared, "DK", {})]
        assert_sound(world, page.campaign)

    def test_no_test_no_repetition_no_other_type(self, world: World, page: ActionPage) -> None:
        signed = world.sign(page).action
        world.sign(page)
        world.sign(page, email="liv@example.org", testing=True)
        world.sign(page, email="per@example.org", action_type="donate")
        world.run()
        assert [action for action, *_ in seen(page)] == [signed]
        assert seen(page, "donate") == []
        assert_sound(world, page.campaign)

    def test_nothing_of_a_campaign_that_shows_nothing(self, world: World, page: ActionPage) -> None:
        campaigns.replace(campaigns.get(page.campaign).model_copy(update={"public_actions": ()}))
        world.forget()
        world.sign(page, fields={"comment": "My kids swim here"})
        world.run()
        assert not [item for item in world.tables.all_items("StatsTable") if "#feed#" in item["pk"]["S"]]

    def test_who_is_rejected_is_taken_out(self, world: World, page: ActionPage) -> None:
        taken_back, kept = world.sign(page), world.sign(page, email="per@example.org")
        world.act(page, taken_back.contact_ref)
        world.run()
        assert decide.reject_supporter(taken_back.action)
        assert [action for action, *_ in seen(page)] == [kept.action]
        assert len(seen(page, "share")) == 1  # an action of its own that is already delivered stays
        world.run()
        assert_sound(world, page.campaign)

    def test_an_action_alone_is_taken_out(self, world: World, page: ActionPage) -> None:
        shared = world.act(page, world.sign(page).contact_ref).action
        world.run()
        assert decide.reject_action(shared)
        assert (len(seen(page)), seen(page, "share")) == (1, [])
        assert_sound(world, page.campaign)

    def test_who_has_to_confirm_stands_there_once_that_is_done(self, world: World) -> None:
        org = world.org("bees", custom_supporter_confirm=True)
        page = world.page(org, world.campaign(org, public_actions=SHOWN, supporter_confirm=True))
        signed = world.sign(page).action
        world.run()
        assert seen(page) == []
        decide.accept_supporter(signed)
        world.run()
        assert [action for action, *_ in seen(page)] == [signed]
        assert_sound(world, page.campaign)


@pytest.mark.usefixtures("world")
class TestReading:
    def fill(self, ids: list[int], action_type: str = "register") -> None:
        for start in range(0, len(ids), 100):
            transaction = Transaction()
            for number in ids[start : start + 100]:
                feed.put(transaction, CAMPAIGN, action_type, PublicAction(number, None, {"comment": str(number)}))
            transaction.commit()

    def newest(self, limit: int, before: int | None = None) -> list[int]:
        return [action.id for action in feed.newest(CAMPAIGN, "register", before, limit)]

    def test_is_exact_wherever_the_ids_stand_and_costs_a_query_for_each_bucket(self) -> None:
        spread = [(number << RANDOM_BITS) + number * 37 % 4096 for number in range(1, 300)]
        self.fill(spread)
        self.fill([1 << 50], "register-x")
        with calls() as recorded:
            assert self.newest(100) == sorted(spread, reverse=True)[:100]
        assert recorded.operations == ["Query"] * feed.BUCKETS
        assert self.newest(100, before=spread[150]) == sorted(spread[:150], reverse=True)[:100]
        assert self.newest(1000) == sorted(spread, reverse=True)
        assert self.newest(5, before=spread[0]) == []

    def test_is_exact_when_all_stand_in_one_bucket(self) -> None:
        crowded = [number << RANDOM_BITS for number in range(1, 80)]
        self.fill(crowded)
        with calls() as recorded:
            assert self.newest(60) == sorted(crowded, reverse=True)[:60]
        assert len(recorded) == feed.BUCKETS + 2

    def test_a_store_that_does_not_answer(self) -> None:
        with faults(throttle("Query", nth=None)), pytest.raises(Unavailable):
            self.newest(10)


def test_what_may_be_seen_is_what_the_campaign_lists() -> None:
    assert feed.public_types(["b:x", "a:y", "b:z", "c:"]) == ["b", "a", "c"]
    fields = {"x": 1, "y": "2", "": "3", "x:y": 4}
    assert feed.public_fields(["b:x", "a:y", "b:x:y"], "b", fields) == {"x": 1, "x:y": 4}
    assert feed.public_fields(["b:x"], "a", fields) == {}
