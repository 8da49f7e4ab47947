"""What the plans of domain 9.3 and 9.4 come to over time, to hold against what was sent."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from proca_common.mtt.plan import CYCLE, Window, cycles, hour_of, is_open
from tools.pacing.scene import Mail


class Goals(NamedTuple):
    """What each target is due by drip from a moment on (ms since 1970)."""

    at_ms: int
    of: dict[str, int]


def at(moment_ms: float) -> datetime:
    """The moment of ms since 1970."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def in_ms(moment: datetime) -> int:
    """Ms since 1970 of a moment."""
    return round(moment.timestamp() * 1000)


def drip_goals(arrived: Iterable[tuple[int, Mail]], window: Window) -> Iterator[Goals]:
    """What each target is due in each cycle of the window, of all that arrived before the cycle ended."""
    waiting = iter([*arrived, (in_ms(window.end_at) + 1, Mail("", 0))])
    due = next(waiting)
    totals: Counter[str] = Counter()
    day = window.start_at
    opens = timedelta(hours=day.hour, minutes=day.minute, seconds=day.second)
    closes = timedelta(hours=window.end_at.hour, minutes=window.end_at.minute, seconds=window.end_at.second)
    midnight = day - opens
    while midnight < window.end_at:
        first = midnight + closes - (closes - opens) // CYCLE * CYCLE
        for number in range((closes - opens) // CYCLE):
            begins = first + number * CYCLE
            while due[0] < in_ms(begins + CYCLE):
                totals[due[1].target] += 1
                due = next(waiting)
            current, every = cycles(begins + timedelta(seconds=1), window)
            yield Goals(in_ms(begins), {target: total * current // every for target, total in totals.items()})
        midnight += timedelta(days=1)


def is_time_to_send(moment_ms: int, window: Window) -> bool:
    """Whether drip may send: an order is good for two cycles, so until then after the hours, and calls take a while."""
    late = 2 * CYCLE + timedelta(minutes=1)
    return is_open(at(moment_ms), window) or is_open(at(moment_ms) - late, window)


def by_hour(mails: Iterable[tuple[int, Mail]]) -> Counter[tuple[str, datetime]]:
    """How many mails each target got in each hour."""
    return Counter((mail.target, hour_of(at(moment_ms))) for moment_ms, mail in mails)


class Curve:
    """How many of some moments (ms since 1970) there were by a moment."""

    def __init__(self, moments: Iterable[int]) -> None:
        self._moments = sorted(moments)

    def __call__(self, moment_ms: int) -> int:
        return bisect_right(self._moments, moment_ms)
