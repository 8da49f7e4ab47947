"""Messages of an org's queue for a reader over HTTPS: taken with a lease, then acknowledged, or taken again later.

A lease is SQS's visibility timeout: while it lasts nobody else gets the message, afterwards it comes again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from proca_common.aws.clients import READ_TIMEOUT_S, client
from proca_common.aws.queue import in_our_words

MAX_MESSAGES = 10
MAX_WAIT_S = 20
MIN_LEASE_S, USUAL_LEASE_S, MAX_LEASE_S = 30, 300, 43_200
OVER = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"})
"""The message is gone, or its lease is over and perhaps somebody else has it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in somebody's hands. `id`: its MessageId, the same at every repetition; `sent_ms`: since 1970."""

    handle: str
    id: str
    attributes: dict[str, str]
    body: Any
    receive_count: int
    sent_ms: int


class Outcome(StrEnum):
    """What became of a receipt."""

    DONE = "done"
    OVER = "over"
    FAILED = "failed"


def take(url: str, limit: int, wait_s: int, lease_s: int) -> list[Taken]:
    """Up to `limit` messages, for which nobody else is given a chance for `lease_s` seconds; waits for the first one.

    Raises `NotFound` where there is no such queue, and `Unavailable`.
    """
    with in_our_words():
        answer = client("sqs", MAX_WAIT_S + READ_TIMEOUT_S).receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=lease_s,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
    return [_taken(message) for message in answer.get("Messages", [])]


def acknowledge(url: str, handles: Sequence[str]) -> list[Outcome]:
    """Delete these messages, up to ten; safe to repeat: what is gone is done. Raises `NotFound` and `Unavailable`."""
    found = _each("delete_message_batch", url, [{"ReceiptHandle": handle} for handle in handles])
    return [Outcome.DONE if outcome is Outcome.OVER else outcome for outcome in found]


def extend(url: str, handles: Sequence[str], lease_s: int) -> list[Outcome]:
    """Keep these messages, up to ten, for `lease_s` seconds from now, at most 12 hours after they were taken.

    Raises `NotFound` and `Unavailable`.
    """
    entries = [{"ReceiptHandle": handle, "VisibilityTimeout": lease_s} for handle in handles]
    return _each("change_message_visibility_batch", url, entries)


def _each(method: str, url: str, entries: list[dict[str, Any]]) -> list[Outcome]:
    numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
    with in_our_words():
        answer = getattr(client("sqs"), method)(QueueUrl=url, Entries=numbered)
    failed = {int(entry["Id"]): entry.get("Code", "") for entry in answer.get("Failed", ())}
    return [_outcome(failed.get(number)) for number in range(len(entries))]


def _outcome(code: str | None) -> Outcome:
    if code is None:
        return Outcome.DONE
    return Outcome.OVER if code in OVER else Outcome.FAILED


def _taken(message: dict[str, Any]) -> Taken:
    attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
    return Taken(
        handle=message["ReceiptHandle"],
        id=attributes.get("MessageId", message["MessageId"]),
        attributes=attributes,
        body=_document(message["Body"]),
        receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
        sent_ms=int(message["Attributes"]["SentTimestamp"]),
    )


def _document(body: str) -> Any:
    """The message; its text where somebody else sent what is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body
