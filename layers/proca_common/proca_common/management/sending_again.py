"""Sending again what an org lost: messages of its actions (domain 4.8), and what lies in its dead-letter queues.

A request works as long as a request may; what is left is done by the next one, under the id of the same job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from proca_common.actions.store import Key
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.queue import in_our_words
from proca_common.catalog import items
from proca_common.catalog.entity import Entity, Moment
from proca_common.catalog.given import checked
from proca_common.errors import NotFound
from proca_common.failures import Failure, Refused
from proca_common.management import audit
from proca_common.management.access import campaign_of, org_of
from proca_common.management.audit import Change
from proca_common.management.places import cursor_of, place_of
from proca_common.orgs.org import Org
from proca_common.pipes import topology
from proca_common.pipes.exits import Exits
from proca_common.pipes.jobs import JOB, new_job
from proca_common.pipes.redrive import redrive
from proca_common.pipes.routing import Queue
from proca_common.pipes.topology import DLQ_SUFFIX, queue_url
from proca_common.stages.requeue import BATCH, Job, LinksOf, Requeued, Target, by_campaign, by_ids, requeue
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

MAX_IDS = 1_000
MAX_NAME = 255
ENOUGH_MS = 12_000
"""What a batch takes at worst: SQS is not asked for anything when less than 8 s are left."""
MINUTE_MS = 60_000
"""How far the clocks of two environments may be apart."""


class AgainInput(Entity):
    """What is common to both. `job`: that of an earlier request, to go on with it."""

    dry_run: bool = False
    job: Annotated[str, Field(pattern=f"^{JOB.pattern}$")] | None = None


class RequeueInput(AgainInput):
    """Messages for `target` of the actions with these ids, or of a campaign's in a range of time. `cursor`: the `next`
    of the answer before.
    """

    target: Target
    ids: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1, max_length=MAX_IDS)] | None = None
    campaign: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: Annotated[str, Field(max_length=100)] | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed to send: where to, how links are made, and how many ms are left for the request."""

    exits: Exits
    links_of: LinksOf
    left_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class _Place:
    """How far it went: so many ids, or all actions up to this one of those before a moment (ms since 1970)."""

    done: int
    until_ms: int

    @classmethod
    def parse(cls, cursor: str) -> _Place:
        return cls(*place_of(cursor))

    def __str__(self) -> str:
        return cursor_of(self.done, self.until_ms)


def requeue_actions(caller: Caller, name: str, given: Mapping[str, Any], means: Means) -> dict[str, object]:
    """Send messages of the org's actions again. Those of others are not even counted.

    Raises `NotAllowed`, `NotFound` (campaign), `Refused`, `Unavailable`.
    """
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(RequeueInput, given)
    _check(wanted)
    chosen = _chosen(org, wanted, _place(wanted, clock.now_ms()))
    job = Job(wanted.job or new_job(), org, wanted.target, means.exits, means.links_of, wanted.dry_run)
    told = wanted.model_dump(mode="json", by_alias=True, exclude={"ids", "dry_run", "job", "cursor"}, exclude_none=True)
    _record(caller, org, wanted, f"requeue#{job.id}", {**told, "ids": len(wanted.ids or ())})
    report, following = Requeued(), None
    for keys, reached in chosen:
        report += requeue(keys, job, clock.now_ms() + means.left_ms())
        if means.left_ms() < ENOUGH_MS:
            following = str(reached)
            break
    return {
        "job": job.id,
        "dryRun": job.dry_run,
        "count": report.selected,
        "sent": report.sent,
        "failed": dict(report.failed),
        "next": following,
    }


def redrive_queue(caller: Caller, name: str, queue: str, given: Mapping[str, Any], means: Means) -> dict[str, object]:
    """Bring the messages of a dead-letter queue of the org back to the queue they came from; `count`: how many there
    were at first.

    Raises `NotAllowed`, `NotFound` (queue), `Refused`, `Unavailable`.
    """
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(AgainInput, given)
    if queue not in list(Queue):
        raise NotFound("queue")
    prefix = means.exits.queue_url_prefix
    url, job, moved = queue_url(prefix, org.id, Queue(queue)), wanted.job or new_job(), 0
    with in_our_words():
        found = topology.depth(prefix, org.id, queue + DLQ_SUFFIX)
        if found is None:
            raise NotFound("queue")
        if not wanted.dry_run:
            _record(caller, org, wanted, f"redrive#{job}", {"queue": queue, "count": found.total})
            for number in redrive(url + DLQ_SUFFIX, url, job, found.total):
                moved += number
                if means.left_ms() < ENOUGH_MS:
                    break
    return {"job": job, "dryRun": wanted.dry_run, "count": found.total, "moved": moved}


def _check(wanted: RequeueInput) -> None:
    failures = []
    if (wanted.ids is None) == (wanted.campaign is None):
        failures.append(Failure("/ids", "invalid", "either these or a campaign"))
    if wanted.campaign is None:
        times = {"since": wanted.since, "until": wanted.until}
        failures += [Failure(f"/{name}", "invalid", "only for a campaign") for name, time in times.items() if time]
    if failures:
        raise Refused(failures)


def _place(wanted: RequeueInput, now_ms: int) -> _Place:
    latest_ms = now_ms + MINUTE_MS
    if wanted.cursor is None:
        return _Place(0, min(_ms(wanted.until) or latest_ms, latest_ms))
    place = _Place.parse(wanted.cursor)
    return _Place(place.done, min(place.until_ms, latest_ms))


def _chosen(org: Org, wanted: RequeueInput, place: _Place) -> Iterator[tuple[list[Key], _Place]]:
    """The keys of the actions in batches, each with the place that is reached by it."""
    if wanted.ids is not None:
        batches = by_ids(wanted.ids[place.done :])
        return (
            (keys, _Place(place.done + BATCH * number, place.until_ms)) for number, keys in enumerate(batches, start=1)
        )
    number = campaign_of(org, wanted.campaign or "")
    batches = by_campaign(number, _ms(wanted.since) or 0, place.until_ms, place.done or None)
    return ((keys, _Place(int(keys[-1][1].removeprefix("A#")), place.until_ms)) for keys in batches)


def _record(caller: Caller, org: Org, wanted: AgainInput, what: str, told: Mapping[str, Any]) -> None:
    if wanted.dry_run:
        return
    transaction = Transaction()
    audit.record(transaction, Change(caller.user.id, org.id, "queue.send_again", what, {}, told))
    items.commit(transaction)


def _ms(moment: datetime | None) -> int | None:
    """Ms since 1970."""
    return None if moment is None else int(moment.timestamp() * 1000)
