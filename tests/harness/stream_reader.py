"""Reads a DynamoDB stream to its end and gives its records the shape in which Lambda hands them to a function."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.calls import unseen_client

Record = dict[str, Any]


@dataclass
class Shard:
    """The records of a shard read so far, oldest first."""

    id: str
    parent: str | None = None
    records: list[Record] = field(default_factory=list)
    iterator: str | None = None
    opened: bool = False


class StreamReader:
    """All shards of the current stream of a table, from TRIM_HORIZON on. `client` replaces the stream API in tests."""

    def __init__(self, table: str, client: Any = None) -> None:
        self._client = client or unseen_client("dynamodbstreams")
        description = unseen_client("dynamodb").describe_table(TableName=table)["Table"]
        if "LatestStreamArn" not in description:
            raise LookupError(f"table {table} has no stream")
        self.arn: str = description["LatestStreamArn"]
        self.shards: dict[str, Shard] = {}

    def read(self) -> None:
        """Reads on to the end of every shard, new shards included: a shard follows upon one that is closed."""
        for shard in self.shards.values():
            self._read(shard)
        while self._may_have_followers() and (found := self._find_new()):
            for shard in found:
                self._read(shard)

    def _may_have_followers(self) -> bool:
        return not self.shards or any(shard.iterator is None for shard in self.shards.values())

    def _find_new(self) -> list[Shard]:
        listed = [Shard(found["ShardId"], found.get("ParentShardId")) for found in self._list_shards()]
        new = [shard for shard in listed if shard.id not in self.shards]
        self.shards |= {shard.id: shard for shard in new}
        return new

    def _list_shards(self) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = []
        page: dict[str, str] = {}
        while True:
            description = self._client.describe_stream(StreamArn=self.arn, **page)["StreamDescription"]
            shards += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return shards
            page = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}

    def _read(self, shard: Shard) -> None:
        if shard.opened and shard.iterator is None:  # closed, and read to its end
            return
        if not shard.opened:
            shard.iterator = self._open(shard)
            shard.opened = True
        while shard.iterator is not None:
            try:
                page = self._client.get_records(ShardIterator=shard.iterator)
            except self._client.exceptions.ExpiredIteratorException:  # an iterator lives 15 minutes
                shard.iterator = self._open(shard)
                continue
            shard.records += [lambda_record(record, self.arn) for record in page["Records"]]
            shard.iterator = page.get("NextShardIterator")
            if not page["Records"]:
                return

    def _open(self, shard: Shard) -> str:
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard.records:
            last = shard.records[-1]["dynamodb"]["SequenceNumber"]
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}
        answer = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard.id, **start)
        return str(answer["ShardIterator"])


def lambda_record(record: Mapping[str, Any], stream_arn: str) -> Record:
    """A record of GetRecords as Lambda's event has it: the stream's ARN beside it, the time as epoch seconds, binary
    values as base64 text (Lambda developer guide, "Example event")."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    for part in ("Keys", "NewImage", "OldImage"):
        if part in change:
            change[part] = {name: _attribute(value) for name, value in change[part].items()}
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record["eventVersion"],
        "eventSource": record["eventSource"],
        "awsRegion": record["awsRegion"],
        "dynamodb": change,
        "eventSourceARN": stream_arn,
        **({"userIdentity": record["userIdentity"]} if "userIdentity" in record else {}),
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {"B": base64.b64encode(content).decode()}
        case "BS":
            return {"BS": [base64.b64encode(element).decode() for element in content]}
        case "M":
            return {"M": {name: _attribute(element) for name, element in content.items()}}
        case "L":
            return {"L": [_attribute(element) for element in content]}
    return {kind: content}
