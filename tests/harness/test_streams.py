"""Each rule of `streams` against a real stream: a toy handler, a toy table, the emulator."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.calls import unseen_client
from tests.harness.conftest import Toys
from tests.harness.faults import Killed
from tests.harness.streams import Mapping, NotIdleError, StreamHarness
from tools.emulator import Emulator


class Function:
    """A toy function: remembers the batches it was given, by item id, and raises or answers as it is told."""

    def __init__(self, behave: Callable[["Function", list[str], dict[str, Any]], Any] = lambda *_: None) -> None:
        self.batches: list[list[str]] = []
        self.events: list[dict[str, Any]] = []
        self._behave = behave

    def __call__(self, event: dict[str, Any], _: Any) -> Any:
        ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
        self.batches.append(ids)
        self.events.append(event)
        return self._behave(self, ids, event)


def failing(*poison: str) -> Function:
    """Raises for every batch that holds one of these."""

    def behave(_: Function, ids: list[str], __: dict[str, Any]) -> None:
        if set(poison) & set(ids):
            raise ValueError("poison")

    return Function(behave)


def reporting(*poison: str) -> Function:
    """Handles every record and reports these as failed, as Powertools' batch processor does."""

    def behave(_: Function, ids: list[str], event: dict[str, Any]) -> dict[str, Any]:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        failed = [number for number, name in zip(numbers, ids, strict=True) if name in poison]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in reversed(failed)]}

    return Function(behave)


def drive(toys: Toys, function: Function, **settings: Any) -> tuple[StreamHarness, Mapping]:
    mapping = Mapping("toy", function, **settings)
    harness = StreamHarness(toys.table, mapping)
    return harness, mapping


def test_records_arrive_in_order_in_batches(toys: Toys) -> None:
    toys.put("a", "b", "c", "d", "e")
    function = Function()
    harness, _ = drive(toys, function, batch_size=2)
    assert harness.run_until_idle() == 3
    assert function.batches == [["a", "b"], ["c", "d"], ["e"]]
    toys.put("f")
    harness.run_until_idle()
    assert function.batches[-1] == ["f"]


def test_a_step_is_one_batch_of_the_chosen_size(toys: Toys) -> None:
    toys.put("a", "b", "c")
    function = Function()
    harness, mapping = drive(toys, function)
    harness.step(mapping, batch_size=2)
    assert function.batches == [["a", "b"]]
    assert harness.waiting() == {mapping: 1}
    harness.step(mapping)
    assert harness.step(mapping) is None
    assert function.batches == [["a", "b"], ["c"]]


def test_an_event_has_the_shape_lambda_gives_it(toys: Toys) -> None:
    before = int(time.time())
    nested = {"M": {"inner": {"B": b"\x00\xff"}, "list": {"L": [{"BS": [b"\x01"]}]}}}
    toys.put("a", payload={"B": b"\x00\xff"}, nested=nested, count={"N": "1"})
    function = Function()
    drive(toys, function)[0].run_until_idle()
    ((record,),) = [event["Records"] for event in function.events]
    assert set(record) == {
        "eventID",
        "eventName",
        "eventVersion",
        "eventSource",
        "awsRegion",
        "dynamodb",
        "eventSourceARN",
    }
    assert (record["eventName"], record["eventSource"]) == ("INSERT", "aws:dynamodb")
    assert record["eventSourceARN"].startswith("arn:aws:dynamodb:")
    assert f"/{toys.table}/stream/" in record["eventSourceARN"]
    change = record["dynamodb"]
    assert set(change) == {
        "ApproximateCreationDateTime",
        "Keys",
        "NewImage",
        "SequenceNumber",
        "SizeBytes",
        "StreamViewType",
    }
    assert before <= change["ApproximateCreationDateTime"] <= time.time()
    assert change["Keys"] == {"id": {"S": "a"}}
    encoded = base64.b64encode(b"\x00\xff").decode()
    assert change["NewImage"]["payload"] == {"B": encoded}
    assert change["NewImage"]["nested"] == {"M": {"inner": {"B": encoded}, "list": {"L": [{"BS": ["AQ=="]}]}}}
    assert change["NewImage"]["count"] == {"N": "1"}


