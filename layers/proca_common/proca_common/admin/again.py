"""What the admin command does to send again: messages of actions an org lost, and what was given up in queues."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from proca_common.actions.store import Key
from proca_common.admin.environment import AdminSettings
from proca_common.aws import clock
from proca_common.aws.secrets import secret
from proca_common.campaigns import store as campaigns
from proca_common.cli.output import Progress, Ticker
from proca_common.confirms.links import Links, links
from proca_common.confirms.tokens import link_keys
from proca_common.errors import NotFound
from proca_common.orgs import store as orgs
from proca_common.pipes.exits import Exits
from proca_common.pipes.jobs import JOB, new_job
from proca_common.pipes.redrive import depth, redrive
from proca_common.pipes.routing import Queue
from proca_common.pipes.topology import DLQ_SUFFIX, queue_url
from proca_common.stages.requeue import Job, LinksOf, Requeued, Target, by_campaign, by_ids, requeue

Shown = Mapping[str, object] | Sequence[Mapping[str, object]]
MINUTE_MS = 60_000
OUR_QUEUES = ("mail", "push", "detail", "target_mail", "erasure")
"""Those whose orders nothing else brings back."""


def job_id(text: str) -> str:
    """The id of a job as given."""
    if not JOB.fullmatch(text):
        raise ArgumentTypeError("1-32 of A-Z a-z 0-9 _ -")
    return text


def moment(text: str) -> int:
    """A time as given, UTC unless it says otherwise, in ms since 1970."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a date or time such as 2026-03-01 or 2026-03-01T12:00") from None
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000)


def requeue_actions(args: Namespace, settings: AdminSettings) -> Shown:
    """Send messages of actions to an org again: those with these ids, or a campaign's of a time range."""
    org = orgs.find(args.org)
    if settings.mail_queue_url is None or settings.push_queue_url is None:
        raise NotFound("MAIL_QUEUE_URL or PUSH_QUEUE_URL")
    exits = Exits(settings.queue_url_prefix, settings.mail_queue_url, settings.push_queue_url)
    job = Job(args.job or new_job(), org, Target(args.target), exits, _links_of(settings), args.dry_run)
    report = Requeued()
    with Ticker() as ticker:
        for keys in _chosen(args):
            report += requeue(keys, job, clock.now_ms() + MINUTE_MS)
            ticker.show(f"{report.selected} actions, {report.sent} messages")
    return {
        "job": job.id,
        "dryRun": job.dry_run,
        "count": report.selected,
        "sent": report.sent,
        "failed": dict(report.failed),
    }


def queue_redrive(args: Namespace, settings: AdminSettings) -> Shown:
    """Bring the messages of a dead-letter queue back: ORG's QUEUE, or one of our own."""
    failures, url = _redriven(args, settings)
    job, found = args.job or new_job(), depth(failures)
    if args.dry_run:
        return {"job": job, "dryRun": True, "count": found, "moved": 0}
    moved = 0
    with Progress("moved", found) as progress:
        for number in redrive(failures, url, job, found):
            moved += number
            progress.at(moved)
    return {"job": job, "dryRun": False, "count": found, "moved": moved}


def _chosen(args: Namespace) -> Iterator[list[Key]]:
    if args.campaign is None:
        return by_ids(args.ids)
    campaign = campaigns.find(args.campaign)
    return by_campaign(campaign.id, args.since, clock.now_ms() + MINUTE_MS if args.until is None else args.until)


def _redriven(args: Namespace, settings: AdminSettings) -> tuple[str, str]:
    if args.queue in OUR_QUEUES:
        ours = getattr(settings, f"{args.queue}_failures_queue_url"), getattr(settings, f"{args.queue}_queue_url")
        if None in ours:
            raise NotFound("queue of this instance")
        return ours
    if args.org is None:
        raise NotFound("org: whose queue?")
    url = queue_url(settings.queue_url_prefix, orgs.find(args.org).id, Queue(args.queue))
    return url + DLQ_SUFFIX, url


def _links_of(settings: AdminSettings) -> LinksOf:
    """What makes links of supporters; where the keys are not known, a message that needs them is not sent."""
    base = settings.link_base_url or settings.proca_api_url
    if base is None or settings.link_keys_secret is None:
        return _no_links
    return partial(links, base, link_keys(secret(settings.link_keys_secret)))


def _no_links(*_: object) -> Links:
    raise NotFound("LINK_KEYS_SECRET or PROCA_API_URL: supporters need links")
