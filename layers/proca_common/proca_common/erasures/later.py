"""An order in a queue of ours: go on with an erasure. It is sent before the work begins, so that none is left half done
when the process dies, and names no person.
"""

from __future__ import annotations

import json
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws.clients import client
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import logger
from proca_common.erasures import ledger
from proca_common.erasures.erase import HasTime, erase
from proca_common.erasures.ledger import ErasureItem, Status
from proca_common.errors import NotFound

DELAY_S = 60
"""Whoever asked works on it for at most the 28 s of its function."""


class Outcome(StrEnum):
    """What became of an order."""

    NOTHING_LEFT = "nothing left"
    DONE = "done"
    TO_BE_CONTINUED = "to be continued"


def order(queue_url: str, entry: ErasureItem, delay_s: int = DELAY_S) -> None:
    """Have the erasure gone on with some time after now. Raises `Unavailable`."""
    body = json.dumps({"org": entry.org, "erasure": entry.id})
    try:
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=body, DelaySeconds=delay_s)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(type(error).__name__) from None


def work(body: str, queue_url: str, has_time: HasTime) -> Outcome:
    """Go on with the erasure of an order; what is left when the time is over goes into another. Raises
    `Unavailable`.
    """
    asked = json.loads(body)
    try:
        entry = ledger.get(asked["org"], asked["erasure"])
    except NotFound:
        return Outcome.NOTHING_LEFT
    if entry.status == Status.DONE:
        return Outcome.NOTHING_LEFT
    done = erase(entry, has_time)
    logger.info("erasure", extra={"org": entry.org, "erasure": entry.id, "done": done})
    if done:
        return Outcome.DONE
    order(queue_url, entry, delay_s=0)
    return Outcome.TO_BE_CONTINUED
