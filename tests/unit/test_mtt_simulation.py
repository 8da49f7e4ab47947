"""Two weeks, 20,000 mails, 300 targets: what was sent against the plans of domain 9.3 and 9.4, also when things break.

The world is simulated, the rules are those that run. Nothing is sent twice, whatever dies.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from proca_common.mtt import schedule
from proca_common.mtt.plan import MAX_PER_CYCLE, Pace, hourly_cap, is_day_of
from tests.harness.template import project_template
from tools.pacing.clockwork import Clockwork, Process
from tools.pacing.curves import Curve, at, by_hour, drip_goals, is_time_to_send
from tools.pacing.picture import PICTURE, drawn
from tools.pacing.scene import DAYS, MAILS, PACE, SEED, TARGETS, WINDOW, Arrival, Mail, arrivals
from tools.pacing.simulation import CYCLE_MS, DRIP_ORDERS_MS, EVERY_MS, Faults, Simulation
from tools.pacing.world import State, World

CALM = Faults()
STORMY = Faults(deaths=0.01, twice=0.05, late=0.05, busy=0.02, schedulers=2)
WAYS = pytest.mark.parametrize("pace", [None, PACE], ids=["drip", "hourly"])
WEATHERS = pytest.mark.parametrize("faults", [CALM, STORMY], ids=["calm", "stormy"])


@cache
def written() -> list[Arrival]:
    return arrivals(SEED)


@cache
def sent(pace: Pace | None, faults: Faults, seed: int = SEED) -> World:
    return Simulation(WINDOW, pace, faults, seed).run(written())


def check_sums(world: World) -> Counter[State]:
    """What holds however often anything died. Gives the number of mails in each state."""
    due = [mail for arrival in written() for mail in arrival.due]
    states = Counter(world.states.values())
    taken = Counter(mail for _, mail in world.sent)
    known_as_sent = {mail for mail, state in world.states.items() if state is State.SENT}
    assert max(taken.values()) == 1
    assert known_as_sent <= taken.keys()
    assert {world.states[mail] for mail in taken.keys() - known_as_sent} <= {State.UNCERTAIN}
    assert states[State.SENT] + states[State.UNCERTAIN] + states[State.UNSENT] == len(due) == MAILS
    assert states[State.CLAIMED] == 0
    return states


def check_hours(world: World) -> int:
    """That no hour of a target is above its cap. Gives how many of the best hours are at it."""
    caps = {target_hour: hourly_cap(target_hour[1], PACE) for target_hour in by_hour(world.sent)}
    hours = by_hour(world.sent)
    assert not {hour for hour, number in hours.items() if number > caps[hour]}
    assert all(is_day_of(at(moment_ms), WINDOW) for moment_ms, _ in world.sent)
    return sum(number == caps[hour] == PACE.most_per_hour for hour, number in hours.items())


def check_drip(world: World) -> None:
    """That no target ever got more than it was due, and nobody anything out of hours.

    A mail that was given back while a scheduler read makes room for another until its own turn comes again.
    """
    assert all(is_time_to_send(moment_ms, WINDOW) for moment_ms, _ in world.sent)
    log = iter([*sorted(world.sent), (0, Mail("", 0))])
    moment_ms, mail = next(log)
    got: Counter[str] = Counter()
    for goals in drip_goals(world.arrived, WINDOW):
        while mail.target and moment_ms < goals.at_ms + CYCLE_MS:
            got[mail.target] += 1
            assert got[mail.target] <= goals.of[mail.target] + world.given_back[mail.target]
            moment_ms, mail = next(log)


def test_the_campaign_is_as_big_as_it_should_be() -> None:
    due = [(arrival.person, mail.target) for arrival in written() for mail in arrival.due]
    dupes = [(arrival.person, mail.target) for arrival in written() for mail in arrival.dupes]

    assert len(due) == len(set(due)) == MAILS == 20_000
    assert len({target for _, target in due}) == TARGETS == 300
    assert (WINDOW.end_at.date() - WINDOW.start_at.date()).days + 1 == DAYS == 14
    assert len(dupes) > 100
    assert set(dupes) <= set(due)


@WAYS
def test_everything_is_sent_once_and_duplicates_never(pace: Pace | None) -> None:
    world = sent(pace, CALM)

    states = check_sums(world)
    assert states[State.SENT] == len(world.sent) == MAILS


@WAYS
def test_whatever_dies_nothing_goes_out_twice_and_nothing_is_lost(pace: Pace | None) -> None:
    world = sent(pace, STORMY)

    states = check_sums(world)
    assert 100 < states[State.UNCERTAIN] < 1_000
    assert states[State.SENT] > 19_000
    assert len(world.sent) > states[State.SENT]  # some went out although nobody knows


@WEATHERS
def test_no_hour_is_above_its_cap(faults: Faults) -> None:
    assert check_hours(sent(PACE, faults)) > 20


@WEATHERS
def test_drip_never_runs_ahead_of_its_plan(faults: Faults) -> None:
    check_drip(sent(None, faults))


def test_drip_keeps_up_with_its_plan() -> None:
    world = sent(None, CALM)
    curve = Curve(moment_ms for moment_ms, _ in world.sent)

    for goals in drip_goals(world.arrived, WINDOW):
        if goals.at_ms % 3_600_000 == 0:
            assert sum(goals.of.values()) * 0.99 - 50 <= curve(goals.at_ms + 2 * CYCLE_MS)


def test_the_picture_shows_what_the_rules_do() -> None:
    assert Path(PICTURE).read_text("utf-8") == drawn(sent(None, CALM), sent(PACE, CALM))


def test_a_process_may_die_after_any_step() -> None:
    def process() -> Process:
        for step in range(3):
            steps.append(step)
            yield 10

    ends = set()
    for seed in range(40):
        steps: list[int] = []
        clock = Clockwork(0, random.Random(seed), 0.5)
        clock.start(process(), 5)
        clock.run()
        ends.add(len(steps))
    assert ends == {1, 2, 3}


@pytest.mark.soak
@WAYS
@pytest.mark.parametrize("deaths", [0.01, 0.1])
def test_many_storms(pace: Pace | None, deaths: float, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2, 5):
        world = sent.__wrapped__(pace, Faults(deaths, twice=0.2, late=0.2, busy=0.1, schedulers=3), seed)
        states = check_sums(world)
        if pace is None:
            check_drip(world)
        else:
            check_hours(world)
        figures = ", ".join(f"{states[state]} {state}" for state in State)
        with capsys.disabled():
            sys.stdout.write(f"\n{'drip' if pace is None else 'hourly'}, {deaths:.0%} of steps are the last: {figures}")


def test_it_is_planned_as_often_as_in_the_simulation() -> None:
    """At least one run falls into the last cycle of a day, also when it comes up to a minute late."""
    [event] = project_template().function("ScheduleTargetMailsFunction")["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(2 minutes)"
    assert schedule.EVERY_MS == EVERY_MS == 120_000 <= CYCLE_MS - 60_000
    assert schedule.MOST * CYCLE_MS <= MAX_PER_CYCLE * EVERY_MS
    assert schedule.DRIP_ORDERS_MS == DRIP_ORDERS_MS
