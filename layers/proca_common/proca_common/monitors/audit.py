"""Counting again: how far an audit of a campaign's numbers is, and what it found. Pure; `stages.audit` does it.

Every number is of an hour, and the totals are the sums of the hours: so each hour is counted again by itself, from the
actions of that hour, and then the totals of each shard from the hours. What an audit keeps meanwhile is never more than
the numbers of one hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from proca_common.ids import first_id_at, hour_of
from proca_common.monitors.persons import Numbers

YOUNG_MS: Final = 10 * 60_000
"""Hours that ended later than this before the start are left out: the index may not have all of their actions yet."""
MAX_LISTED: Final = 100


class State(StrEnum):
    """Where an audit is, for whoever asked for it."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


class Finding(BaseModel):
    """A number that was wrong, in an hour or (None) in the totals of a shard: as it was, and as it must be."""

    hour: str | None
    number: str
    stored: int
    counted: int


class Count(BaseModel):
    """The count of an hour: up to which action of which bucket it is done, and what it came to so far.

    `writes`: how often each shard had been written when the count began. `seen`: what differed when the hour was
    counted before; only a difference that is found twice is believed. `mended`: memberships were found wrong meanwhile.
    `tries`: how often it was counted.
    """

    hour: str
    tries: int = 1
    seen: dict[str, int] | None = None
    writes: tuple[int, ...] = ()
    bucket: int = 0
    after: int = 0
    actions: int = 0
    counted: dict[str, int] = {}
    mended: bool = False

    def add(self, numbers: Mapping[str, int]) -> None:
        """Count these, too."""
        self.counted = dict(Counter(self.counted) + Counter(numbers))

    def again(self, seen: dict[str, int] | None = None) -> Count:
        """The same hour from its beginning."""
        return Count(hour=self.hour, tries=self.tries + 1, seen=seen)


class Audit(BaseModel):
    """An audit. `who`: the user who asked for it, 0 for an operator and for the schedule. `version`: that of the stored
    record, 0 when there is none.

    Its place: `reached` is the last hour that is done in the first round; hours that were written while they were
    counted wait in `later` for the next round, whose hours are `again`; then come the totals, `shard` by shard.

    Its report: `hours` and `actions` that were counted, `reads` of items that it took, `memberships` of persons that
    were wrong, numbers that were `differing` and the sum of their differences, the first 100 of them as `findings`, and
    the hours (or `total#<shard>`) that were written whenever they were counted, `unsettled`.
    """

    id: int
    campaign: int
    who: int
    repair: bool
    started_ms: int
    version: int = 0
    finished_ms: int | None = None

    reached: str = ""
    count: Count | None = None
    round: int = 0
    again: list[str] = []
    later: list[str] = []
    shard: int = 0
    hours_done: bool = False

    hours: int = 0
    actions: int = 0
    reads: int = 0
    memberships: int = 0
    differing: int = 0
    difference: int = 0
    findings: list[Finding] = []
    unsettled: list[str] = []

    @property
    def until(self) -> str:
        """The first hour that is too young."""
        return hour_of(first_id_at(self.started_ms - YOUNG_MS))

    @property
    def state(self) -> State:
        """Where it is."""
        if self.finished_ms is not None:
            return State.FINISHED
        return State.RUNNING if self.version > 1 else State.WAITING

    @property
    def wrong(self) -> int:
        """What was wrong altogether: zero, or somebody should know of it."""
        return self.difference + self.memberships

    def note(self, hour: str | None, stored: Mapping[str, int], counted: Mapping[str, int]) -> None:
        """Report what differs between these numbers of an hour, or of a shard's totals."""
        for number, difference in differences(stored, counted).items():
            self.differing += 1
            self.difference += abs(difference)
            if len(self.findings) < MAX_LISTED:
                was, must_be = stored.get(number, 0), counted.get(number, 0)
                self.findings.append(Finding(hour=hour, number=number, stored=was, counted=must_be))

    def hour_done(self) -> None:
        """The hour that is being counted is as it must be now."""
        if self.count is not None:
            self.hours += 1
            self.actions += self.count.actions
            self._leave(self.count.hour)

    def hour_moved(self) -> None:
        """The hour that is being counted was written again and again: it comes in the next round."""
        if self.count is not None:
            self.later.append(self.count.hour)
            self._leave(self.count.hour)

    def next_round(self, most: int) -> bool:
        """Begin with the hours that were put off, if there are any, and there were not `most` rounds yet; else the
        hours are done.
        """
        if self.later and self.round < most:
            self.round, self.again, self.later = self.round + 1, self.later, []
            return True
        self.unsettled, self.later, self.hours_done = self.later[:MAX_LISTED], [], True
        return False

    def _leave(self, hour: str) -> None:
        self.count = None
        if self.round:
            self.again = [other for other in self.again if other != hour]
        else:
            self.reached = hour


def of_hour(numbers: Numbers) -> dict[str, int]:
    """Numbers of one hour as the shards name them, `kind:name`."""
    return {f"{label.kind}:{label.name}": number for label, number in numbers.items()}


def differences(stored: Mapping[str, int], counted: Mapping[str, int]) -> dict[str, int]:
    """What has to be added to the stored numbers so that they are as counted, without zeros."""
    names = sorted({*stored, *counted})
    found = {name: counted.get(name, 0) - stored.get(name, 0) for name in names}
    return {name: difference for name, difference in found.items() if difference}
