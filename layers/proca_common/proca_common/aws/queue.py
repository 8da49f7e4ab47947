"""Messages that stay in a queue of ours, and when they come again; what SQS refuses, in our own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws.clients import client
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault
from proca_common.errors import NotFound

MAX_ENTRIES = 10
LONGEST_S = 11 * 3600
MISSING = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


@contextmanager
def in_our_words() -> Iterator[None]:
    """What is done within raises `NotFound` where there is no such queue, and `Unavailable` for all else."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "unknown")
        raise NotFound("queue") if code in MISSING else Unavailable(code) from None
    except BotoCoreError as error:
        raise Unavailable(type(error).__name__) from None


def postpone(url: str, records: Iterable[Mapping[str, Any]], again_ms: Mapping[str, int]) -> None:
    """Let these messages of a batch come again after so many ms, by message id; at most 11 hours, SQS allows 12.

    Nothing is raised: without it they come again after the queue's own visibility timeout.
    """
    handles = {record["messageId"]: record["receiptHandle"] for record in records}
    entries = [
        {
            "Id": str(index),
            "ReceiptHandle": handles[message],
            "VisibilityTimeout": min(LONGEST_S, max(0, -(-pause_ms // 1000))),
        }
        for index, (message, pause_ms) in enumerate(again_ms.items())
    ]
    for start in range(0, len(entries), MAX_ENTRIES):
        batch = entries[start : start + MAX_ENTRIES]
        try:
            answer = client("sqs").change_message_visibility_batch(QueueUrl=url, Entries=batch)
        except (ClientError, BotoCoreError) as error:
            log_fault("messages cannot be postponed", error, messages=len(batch))
            continue
        if answer.get("Failed"):
            codes = sorted({entry.get("Code", "unknown") for entry in answer["Failed"]})
            log_fault("messages cannot be postponed", RuntimeError(), codes=codes, messages=len(answer["Failed"]))
