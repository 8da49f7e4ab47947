"""The outbox: when something is due, when it is tried again, and what a stream record says (design 5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem, pending_bucket
from proca_common.pipes.routing import Destination, Queue
from proca_common.stages import outbox

NOW_MS = 1_800_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
PARTNER = Destination(7, Queue.DELIVER)
LEAD = Destination(3, Queue.DELIVER)


def item(**changes: Any) -> ActionItem:
    given = {"stage": "deliver", "due": NOW_MS, "owed": {"7/deliver"}, "attempt": 0, "pending": "emit#5"}
    return ActionItem("ref", "A#5", id=5, status="accepted", **given | changes)


class TestWaits:
    @pytest.mark.parametrize(
        ("attempt", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 360), (6, 360), (60, 360)]
    )
    def test_one_minute_doubled_at_each_attempt_and_six_hours_from_the_fifth_on(
        self, attempt: int, minutes: int
    ) -> None:
        for _ in range(50):
            assert minutes * MINUTE <= outbox.wait_ms(attempt) < minutes * MINUTE * 1.1

    def test_not_all_come_back_at_once(self) -> None:
        assert len({outbox.wait_ms(0) for _ in range(50)}) > 10

    def test_what_was_served_is_over_and_what_was_not_comes_back_later(self) -> None:
        assert len(outbox.served(set(), item(), NOW_MS)) == len(outbox.finished()) == 5
        owed, due = outbox.served({LEAD}, item(attempt=2), NOW_MS)
        assert value_set(owed) == ("owed", {"SS": ["3/deliver"]})
        name, value = value_set(due)
        assert name == "due"
        assert 4 * MINUTE <= int(value["N"]) - NOW_MS < 4.4 * MINUTE


def value_set(action: Any) -> tuple[str, dict[str, Any]]:
    """The attribute and the value of a SET."""
    path, value = action.values
    return str(path), value.value


class TestEntering:
    def test_what_is_owed_stands_on_the_item_until_it_is_left(self) -> None:
        action = ActionItem("ref", "A#5", id=5)
        outbox.enter(action, "emit", 5, Stage.DELIVER, {PARTNER, LEAD}, NOW_MS)
        assert (action.stage, action.due, action.attempt) == ("deliver", NOW_MS, 0)
        assert action.owed == {"7/deliver", "3/deliver"}
        assert outbox.owed_by(action) == {PARTNER, LEAD}
        assert action.pending == pending_bucket("emit", 5) == "emit#5"
        outbox.leave(action)
        assert (action.stage, action.due, action.attempt, action.owed, action.pending) == (None,) * 5
        assert outbox.owed_by(action) == set()

    def test_a_stage_may_owe_nobody_a_message(self) -> None:
        action = ActionItem("ref", "A#5", id=5)
        outbox.enter(action, "emit", 5, Stage.DELIVER, (), NOW_MS)
        assert (action.stage, action.owed) == ("deliver", None)

    @given(st.integers(0, 2**53))
    def test_pending_has_64_partitions_of_each_kind(self, identifier: int) -> None:
        kind, bucket = pending_bucket("link", identifier).split("#")
        assert (kind, 0 <= int(bucket) < 64) == ("link", True)


class TestDue:
    @pytest.mark.parametrize(
        ("due", "early"),
        [
            (NOW_MS - HOUR, False),
            (NOW_MS, False),
            (NOW_MS + outbox.CLOCK_SKEW_MS, False),
            (NOW_MS + outbox.CLOCK_SKEW_MS + 1, True),
            (NOW_MS + HOUR, True),
            (None, True),
        ],
    )
    def test_a_record_of_something_that_waits_is_too_early(self, due: int | None, *, early: bool) -> None:
        assert outbox.too_early(item(due=due), NOW_MS) is early

    @pytest.mark.parametrize(
        ("attempt", "has_emitted", "overdue_after"),
        [
            (0, False, MINUTE),
            (4, False, MINUTE),
            (5, False, 6 * HOUR),  # never served in five attempts: a fault of ours
            (9, False, 6 * HOUR),
            (0, True, MINUTE),
            (5, True, MINUTE),  # only a destination failed: deliver itself moved `due` by 6 h
        ],
    )
    def test_the_sweep_wakes_what_is_overdue(self, attempt: int, overdue_after: int, *, has_emitted: bool) -> None:
        owing = item(attempt=attempt)
        for later, overdue in ((overdue_after, False), (overdue_after + 1, True)):
            assert outbox.is_overdue(owing, has_emitted=has_emitted, now_ms=NOW_MS + later) is overdue

    def test_what_owes_nothing_is_never_overdue(self) -> None:
        assert not outbox.is_overdue(item(due=None), has_emitted=False, now_ms=NOW_MS * 2)


class TestCurrent:
    @pytest.mark.parametrize(
        ("found", "current"),
        [
            (item(), True),
            (item(attempt=3, owed={"3/deliver"}), True),
            (item(due=NOW_MS + MINUTE, attempt=1), True),
            (item(due=NOW_MS + 2 * MINUTE, attempt=1), False),
            (item(stage="action_confirm"), False),
            (item(stage=None, due=None), False),
            (None, False),
            (ContactItem("ref", "C#5#7"), False),
        ],
        ids=[
            "as in the image",
            "tried meanwhile",
            "woken",
            "due later",
            "next stage",
            "over",
            "gone",
            "something else",
        ],
    )
    def test_an_item_is_worked_on_when_the_stage_of_the_image_is_due(self, found: Any, *, current: bool) -> None:
        assert outbox.is_current(found, item(), NOW_MS + MINUTE) is current


def record(sequence: str, image: dict[str, Any]) -> dict[str, Any]:
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": sequence, "NewImage": image}}


class TestEntries:
    def test_actions_and_supporters_are_read_and_the_poison_is_named(self) -> None:
        action = item().serialize(null_check=False)
        supporter = SupporterItem("ref", "S#7#5", id=5, status="new", stage="link", due=NOW_MS).serialize(
            null_check=False
        )
        contact = ContactItem("ref", "C#5#7", org=7).serialize(null_check=False)
        poison = action | {"due": {"N": "soon"}}
        stranger = {"ref": {"S": "x"}, "sk": {"S": "x"}, "kind": {"S": "of a later version"}}
        images = {"1": action, "2": poison, "3": supporter, "4": contact, "5": stranger}
        read, failed = outbox.entries([record(sequence, image) for sequence, image in images.items()])
        assert [(entry.sequence, type(entry.image)) for entry in read] == [("1", ActionItem), ("3", SupporterItem)]
        assert failed == ["2", "5"]
