"""Whether each part of the system can do its work, for who operates it (domain 14.1). Changes nothing.

Tables are read, secrets and queues are looked up, the provider of mails is asked for its quota. Lambda says whether a
function is let read its stream, also while nobody signs. Whether it gets anywhere shows in what waits: a stage that is
still owed minutes after the sweep woke it, so within ten minutes of the next action.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import DoesNotExist, PynamoDBException
from pynamodb.models import Model

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.aws import clock, dynamo
from proca_common.aws.clients import client
from proca_common.aws.dynamo import ActionsItem, CatalogItem, ErasuresItem, Pending, StatsItem
from proca_common.aws.errors import CloudError
from proca_common.aws.logs import log_fault
from proca_common.aws.queue import in_our_words
from proca_common.errors import DomainError
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs

TABLES: Final[Mapping[str, type[Model]]] = {
    "actions": ActionsItem,
    "catalog": CatalogItem,
    "stats": StatsItem,
    "erasures": ErasuresItem,
}
NO_KEY: Final = ("no such item", "no such item")
OVERDUE_KINDS: Final = ("emit", "link")
EMITTED: Final = (ActionStatus.DELIVERED, ActionStatus.REPEAT)
GRACE_MS: Final = 60_000
LATE_MS: Final = 10 * GRACE_MS
ENOUGH_MS: Final = 6_000
READ: Final = frozenset({"Enabled", "Enabling", "Creating", "Updating"})
"""States of a mapping in which its stream is read, or will be in a moment."""
Facts = dict[str, object]
FAULTS = (CloudError, DomainError, ClientError, BotoCoreError, PynamoDBException)


class NotWell(Exception):
    """The part answers, but cannot do its work; `facts` say what is known of it."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Part:
    """A part, what is wrong with it (None: nothing), and what is known of it."""

    name: str
    problem: str | None = None
    facts: Facts = field(default_factory=dict)

    def shown(self) -> Facts:
        """As it is answered."""
        said = {} if self.problem is None else {"message": self.problem}
        return {"part": self.name, "status": "ok" if self.problem is None else "error", **said, **self.facts}


def check(queues: Sequence[str], secrets: Sequence[str], streams: Mapping[str, int], deadline_ms: int) -> list[Part]:
    """Each part, in the same order. `queues`: URLs of our own queues; `secrets`: entries that must be there; `streams`:
    ARNs of streams of tables, and how many functions read each.

    What is not looked at before `deadline_ms` (ms since 1970) is not well: something else was slow.
    """
    parts = []
    for name, look in _looks(queues, secrets, streams):
        if deadline_ms - clock.now_ms() < ENOUGH_MS:
            parts.append(Part(name, "no time was left to look"))
            continue
        try:
            parts.append(Part(name, facts=look()))
        except NotWell as ill:
            parts.append(Part(name, str(ill), ill.facts))
        except FAULTS as error:
            log_fault("part of the system is not well", error, part=name)
            parts.append(Part(name, "does not answer"))
    return parts


def _looks(
    queues: Sequence[str], secrets: Sequence[str], streams: Mapping[str, int]
) -> Iterator[tuple[str, Callable[[], Facts]]]:
    for name, table in TABLES.items():
        yield f"table {name}", partial(_read, table)
    for entry in secrets:
        yield f"secret {_short(entry)}", partial(_look_up, entry)
    for url in queues:
        yield f"queue {_short(url)}", partial(_depth, url)
    for stream, readers in streams.items():
        yield f"stream of {stream.split('/')[1]}", partial(_readers, stream, readers)
    yield "stages", _stages
    yield "mails", _mails


def _short(name: str) -> str:
    """The last part of a URL or an ARN."""
    return name.rpartition("/")[2].rpartition(":")[2]


def _read(table: type[Model]) -> Facts:
    with suppress(DoesNotExist):
        table.get(*NO_KEY)
    return {}


def _look_up(entry: str) -> Facts:
    found = client("secretsmanager").describe_secret(SecretId=entry)
    if "DeletedDate" in found:
        raise NotWell("is about to be deleted")
    return {}


def _depth(url: str) -> Facts:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    with in_our_words():
        found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return dict(zip(("messages", "inFlight"), (int(found[name]) for name in names), strict=True))


def _readers(stream: str, wanted: int) -> Facts:
    """Whether all functions that read the stream are let do so. How their last batches went is only told: that may be
    long ago.
    """
    found = client("lambda").list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"]
    readers = [
        {
            "function": _short(each["FunctionArn"]),
            "state": each["State"],
            "lastResult": each.get("LastProcessingResult"),
        }
        for each in found
    ]
    facts: Facts = {"readers": sorted(readers, key=lambda reader: str(reader["function"]))}
    if sum(reader["state"] in READ for reader in readers) < wanted:
        raise NotWell("is not read", **facts)
    return facts


def _stages() -> Facts:
    """For how long the oldest stage that was never served has been owed, as far as the sweep would see it."""
    now_ms, oldest_ms = clock.now_ms(), 0
    for kind, bucket in itertools.product(OVERDUE_KINDS, range(store.PENDING_BUCKETS)):
        overdue = ActionsItem.due < now_ms - GRACE_MS
        keys = next(dynamo.index_keys(Pending, f"{kind}#{bucket}", overdue, page_size=10), [])
        for item in store.read_overdue(keys):
            if item.status not in EMITTED and item.due is not None:
                oldest_ms = max(oldest_ms, now_ms - int(item.due) + int(item.attempt or 0) * GRACE_MS)
    facts: Facts = {"oldestOverdueSeconds": oldest_ms // 1000}
    if oldest_ms >= LATE_MS:
        raise NotWell("stages are not worked on", **facts)
    return facts


def _mails() -> Facts:
    """By what the instance mails; for SES of its own account the quota of a day, and what is left of it."""
    org = orgs.get(instances.get().org)
    facts: Facts = {"backend": org.email_backend}
    if org.email_backend != "ses":
        return facts
    account = client("sesv2").get_account()
    quota = account.get("SendQuota", {})
    allowed, sent = float(quota.get("Max24HourSend", 0)), float(quota.get("SentLast24Hours", 0))
    facts |= {"allowedInADay": allowed, "sentInADay": sent, "allowedInASecond": quota.get("MaxSendRate")}
    if not account.get("SendingEnabled", True):
        raise NotWell("sending is paused by the provider", **facts)
    if 0 <= allowed <= sent:  # -1 is no limit
        raise NotWell("the quota of the day is used up", **facts)
    return facts
