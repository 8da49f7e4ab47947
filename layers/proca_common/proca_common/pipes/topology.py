"""The queues of an org: made, adapted and removed with it (design 6)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from proca_common.aws.clients import client
from proca_common.aws.queue import MISSING
from proca_common.errors import NotAllowed
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue, switched_on

DAY_S = 86_400
DLQ_SUFFIX = "-dlq"
MAX_RECEIVES = 5
READER_ACTIONS = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
]
DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
DIFFERENT = ("QueueAlreadyExists", "QueueNameExists")
NOT_TAKEN = ("InvalidAttributeValue", "InvalidParameterValue")
NAMES = tuple(f"{queue}{suffix}" for queue in Queue for suffix in ("", DLQ_SUFFIX))
"""All queues that an org can have, by what stands behind its id in their names."""


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue has: to be received, in somebody's hands, and not to be received yet."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed


def queue_url(prefix: str, org: int, queue: Queue) -> str:
    """The URL of an org's queue; `prefix` ends with `<stack>-org-`."""
    return f"{prefix}{org}-{queue}"


def sync(prefix: str, org: Org) -> list[str]:
    """Make the queues that the org's settings ask for, each with its dead-letter queue, and set policy and attributes
    anew.

    A queue that is switched off is removed only when it and its dead-letter queue are empty: no message is ever thrown
    away. Returns the names of the queues that exist afterwards. Safe to repeat.
    """
    kept = []
    for queue in Queue:
        name = _name(prefix, org.id, queue)
        if queue in switched_on(org):
            dlq_url, dlq_arn = _ensure(name + DLQ_SUFFIX, _dlq_attributes())
            url, arn = _ensure(name, _attributes(dlq_arn))
            _set(url, {"Policy": policy(arn, org.queue_principals)})
            dlq_policy = policy(dlq_arn, org.queue_principals)
            _set(dlq_url, {"Policy": dlq_policy, "RedriveAllowPolicy": _only_from(arn)})
            kept.append(name)
            continue
        existing = _existing(name)
        if any(_depth(url).total for url in existing):
            kept.append(name)
        else:
            _remove(existing)
    return kept


def remove(prefix: str, org: int) -> None:
    """Remove all queues of an org that was deleted, with whatever is left in them."""
    for queue in Queue:
        _remove(_existing(_name(prefix, org, queue)))


def depth(prefix: str, org: int, name: str) -> Depth | None:
    """How full an org's queue is (`name`: one of NAMES); None where there is no such queue."""
    try:
        return _depth(f"{prefix}{org}-{name}")
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return None
        raise


def set_policies(prefix: str, org: Org) -> None:
    """Let the org's principals of now, and no others, read each queue that it has; safe to repeat.

    Raises `NotAllowed` when AWS does not know one of them.
    """
    sqs = client("sqs")
    for name in NAMES:
        url = f"{prefix}{org.id}-{name}"
        try:
            arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(arn, org.queue_principals)})
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in NOT_TAKEN:
                raise NotAllowed("AWS does not know all of these principals") from None
            if code not in MISSING:
                raise


def policy(arn: str, principals: tuple[str, ...]) -> str:
    """The queue policy: the org's own principals may read this queue and no other, and nobody gets in without TLS."""
    statements: list[dict[str, Any]] = [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if principals:
        statements.append(
            {
                "Sid": "OrgReads",
                "Effect": "Allow",
                "Principal": {"AWS": sorted(principals)},
                "Action": READER_ACTIONS,
                "Resource": arn,
            }
        )
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _attributes(dlq_arn: str) -> dict[str, str]:
    return {
        "MessageRetentionPeriod": str(10 * DAY_S),
        "VisibilityTimeout": "300",
        "ReceiveMessageWaitTimeSeconds": "20",
        "SqsManagedSseEnabled": "true",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dlq_arn, "maxReceiveCount": MAX_RECEIVES}),
    }


def _dlq_attributes() -> dict[str, str]:
    return {"MessageRetentionPeriod": str(14 * DAY_S), "VisibilityTimeout": "300", "SqsManagedSseEnabled": "true"}


def _only_from(arn: str) -> str:
    return json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})


def _name(prefix: str, org: int, queue: Queue) -> str:
    return queue_url(prefix, org, queue).rsplit("/", 1)[-1]


def _ensure(name: str, attributes: dict[str, str]) -> tuple[str, str]:
    """The queue's URL and ARN."""
    sqs = client("sqs")
    try:
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in DIFFERENT:
            raise
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        _set(url, attributes)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return str(url), str(arn)


def _url(name: str) -> str | None:
    try:
        return str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return None
        raise


def _set(url: str, attributes: dict[str, str]) -> None:
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _existing(name: str) -> list[str]:
    """The URLs of the queue and of its dead-letter queue, as far as they exist."""
    return [url for url in map(_url, (name, name + DLQ_SUFFIX)) if url is not None]


def _depth(url: str) -> Depth:
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[*DEPTHS])["Attributes"]
    return Depth(*(int(found[name]) for name in DEPTHS))


def _remove(urls: list[str]) -> None:
    for url in urls:
        client("sqs").delete_queue(QueueUrl=url)
