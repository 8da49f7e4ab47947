"""When mails to targets go out: the two ways of domain 9.3 and 9.4. Pure: the time is an argument, aware of its zone.

*Drip* spreads what waits evenly over all days of the window and their sending hours; *hourly* gives each target at most
so many mails an hour, more by day than at night. Both plan only how many mails go and when. They go in the order of
their actions' ids, so two plans made from the same state name the same mails.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

CYCLE: Final = timedelta(minutes=3)
CHUNK: Final = 10
MAX_PER_CYCLE: Final = 99
MAX_PER_HOUR: Final = 30
HOUR: Final = timedelta(hours=1)
CLOSING: Final = timedelta(minutes=1)
"""So long before the end of an hour nothing new is begun, as sending takes a while."""
SPREAD_MS: Final = 55 * 60_000
SHORTEST_MS: Final = 1_000
PERCENT: Final = (
    *(2, 3, 4, 5, 6, 10, 15, 25, 50, 80, 100, 90),
    *(70, 70, 90, 100, 90, 70, 50, 25, 20, 10, 5, 2),
)
"""How much of `most_per_hour` goes out in each hour of a day of the targets (domain 9.4)."""

Target = TypeVar("Target", bound=Hashable)
Mail = TypeVar("Mail")


@dataclass(frozen=True, slots=True)
class Window:
    """When a campaign sends. Its dates and times of day are those of UTC.

    Drip sends from the day of `start_at` to that of `end_at`, each day between their two times of day; hourly pacing
    knows only the days.
    """

    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast hourly pacing is: `most_per_hour` in the best hours, of a day in `timezone` (of the tz database)."""

    most_per_hour: int | None = None
    timezone: str = "Etc/UTC"


class Progress(NamedTuple):
    """The mails of one target, without tests and duplicates: `total` of them, `taken` of which wait no more, be they
    sent, claimed, refused, uncertain or expired.
    """

    total: int
    taken: int


def is_open(now: datetime, window: Window) -> bool:
    """Whether drip sends at this moment: between start and end, and between their times of day (domain 9.3.1).

    Never, where the time of day of the end is not after that of the start.
    """
    in_days = window.start_at < now < window.end_at
    return in_days and _time_of_day(window.start_at) < _time_of_day(now) < _time_of_day(window.end_at)


def cycles(now: datetime, window: Window) -> tuple[int, int]:
    """How many cycles of three minutes the window has behind it at a moment when it is open, and in all (domain 9.3.2).

    The last one of a day counts as soon as it begins. Days shorter than a cycle have one.
    """
    closes = _time_of_day(window.end_at)
    a_day = max(1, (closes - _time_of_day(window.start_at)) // CYCLE)
    left_today = (closes - _time_of_day(now)) // CYCLE
    days_left = _days(now, window.end_at)
    every = a_day * (_days(window.start_at, window.end_at) + 1)
    return every - (a_day * days_left + left_today), every


def drip(
    now: datetime, window: Window, targets: Mapping[Target, Progress], *, most: int = MAX_PER_CYCLE
) -> dict[Target, int]:
    """How many more mails go to each target now; targets that get none are left out (domain 9.3).

    Each target is due its share of the cycles: `total * current / all`. Of every ten that are due any at most `most`
    mails go now, dealt out evenly, so that a crowded target does not hold up its neighbours. Who plans several times in
    a cycle gives that part of `MAX_PER_CYCLE`; planning more rarely than each cycle may miss the last, and with it the
    rest of the mails.

    To overshoot nothing while another run or the sender is at work, read first which mails wait and then the numbers:
    what was taken in between is then missing from the plan, and comes with the next. Only a mail that the provider gave
    back in between makes room for another, one cycle early.
    """
    if not is_open(now, window):
        return {}
    current, every = cycles(now, window)
    due = {target: progress.total * current // every - progress.taken for target, progress in targets.items()}
    return {
        target: share
        for chunk in _chunks([(target, number) for target, number in due.items() if number > 0])
        for target, share in _dealt(chunk, max(1, most)).items()
        if share > 0
    }


def is_day_of(now: datetime, window: Window) -> bool:
    """Whether hourly pacing sends at this moment: from the first day to the last, whatever the time (domain 9.4)."""
    return _date_of(window.start_at) <= _date_of(now) <= _date_of(window.end_at)


def hourly_cap(now: datetime, pace: Pace) -> int:
    """How many mails one target gets in this hour; at least one (domain 9.4)."""
    percent = PERCENT[now.astimezone(_zone(pace.timezone)).hour]
    most = MAX_PER_HOUR if pace.most_per_hour is None else pace.most_per_hour
    return max(1, percent * most // 100)


def hour_of(now: datetime) -> datetime:
    """The full hour (UTC) that it is; a target has one plan for each."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_closes(now: datetime) -> datetime:
    """Until when a plan of this hour is good: what was not begun by then waits for the next plan, so that however late
    or often an order comes, no hour gets more than its cap.
    """
    return hour_of(now) + HOUR - CLOSING


def hourly(now: datetime, pace: Pace, waiting: Sequence[Mail]) -> list[tuple[int, Mail]]:
    """The plan of one target for this hour: mails, each with the time it goes at, in ms after now.

    `waiting`: those that wait for the target, the oldest first; it need not have more than `hourly_cap`. What would go
    after the hour closes is left out.
    """
    planned = waiting[: hourly_cap(now, pace)]
    left_ms = (hour_closes(now) - now) // timedelta(milliseconds=1)
    timed = zip(_offsets(len(planned)), planned, strict=True)
    return [(offset, mail) for offset, mail in timed if offset < left_ms]


def pauses(number: int) -> Iterator[int]:
    """How long to wait after each of so many mails of an hour, in ms (domain 9.4).

    They fill 55 minutes, a quarter longer and a quarter shorter by turns, so that it does not look like a machine.
    """
    base = SPREAD_MS // max(number - 1, 1)
    for sent in range(1, number + 1):
        left = number - sent
        if left == 0:
            yield SHORTEST_MS
        elif left == 1 and number % 2 == 0:
            yield max(SHORTEST_MS, base)
        else:
            yield max(SHORTEST_MS, base + (base // 4 if sent % 2 else -(base // 4)))


def _offsets(number: int) -> Iterator[int]:
    """When each of so many mails goes, in ms after the first."""
    offset = 0
    for pause in pauses(number):
        yield offset
        offset += pause


def _dealt(wanted: Sequence[tuple[Target, int]], most: int) -> dict[Target, int]:
    """As much as everybody wants, at most `most` in all: who wants little gets it, the others share the rest."""
    dealt: dict[Target, int] = {}
    for index, (target, number) in enumerate(sorted(wanted, key=lambda each: each[1])):
        dealt[target] = min(number, most // (len(wanted) - index))
        most -= dealt[target]
    return dealt


def _chunks(due: list[tuple[Target, int]]) -> Iterator[list[tuple[Target, int]]]:
    return (due[start : start + CHUNK] for start in range(0, len(due), CHUNK))


def _time_of_day(moment: datetime) -> timedelta:
    there = moment.astimezone(UTC)
    return there - there.replace(hour=0, minute=0, second=0, microsecond=0)


def _date_of(moment: datetime) -> int:
    return moment.astimezone(UTC).toordinal()


def _days(first: datetime, last: datetime) -> int:
    return _date_of(last) - _date_of(first)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
