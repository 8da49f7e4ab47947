"""Two operations meet on one action, at every step: nothing is lost, counted twice or made again (design 5).

Whatever their order, they must leave what they leave one after the other, in one order or the other.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from proca_common.errors import DomainError
from tests.coalition import Coalition
from tests.harness.calls import hooked
from tests.harness.interleave import Operation, probe, run, schedules
from tests.orders import Touches, orders, touches
from tests.recount import assert_sound, entitled
from tests.scenes import LONGEST, MOST_PEOPLE, SETTLED_STATES, STATES, Alone, Outcome, Scene, Sent, State
from tests.simulated import SimulatedTime
from tests.world import World

Pair = tuple[str, str]
SWEEP, SECOND = "sweep", "second signature"
ERASURES = {"erasure", LONGEST}
FEW = 300
SECOND_TRY = 2


@dataclass(frozen=True)
class Case:
    """Two operations and the order of their calls."""

    pair: Pair
    schedule: str

    @property
    def in_turn(self) -> bool:
        """Whether one operation ends before the other begins."""
        return sum(one != other for one, other in itertools.pairwise(self.schedule)) < 2

    @property
    def has_order(self) -> bool:
        """Whether it is certain which of two signatures comes first: not where the sweep, or an erasure that finds the
        second one at work, leaves that to the stream.
        """
        return SWEEP not in self.pair and not (SECOND in self.pair and ERASURES & {*self.pair})


IN_EVERY_RUN = ("on its way", "partly owed")
"""States in which all orders are tried each time; in all others when there is more time."""


@pytest.mark.parametrize(
    "name", [name if name in IN_EVERY_RUN else pytest.param(name, marks=pytest.mark.soak) for name in STATES]
)
def test_two_operations_meet_in_every_order_that_differs(world: World, time: SimulatedTime, name: str) -> None:
    state = STATES[name]
    coalition = Coalition(world, partner=state.settings)
    cases = []
    for pair, (a, b) in steps_of_pairs(coalition, time, state, new_only=True):
        cases += [Case(pair, schedule) for schedule in orders(a, b)]
    play(coalition, time, state, cases)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", [*STATES, *SETTLED_STATES])
def test_two_operations_meet_in_every_order(world: World, time: SimulatedTime, name: str) -> None:
    """All orders where they are few, else those with two changes of turn before an end; with turns for second tries."""
    state = (STATES | SETTLED_STATES)[name]
    coalition = Coalition(world, partner=state.settings)
    cases = []
    for pair, (a, b) in steps_of_pairs(coalition, time, state, new_only=False):
        in_turn = ["A" * len(a) + "B" * len(b), "B" * len(b) + "A" * len(a)]
        few = math.comb(len(a) + len(b), len(a)) <= FEW
        every = schedules(len(a), len(b)) if few else schedules(len(a) + SECOND_TRY, len(b) + SECOND_TRY, preemptions=2)
        cases += [Case(pair, schedule) for schedule in (*in_turn, *every)]
    print(f"{name}: {len(cases)} schedules")  # noqa: T201  the figures of `make soak`
    play(coalition, time, state, cases)


@pytest.mark.parametrize(
    "name", ["on its way", *(pytest.param(name, marks=pytest.mark.soak) for name in STATES if name != "on its way")]
)
def test_somebody_is_erased_between_any_two_calls(world: World, time: SimulatedTime, name: str) -> None:
    """Or anything happens between two calls of an erasure; who is gone is gone, and nothing is made again."""
    state = STATES[name]
    coalition = Coalition(world, partner=state.settings)
    cases = []
    others = [other for other in state.operations if other in (state.new or state.operations) and other != LONGEST]
    steps = steps_of_each(coalition, time, state, signs_again=True)
    for other in others:
        a, b = len(steps[other]), len(steps[LONGEST])
        cases += [Case((other, LONGEST), "A" * a + "B" * b), Case((other, LONGEST), "B" * b + "A" * a)]
        cases += [Case((other, LONGEST), "A" * done + "B" * b + "A" * (a - done)) for done in range(1, a)]
        cases += [Case((other, LONGEST), "B" * done + "A" * a + "B" * (b - done)) for done in range(1, b)]
    play(coalition, time, state, cases)


def steps_of_pairs(
    coalition: Coalition, time: SimulatedTime, state: State, *, new_only: bool
) -> Iterator[tuple[Pair, tuple[list[Touches], list[Touches]]]]:
    """Every two operations of the state, with what each does when it is alone."""
    steps = {signs_again: steps_of_each(coalition, time, state, signs_again) for signs_again in (False, True)}
    for pair in state.pairs(new_only=new_only):
        of_pair = steps[SECOND in pair]
        yield pair, (of_pair[pair[0]], of_pair[pair[1]])


def steps_of_each(
    coalition: Coalition, time: SimulatedTime, state: State, signs_again: bool
) -> dict[str, list[Touches]]:
    """What each operation touches, call by call, when it is alone."""
    names = [name for name in state.operations if signs_again or name != SECOND]
    scene = Scene(coalition, time, state, [signs_again] * len(names))
    steps = {}
    for name, person in zip(names, scene.people, strict=True):
        with hooked(Alone(person)):
            recorded = probe(willing(scene.operation(name, person)))
        rename, unordered = scene.names(person), [scene.world.tables["StatsTable"]]
        steps[name] = [touches(call, rename, unordered) for call in recorded]
    return steps


def willing(operation: Operation) -> Operation:
    """The operation, content with being told that the rules forbid it."""

    def tried() -> None:
        with suppress(DomainError):
            operation()

    return tried


def play(coalition: Coalition, time: SimulatedTime, state: State, cases: Sequence[Case]) -> None:
    """Each case for a person of its own; then the system comes to rest, and what is left is compared."""
    in_turn: dict[Pair, set[Outcome]] = defaultdict(set)
    wrong = []
    for some in rounds(cases):
        sent = Sent()
        runs = []
        with hooked(sent):
            scene = Scene(coalition, time, state, [SECOND in case.pair for case in some])
            for case, person in zip(some, scene.people, strict=True):
                operations = [willing(scene.operation(name, person)) for name in case.pair]
                with hooked(Alone(person)):
                    runs.append(run(*operations, case.schedule))
            time.recover()
        stored = assert_sound(scene.world, scene.petition.campaign)
        outcomes = scene.outcomes(stored, [case.has_order for case in some])
        for case, happened, outcome in zip(some, runs, outcomes, strict=True):
            errors = [result.error for result in (happened.a, happened.b) if result.error is not None]
            if case.in_turn:
                in_turn[case.pair].add(outcome)
            if errors or outcome not in in_turn[case.pair]:
                known = map(str, in_turn[case.pair])
                wrong.append(
                    "\n".join([str(case.pair), str(happened), *map(repr, errors), str(outcome), "not in", *known])
                )
        assert entitled(stored) <= sent.ids.keys()
    assert not wrong, "\n\n".join(wrong)


def rounds(cases: Sequence[Case]) -> Iterator[Sequence[Case]]:
    """As many cases as a scene has people."""
    for start in range(0, len(cases), MOST_PEOPLE):
        yield cases[start : start + MOST_PEOPLE]
