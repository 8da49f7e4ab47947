"""A made-up campaign: who writes to whom and when, over 14 days. The same for the same seed."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from proca_common.mtt.plan import Pace, Window
from proca_common.mtt.ranking import Ranked, ranked

TARGETS: Final = 300
MAILS: Final = 20_000
DAYS: Final = 14
SEED: Final = 14
START: Final = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
WINDOW: Final = Window(START, START + timedelta(days=DAYS - 1, hours=9))
PACE: Final = Pace(most_per_hour=12, timezone="Europe/Brussels")
AGAIN: Final = 0.04
"""So many actions are of somebody who wrote before, to the same targets and others."""


class Mail(NamedTuple):
    """What one action says to one target."""

    target: str
    action: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """Mails of one action that become due at a moment (ms since 1970), those to be sent and the duplicates."""

    at_ms: int
    person: int
    due: tuple[Mail, ...]
    dupes: tuple[Mail, ...]


def arrivals(seed: int) -> list[Arrival]:
    """Actions with 20,000 mails to be sent, besides duplicates, in the order of time.

    Most come by day and soon after the start, the last one three hours before the end; some targets are written to far
    more than others.
    """
    chance = random.Random(seed)
    targets = [f"target-{number:03}" for number in range(TARGETS)]
    crowds = [1 / (number + 4) for number in range(TARGETS)]
    written: dict[int, dict[str, None]] = defaultdict(dict)
    actions: list[tuple[int, Ranked]] = []
    left = MAILS
    while left:
        again = bool(actions) and chance.random() < AGAIN
        person = chance.randrange(len(actions)) if again else len(actions)
        chosen = [*[*written[person]][:2], *chance.choices(targets, crowds, k=chance.randint(1, 7))]
        first, dupes = ranked(chosen, written[person])
        first = first[:left]
        actions.append((person, Ranked(first, dupes)))
        written[person].update(dict.fromkeys(first))
        left -= len(first)
    moments = sorted(_moment(chance) for _ in actions)
    return [
        Arrival(at_ms, person, *(tuple(Mail(target, number) for target in part) for part in found))
        for number, (at_ms, (person, found)) in enumerate(zip(moments, actions, strict=True))
    ]


def _moment(chance: random.Random) -> int:
    """When somebody may write, in ms since 1970."""
    while True:
        day = min(int(chance.expovariate(1 / 3.5)), DAYS - 1)
        moment = START + timedelta(days=day, hours=chance.gauss(13, 4) % 24 - START.hour)
        if START <= moment < WINDOW.end_at - timedelta(hours=3):
            return round(moment.timestamp() * 1000)
