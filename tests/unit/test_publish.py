"""Sending to SQS: batches within its limits, and which messages a queue did not take (design 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from proca_common.aws import clock
from proca_common.pipes import publish
from proca_common.pipes.publish import ENOUGH_MS, Outgoing, send

URL = "https://sqs.example.org/123456789012/stack-org-7-deliver"
NOW_MS = 1_800_000_000_000
LATER = NOW_MS + 60_000

Reply = Callable[[int, list[dict[str, Any]]], dict[str, Any]]


class FakeQueue:
    """Takes batches as SQS does: at most ten entries with unique ids and 1 MiB in all."""

    def __init__(self, reply: Reply = lambda _number, _entries: {"Successful": []}) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._reply = reply

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == URL
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        assert sum(map(bytes_of, Entries)) <= 1_048_576
        self.batches.append(Entries)
        return self._reply(len(self.batches), Entries)


def bytes_of(entry: dict[str, Any]) -> int:
    attributes = entry["MessageAttributes"].items()
    named = sum(len(name) + len(value["DataType"]) + len(value["StringValue"].encode()) for name, value in attributes)
    return len(entry["MessageBody"].encode()) + named


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: NOW_MS)


def queue_with(monkeypatch: pytest.MonkeyPatch, reply: Reply | None = None) -> FakeQueue:
    queue = FakeQueue() if reply is None else FakeQueue(reply)
    monkeypatch.setattr(publish, "client", lambda service: {"sqs": queue}[service])
    return queue


def messages(number: int, size: int = 10) -> list[Outgoing]:
    return [Outgoing(f"{index}.deliver.7", "é" * (size // 2), {"Stage": "deliver"}, "27") for index in range(number)]


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "SendMessageBatch")


def test_nothing_to_send_is_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_with(monkeypatch)
    assert send(URL, [], LATER) == set()
    assert queue.batches == []


def test_an_entry_has_body_group_and_the_attributes_that_are_not_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_with(monkeypatch)
    send(URL, [Outgoing("1.deliver.7", "{}", {"Stage": "deliver", "EventType": ""}, "27")], LATER)
    assert queue.batches == [
        [
            {
                "Id": "0",
                "MessageBody": "{}",
                "MessageGroupId": "27",
                "MessageAttributes": {"Stage": {"DataType": "String", "StringValue": "deliver"}},
            }
        ]
    ]


@pytest.mark.parametrize(
    ("number", "size", "batches"),
    [
        (1, 10, [1]),
        (10, 10, [10]),
        (11, 10, [10, 1]),
        (25, 10, [10, 10, 5]),
        (10, 64_000, [10]),
        (10, 400_000, [2] * 5),
        (3, 990_000, [1, 1, 1]),
    ],
)
def test_batches_have_at_most_ten_entries_and_1_mb(
    monkeypatch: pytest.MonkeyPatch, number: int, size: int, batches: list[int]
) -> None:
    queue = queue_with(monkeypatch)
    assert send(URL, messages(number, size), LATER) == set()
    assert [len(batch) for batch in queue.batches] == batches


@given(st.lists(st.integers(0, 900_000), max_size=25))
def test_whatever_their_sizes_all_are_sent_once_and_in_order(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        queue = queue_with(monkeypatch)
        given_messages = [Outgoing(str(index), f"{index}:" + "x" * size, {}, "1") for index, size in enumerate(sizes)]
        assert send(URL, given_messages, LATER) == set()
        sent = [entry["MessageBody"] for batch in queue.batches for entry in batch]
        assert sent == [message.body for message in given_messages]


def test_entries_that_failed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def reply(number: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
        failed = [entries[3], entries[5]] if number == 2 else []
        return {"Successful": [], "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in failed]}

    queue = queue_with(monkeypatch, reply)
    assert send(URL, messages(30), LATER) == {"13.deliver.7", "15.deliver.7"}
    assert len(queue.batches) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        error("AWS.SimpleQueueService.NonExistentQueue"),
        error("AccessDenied"),
        error("RequestThrottled"),
        ClientError({"Error": {}}, "SendMessageBatch"),
        EndpointConnectionError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
    ],
    ids=["gone", "denied", "throttled", "nameless", "no connection", "no answer"],
)
def test_a_queue_that_refuses_a_batch_is_not_asked_again(monkeypatch: pytest.MonkeyPatch, refusal: Exception) -> None:
    def reply(number: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
        if number == 2:
            raise refusal
        return {}

    queue = queue_with(monkeypatch, reply)
    assert send(URL, messages(40), LATER) == {f"{index}.deliver.7" for index in range(10, 40)}
    assert len(queue.batches) == 2


def test_a_bug_is_not_taken_for_the_queues_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def reply(number: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
        raise ZeroDivisionError

    queue_with(monkeypatch, reply)
    with pytest.raises(ZeroDivisionError):
        send(URL, messages(1), LATER)


@pytest.mark.parametrize(("left_ms", "taken"), [(ENOUGH_MS, True), (ENOUGH_MS - 1, False), (0, False), (-5, False)])
def test_what_no_time_is_left_for_is_not_tried(monkeypatch: pytest.MonkeyPatch, left_ms: int, *, taken: bool) -> None:
    queue = queue_with(monkeypatch)
    failed = send(URL, messages(2), NOW_MS + left_ms)
    assert failed == (set() if taken else {"0.deliver.7", "1.deliver.7"})
    assert bool(queue.batches) is taken


def test_the_deadline_is_looked_at_before_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_with(monkeypatch)
    times = iter([NOW_MS, NOW_MS + 30_000, NOW_MS + 55_000])
    monkeypatch.setattr(clock, "now_ms", lambda: next(times))
    assert send(URL, messages(30), NOW_MS + 60_000) == {f"{index}.deliver.7" for index in range(20, 30)}
    assert len(queue.batches) == 2
