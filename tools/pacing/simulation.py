"""Two weeks of schedulers and senders around the planning rules of `mtt.plan`, in seconds.

Everything that is not a rule is as it is on AWS: a scheduler starts every two minutes whether or not the last one is
done, orders come late, twice or again, processes die between any two calls, and a provider does not always take a mail.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from proca_common.mtt.plan import (
    CYCLE,
    MAX_PER_CYCLE,
    Pace,
    Window,
    drip,
    hour_closes,
    hourly,
    hourly_cap,
    is_day_of,
    is_open,
)
from tools.pacing.clockwork import Clockwork, Process
from tools.pacing.scene import Arrival, Mail
from tools.pacing.world import HourPlan, Provider, State, World

EVERY_MS: Final = 120_000
CYCLE_MS: Final = CYCLE // timedelta(milliseconds=1)
DRIP_ORDERS_MS: Final = 2 * CYCLE_MS
AGAIN_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
RATE: Final = 14.0


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong, as parts of one: `deaths` of all steps of schedulers and senders, `twice` of all
    orders, `late` of all orders, by up to an hour, `busy` of all mails that are handed to the provider. `schedulers`:
    so many start at about the same time.
    """

    deaths: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    busy: float = 0.0
    schedulers: int = 1


@dataclass(frozen=True, slots=True)
class _Order:
    mail: Mail
    at_ms: int
    good_until_ms: int


Run = Callable[[], Process]


class Simulation:
    """One campaign; with `pace` by the hour, without it by drip. `run` gives what became of it."""

    def __init__(self, window: Window, pace: Pace | None, faults: Faults, seed: int) -> None:
        self.world = World()
        self._window, self._pace, self._faults = window, pace, faults
        self._chance = random.Random(seed)
        start_ms = int(window.start_at.timestamp() * 1000)
        self._clock = Clockwork(start_ms, self._chance, faults.deaths)
        self._provider = Provider(self.world, self._chance, faults.busy, RATE)
        self._end_ms = int((window.end_at + timedelta(hours=12)).timestamp() * 1000)

    def run(self, arrivals: Sequence[Arrival]) -> World:
        """All of it, until nothing can happen any more."""
        start_ms = self._clock.now_ms
        self._clock.start(self._arrivals(arrivals), arrivals[0].at_ms, mortal=False)
        for _ in range(self._faults.schedulers):
            phase_ms = self._chance.randrange(2_000)
            self._clock.start(
                self._schedule(self._hourly if self._pace else self._drip), start_ms + phase_ms, mortal=False
            )
        self._clock.run()
        return self.world

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms / 1000, UTC)

    def _arrivals(self, arrivals: Sequence[Arrival]) -> Process:
        for arrival in arrivals:
            yield arrival.at_ms - self._clock.now_ms
            self.world.arrive(arrival)

    def _schedule(self, run: Run) -> Process:
        """Start a scheduler every two minutes, and look for claims without a result."""
        while self._clock.now_ms < self._end_ms:
            self._clock.start(run(), self._clock.now_ms)
            self.world.sweep(self._clock.now_ms)
            yield EVERY_MS

    def _drip(self) -> Process:
        """One run: what waits, then the numbers, then orders, each of which is good for two cycles."""
        if not is_open(self._now, self._window):
            return
        waiting = self.world.waiting(MAX_PER_CYCLE)
        yield self._while_ms()
        progress = self.world.progress(waiting)
        now_ms = self._clock.now_ms
        most = MAX_PER_CYCLE * EVERY_MS // CYCLE_MS
        shares = drip(self._now, self._window, progress, most=most)
        for target, number in shares.items():
            for mail in waiting[target][:number]:
                self._order(_Order(mail, now_ms, now_ms + DRIP_ORDERS_MS))
            if self._chance.random() < 0.1:
                yield self._while_ms()

    def _hourly(self) -> Process:
        """One run: a plan for each target that has none for this hour, and orders for what goes before the next run."""
        if not is_day_of(self._now, self._window) or self._pace is None:
            return
        cap = hourly_cap(self._now, self._pace)
        for target, mails in self.world.waiting(cap).items():
            known, now = self.world.plans.get(target), self._now
            now_ms = self._clock.now_ms
            if known is None or known.closes_ms <= now_ms:
                timed = hourly(now, self._pace, mails)
                closes_ms = int(hour_closes(now).timestamp() * 1000)
                if self._chance.random() < 0.1:
                    yield self._while_ms()
                if timed:
                    plan = HourPlan(closes_ms, tuple((now_ms + offset, mail) for offset, mail in timed))
                    self.world.keep_plan(target, self._clock.now_ms, plan)
            self._hand_out(target, self._clock.now_ms + EVERY_MS)

    def _hand_out(self, target: str, until_ms: int) -> None:
        plan = self.world.plans.get(target)
        if plan is not None:
            for at_ms, mail in plan.mails:
                if at_ms < until_ms and self.world.states[mail] is State.UNSENT:
                    self._order(_Order(mail, at_ms, plan.closes_ms))

    def _order(self, order: _Order) -> None:
        """Put it into the queue, which delivers it at least once."""
        for _ in range(1 + (self._chance.random() < self._faults.twice)):
            late_ms = self._chance.randrange(HOUR_MS) if self._chance.random() < self._faults.late else 0
            at_ms = max(self._clock.now_ms, order.at_ms) + self._while_ms() + late_ms
            self._clock.start(self._deliver(order), at_ms)

    def _deliver(self, order: _Order) -> Process:
        """Deliver it, and again as long as nobody took it out of the queue, five times at most."""
        done: list[bool] = []
        for _ in range(5):
            self._clock.start(self._send(order, done), self._clock.now_ms)
            yield AGAIN_MS
            if done:
                return

    def _send(self, order: _Order, done: list[bool]) -> Process:
        """Claim, send, record; then take the order out of the queue."""
        mail = order.mail
        if self.world.states[mail] is State.UNSENT:
            yield self._provider.turn_ms(self._clock.now_ms)
            if self._clock.now_ms < order.good_until_ms and self.world.claim(mail, self._clock.now_ms):
                yield self._while_ms()
                taken = self._provider.take(mail, self._clock.now_ms)
                yield self._while_ms()
                if taken:
                    self.world.settle(mail)
                else:
                    self.world.give_back(mail)
                yield self._while_ms()
        done.append(True)

    def _while_ms(self) -> int:
        """How long a call takes, mostly little."""
        return min(20_000, int(self._chance.expovariate(1 / 80)) + (5_000 if self._chance.random() < 0.01 else 0))