def test_a_batch_stays_below_the_payload_limit(toys: Toys) -> None:
    for number in range(18):
        toys.put(str(number), filler={"S": "x" * 390_000})
    function = Function()
    drive(toys, function)[0].run_until_idle()
    assert [len(batch) for batch in function.batches] == [16, 2]


def test_a_filtered_record_is_dropped_and_takes_no_place_in_a_batch(toys: Toys) -> None:
    toys.put("no-1", "no-2")
    toys.put("yes-1", stage={"S": "deliver"})
    toys.put("no-3", stage={"S": "link"})
    toys.put("yes-2", "yes-3", stage={"S": "deliver"})
    function = Function()
    pattern = json.dumps({"dynamodb": {"NewImage": {"stage": {"S": ["deliver"]}}}})
    drive(toys, function, filters=[pattern], batch_size=2)[0].run_until_idle()
    assert function.batches == [["yes-1", "yes-2"], ["yes-3"]]


def test_an_error_tries_the_whole_batch_again_and_holds_the_shard(toys: Toys) -> None:
    toys.put("a", "b", "c")
    attempts = iter((True, True, False, False))

    def twice(_: Function, __: list[str], ___: dict[str, Any]) -> None:
        if next(attempts):
            raise ValueError

    function = Function(twice)
    harness, mapping = drive(toys, function, batch_size=2)
    harness.run_until_idle()
    assert function.batches == [["a", "b"]] * 3 + [["c"]]
    assert harness.failures[mapping] == []


def test_a_killed_function_is_an_error(toys: Toys) -> None:
    toys.put("a")

    def once(function: Function, _: list[str], __: dict[str, Any]) -> None:
        if len(function.batches) == 1:
            raise Killed

    function = Function(once)
    drive(toys, function)[0].run_until_idle()
    assert function.batches == [["a"], ["a"]]


def test_without_a_retry_limit_a_poison_record_blocks_the_shard(toys: Toys) -> None:
    toys.put("poison", "b")
    function = failing("poison")
    harness, _ = drive(toys, function, batch_size=1)
    with pytest.raises(NotIdleError, match="'toy': 2"):
        harness.run_until_idle(limit=7)
    assert function.batches == [["poison"]] * 7


