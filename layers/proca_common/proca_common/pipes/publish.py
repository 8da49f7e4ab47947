"""Sending messages to SQS in batches, and telling which of them did not get through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws import clock
from proca_common.aws.clients import client
from proca_common.aws.logs import log_fault

MAX_ENTRIES = 10
MAX_BATCH_BYTES = 1_000_000
ENOUGH_MS = 8_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one queue. `id` is its MessageId, the same at every repetition; `group` is for SQS's fair share.

    `in_order`: for a queue that keeps the order of each group, and takes an id only once in five minutes. `delay_s`:
    how long nobody receives it, 900 at most; not for such a queue.
    """

    id: str
    body: str
    attributes: dict[str, str]
    group: str
    in_order: bool = False
    delay_s: int = 0

    @property
    def size(self) -> int:
        """Bytes that count for SQS's limit: the body and the attributes."""
        return len(self.body.encode()) + sum(len(name) + len(value) + 6 for name, value in self.attributes.items())


def send(url: str, messages: Iterable[Outgoing], deadline_ms: int) -> set[str]:
    """Send to the queue and return the ids of the messages that it did not take.

    Nothing is raised: a queue that is gone, closed to us or busy is the destination's fault, not the record's (design
    5). After one refused batch, or when too little time is left until `deadline_ms` (ms since 1970), the rest is not
    tried.
    """
    failed: set[str] = set()
    refused = False
    for batch in _batches(messages):
        if refused or deadline_ms - clock.now_ms() < ENOUGH_MS:
            failed.update(message.id for message in batch)
            continue
        try:
            answer = client("sqs").send_message_batch(QueueUrl=url, Entries=[*map(_entry, range(len(batch)), batch)])
        except (ClientError, BotoCoreError) as error:
            refused = True
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
            log_fault("queue refused a batch", error, queue=url.rsplit("/", 1)[-1], code=code, messages=len(batch))
            failed.update(message.id for message in batch)
            continue
        failed.update(batch[int(entry["Id"])].id for entry in answer.get("Failed", ()))
    return failed


def _batches(messages: Iterable[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == MAX_ENTRIES or size + message.size > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch


def _entry(index: int, message: Outgoing) -> dict[str, object]:
    entry: dict[str, object] = {
        "Id": str(index),
        "MessageBody": message.body,
        "MessageGroupId": message.group,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items() if value
        },
    }
    if message.delay_s:
        entry["DelaySeconds"] = message.delay_s
    if message.in_order:
        entry["MessageDeduplicationId"] = message.id
    return entry
