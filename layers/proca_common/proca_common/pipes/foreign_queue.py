"""An SQS queue in an org's own account as the backend of its messages (domain 5.8).

The service names region, key and queue. The request goes to SQS's own endpoint of the region, whatever host the URL of
the queue has, so this leads nowhere else; the URL is checked all the same, to say early what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws.clients import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TRIES, session
from proca_common.errors import NotAllowed
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.publish import MAX_BATCH_BYTES, MAX_ENTRIES
from proca_common.pipes.sending import Failed, Outcome, Refused, Taken, known_as

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_QUEUE_URL = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/\d{12}/[A-Za-z0-9_-]{1,75}(\.fifo)?")
_OWN_QUEUE_URL = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?/\d{12}/[A-Za-z0-9_-]{1,75}(\.fifo)?")


def is_queue_url(url: str, region: str, *, this_machine: bool = False) -> bool:
    """Whether this is the URL of a queue in this region; `this_machine`: or of one of the local stack."""
    match = _QUEUE_URL.fullmatch(url)
    if match is not None:
        return match[1] == region
    return this_machine and _OWN_QUEUE_URL.fullmatch(url) is not None


class ForeignQueue:
    """A queue of an org; raises `NotAllowed` for a region or a URL that cannot be."""

    sends_together = True

    def __init__(self, region: str, user: str, password: str, url: str, *, this_machine: bool = False) -> None:
        if not _REGION.fullmatch(region):
            raise NotAllowed("the host of the service is not a region of AWS")
        if not is_queue_url(url, region, this_machine=this_machine):
            raise NotAllowed("the path of the service is not the URL of a queue in its region")
        if not user or not password:
            raise NotAllowed("the service has no key to its queue")
        self._client = _client(region, user, password)
        self._url = url

    def send(self, messages: Sequence[PushOrder]) -> Generator[Outcome, None, None]:
        """Send the messages, in as few calls as their sizes allow."""
        for batch in _batches(messages):
            yield from self._send(batch)

    def _send(self, batch: Sequence[PushOrder]) -> list[Outcome]:
        entries = [_entry(index, message, in_order=self._url.endswith(".fifo")) for index, message in enumerate(batch)]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
            return [Failed(str(code))] * len(batch)
        outcomes: list[Outcome] = [Taken()] * len(batch)
        for entry in answer.get("Failed", ()):
            outcomes[int(entry["Id"])] = _outcome(entry)
        return outcomes


@lru_cache(maxsize=64)
def _client(region: str, user: str, password: str) -> Any:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        parameter_validation=False,
        proxies={},
    )
    return session().create_client(
        "sqs", region_name=region, aws_access_key_id=user, aws_secret_access_key=password, config=config
    )


def _batches(messages: Sequence[PushOrder]) -> Iterator[list[PushOrder]]:
    batch: list[PushOrder] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == MAX_ENTRIES or size + len(message.body.encode()) > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.body.encode())
    if batch:
        yield batch


def _entry(index: int, message: PushOrder, *, in_order: bool) -> dict[str, object]:
    """Attributes as in our own queues (design 6)."""
    entry: dict[str, object] = {
        "Id": str(index),
        "MessageBody": message.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items() if value
        },
    }
    if in_order:
        entry |= {"MessageGroupId": f"{message.org}.{message.backend}", "MessageDeduplicationId": known_as(message)}
    return entry


def _outcome(entry: dict[str, Any]) -> Outcome:
    code = str(entry.get("Code", "unknown"))
    return Refused(code) if entry.get("SenderFault") else Failed(code)
