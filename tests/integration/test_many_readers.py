"""However many look, the store is asked as seldom as stated, and nothing is told that is older than stated.

The handlers run in this process; the clock is moved by each request.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from tests.harness.calls import Calls, calls
from tests.harness.context import LambdaContext
from tests.simulated import SimulatedTime
from tests.world import World, api_event, function

SIGNATURES = 20
NUMBERS_MS, LISTS_MS, SETTINGS_MS = 5_000, 30_000, 30_000
"""How old what is told may be (docs/embedding.md)."""


@dataclass
class Known:
    """What was true from which moment on."""

    moments: list[tuple[float, int]] = field(default_factory=lambda: [(0, 0)])

    def add(self, now_ms: float, value: int) -> None:
        self.moments.append((now_ms, value))

    def at(self, moment_ms: float) -> int:
        """What was true then: everything younger may be told, nothing older."""
        return next(value for since, value in reversed(self.moments) if since <= moment_ms)


class Crowd:
    """People who look at a page, its numbers and what others said, while others sign."""

    def __init__(self, world: World, time: SimulatedTime, page: ActionPage) -> None:
        self.world, self.time, self.page = world, time, page
        self.signed, self.newest = Known(), Known()
        self.asked = [*self._questions()]
        self.reads: Counter[str] = Counter()

    def _questions(self) -> Iterator[tuple[Callable[[], dict[str, Any]], Callable[[dict[str, Any]], None]]]:
        for name, path, query, check in (
            ("GetPage", f"/v1/pages/{self.page.id}", None, lambda body: self.numbers(body["campaign"]["numbers"])),
            ("GetPage", f"/v1/pages/{self.page.id}/numbers", None, self.numbers),
            ("GetCampaign", f"/v1/campaigns/{self.page.campaign}/numbers", None, self.numbers),
            ("GetCampaign", f"/v1/campaigns/{self.page.campaign}/actions", {"type": "register"}, self.listed),
        ):
            handler, event = function(f"{name}Function"), api_event("GET", path, query=query)
            context = LambdaContext(f"{name}Function", 28)
            yield lambda handler=handler, event=event, context=context: handler(event, context), check  # type: ignore[misc]

    def numbers(self, body: dict[str, Any]) -> None:
        """They are at most five seconds old."""
        assert body["supporterCount"] >= self.signed.at(self.time.now_ms - NUMBERS_MS)

    def listed(self, body: dict[str, Any]) -> None:
        """The list is at most thirty seconds old."""
        newest = body["items"][0]["actionId"] if body["items"] else 0
        assert newest >= self.newest.at(self.time.now_ms - LISTS_MS)

    def look(self, reads_a_second: int, seconds: int) -> Calls:
        """So many reads, one after the other; what was asked of the store meanwhile."""
        start, next_signature = self.time.now_ms, self.time.now_ms
        with calls() as recorded:
            for number in range(reads_a_second * seconds):
                self.time.now_ms = start + number * 1000 // reads_a_second
                if self.time.now_ms >= next_signature:
                    next_signature += seconds * 1000 // SIGNATURES
                    before = len(recorded)
                    self.sign()
                    del recorded.all[before:]
                ask, check = self.asked[number % len(self.asked)]
                answer = ask()
                assert answer["statusCode"] == 200
                check(json.loads(answer["body"]))
        return recorded

    def sign(self) -> None:
        """One more signs and counts."""
        count = self.signed.moments[-1][1] + 1
        action = self.world.sign(self.page, email=f"person{count}@example.org", fields={"comment": "x"}).action
        self.world.run()
        self.signed.add(self.time.now_ms, count)
        self.newest.add(self.time.now_ms, action)


@pytest.mark.parametrize(
    ("reads_a_second", "seconds"),
    [
        pytest.param(2_000, 6, id="2,000 reads a second"),
        pytest.param(40, 100, id="for a hundred seconds"),
        pytest.param(2_000, 100, id="both", marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
def test_the_store_is_asked_as_stated_and_nothing_is_older_than_stated(
    world: World, time: SimulatedTime, reads_a_second: int, seconds: int
) -> None:
    logging.disable(logging.INFO)
    try:
        org = world.org("bees")
        page = world.page(org, world.campaign(org, public_actions=["register:comment"]))
        world.page(world.org("birds"), world.campaign(org, "other"), extra_supporters=3)
        recorded = Crowd(world, time, page).look(reads_a_second, seconds)
    finally:
        logging.disable(logging.NOTSET)

    asked = Counter(kind(world, call.operation, call.params) for call in recorded.all)
    print(f"{reads_a_second * seconds} reads in {seconds} s: {dict(asked)}")  # noqa: T201 - the figures
    assert asked["BatchGetItem Stats"] <= math.ceil(seconds * 1000 / NUMBERS_MS) + 1
    assert asked["Query Stats"] <= 8 * (math.ceil(seconds * 1000 / LISTS_MS) + 1)
    settings = math.ceil(seconds * 1000 / SETTINGS_MS) + 1
    assert asked["GetItem Catalog"] <= 3 * settings, "a page; a campaign with its org"
    assert asked["BatchGetItem Catalog"] <= settings + 1, "what is around a page; names of orgs"
    assert sum(asked.values()) == sum(asked[known] for known in asked if known.split()[1] in ("Stats", "Catalog"))
    assert len(recorded) <= seconds + 20


def kind(world: World, operation: str, params: dict[str, Any]) -> str:
    """What a call asks, and of which table."""
    table = params.get("TableName") or next(iter(params["RequestItems"]))
    return f"{operation} {'Stats' if table == world.tables['StatsTable'] else 'Catalog'}"
