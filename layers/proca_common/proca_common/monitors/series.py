"""Numbers over time: what was counted in each hour or day, in all or by page, area, source or action type.

A number stands in the hour (UTC) of the id of the action that it comes from. Persons stand in the hour of the signature
that they count for; all else but types are signatures: delivered actions with consent, neither tests nor repeats.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Final

from proca_common.aws.dynamo import StatsItem, numbers_under
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.failures import Failure, Refused
from proca_common.monitors.store import OTHER, SHARDS, hour_key

FRESH_MS: Final = 30_000
MAX_LINES: Final = 100
MOMENT = re.compile(r"(20\d\d-\d\d-\d\d)(?:T(\d\d)(?::\d\d(?::\d\d)?)?Z?)?")


class By(StrEnum):
    """How long each step is."""

    HOUR = "hour"
    DAY = "day"


class Of(StrEnum):
    """What there is a line for."""

    CAMPAIGN = "campaign"
    PAGE = "page"
    AREA = "area"
    SOURCE = "source"
    TYPE = "type"


LONGEST: Final = {By.HOUR: 14 * 24, By.DAY: 92}
USUAL: Final = {By.HOUR: 48, By.DAY: 30}
STEP: Final = {By.HOUR: timedelta(hours=1), By.DAY: timedelta(days=1)}
KINDS: Final = {Of.PAGE: "page", Of.AREA: "place", Of.SOURCE: "source", Of.TYPE: "type"}
WHOLE: Final = {"signatures:total": "signatures", "persons:total": "persons"}

Lines = dict[str, list[int]]
"""What is counted in each step, by what it is counted for."""


@dataclass(frozen=True, slots=True)
class Window:
    """The steps from the one that begins at `first` to the one that begins at `last`, both included (UTC)."""

    by: By
    first: datetime
    last: datetime

    @property
    def times(self) -> list[str]:
        """The beginning of each step: `YYYY-MM-DD`, or `YYYY-MM-DDTHH:00:00Z`."""
        form = "%Y-%m-%d" if self.by is By.DAY else "%Y-%m-%dT%H:00:00Z"
        return [f"{self.first + number * STEP[self.by]:{form}}" for number in range(len(self))]

    @property
    def hours(self) -> tuple[str, str]:
        """Its first and last hour (`YYYY-MM-DDTHH`)."""
        return f"{self.first:%Y-%m-%dT%H}", f"{self.last + STEP[self.by] - STEP[By.HOUR]:%Y-%m-%dT%H}"

    def __len__(self) -> int:
        return (self.last - self.first) // STEP[self.by] + 1

    def step_of(self, hour: str) -> int:
        """Which step this hour (`YYYY-MM-DDTHH`) is in."""
        return (datetime.strptime(f"{hour}Z", "%Y-%m-%dT%H%z") - self.first) // STEP[self.by]


def window(by: str | None, since: str | None, until: str | None, now_ms: int) -> Window:
    """The window that is asked for, by days or moments in UTC: without `until` up to now, without `since` the last 48
    hours or 30 days of it. Raises `Refused` with every failed rule.
    """
    failures = [] if by is None or by in [*By] else [Failure("/by", "invalid", f"should be one of {', '.join(By)}")]
    step = By.DAY if by is None or failures else By(by)
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    last = _beginning(step, now if until is None else _moment(until, "/until", failures, end=True))
    back = STEP[step] * (USUAL[step] - 1)
    first = _beginning(step, last - back if since is None else _moment(since, "/since", failures))
    found = Window(step, first, last)
    if not failures and first > last:
        failures.append(Failure("/since", "invalid", "should not be after until"))
    elif not failures and len(found) > LONGEST[step]:
        failures.append(Failure("/since", "too_large", f"should be at most {LONGEST[step]} {step}s before until"))
    if failures:
        raise Refused(failures)
    return found


def series(campaign: int, of: Of, asked: Window, only: Collection[str] | None = None) -> Lines:
    """The lines of a campaign in this window, at most 30 s old: of these names only, if any are given; the greatest
    first, and of more than a hundred the rest together as `other`. Raises `Unavailable`.

    For the whole campaign the lines are `signatures` and `persons`.
    """
    key = (campaign, of, asked, None if only is None else frozenset(only))
    return _known.get(key, lambda: _lines(_read(campaign, of, asked, only), len(asked), of))


_Key = tuple[int, Of, Window, frozenset[str] | None]
_known: FreshOrKnown[_Key, Lines] = FreshOrKnown(FRESH_MS, 50)


def forget() -> None:
    """Empty the cache (tests)."""
    _known.forget()


def _read(campaign: int, of: Of, asked: Window, only: Collection[str] | None) -> Counter[tuple[str, int]]:
    """The numbers by name and step: one query per shard, and more where there is more than fits into an answer."""
    found: Counter[tuple[str, int]] = Counter()
    first, last = map(hour_key, asked.hours)
    partitions = (f"{campaign}#{shard}" for shard in range(SHARDS))
    for sk, numbers in chain.from_iterable(numbers_under(StatsItem, each, first, last) for each in partitions):
        step = asked.step_of(sk.removeprefix(hour_key("")))
        for name, number in _of(of, numbers):
            if only is None or name in only:
                found[name, step] += number
    return found


def _of(of: Of, numbers: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    if of is Of.CAMPAIGN:
        yield from ((line, numbers[name]) for name, line in WHOLE.items() if name in numbers)
        return
    prefix = f"{KINDS[of]}:"
    yield from ((name.removeprefix(prefix), number) for name, number in numbers.items() if name.startswith(prefix))


def _lines(found: Counter[tuple[str, int]], steps: int, of: Of) -> Lines:
    sums: Counter[str] = Counter()
    for (name, _), number in found.items():
        sums[name] += number
    names = sorted((name for name in sums if sums[name] and name != OTHER), key=lambda name: (-sums[name], name))
    if of is Of.CAMPAIGN:
        names = [*WHOLE.values()]
    lines: Lines = {name: [0] * steps for name in names[:MAX_LINES]}
    if len(names) > MAX_LINES or sums[OTHER]:
        lines[OTHER] = [0] * steps
    for (name, step), number in found.items():
        if sums[name] or name in lines:
            lines[name if name in lines else OTHER][step] += number
    return lines


def _moment(text: str, pointer: str, failures: list[Failure], *, end: bool = False) -> datetime:
    """The hour that a day or moment is in; of a day the first, or with `end` the last."""
    match = MOMENT.fullmatch(text)
    try:
        if match is not None:
            day, hour = match.groups()
            return datetime.strptime(f"{day}T{hour or ('23' if end else '00')}Z", "%Y-%m-%dT%H%z")
    except ValueError:
        pass
    failures.append(Failure.bad_format(pointer))
    return datetime(2024, 1, 1, tzinfo=UTC)


def _beginning(by: By, moment: datetime) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour.replace(hour=0) if by is By.DAY else hour
