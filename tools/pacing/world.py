"""What the simulation has in the place of tables and provider. Nobody sees a call half done."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proca_common.mtt.plan import Progress
from tools.pacing.scene import Arrival, Mail

UNCERTAIN_MS: Final = 3_600_000


class State(StrEnum):
    """What is known of a mail."""

    UNSENT = "unsent"
    CLAIMED = "claimed"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    DUPE = "dupe"


@dataclass(frozen=True, slots=True)
class HourPlan:
    """The plan of one target for the hour that closes then (ms since 1970): the mails, and when each goes."""

    closes_ms: int
    mails: tuple[tuple[int, Mail], ...]


class World:
    """The state that schedulers and senders share.

    Times are in ms since 1970. `arrived` and `sent` (what the provider took) have when that was, `planned` when it is
    to be. `given_back`: how many mails of each target were claimed and not taken.
    """

    def __init__(self) -> None:
        self.states: dict[Mail, State] = {}
        self.arrived: list[tuple[int, Mail]] = []
        self.sent: list[tuple[int, Mail]] = []
        self.plans: dict[str, HourPlan] = {}
        self.planned: list[tuple[int, Mail]] = []
        self.given_back: Counter[str] = Counter()
        self._waiting: dict[str, list[Mail]] = defaultdict(list)
        self._total: Counter[str] = Counter()
        self._claimed: dict[Mail, int] = {}

    def arrive(self, arrival: Arrival) -> None:
        """Mails of an action that was delivered just now."""
        for mail in arrival.due:
            self.states[mail] = State.UNSENT
            self.arrived.append((arrival.at_ms, mail))
            self._total[mail.target] += 1
            insort(self._waiting[mail.target], mail)
        self.states.update(dict.fromkeys(arrival.dupes, State.DUPE))

    def waiting(self, most: int) -> dict[str, list[Mail]]:
        """The oldest mails that wait for each target, so many at most; targets without any are left out."""
        return {target: mails[:most] for target, mails in self._waiting.items() if mails}

    def progress(self, targets: Iterable[str]) -> dict[str, Progress]:
        """The numbers of these targets."""
        totals, waiting = self._total, self._waiting
        return {target: Progress(totals[target], totals[target] - len(waiting[target])) for target in targets}

    def keep_plan(self, target: str, now_ms: int, plan: HourPlan) -> None:
        """Keep the plan of an hour, on condition that there is none yet."""
        known = self.plans.get(target)
        if known is None or known.closes_ms <= now_ms:
            self.plans[target] = plan
            self.planned += plan.mails

    def claim(self, mail: Mail, now_ms: int) -> bool:
        """Claim a mail, on condition that it waits."""
        if self.states[mail] is not State.UNSENT:
            return False
        self.states[mail] = State.CLAIMED
        self._claimed[mail] = now_ms
        mails = self._waiting[mail.target]
        del mails[bisect_left(mails, mail)]
        return True

    def give_back(self, mail: Mail) -> None:
        """It certainly did not go out."""
        self.states[mail] = State.UNSENT
        self.given_back[mail.target] += 1
        del self._claimed[mail]
        insort(self._waiting[mail.target], mail)

    def settle(self, mail: Mail) -> None:
        """It went out."""
        if self.states[mail] is State.CLAIMED:
            self.states[mail] = State.SENT
            del self._claimed[mail]

    def sweep(self, now_ms: int) -> None:
        """Claims without a result for an hour are uncertain, and stay so."""
        for mail, claimed_ms in [*self._claimed.items()]:
            if now_ms - claimed_ms >= UNCERTAIN_MS:
                self.states[mail] = State.UNCERTAIN
                del self._claimed[mail]


class Provider:
    """Takes mails at a rate, and now and then none."""

    def __init__(self, world: World, chance: random.Random, busy: float, rate: float) -> None:
        self._world, self._chance, self._busy = world, chance, busy
        self._pause_ms, self._free_ms = 1000 / rate, 0.0

    def turn_ms(self, now_ms: int) -> int:
        """How long to wait for a turn, which is taken with it."""
        at_ms = max(float(now_ms), self._free_ms)
        self._free_ms = at_ms + self._pause_ms
        return int(at_ms) - now_ms

    def take(self, mail: Mail, now_ms: int) -> bool:
        """Send it; False where it certainly did not go out."""
        if self._chance.random() < self._busy:
            return False
        self._world.sent.append((now_ms, mail))
        return True
