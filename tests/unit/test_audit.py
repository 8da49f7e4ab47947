"""What an audit keeps of itself, and how fast it may read."""

from __future__ import annotations

from collections import Counter

import pytest

from proca_common.aws import clock
from proca_common.aws.pace import Pace
from proca_common.monitors.audit import MAX_LISTED, Audit, Count, State, differences, of_hour
from proca_common.monitors.persons import Label, Member, Membership
from proca_common.stages.recount import Verified

HOURS = ["2026-03-01T10", "2026-03-01T11", "2026-03-02T09"]
STARTED_MS = 1_772_530_200_000  # 2026-03-03T09:30:00Z


def audit(**given: object) -> Audit:
    return Audit.model_validate({"id": 1, "campaign": 7, "who": 0, "repair": True, "started_ms": STARTED_MS, **given})


@pytest.mark.parametrize(
    ("stored", "counted", "wanted"),
    [
        ({}, {}, {}),
        ({"type:share": 2}, {"type:share": 2}, {}),
        ({"type:share": 2}, {}, {"type:share": -2}),
        ({}, {"type:share": 2}, {"type:share": 2}),
        ({"org:1": 3, "org:2": 1}, {"org:1": 1, "org:2": 3}, {"org:1": -2, "org:2": 2}),
        ({"org:1": -1}, {"org:1": 0}, {"org:1": 1}),
    ],
)
def test_differences_are_what_has_to_be_added(
    stored: dict[str, int], counted: dict[str, int], wanted: dict[str, int]
) -> None:
    assert differences(stored, counted) == wanted


def test_numbers_are_named_as_in_the_shards() -> None:
    numbers = Counter({Label(7, "type", "share", HOURS[0]): 2, Label(7, "persons", "total", HOURS[0]): 1})
    assert of_hour(numbers) == {"type:share": 2, "persons:total": 1}


@pytest.mark.parametrize(
    ("past_ms", "until"), [(0, "2026-03-03T09"), (-20 * 60_000, "2026-03-03T09"), (-20 * 60_000 - 1, "2026-03-03T08")]
)
def test_hours_are_left_out_until_ten_minutes_after_their_end(past_ms: int, until: str) -> None:
    assert audit(started_ms=STARTED_MS + past_ms).until == until


def test_it_waits_runs_and_is_finished() -> None:
    assert [audit(version=1).state, audit(version=2).state, audit(version=9, finished_ms=5).state] == [*State]


def test_hours_that_moved_come_in_the_next_round_and_at_last_are_unsettled() -> None:
    found = audit()
    for hour, moves in zip(HOURS, (True, False, True), strict=True):
        found.count = Count(hour=hour, actions=5)
        found.hour_moved() if moves else found.hour_done()
    assert (found.reached, found.hours, found.actions, found.later) == (HOURS[2], 1, 5, [HOURS[0], HOURS[2]])

    assert found.next_round(1)
    assert (found.again, found.later) == ([HOURS[0], HOURS[2]], [])
    found.count = Count(hour=HOURS[0], actions=2)
    found.hour_done()
    found.count = Count(hour=HOURS[2])
    found.hour_moved()
    assert (found.again, found.actions, found.reached) == ([], 7, HOURS[2])
    assert not found.next_round(1)
    assert (found.unsettled, found.hours_done, found.hours) == ([HOURS[2]], True, 2)


def test_a_hundred_findings_are_listed_and_all_are_counted() -> None:
    found = audit()
    found.note(HOURS[0], {f"type:{number}": 3 for number in range(150)}, {})
    found.note(None, {}, {"persons:total": 4})
    assert (found.differing, found.difference, len(found.findings)) == (151, 454, MAX_LISTED)
    assert found.wrong == 454


def test_a_record_is_read_as_it_was_written() -> None:
    found = audit(count={"hour": HOURS[0], "writes": [1, 0], "counted": {"org:1": 2}}, again=HOURS)
    found.note(HOURS[0], {"org:1": 1}, {"org:1": 2})
    assert Audit.model_validate_json(found.model_dump_json()) == found


def test_a_count_begins_again_with_what_it_saw() -> None:
    count = Count(hour=HOURS[0], writes=(1,), bucket=7, after=9, actions=3, counted={"org:1": 2}, mended=True)
    assert count.again({"org:1": 1}) == Count(hour=HOURS[0], tries=2, seen={"org:1": 1})


PEOPLE = {number: Member(1, 2, "DK") for number in range(1, 61)}


def known(n: int, *members: int) -> Membership:
    return Membership(4, n, {number: PEOPLE[number] for number in members})


@pytest.mark.parametrize(
    ("stored", "truth", "is_right"),
    [
        (known(0), known(0), True),
        (known(2, 1, 2), known(2, 1, 2), True),
        (known(3, 1, 2), known(2, 1, 2), False),
        (known(2, 1, 3), known(2, 1, 2), False),
        (known(1), known(1, 1), False),
        (known(60, *range(1, 51)), known(60, *range(1, 51)), True),
        (known(60, *range(1, 40)), known(60, *range(1, 51)), True),
        (known(60, *range(2, 51)), known(60, *range(1, 51)), False),
        (Membership(4, 1, {1: Member(1, 2, None)}), known(1, 1), False),
    ],
)
def test_a_membership_is_right_when_it_counts_all_and_knows_the_lowest(
    stored: Membership, truth: Membership, is_right: bool
) -> None:
    assert Verified(stored, truth).is_right is is_right


def test_no_more_is_read_than_was_agreed_however_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [5_000.0]
    monkeypatch.setattr(clock, "now_ms", lambda: int(now[0]))
    monkeypatch.setattr(clock, "sleep_ms", lambda duration: now.__setitem__(0, now[0] + duration))
    pace = Pace(100)
    for number in (1, 99, 500, 1, 399):
        pace.spend(number)
    assert now[0] - 5_000 == pytest.approx(9_000, abs=20), (
        "a thousand items in nine seconds, after the first that was free"
    )
    now[0] += 60_000
    before = now[0]
    pace.spend(300)
    assert now[0] - before == pytest.approx(2_000, abs=20), "a minute of rest is not saved up"
