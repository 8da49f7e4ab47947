"""Two toy operations on a real table, in every order of their calls."""

import threading
from collections.abc import Callable
from math import comb
from typing import Any

import pytest

from tests.harness.conftest import Toys
from tests.harness.faults import Killed, crash_after, faults
from tests.harness.interleave import StuckError, probe, run, run_all, schedules

MakeClient = Callable[[str], Any]


class Counter:
    """Reads a number and writes it back plus one: two calls, and one of two counts is lost when they overlap."""

    def __init__(self, client: Any, toys: Toys) -> None:
        self.client, self.table = client, toys.table

    def reset(self) -> None:
        self.client.put_item(TableName=self.table, Item={"id": {"S": "n"}, "n": {"N": "0"}})

    def read(self) -> int:
        answer = self.client.get_item(TableName=self.table, Key={"id": {"S": "n"}}, ConsistentRead=True)
        return int(answer["Item"]["n"]["N"])

    def increment(self) -> int:
        number = self.read() + 1
        self.client.put_item(TableName=self.table, Item={"id": {"S": "n"}, "n": {"N": str(number)}})
        return number


@pytest.fixture
def counter(toys: Toys, client: MakeClient) -> Counter:
    return Counter(client("dynamodb"), toys)


def test_a_lost_update_shows_in_exactly_the_schedules_that_overlap(counter: Counter) -> None:
    lost = []
    for schedule in schedules(2, 2):
        counter.reset()
        result = run(counter.increment, counter.increment, schedule)
        assert result.a.error is result.b.error is None
        assert {result.a.value, result.b.value} == ({1} if counter.read() == 1 else {1, 2})
        if counter.read() == 1:
            lost.append(schedule)
    assert lost == ["ABAB", "ABBA", "BAAB", "BABA"]


def test_the_calls_are_made_in_the_order_of_the_schedule(counter: Counter) -> None:
    counter.reset()
    result = run(counter.increment, counter.increment, "ABBA")
    made = [(line[0], line.split(":")[1].split(" ")[0]) for line in result.trace]
    assert made == [("A", "GetItem"), ("B", "GetItem"), ("B", "PutItem"), ("A", "PutItem")]
    assert [call.operation for call in result.b.calls] == ["GetItem", "PutItem"]
    assert str(result).startswith("schedule ABBA:\nA dynamodb:GetItem")


@pytest.mark.parametrize("schedule", ["", "A", "B", "ABABABABAB", "BBBB"])
def test_a_schedule_may_be_too_short_or_too_long(counter: Counter, schedule: str) -> None:
    counter.reset()
    result = run(counter.increment, counter.increment, schedule)
    assert len(result.trace) == 4
    assert (result.a.error, result.b.error) == (None, None)


def test_what_is_left_runs_to_its_end_a_before_b(counter: Counter) -> None:
    counter.reset()
    result = run(counter.increment, counter.increment, "B")
    assert "".join(line[0] for line in result.trace) == "BAAB"


def test_errors_belong_to_the_operation(counter: Counter) -> None:
    counter.reset()

    def broken() -> None:
        counter.read()
        raise ValueError("broken")

    result = run(broken, counter.increment, "ABAB")
    assert isinstance(result.a.error, ValueError)
    assert result.b.value == 1


def test_an_operation_without_calls_is_fine(counter: Counter) -> None:
    counter.reset()
    result = run(lambda: "nothing", counter.increment, "ABAB")
    assert (result.a.value, result.b.value) == ("nothing", 1)


def test_a_crash_inside_an_interleaving(counter: Counter) -> None:
    counter.reset()
    with faults(crash_after(on="PutItem", nth=1)):
        result = run(counter.increment, counter.increment, "AABB")
    assert isinstance(result.a.error, Killed)
    assert (result.b.error, result.b.value, counter.read()) == (None, 2, 2)


def test_operations_that_block_each_other_are_reported(counter: Counter) -> None:
    counter.reset()
    lock = threading.Lock()

    def holds() -> None:
        with lock:
            counter.increment()

    with pytest.raises(StuckError, match="with lock"):
        run(holds, holds, "AB", timeout=0.2)
    assert lock.acquire(timeout=2)  # the threads are gone, not left behind,
    assert counter.read() == 0  # and did nothing more


def test_calls_of_threads_that_an_operation_starts_run_freely(counter: Counter) -> None:
    counter.reset()

    def with_helper() -> None:
        helper = threading.Thread(target=counter.read)
        helper.start()
        helper.join()
        counter.increment()

    result = run(with_helper, counter.increment, "ABAB", timeout=5)
    assert len(result.trace) == 4


def test_more_than_two(counter: Counter) -> None:
    counter.reset()
    result = run_all(dict.fromkeys("XYZ", counter.increment), "XYZXYZ")
    assert [result.results[name].value for name in "XYZ"] == [1, 1, 1]


def test_probe_counts_calls(counter: Counter) -> None:
    counter.reset()
    assert probe(counter.increment).operations == ["GetItem", "PutItem"]


def test_schedules_are_all_orders_once() -> None:
    everything = list(schedules(3, 4))
    assert len(everything) == len(set(everything)) == comb(7, 3)
    assert all((word.count("A"), word.count("B")) == (3, 4) for word in everything)


@pytest.mark.parametrize(("preemptions", "expected"), [(0, ["AABB", "BBAA"]), (1, ["AABB", "ABBA", "BAAB", "BBAA"])])
def test_schedules_with_few_preemptions(preemptions: int, expected: list[str]) -> None:
    assert list(schedules(2, 2, preemptions)) == expected


def test_enough_preemptions_are_all_orders() -> None:
    assert set(schedules(3, 3, 5)) == set(schedules(3, 3))
