"""Which partition key would be full first, from the keys of recorded writes. Pure.

One value of a partition key takes at most 1,000 write units a second, in a table as in an index (developer guide,
"Best practices for designing and using partition keys effectively"), however much the table may take.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tools.bench.meter import Write

KEY_UNITS_PER_SECOND = 1_000
TABLE_UNITS_AT_FIRST = 4_000
"""What an on-demand table takes at once before it has seen more (developer guide, "DynamoDB warm throughput")."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Keys that differ in their last number only, over which writes are spread evenly.

    `units`: of one signature, over all of them. `keys`: how many were written to. `hottest`: what the one with the
    most units took, as a multiple of an even share.
    """

    where: str
    pattern: str
    keys: int
    units: float
    hottest: float

    @property
    def full_at(self) -> float:
        """Signatures a second at which each of the keys has all the units it can take."""
        return KEY_UNITS_PER_SECOND * self.keys / self.units


def shared(writes: Iterable[Write], signatures: int) -> list[Spread]:
    """The keys that several rounds wrote to, first the ones that are full at the lowest rate.

    A key that one round alone wrote to belongs to a person or an action: it takes no more at any rate.
    """
    units: Counter[tuple[str, str]] = Counter()
    rounds: dict[tuple[str, str], set[int]] = defaultdict(set)
    for write in writes:
        units[write.where, write.partition] += write.units
        rounds[write.where, write.partition].add(write.round)
    families: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (where, key), total in units.items():
        families[where, re.sub(r"\d+$", "*", key)][key] = total
    spreads = [
        Spread(where, pattern, len(keys), sum(keys.values()) / signatures, max(keys.values()) / _mean(keys))
        for (where, pattern), keys in families.items()
        if any(len(rounds[where, key]) > 1 for key in keys)
    ]
    return sorted(spreads, key=lambda spread: spread.full_at)


def tables(writes: Iterable[Write], signatures: int) -> dict[str, float]:
    """Write units of a signature in each table and index."""
    units: Counter[str] = Counter()
    for write in writes:
        units[write.where] += write.units
    return {where: total / signatures for where, total in units.most_common()}


def _mean(keys: dict[str, int]) -> float:
    return sum(keys.values()) / len(keys)
