"""When mails to targets go out: the tables and check values of domain 9.3 and 9.4."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.mtt.plan import (
    MAX_PER_CYCLE,
    Pace,
    Progress,
    Window,
    cycles,
    drip,
    hour_closes,
    hour_of,
    hourly,
    hourly_cap,
    is_day_of,
    is_open,
    pauses,
)

START = datetime(2025, 3, 4, 9, 0, tzinfo=UTC)


def window(minutes: float, days: int = 1) -> Window:
    return Window(START, START + timedelta(days=days - 1, minutes=minutes))


def at(minutes: float, day: int = 1) -> datetime:
    return START + timedelta(days=day - 1, minutes=minutes)


@pytest.mark.parametrize(
    ("now", "minutes", "days", "found"),
    [
        (at(0), 10, 1, (0, 3)),
        (at(0.5), 10, 1, (0, 3)),
        (at(1), 10, 1, (0, 3)),
        (at(1.5), 10, 1, (1, 3)),
        (at(9), 10, 1, (3, 3)),
        (at(1), 30, 1, (1, 10)),
        (at(5), 30, 1, (2, 10)),
        (at(29), 30, 1, (10, 10)),
        (at(0), 30, 3, (0, 30)),
        (at(29), 30, 3, (10, 30)),
        (at(0, day=2), 30, 3, (10, 30)),
        (at(15, day=3), 30, 3, (25, 30)),
        (at(29, day=3), 30, 3, (30, 30)),
        (at(1), 2, 1, (1, 1)),
        (at(1, day=2), 2, 4, (2, 4)),
    ],
)
def test_cycles_behind_and_in_all(now: datetime, minutes: int, days: int, found: tuple[int, int]) -> None:
    assert cycles(now, window(minutes, days)) == found


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        (at(0), False),
        (at(0.1), True),
        (at(29.9), True),
        (at(30), False),
        (at(60), False),
        (at(-1, day=2), False),
        (at(0, day=2), False),
        (at(1, day=2), True),
        (at(29.9, day=2), True),
        (at(30, day=2), False),
        (at(1, day=3), False),
        (at(1, day=0), False),
    ],
)
def test_drip_sends_within_the_days_and_the_hours(now: datetime, open_: bool) -> None:
    assert is_open(now, window(30, days=2)) is open_
    assert bool(drip(now, window(30, days=2), {"t": Progress(100, 0)})) is open_


def test_hours_that_end_before_they_begin_never_send() -> None:
    overnight = Window(START, START + timedelta(days=3, hours=-1))

    assert not any(is_open(START + timedelta(minutes=minutes), overnight) for minutes in range(0, 4 * 24 * 60, 7))


def test_another_zone_of_the_clock_changes_nothing() -> None:
    zone = timezone(timedelta(hours=13))
    there = Window(START.astimezone(zone), (START + timedelta(minutes=30)).astimezone(zone))

    assert is_open(at(5).astimezone(zone), there)
    assert cycles(at(5).astimezone(zone), there) == (2, 10)


def test_thirty_minutes_for_twenty_mails() -> None:
    given_so_far = 0
    for minutes, number in ((1, 2), (5, 2), (29, 16)):
        assert drip(at(minutes), window(30), {"t": Progress(20, given_so_far)}) == {"t": number}
        given_so_far += number
    assert given_so_far == 20


@pytest.mark.parametrize(("minutes", "found"), [(2096.9, {}), (2097.1, dict.fromkeys(range(9), 1))])
def test_a_single_mail_goes_with_the_last_cycle(minutes: float, found: dict[int, int]) -> None:
    """Three hours and 35 minutes each day make 700 cycles in ten days."""
    days, a_day = 10, 210
    now = at(a_day - 2100 + minutes, day=days)

    assert cycles(now, window(a_day, days)) == (700 if found else 699, 700)
    assert drip(now, window(a_day, days), {target: Progress(1, 0) for target in range(9)}) == found


@pytest.mark.parametrize(
    ("due", "most", "found"),
    [
        ([200], 99, [99]),
        ([98], 99, [98]),
        ([200, 10], 99, [89, 10]),
        ([10] * 10, 99, [9, 10, 10, 10, 10, 10, 10, 10, 10, 10]),
        ([300] + [5] * 9 + [300], 99, [54, *[5] * 9, 99]),
        ([3, 9, 9], 12, [3, 4, 5]),
        ([3, 9], 0, [0, 1]),
        ([0, -4, 7], 99, [0, 0, 7]),
    ],
)
def test_ten_targets_share_what_may_go_in_a_cycle(due: list[int], most: int, found: list[int]) -> None:
    targets = {target: Progress(100 + number, 100) for target, number in enumerate(due)}

    shares = drip(at(29), window(30), targets, most=most)

    assert [shares.get(target, 0) for target in range(len(due))] == found
    assert 0 not in shares.values()


def test_who_is_due_nothing_takes_no_place_in_a_ten() -> None:
    targets = {target: Progress(100 if target % 10 == 0 else 0, 0) for target in range(100)}

    assert sum(drip(at(29), window(30), targets).values()) == MAX_PER_CYCLE


@settings(deadline=None, max_examples=50)
@given(
    totals=st.lists(st.integers(0, 400), min_size=1, max_size=8),
    minutes=st.integers(3, 240),
    days=st.integers(1, 3),
    every=st.integers(60, 179),
)
def test_everything_has_gone_when_the_window_closes_and_nothing_too_early(
    totals: list[int], minutes: int, days: int, every: int
) -> None:
    campaign = window(minutes, days)
    given_so_far = [0] * len(totals)
    now = START
    while now < campaign.end_at:
        now += timedelta(seconds=every)
        plan = drip(now, campaign, {n: Progress(total, given_so_far[n]) for n, total in enumerate(totals)}, most=10_000)
        for target, number in plan.items():
            given_so_far[target] += number
        if is_open(now, campaign):
            current, cycles_in_all = cycles(now, campaign)
            assert given_so_far == [total * current // cycles_in_all for total in totals]
    assert given_so_far == totals


@pytest.mark.parametrize(
    ("hour", "cap"),
    [*enumerate([1, 1, 1, 1, 1, 3, 4, 7, 15, 24, 30, 27, 21, 21, 27, 30, 27, 21, 15, 7, 6, 3, 1, 1])],
)
def test_caps_of_a_day(hour: int, cap: int) -> None:
    assert hourly_cap(datetime(2025, 3, 4, hour, 59, tzinfo=UTC), Pace()) == cap


@pytest.mark.parametrize(
    ("most", "timezone_", "hour", "cap"),
    [
        (100, "Etc/UTC", 10, 100),
        (100, "Etc/UTC", 13, 70),
        (10, "Etc/UTC", 12, 7),
        (1, "Etc/UTC", 0, 1),
        (100, "Europe/Copenhagen", 9, 100),
        (100, "Asia/Kolkata", 4, 80),
        (100, "America/New_York", 15, 100),
        (100, "Pacific/Auckland", 13, 4),
    ],
)
def test_the_cap_follows_the_clock_of_the_targets(most: int, timezone_: str, hour: int, cap: int) -> None:
    assert hourly_cap(datetime(2025, 1, 7, hour, tzinfo=UTC), Pace(most, timezone_)) == cap


def test_summer_time_moves_the_hours() -> None:
    pace = Pace(100, "Europe/Copenhagen")

    assert [hourly_cap(datetime(2025, 3, day, 7, tzinfo=UTC), pace) for day in (29, 30)] == [50, 80]


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (0, []),
        (1, [1_000]),
        (2, [3_300_000, 1_000]),
        (3, [2_062_500, 1_237_500, 1_000]),
        (4, [1_375_000, 825_000, 1_100_000, 1_000]),
        (5, [1_031_250, 618_750, 1_031_250, 618_750, 1_000]),
        (6, [825_000, 495_000, 825_000, 495_000, 660_000, 1_000]),
    ],
)
def test_pauses_of_an_hour(number: int, found: list[int]) -> None:
    assert list(pauses(number)) == found


@settings(deadline=None)
@given(st.integers(1, 5_000))
def test_an_hour_is_filled_but_never_for_longer_than_its_mails_need(number: int) -> None:
    *between, _ = pauses(number)

    assert all(pause >= 1_000 for pause in between)
    if number > 1 and all(pause > 1_000 for pause in between):
        assert 3_300_000 - number <= sum(between) <= 3_300_000


def test_the_oldest_go_as_many_as_the_cap_says() -> None:
    plan = hourly(datetime(2025, 3, 4, 7, 0, tzinfo=UTC), Pace(20), list(range(50)))

    assert [mail for _, mail in plan] == [0, 1, 2, 3, 4]
    assert [offset for offset, _ in plan] == [0, *accumulate([1_031_250, 618_750, 1_031_250, 618_750])]


def test_what_does_not_fit_into_the_hour_waits_for_the_next() -> None:
    late = datetime(2025, 3, 4, 10, 50, tzinfo=UTC)

    assert hourly(late, Pace(), ["a", "b", "c"]) == [(0, "a")]
    assert hourly(late.replace(minute=59), Pace(), ["a", "b", "c"]) == []
    assert len(hourly(late.replace(minute=0), Pace(10_000), range(10_000))) == 3_540


@pytest.mark.parametrize("minute", [0, 1, 3])
def test_a_plan_of_the_first_run_of_an_hour_fits(minute: int) -> None:
    now = datetime(2025, 3, 4, 10, minute, tzinfo=UTC)

    assert len(hourly(now, Pace(), range(100))) == 30


def test_nothing_waits() -> None:
    assert hourly(START, Pace(), []) == []


def test_plans_are_for_an_hour_of_utc() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))

    assert hour_of(datetime(2025, 3, 4, 9, 59, 59, 999, tzinfo=UTC)) == START
    assert hour_of(datetime(2025, 3, 4, 14, 50, tzinfo=kathmandu)) == START
    assert hour_closes(datetime(2025, 3, 4, 14, 50, tzinfo=kathmandu)) == START + timedelta(minutes=59)


@pytest.mark.parametrize(
    ("now", "sends"),
    [
        (datetime(2025, 3, 3, 23, 59, tzinfo=UTC), False),
        (datetime(2025, 3, 4, 0, 0, tzinfo=UTC), True),
        (datetime(2025, 3, 6, 23, 59, tzinfo=UTC), True),
        (datetime(2025, 3, 7, 0, 0, tzinfo=UTC), False),
        (datetime(2025, 3, 7, 1, 0, tzinfo=timezone(timedelta(hours=2))), True),
    ],
)
def test_hourly_pacing_knows_only_the_days(now: datetime, sends: bool) -> None:
    assert is_day_of(now, window(30, days=3)) is sends