def test_exhausted_retries_give_up_the_whole_batch_and_go_on(toys: Toys) -> None:
    toys.put("a", "poison", "c", "d")
    function = failing("poison")
    harness, mapping = drive(toys, function, batch_size=3, max_retries=2)
    harness.run_until_idle()
    assert function.batches == [["a", "poison", "c"]] * 3 + [["d"]]
    (document,) = harness.failures[mapping]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in harness.records()]
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 3
    assert document["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    batch = document["DDBStreamBatchInfo"]
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"]) == (numbers[0], numbers[2])
    assert batch["batchSize"] == 3
    assert batch["streamArn"] == harness.stream.arn
    assert batch["shardId"] in harness.stream.shards
    assert "poison" not in json.dumps(document)  # where the records are, not what they hold


def test_no_retries_means_one_attempt(toys: Toys) -> None:
    toys.put("poison")
    function = failing("poison")
    harness, mapping = drive(toys, function, max_retries=0)
    harness.run_until_idle()
    assert function.batches == [["poison"]]
    assert len(harness.failures[mapping]) == 1


def test_on_failure_sends_the_document_to_a_queue(toys: Toys, emulator: Emulator) -> None:
    sqs = unseen_client("sqs")
    url = sqs.create_queue(QueueName=toys.table)["QueueUrl"]
    toys.put("poison")
    harness, mapping = drive(toys, failing("poison"), max_retries=0, on_failure=url)
    harness.run_until_idle()
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert [json.loads(message["Body"])] == harness.failures[mapping]


def test_bisecting_isolates_a_poison_record_and_costs_no_retry(toys: Toys) -> None:
    toys.put("a", "b", "poison", "d")
    function = failing("poison")
    harness, mapping = drive(toys, function, bisect=True, max_retries=1)
    harness.run_until_idle()
    assert function.batches == [
        ["a", "b", "poison", "d"],
        ["a", "b"],
        ["poison", "d"],
        ["poison"],
        ["poison"],  # the one retry; both splits were free
        ["d"],
    ]
    assert [document["DDBStreamBatchInfo"]["batchSize"] for document in harness.failures[mapping]] == [1]


def test_a_reported_failure_is_the_checkpoint(toys: Toys) -> None:
    toys.put("a", "b", "poison-1", "d", "poison-2", "f")
    function = reporting("poison-1", "poison-2")
    harness, mapping = drive(toys, function, batch_size=5, max_retries=1, report_batch_item_failures=True)
    harness.run_until_idle()
    left = ["poison-1", "d", "poison-2"]  # also d, which succeeded
    assert function.batches == [["a", "b", *left], left, ["f"]]
    (document,) = harness.failures[mapping]
    assert document["DDBStreamBatchInfo"]["batchSize"] == 3
    assert "functionError" not in document["responseContext"]


def test_a_reported_failure_that_heals_leaves_nothing_behind(toys: Toys) -> None:
    toys.put("a", "b", "c")

    def second_fails_once(function: Function, _: list[str], event: dict[str, Any]) -> Any:
        number = event["Records"][1]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": number}] if len(function.batches) == 1 else []}

    function = Function(second_fails_once)
    harness, mapping = drive(toys, function, max_retries=1, report_batch_item_failures=True)
    harness.run_until_idle()
    assert function.batches == [["a", "b", "c"], ["b", "c"]]
    assert harness.failures[mapping] == []


def test_with_bisecting_a_reported_failure_splits_there_and_costs_no_retry(toys: Toys) -> None:
    toys.put("a", "poison", "c")
    function = reporting("poison")
    harness, mapping = drive(toys, function, bisect=True, max_retries=1, report_batch_item_failures=True)
    harness.run_until_idle()
    assert function.batches == [["a", "poison", "c"], ["poison", "c"], ["poison", "c"]]
    assert [document["DDBStreamBatchInfo"]["batchSize"] for document in harness.failures[mapping]] == [2]


def test_with_bisecting_an_error_splits_in_two_whatever_is_reported(toys: Toys) -> None:
    toys.put("a", "poison")
    function = failing("poison")
    drive(toys, function, bisect=True, max_retries=0, report_batch_item_failures=True)[0].run_until_idle()
    assert function.batches == [["a", "poison"], ["a"], ["poison"]]


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "no-such-number"}]},
        {"batchItemFailures": [{"ItemIdentifier": "1"}]},
        {"batchItemFailures": ["1"]},
        ["no object"],
        "text",
    ],
)
def test_an_answer_lambda_cannot_read_fails_the_whole_batch(toys: Toys, answer: Any) -> None:
    toys.put("a", "b")
    function = Function(lambda *_: answer)
    harness, mapping = drive(toys, function, max_retries=1, report_batch_item_failures=True)
    harness.run_until_idle()
    assert function.batches == [["a", "b"]] * 2
    assert harness.failures[mapping][0]["DDBStreamBatchInfo"]["batchSize"] == 2


def test_an_unknown_identifier_beside_a_known_one_fails_the_whole_batch(toys: Toys) -> None:
    toys.put("a", "b")

    def answer(_: Function, __: list[str], event: dict[str, Any]) -> Any:
        number = event["Records"][1]["dynamodb"]["SequenceNumber"]
        return {"batchItemFailures": [{"itemIdentifier": number}, {"itemIdentifier": "?"}]}

    function = Function(answer)
    drive(toys, function, max_retries=1, report_batch_item_failures=True)[0].run_until_idle()
    assert function.batches == [["a", "b"]] * 2


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_answer_is_success(toys: Toys, answer: Any) -> None:
    toys.put("a", "b")
    function = Function(lambda *_: answer)
    drive(toys, function, report_batch_item_failures=True)[0].run_until_idle()
    assert function.batches == [["a", "b"]]


def test_reports_count_only_where_they_are_switched_on(toys: Toys) -> None:
    toys.put("a", "poison")
    function = reporting("poison")
    drive(toys, function)[0].run_until_idle()
    assert function.batches == [["a", "poison"]]


