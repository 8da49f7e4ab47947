"""Searches all that a stack keeps for words that must not be there: table items, stream records, messages, files of
exports, log lines.

    found = search(stack, ["ida.holm@example.org", "Wilhelmina"], control=[contact_ref, "answered"])
    assert not found.places

A word counts in any case of letters, in the escapes of JSON and URLs, and within base64. It should have six letters or
more: shorter ones are part of a ciphertext now and then. `control` are words that are there for certain: a search that
does not find them would not find the others.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tools.stack import Stack

TABLES = ("ACTIONS_TABLE", "CATALOG_TABLE", "STATS_TABLE", "ERASURES_TABLE")
KINDS = ("table items", "stream records", "messages", "files", "log lines")
PEEK_SECONDS = 60
EMPTY_PAGES = 5  # an open shard of a stream hands these out before its end, on AWS


class Kept(NamedTuple):
    """Something that the stack keeps: its kind, where it is, and every value in it."""

    kind: str
    where: str
    values: list[bytes]


@dataclass(slots=True)
class Found:
    """How much was `searched` and how often a control word was there (`control`), by kind; `places` of the words."""

    searched: Counter[str] = field(default_factory=Counter)
    control: Counter[str] = field(default_factory=Counter)
    places: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"  {self.searched[kind]:>6} {kind:<15} (control found in {self.control[kind]})" for kind in KINDS]
        return "\n".join([*lines, *(f"  FOUND in {place}" for place in self.places)])


def search(stack: Stack, words: Iterable[str], control: Iterable[str] = ()) -> Found:
    """Look for the words everywhere."""
    wanted = {form for word in words for form in forms(word)}
    certain = {form for word in control for form in forms(word)}
    found = Found()
    for kept in everything(stack):
        haystack = b"\0".join(kept.values).lower()
        found.searched[kept.kind] += 1
        found.control[kept.kind] += any(form in haystack for form in certain)
        if any(form in haystack for form in wanted):
            found.places.append(f"{kept.kind}: {kept.where}")
    return found


def forms(word: str) -> set[bytes]:
    """What a word may look like, its ASCII letters small."""
    texts = {word, word.lower(), word.upper(), word.title()}
    shapes = {*texts, *(json.dumps(text)[1:-1] for text in texts), *(urllib.parse.quote(text) for text in texts)}
    encoded = {inner for text in texts for before in range(3) for inner in inner_base64(text.encode(), before)}
    return {shape.encode().lower() for shape in shapes | encoded}


def inner_base64(raw: bytes, before: int) -> Iterator[str]:
    """What base64 (of both alphabets) makes of it after so many other bytes, without what depends on those around."""
    text = base64.b64encode(b"\0" * before + raw).rstrip(b"=").decode()
    certain = text[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
    yield certain
    yield certain.translate(str.maketrans("+/", "-_"))


def everything(stack: Stack) -> Iterator[Kept]:
    """All that the stack keeps."""
    yield from table_items(stack)
    yield from stream_records(stack)
    yield from messages(stack)
    yield from files(stack)
    yield from log_lines(stack)


def table_items(stack: Stack) -> Iterator[Kept]:
    """Every item of every table."""
    for table in TABLES:
        name = stack.environ[table]
        for page in stack.client("dynamodb").get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
            for item in page["Items"]:
                yield Kept("table items", f"{name} {keys_of(item)}", [*values(item)])


def keys_of(item: dict[str, Any]) -> str:
    return " ".join(next(iter(item[name].values())) for name in ("ref", "pk", "sk") if name in item)


def values(value: Any) -> Iterator[bytes]:
    """Every key and value in DynamoDB's or JSON's form."""
    match value:
        case dict():
            for key, entry in value.items():
                yield str(key).encode()
                yield from values(entry)
        case list() | set() | tuple():
            for entry in value:
                yield from values(entry)
        case bytes():
            yield value
        case _:
            yield str(value).encode()


def stream_records(stack: Stack) -> Iterator[Kept]:
    """Every record that the streams of the tables still have."""
    client = stack.client("dynamodbstreams")
    for table in TABLES:
        for stream in client.list_streams(TableName=stack.environ[table])["Streams"]:
            arn = stream["StreamArn"]
            for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
                for record in shard_records(client, arn, shard["ShardId"]):
                    where = f"{arn} {record['dynamodb']['SequenceNumber']}"
                    yield Kept("stream records", where, [*values(record["dynamodb"])])


def shard_records(client: Any, arn: str, shard: str) -> Iterator[dict[str, Any]]:
    start = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(**start)["ShardIterator"]
    empty = 0
    while iterator is not None and empty < EMPTY_PAGES:
        page = client.get_records(ShardIterator=iterator)
        yield from page["Records"]
        empty = 0 if page["Records"] else empty + 1
        iterator = page.get("NextShardIterator")


def messages(stack: Stack) -> Iterator[Kept]:
    """Every message in every queue of the stack, with its attributes."""
    prefix = stack.environ["QUEUE_NAME_PREFIX"].removesuffix("org-")
    for page in stack.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=prefix):
        for url in page.get("QueueUrls", []):
            for message in peek(stack, url):
                where = f"{url.rsplit('/', 1)[-1]} {message['MessageId']}"
                yield Kept("messages", where, [*values(message)])


def peek(stack: Stack, url: str) -> list[dict[str, Any]]:
    """The messages of a queue, which stay there: on the local stack those in flight too, and unseen.

    On AWS they are received once, and given back at the end.
    """
    if stack.emulator is not None:
        address = f"{stack.emulator.endpoint}/_ministack/sqs/messages?QueueUrl={urllib.parse.quote(url, safe='')}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            accounts = json.load(answer)["messages"]
        queues = [queue for regions in accounts.values() for found in regions.values() for queue in found.values()]
        return [message for queue in queues for message in queue]
    sqs = stack.client("sqs")
    taken: list[dict[str, Any]] = []
    asked = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "MessageAttributeNames": ["All"]}
    until = time.monotonic() + PEEK_SECONDS / 2
    while time.monotonic() < until:
        batch = sqs.receive_message(QueueUrl=url, VisibilityTimeout=PEEK_SECONDS, **asked).get("Messages", [])
        if not batch:
            break
        taken += batch
    for message in taken:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return taken


def files(stack: Stack) -> Iterator[Kept]:
    """Every file that orgs asked for, and what is left of those that are being written."""
    s3, bucket = stack.client("s3"), stack.environ["EXPORT_BUCKET"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            yield Kept("files", found["Key"], [found["Key"].encode(), body])


def log_lines(stack: Stack) -> Iterator[Kept]:
    """Every line that the functions and the API logged."""
    logs = stack.client("logs")
    name = stack.environ["POWERTOOLS_SERVICE_NAME"]
    for prefix in (f"/aws/lambda/{name}-", f"/aws/apigateway/{name}"):
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            for group in page["logGroups"]:
                for events in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                    for event in events["events"]:
                        where = f"{group['logGroupName']} {event['logStreamName']} {event['timestamp']}"
                        yield Kept("log lines", where, [event["message"].encode()])
