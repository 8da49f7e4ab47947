"""Reading streams: what the emulator's single open shard does not show is shown with a made-up stream API."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.harness.conftest import Toys
from tests.harness.stream_reader import StreamReader
from tests.harness.streams import Mapping, StreamHarness
from tests.harness.tables import project_tables
from tools.emulator import Emulator


class Streams:
    """A stream of several shards: pages of one record, shards listed one a page."""

    class Exceptions:
        ExpiredIteratorException = type("ExpiredIteratorException", (Exception,), {})

    exceptions = Exceptions

    def __init__(self, *shards: tuple[str, str | None, list[str]], closed: bool = True) -> None:
        self.shards = {name: (parent, numbers) for name, parent, numbers in shards}
        self.closed = closed
        self.expire = 0
        self.started: list[str] = []

    def describe_stream(self, **asked: str) -> dict[str, Any]:
        names = list(self.shards)
        index = names.index(asked["ExclusiveStartShardId"]) + 1 if "ExclusiveStartShardId" in asked else 0
        parent, _ = self.shards[names[index]]
        shard = {"ShardId": names[index]} | ({"ParentShardId": parent} if parent else {})
        last = {"LastEvaluatedShardId": names[index]} if index + 1 < len(names) else {}
        return {"StreamDescription": {"Shards": [shard], **last}}

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        shard, after = asked["ShardId"], asked.get("SequenceNumber")
        self.started.append(asked["ShardIteratorType"])
        return {"ShardIterator": f"{shard}/{self.shards[shard][1].index(after) + 1 if after else 0}"}

    def get_records(self, **asked: str) -> dict[str, Any]:
        if self.expire:
            self.expire -= 1
            raise self.exceptions.ExpiredIteratorException
        shard, start = asked["ShardIterator"].split("/")
        numbers = self.shards[shard][1][int(start) : int(start) + 1]
        answer: dict[str, Any] = {"Records": [record(number) for number in numbers]}
        if numbers or not self.closed:
            answer["NextShardIterator"] = f"{shard}/{int(start) + len(numbers)}"
        return answer


def record(number: str) -> dict[str, Any]:
    return {
        "eventID": number,
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime.now(UTC),
            "Keys": {"id": {"S": number}},
            "NewImage": {"id": {"S": number}},
            "SequenceNumber": number,
            "SizeBytes": 1,
            "StreamViewType": "NEW_IMAGE",
        },
    }


def numbers(reader: StreamReader) -> dict[str, list[str]]:
    reader.read()
    return {
        shard.id: [record["dynamodb"]["SequenceNumber"] for record in shard.records] for shard in reader.shards.values()
    }


def test_all_shards_and_all_pages_are_read(toys: Toys) -> None:
    reader = StreamReader(toys.table, Streams(("s1", None, ["1", "2"]), ("s2", "s1", ["3"])))
    assert numbers(reader) == {"s1": ["1", "2"], "s2": ["3"]}
    assert numbers(reader) == {"s1": ["1", "2"], "s2": ["3"]}


def test_reading_goes_on_where_it_stopped_and_finds_new_shards(toys: Toys) -> None:
    streams = Streams(("s1", None, ["1"]), closed=False)
    reader = StreamReader(toys.table, streams)
    assert numbers(reader) == {"s1": ["1"]}
    streams.shards["s1"][1].append("2")
    streams.shards["s2"] = ("s1", ["3"])
    streams.closed = True
    assert numbers(reader) == {"s1": ["1", "2"], "s2": ["3"]}


def test_an_expired_iterator_is_replaced(toys: Toys) -> None:
    streams = Streams(("s1", None, ["1"]), closed=False)
    reader = StreamReader(toys.table, streams)
    assert numbers(reader) == {"s1": ["1"]}
    streams.shards["s1"][1].append("2")
    streams.expire = 1
    assert numbers(reader) == {"s1": ["1", "2"]}
    assert streams.started == ["TRIM_HORIZON", "AFTER_SEQUENCE_NUMBER"]


def test_a_child_shard_waits_for_its_parent(toys: Toys) -> None:
    seen: list[str] = []

    def handler(event: dict[str, Any], context: Any) -> None:
        seen.extend(record["eventID"] for record in event["Records"])
        if seen == ["p1"]:
            raise ValueError("the parent is not done")

    mapping = Mapping("toy", handler, batch_size=1)
    harness = StreamHarness(toys.table, mapping)
    harness.stream = StreamReader(
        toys.table, Streams(("child", "parent", ["c1", "c2"]), ("parent", None, ["p1", "p2"]), ("other", None, ["o1"]))
    )
    harness.run_until_idle()
    assert [name for name in seen if name != "o1"] == ["p1", "p1", "p2", "c1", "c2"]
    assert seen.count("o1") == 1
    assert seen.index("o1") < seen.index("c1")  # a shard of its own does not wait


def test_a_table_without_a_stream_is_said_so(emulator: Emulator) -> None:
    with project_tables() as tables, pytest.raises(LookupError, match="has no stream"):
        StreamReader(tables["StatsTable"])
