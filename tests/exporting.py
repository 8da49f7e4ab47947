"""The export queue: at least once, what is not done comes again, what came too often is given up; and what it makes."""

from __future__ import annotations

import csv
import io
import json
import os
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.harness.calls import Answer, Call, Hook, hooked, unseen_client
from tests.harness.context import LambdaContext
from tests.world import EXPORT_BUCKET, World, function

MAX_RECEIVE = 5
FUNCTION = "ExportFileFunction"
Json = dict[str, Any]


@dataclass
class Message:
    """A message of the queue, and how often it was received."""

    id: str
    body: str
    received: int = 0

    def record(self) -> Json:
        """As the mapping hands it to the function."""
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.received), "SentTimestamp": "0"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
        }


class _Postponing(Hook):
    """ChangeMessageVisibilityBatch: a message that comes again comes at once."""

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.operation != "ChangeMessageVisibilityBatch":
            return proceed()
        return {"Successful": [{"Id": entry["Id"]} for entry in call.params["Entries"]]}


@dataclass
class Desk:
    """Works off the export queue with the real function."""

    world: World
    waiting: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)

    def collect(self) -> None:
        """Take over what was ordered."""
        sqs, url = unseen_client("sqs"), os.environ["EXPORT_QUEUE_URL"]
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                self.put(message["Body"])

    def put(self, body: str) -> None:
        """A message comes to the queue."""
        self.waiting.append(Message(f"m-{os.urandom(6).hex()}", body))

    def step(self, remaining_ms: int | None = 300_000, timeout_s: float = 300) -> bool:
        """One message; whether there was any. A function that is killed leaves it where it is.

        `remaining_ms`: what the function is told all the time, else what is left of `timeout_s`.
        """
        self.collect()
        if not self.waiting:
            return False
        message = self.waiting[0]
        message.received += 1
        if message.received > MAX_RECEIVE:
            self.dead.append(self.waiting.pop(0))
            return True
        with hooked(_Postponing()):
            answer = function(FUNCTION)(
                {"Records": [message.record()]}, LambdaContext(FUNCTION, timeout_s, remaining_ms=remaining_ms)
            )
        if not answer["batchItemFailures"]:
            self.waiting.remove(message)
        return True

    def run(self, remaining_ms: int = 300_000, most: int = 200) -> int:
        """Until nothing waits; how many turns it took."""
        turns = 0
        while self.step(remaining_ms):
            turns += 1
            assert turns < most, "it goes on for ever"
        return turns


def objects() -> list[str]:
    """The keys of all that is in the bucket."""
    return [found["Key"] for found in unseen_client("s3").list_objects_v2(Bucket=EXPORT_BUCKET).get("Contents", [])]


def uploads() -> list[str]:
    """The keys of all uploads that are not complete."""
    found = unseen_client("s3").list_multipart_uploads(Bucket=EXPORT_BUCKET).get("Uploads", [])
    return [upload["Key"] for upload in found]


def of_org(org: int) -> list[str]:
    """The keys of all that there is of an org, in uploads too."""
    return sorted(key for key in [*objects(), *uploads()] if key.startswith(f"{org}/"))


def downloaded(link: str) -> bytes:
    """What stands behind a link."""
    trusted = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
    with urllib.request.urlopen(link, timeout=10, context=trusted) as answer:
        return answer.read()  # type: ignore[no-any-return]


def of_ndjson(text: bytes) -> list[Json]:
    """The rows of a file."""
    return [json.loads(line) for line in text.splitlines()]


def of_csv(text: bytes) -> list[dict[str, str]]:
    """The rows of a file."""
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def forward(world: World, minutes: float = 2) -> None:
    """Let time pass, so that what was done is settled."""
    world.ahead_ms += round(minutes * 60_000)
