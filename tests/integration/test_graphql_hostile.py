"""What documents may ask of a public endpoint: hostile ones are refused, in bounded time and memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from graphql import parse

from proca_common.graph import engine, limits
from proca_common.graph.context import MOST_LOOK_UPS, TOO_MUCH
from proca_common.graph.schemas import public
from proca_common.monitors import feed
from proca_common.targets import store as targets
from proca_common.targets.target import TargetInput
from proca_common.users.permissions import Role
from tests.desks import desk
from tests.graphql import ask, data, errors
from tests.harness.calls import Calls, hooked
from tests.world import World


class TestBounds:
    @pytest.mark.parametrize(
        "document",
        [
            "mutation { ...All } fragment All on RootMutationType { %s }",
            "mutation { ... on RootMutationType { %s } }",
            "mutation { ...A ...B } fragment A on RootMutationType { %s } fragment B on RootMutationType { x: y }",
        ],
    )
    @pytest.mark.usefixtures("world")
    def test_fragments_hide_no_fields(self, document: str) -> None:
        field = 'addAction(actionPageId: 1, contactRef: "ab", action: {actionType: "x"}) { contactRef }'
        many = " ".join(f"a{number}: {field}" for number in range(11))
        assert errors(ask(document % many)) == [("An operation may have 10 fields", None, None)]

    def test_a_query_of_anybody_looks_up_so_much(self, world: World) -> None:
        org = world.org("ngo")
        for number in range(MOST_LOOK_UPS // feed.BUCKETS + 1):
            world.campaign(org, f"c{number}", public_actions=("share:note",))
        lists = '{ campaigns(title: "") { actions(actionType: "share") { fieldKeys } } }'
        with hooked(calls := Calls()):
            assert (TOO_MUCH, None) in {(message, code) for message, code, _ in errors(ask(lists))}
        assert len(calls.operations) < MOST_LOOK_UPS + 20
        searches = " ".join(f'a{number}: campaigns(title: "c") {{ id }}' for number in range(4))
        assert errors(ask("{ " + searches + " }"))[0][0] == TOO_MUCH
        assert data(ask('{ campaigns(title: "c") { id stats { supporterCount } } }'))

    def test_targets_are_read_once_however_often_they_are_asked_for(self, world: World) -> None:
        org = world.org("ngo")
        campaign = world.campaign(org, "bees")
        targets.create(targets.new(campaign.id, TargetInput(name="Ada", external_id="ada")))
        many = " ".join(f"a{number}: targets {{ name }}" for number in range(8))
        with hooked(calls := Calls()):
            found = data(ask(f'{{ campaign(name: "bees") {{ {many} }} }}'))["campaign"]
        assert found["a7"] == [{"name": "Ada"}]
        assert len(calls.of("Query")) == 1, calls.operations
        more = " ".join(f"a{number}: targets {{ name }}" for number in range(12))
        assert errors(ask(f'{{ campaign(name: "bees") {{ {more} }} }}'))[0][0] == TOO_MUCH

    def test_an_answer_that_is_too_large_is_said_to_be(self, world: World) -> None:
        org = world.org("ngo", config={"text": "x" * 300_000})
        world.campaign(org, "bees")
        ida = desk("ida@example.org", ngo=Role.OWNER)
        many = " ".join(f"a{number}: config" for number in range(25))
        answer = ask(f'{{ org(name: "ngo") {{ {many} }} }}', by=ida)
        assert answer.status == 200
        assert errors(answer) == [("The answer is too large: ask for less at once", "too_large", None)]
        assert data(ask('{ org(name: "ngo") { config } }', by=ida))

    def test_documents_are_remembered_up_to_a_size_and_the_popular_stay(self) -> None:
        remembered = engine.Remembered(most=30)
        sound = engine.Sound(parse("{ a }"), public())
        remembered.put("widget....", everything=False, sound=sound)
        for number in range(50):
            remembered.put(f"other {number:04}", everything=False, sound=sound)
            assert remembered.get("widget....", everything=False) is sound
        assert remembered.size == 30
        assert remembered.get("other 0000", everything=False) is None
        assert remembered.get("widget....", everything=True) is None


def deep(chance: random.Random) -> str:
    levels = chance.randrange(limits.MAX_DEPTH, 400)
    return "{ campaign(id: 1) " + "{ org " * levels + "{ name }" + " }" * levels + " }"


def wide(chance: random.Random) -> str:
    return "{ campaign(id: 1) { " + "name " * chance.randrange(1_000, 4_000) + "} }"


def aliased(chance: random.Random) -> str:
    many = range(chance.randrange(limits.MAX_ALIASES + 1, 300))
    return "{ campaign(id: 1) { " + " ".join(f"a{number}: stats {{ supporterCount }}" for number in many) + " } }"


def rooted(chance: random.Random) -> str:
    many = range(chance.randrange(limits.MAX_ROOT_FIELDS + 1, 200))
    return "{ " + " ".join(f"a{number}: campaign(id: {number}) {{ id }}" for number in many) + " }"


def in_circles(chance: random.Random) -> str:
    many = chance.randrange(1, 40)
    spreads = [
        f"fragment F{number} on Campaign {{ org {{ name }} ...F{(number + 1) % many} }}" for number in range(many)
    ]
    return "{ campaign(id: 1) { ...F0 } } " + " ".join(spreads)


def doubling(chance: random.Random) -> str:
    many = chance.randrange(13, 60)
    spreads = [f"fragment F{number} on Campaign {{ ...F{number + 1} ...F{number + 1} }}" for number in range(many)]
    return "{ campaign(id: 1) { ...F0 } } " + " ".join(spreads) + f" fragment F{many} on Campaign {{ name }}"


def overlapping(chance: random.Random) -> str:
    many = chance.randrange(50, 150)
    return "{ campaign(id: 1) { " + " ".join(["... on Campaign { org { name } }"] * many) + " } }"


def broken(chance: random.Random) -> str:
    text = "query($a: Int!) { actionPage(id: $a) { campaign { stats { supporterCount } } } }"
    cut = chance.randrange(len(text))
    return text[:cut] + chance.choice(['"', "{", "}", "$", "\\u0000", "@", "...", "\\ud800"]) + text[cut + 1 :]


HOSTILE: list[Callable[[random.Random], str]] = [
    deep,
    wide,
    aliased,
    rooted,
    in_circles,
    doubling,
    overlapping,
    broken,
]


def variables(chance: random.Random) -> dict[str, Any]:
    """Sometimes very many, very deep or very large ones."""
    match chance.randrange(6):
        case 0:
            return {f"v{number}": "x" * 50 for number in range(500)}
        case 1:
            return {"a": [[[[[1] * 2_000]]]]}
        case 2:
            return {"a": 10**400, "b": "x" * 40_000}
        case _:
            return {"a": 1}


@pytest.mark.parametrize(("seed", "number_of"), [(1, 120), pytest.param(2, 1_000, marks=pytest.mark.soak)])
def test_hostile_documents_are_refused_in_bounded_memory(
    world: World, seed: int, number_of: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world.page(world.org("ngo"))
    chance = random.Random(seed)
    data(ask("{ campaign(id: 1) { id } }"))
    errors(ask("{ campaign(id: 1) { nothing } }"))  # both schemas are made
    tracemalloc.start()
    base, _ = tracemalloc.get_traced_memory()
    statuses: dict[str, set[int]] = {}
    for number in range(number_of):
        make = HOSTILE[number % len(HOSTILE)]
        answer = ask(make(chance), variables(chance))
        statuses.setdefault(make.__name__, set()).add(answer.status)
        assert answer.status in (200, 400, 413), answer.body
        if make is not broken and make is not overlapping:
            assert "errors" in answer.body, make.__name__
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    with capsys.disabled():
        print(f"\n{number_of} hostile documents: {statuses}, {(peak - base) / 1e6:.1f} MB at most")  # noqa: T201
    assert peak - base < 40_000_000
    assert engine._known.size <= engine.MAX_KNOWN
