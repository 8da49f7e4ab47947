"""Which hours and days a series has, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proca_common.failures import Refused
from proca_common.monitors import series
from proca_common.monitors.series import By, Of

NOW_MS = int(datetime(2026, 3, 1, 13, 45, 10, tzinfo=UTC).timestamp() * 1000)


def times(by: str | None = None, since: str | None = None, until: str | None = None) -> list[str]:
    return series.window(by, since, until, NOW_MS).times


def test_the_last_thirty_days_unless_something_else_is_asked_for() -> None:
    found = times()
    assert (found[0], found[-1], len(found)) == ("2026-01-31", "2026-03-01", 30)
    assert series.window(None, None, None, NOW_MS).hours == ("2026-01-31T00", "2026-03-01T23")


def test_the_last_48_hours() -> None:
    found = times("hour")
    assert (found[0], found[-1], len(found)) == ("2026-02-27T14:00:00Z", "2026-03-01T13:00:00Z", 48)


@pytest.mark.parametrize(
    ("by", "since", "until", "first", "last", "steps"),
    [
        ("day", "2026-02-27", "2026-03-01", "2026-02-27", "2026-03-01", 3),
        ("day", "2026-02-27T23:59:59Z", "2026-02-27T00", "2026-02-27", "2026-02-27", 1),
        ("hour", "2024-02-29", "2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:00:00Z", 24),
        ("hour", "2026-02-27T22:59", "2026-02-28T01Z", "2026-02-27T22:00:00Z", "2026-02-28T01:00:00Z", 4),
        ("day", "2026-01-01", "2026-04-02", "2026-01-01", "2026-04-02", 92),
        ("hour", "2026-01-01", "2026-01-14", "2026-01-01T00:00:00Z", "2026-01-14T23:00:00Z", 336),
    ],
)
def test_both_ends_are_in_it(by: str, since: str, until: str, first: str, last: str, steps: int) -> None:
    found = times(by, since, until)
    assert (found[0], found[-1], len(found)) == (first, last, steps)


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        (("week", "x", "y"), [("/by", "invalid"), ("/until", "format"), ("/since", "format")]),
        (("day", "2026-02-30", None), [("/since", "format")]),
        (("day", "2026-02-28T24", None), [("/since", "format")]),
        (("day", "0001-01-01", "0001-01-01"), [("/until", "format"), ("/since", "format")]),
        (("day", "2026-03-02", "2026-03-01"), [("/since", "invalid")]),
        (("day", "2025-12-31", "2026-04-02"), [("/since", "too_large")]),
        (("hour", "2026-01-01", "2026-01-15T00"), [("/since", "too_large")]),
    ],
)
def test_what_is_no_window(asked: tuple[str, str, str | None], codes: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        times(*asked)
    assert [(failure.pointer, failure.code) for failure in refused.value.failures] == codes


def test_every_hour_of_it_is_in_its_step() -> None:
    days = series.window("day", "2026-02-27", "2026-03-01", NOW_MS)
    assert [days.step_of(hour) for hour in ("2026-02-27T00", "2026-02-27T23", "2026-02-28T00", "2026-03-01T23")] == [
        0, 0, 1, 2,
    ]  # fmt: skip
    hours = series.window("hour", "2026-02-28T22", "2026-03-01T01", NOW_MS)
    assert [hours.step_of(hour) for hour in ("2026-02-28T22", "2026-03-01T01")] == [0, 3]


def test_every_kind_of_line_is_counted() -> None:
    assert {*series.KINDS, Of.CAMPAIGN} == {*Of}
    assert series.LONGEST.keys() == series.USUAL.keys() == series.STEP.keys() == {*By}
