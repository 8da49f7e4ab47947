"""An order in a queue of ours: encrypt what an org stored before its key held everywhere (design 7.3).

It is sent before the key is activated, and works when that holds for sure: no activation can be without it, and one
that came to nothing finds no key to encrypt for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from nacl.public import PrivateKey

from proca_common.aws.clients import client
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import logger
from proca_common.errors import NotFound
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.stages.encrypt_contacts import Rest, encrypt_contacts

DELAY_S = 120
"""An activation takes at most the 28 s of its function and then holds after 60 s."""


def order(queue_url: str, org: int) -> None:
    """Have the contacts of the org encrypted some time after now. Raises `Unavailable`."""
    _send(queue_url, {"org": org}, DELAY_S)


def work(body: str, queue_url: str, sealing_private: PrivateKey, has_time: Callable[[], bool]) -> None:
    """Do what an order says; what is left when there is no more time goes into another. Raises `Unavailable`."""
    asked = json.loads(body)
    try:
        org = orgs.get(asked["org"])
    except NotFound:
        return
    if org.active_key is None:
        logger.info("no key is active", extra={"org": org.id})
        return
    after: Rest | None = asked.get("after")
    done = encrypt_contacts(org, instances.get(), sealing_private, after=after, has_time=has_time)
    logger.info("contacts encrypted", extra={"org": org.id, "contacts": done.contacts, "woken": done.woken})
    if done.rest is not None:
        _send(queue_url, {"org": org.id, "after": done.rest}, 0)


def _send(queue_url: str, body: dict[str, Any], delay_s: int) -> None:
    try:
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(body), DelaySeconds=delay_s)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(type(error).__name__) from None
