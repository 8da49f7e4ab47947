"""Connectors that take actions out by GraphQL, each in its own way, get every one of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.graph import contacts_fields, paging
from proca_common.users.permissions import Role
from tests.desks import Desk, desk
from tests.graphql import ask, data, errors
from tests.simulated import SimulatedTime
from tests.world import World

LIST = """query($after: DateTime, $start: Int, $limit: Int) {
  contacts(orgName: "ngo", after: $after, start: $start, limit: $limit, onlyOptIn: false) { actionId createdAt } }"""
Rows = list[dict[str, Any]]


class Connector:
    """What keeps going on asking. `seen`: the ids that it has, as often as they came."""

    def __init__(self, by: Desk, limit: int | None = None) -> None:
        self.by, self.limit = by, limit
        self.seen: list[int] = []

    def asked(self, **given: object) -> Rows:
        found: Rows = data(ask(LIST, {"limit": self.limit, **given}, by=self.by))["contacts"]
        assert [row["actionId"] for row in found] == sorted(row["actionId"] for row in found)
        self.seen += [row["actionId"] for row in found]
        return found


class ByLastId(Connector):
    """It goes on from the last id, as the reference advises."""

    start = 1

    def poll(self, _now: datetime) -> None:
        while found := self.asked(start=self.start):
            self.start = found[-1]["actionId"] + 1


class ByLastAsking(Connector):
    """It asks for what is new since it last asked, by its own clock; then for more of that by ids."""

    since = datetime(2020, 1, 1, tzinfo=UTC)

    def poll(self, now: datetime) -> None:
        after, self.since = self.since, now
        found = self.asked(after=f"{after:%Y-%m-%dT%H:%M:%S}.000Z")
        while found:
            found = self.asked(after=after.isoformat(), start=found[-1]["actionId"] + 1)


class ByLastMoment(Connector):
    """It asks for what is new since the moment of the last row that it has."""

    moment = "2020-01-01T00:00:00"

    def poll(self, _now: datetime) -> None:
        while found := self.asked(after=f"{self.moment}Z"):
            if found[-1]["createdAt"] <= self.moment:
                return
            self.moment = found[-1]["createdAt"]


@pytest.fixture
def page(world: World) -> ActionPage:
    return world.page(world.org("ngo", key=False), name="ngo/bees")


@pytest.fixture
def ida(page: ActionPage) -> Desk:
    return desk("ida@example.org", ngo=Role.OWNER)


def now(time: SimulatedTime) -> datetime:
    return datetime.fromtimestamp(time.now_ms // 1000, UTC)


@pytest.mark.parametrize(("make", "limit"), [(ByLastId, None), (ByLastAsking, 4), (ByLastMoment, 4)])
def test_every_action_comes_in_the_end(
    world: World, time: SimulatedTime, page: ActionPage, ida: Desk, make: Callable[..., Any], limit: int | None
) -> None:
    chance, connector = random.Random(3), make(ida, limit)
    signed: set[int] = set()
    for _ in range(8):
        for _ in range(chance.choice([0, 1, 2])):
            signed.add(world.sign(page, email=f"p{len(signed)}@example.org").action)
            time.forward(seconds=chance.choice([1, 3, 25]))
        world.run()
        time.forward(seconds=chance.choice([5, 50, 400]))
        connector.poll(now(time))
    time.forward(seconds=90)
    connector.poll(now(time))
    assert set(connector.seen) == signed


def test_who_goes_on_from_the_last_moment_gets_beyond_a_busy_minute(
    world: World, time: SimulatedTime, page: ActionPage, ida: Desk
) -> None:
    signed = set()
    for number in range(9):
        signed.add(world.sign(page, email=f"p{number}@example.org").action)
        time.forward(seconds=2)
    world.run()
    time.forward(minutes=2)
    connector = ByLastMoment(ida, limit=3)
    connector.poll(now(time))
    assert set(connector.seen) == signed


def test_a_row_is_listed_a_minute_after_its_action(
    world: World, time: SimulatedTime, page: ActionPage, ida: Desk
) -> None:
    world.sign(page)
    world.run()
    time.forward(seconds=50)
    assert data(ask(LIST, {"after": (now(time) - timedelta(hours=1)).isoformat()}, by=ida))["contacts"] == []
    time.forward(seconds=20)
    assert len(data(ask(LIST, {"after": (now(time) - timedelta(hours=1)).isoformat()}, by=ida))["contacts"]) == 1
    assert len(data(ask(LIST, {"after": "0001-01-01T00:00:00Z"}, by=ida))["contacts"]) == 1


class TestEnds:
    def test_a_list_that_was_not_finished_is_not_said_to_be_empty(
        self, world: World, time: SimulatedTime, page: ActionPage, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            world.sign(page, email=f"p{number}@example.org", testing=True)
        world.run()
        time.forward(minutes=2)
        monkeypatch.setattr(contacts_fields, "ENOUGH_MS", 10**9)
        assert errors(ask(LIST, by=ida)) == [
            ("Nothing found in time: ask for one campaign, or from a later start", None, ["contacts"])
        ]

    def test_rows_that_are_large_come_in_several_answers(
        self, world: World, time: SimulatedTime, page: ActionPage, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            world.sign(page, email=f"p{number}@example.org", fields={"note": "x" * 1_000})
        world.run()
        time.forward(minutes=2)
        monkeypatch.setattr(paging, "MOST_BYTES", 4_000)
        connector = ByLastId(ida)
        assert 1 <= len(data(ask(LIST, by=ida))["contacts"]) < 5
        connector.poll(now(time))
        assert len(connector.seen) == 5
