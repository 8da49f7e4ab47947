"""Bringing back what was given up: from a dead-letter queue to the queue it came from.

Each message keeps its body, its MessageId and its attributes, and gets the attribute `Replay`, the id of this job. It
is sent before it is deleted: a crash in between brings it twice, which MessageId tells, and never loses it. (SQS's own
move of messages would add no attribute.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proca_common.aws.clients import client

BATCH = 10
HOLD_S = 120
WAIT_S = 1
GROUP, DEDUPLICATION = "MessageGroupId", "MessageDeduplicationId"


def depth(url: str) -> int:
    """About how many messages are in a queue, those in somebody's hands included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def redrive(failures_url: str, url: str, job: str, at_most: int) -> Iterator[int]:
    """Move up to `at_most` messages, batch by batch; yields how many each batch moved. Safe to stop and to repeat.

    Ends when nothing is found, or when the queue takes nothing of a batch.
    """
    sqs = client("sqs")
    left = at_most
    while left > 0:
        received = sqs.receive_message(
            QueueUrl=failures_url,
            MaxNumberOfMessages=min(BATCH, left),
            VisibilityTimeout=HOLD_S,
            WaitTimeSeconds=WAIT_S,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=[GROUP, DEDUPLICATION],
        ).get("Messages", [])
        if not received:
            return
        entries = [_entry(str(index), message, job) for index, message in enumerate(received)]
        sent = [int(entry["Id"]) for entry in sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]]
        if not sent:
            return
        deleted = [{"Id": str(index), "ReceiptHandle": received[index]["ReceiptHandle"]} for index in sent]
        sqs.delete_message_batch(QueueUrl=failures_url, Entries=deleted)
        left -= len(sent)
        yield len(sent)


def _entry(identifier: str, message: dict[str, Any], job: str) -> dict[str, Any]:
    attributes = {
        name: {"DataType": value["DataType"], "StringValue": value["StringValue"]}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    system = message.get("Attributes", {})
    entry: dict[str, Any] = {
        "Id": identifier,
        "MessageBody": message["Body"],
        "MessageAttributes": {**attributes, "Replay": {"DataType": "String", "StringValue": job}},
    }
    if GROUP in system:
        entry[GROUP] = system[GROUP]
    if DEDUPLICATION in system:
        entry[DEDUPLICATION] = f"{system[DEDUPLICATION][:90]}.{job}"
    return entry