def test_an_answer_that_is_not_json_is_an_error(toys: Toys) -> None:
    toys.put("a")
    function = Function(lambda *_: object())
    harness, mapping = drive(toys, function, max_retries=0)
    harness.run_until_idle()
    assert len(harness.failures[mapping]) == 1


def test_records_past_their_age_are_given_up_unseen(toys: Toys) -> None:
    toys.put("a", "b")
    offset = 0.0
    function = failing("a")
    mapping = Mapping("toy", function, max_record_age_s=60)
    harness = StreamHarness(toys.table, mapping, clock=lambda: time.time() + offset)
    harness.step(mapping)
    offset = 62
    harness.run_until_idle()
    assert function.batches == [["a", "b"]]
    (document,) = harness.failures[mapping]
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert document["responseContext"]["functionError"] == "Unhandled"
    assert document["DDBStreamBatchInfo"]["batchSize"] == 2


def test_records_given_up_before_any_invocation_have_no_response(toys: Toys) -> None:
    toys.put("a")
    function = Function()
    mapping = Mapping("toy", function)
    harness = StreamHarness(toys.table, mapping, clock=lambda: time.time() + 25 * 3600)
    assert harness.run_until_idle() == 0
    assert function.batches == []
    assert "responseContext" not in harness.failures[mapping][0]


def test_mappings_on_one_stream_are_independent(toys: Toys) -> None:
    toys.put("a", "b")
    blocked, free = failing("a"), Function()
    one, other = Mapping("blocked", blocked, batch_size=1), Mapping("free", free, batch_size=1)
    harness = StreamHarness(toys.table, one, other)
    with pytest.raises(NotIdleError):
        harness.run_until_idle(limit=10)
    assert free.batches == [["a"], ["b"]]
    assert set(map(tuple, blocked.batches)) == {("a",)}
    assert harness.waiting() == {one: 2, other: 0}


def test_what_a_handler_writes_is_handled_too(toys: Toys) -> None:
    toys.put("3")

    def count_down(_: Function, ids: list[str], __: dict[str, Any]) -> None:
        toys.put(*(str(int(name) - 1) for name in ids if name != "0"))

    function = Function(count_down)
    drive(toys, function)[0].run_until_idle()
    assert function.batches == [["3"], ["2"], ["1"], ["0"]]


def test_a_function_that_feeds_itself_never_becomes_idle(toys: Toys) -> None:
    toys.put("a")
    function = Function(lambda function, *_: toys.put(f"a{len(function.batches)}"))
    with pytest.raises(NotIdleError):
        drive(toys, function)[0].run_until_idle(limit=5)
    assert len(function.batches) == 5


def test_exactly_the_limit_is_not_too_much(toys: Toys) -> None:
    toys.put("a", "b")
    assert drive(toys, Function(), batch_size=1)[0].run_until_idle(limit=2) == 2


def test_redelivery_repeats_a_batch_and_leaves_the_checkpoint(toys: Toys) -> None:
    toys.put("a", "b")
    function = Function()
    harness, mapping = drive(toys, function, batch_size=1)
    first = harness.step(mapping)
    assert first is not None
    harness.redeliver(first)
    harness.run_until_idle()
    assert function.batches == [["a"], ["a"], ["b"]]


def test_rewinding_delivers_everything_again(toys: Toys) -> None:
    toys.put("a", "b")
    function = Function()
    harness, mapping = drive(toys, function)
    harness.run_until_idle()
    harness.rewind(mapping)
    harness.run_until_idle()
    assert function.batches == [["a", "b"]] * 2


def test_a_handler_cannot_change_what_the_stream_holds(toys: Toys) -> None:
    toys.put("a")

    def spoil(function: Function, _: list[str], event: dict[str, Any]) -> None:
        event["Records"][0]["dynamodb"]["NewImage"]["id"]["S"] = "spoilt"
        if len(function.batches) == 1:
            raise ValueError

    function = Function(spoil)
    harness, _ = drive(toys, function)
    harness.run_until_idle()
    images = [record["dynamodb"]["NewImage"] for record in harness.records()]
    assert function.batches == [["a"], ["a"]]
    assert images == [{"id": {"S": "a"}}]
