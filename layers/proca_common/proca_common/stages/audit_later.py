"""Orders in a queue of ours: go on with an audit of a campaign's numbers. What stands where is in its record."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws import clock
from proca_common.aws.clients import client
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import logger
from proca_common.aws.pace import Pace
from proca_common.ids import RANDOM_BITS, new_id
from proca_common.monitors import audits
from proca_common.monitors.audit import Audit
from proca_common.stages.audit import SupersededError
from proca_common.stages.audit import work as work_on

DELAY_S = 15
"""An order is sent before its record is stored, so that no record waits for an order that was never sent."""


def new_audit(campaign: int, who: int, *, repair: bool) -> Audit:
    """An audit that begins now; `who` is a user, or 0."""
    now_ms = clock.now_ms()
    number = new_id(now_ms, secrets.randbits(RANDOM_BITS))
    return Audit(id=number, campaign=campaign, who=who, repair=repair, started_ms=now_ms)


def order(queue_url: str, audit: Audit, transaction: Transaction) -> Audit:
    """Have this new audit done; its record is stored in the transaction, which is for the caller to commit at once.
    Raises `Unavailable`.
    """
    _send(queue_url, audit, DELAY_S)
    return audits.put(transaction, audit)


def work(body: str, queue_url: str, pace: Pace, has_time: Callable[[], bool]) -> Audit | None:
    """Do what an order says; what is left goes into another. The audit if it is finished, for the last time told.

    Raises `Unavailable`.
    """
    asked = json.loads(body)
    audit = audits.find(asked["campaign"], asked["audit"])
    if audit is None:
        logger.info("no such audit", extra={"campaign": asked["campaign"]})
        return None
    try:
        audit, pause_s = work_on(audit, pace, has_time)
    except SupersededError:
        logger.info("somebody else works on the audit", extra={"campaign": audit.campaign})
        return None
    logger.info("counted again", extra={"campaign": audit.campaign, "hours": audit.hours, "wrong": audit.wrong})
    if pause_s is None:
        return audit
    _send(queue_url, audit, pause_s)
    return None


def _send(queue_url: str, audit: Audit, delay_s: int) -> None:
    body: dict[str, Any] = {"campaign": audit.campaign, "audit": audit.id}
    try:
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(body), DelaySeconds=delay_s)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(type(error).__name__) from None
