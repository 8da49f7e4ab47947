"""Sending messages of actions again, where an org lost them (domain 4.8): chosen by ids, or by campaign and time.

Nothing that is stored changes. Each message is the org's own: its contact, its queue or backend (decision 7 of domain
15). It has the same MessageId as before and the attribute `Replay`, the id of this job, so that a consumer can tell a
message that was asked for again from one that came twice.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from proca_common.action_pages.context import page_context
from proca_common.actions import store
from proca_common.actions.status import ActionStatus, Stage, SupporterStatus
from proca_common.actions.store import ActionIdItem, ActionItem, ContactItem, Key, SupporterItem
from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem, ByCampaign
from proca_common.confirms.links import Links
from proca_common.errors import NotFound
from proca_common.ids import first_id_at, padded
from proca_common.mails.choice import MailKind
from proca_common.orgs.org import Org
from proca_common.pipes.exits import Exits
from proca_common.pipes.orders import MailOrder, PushOrder
from proca_common.pipes.publish import Outgoing, send
from proca_common.pipes.routing import Destination, Queue, Way, switched_on
from proca_common.stages.messages import NotReadable, action_message, outgoing
from proca_common.stages.works import Work, keys_of

BATCH = 25
LinksOf = Callable[[str, int], Links]


class Target(StrEnum):
    """Where messages may be sent again (domain 1.1, Queue)."""

    EMAIL_SUPPORTER = "email_supporter"
    CUSTOM_SUPPORTER_CONFIRM = "custom_supporter_confirm"
    CUSTOM_ACTION_CONFIRM = "custom_action_confirm"
    CUSTOM_ACTION_DELIVER = "custom_action_deliver"
    SQS = "sqs"
    WEBHOOK = "webhook"


WAY: dict[Target, Queue | Way] = {
    Target.EMAIL_SUPPORTER: Way.MAIL,
    Target.CUSTOM_SUPPORTER_CONFIRM: Queue.CONFIRM_SUPPORTER,
    Target.CUSTOM_ACTION_CONFIRM: Queue.CONFIRM_ACTION,
    Target.CUSTOM_ACTION_DELIVER: Queue.DELIVER,
    Target.SQS: Way.PUSH,
    Target.WEBHOOK: Way.PUSH,
}
STAGES: dict[Target, frozenset[Stage]] = {
    Target.EMAIL_SUPPORTER: frozenset({Stage.SUPPORTER_CONFIRM, Stage.DELIVER}),
    Target.CUSTOM_SUPPORTER_CONFIRM: frozenset({Stage.SUPPORTER_CONFIRM}),
    Target.CUSTOM_ACTION_CONFIRM: frozenset({Stage.ACTION_CONFIRM}),
    Target.CUSTOM_ACTION_DELIVER: frozenset({Stage.DELIVER}),
    Target.SQS: frozenset({Stage.DELIVER}),
    Target.WEBHOOK: frozenset({Stage.DELIVER}),
}


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent again where. `id` goes into the messages; a job that was interrupted may be run again under its id.

    `links_of` makes the links of messages to supporters who are to confirm.
    """

    id: str
    org: Org
    target: Target
    exits: Exits
    links_of: LinksOf
    dry_run: bool = False


@dataclass(slots=True)
class Requeued:
    """How many actions were looked at, how many messages were sent (or would be), and why the others were not."""

    selected: int = 0
    sent: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Requeued) -> Self:
        self.selected += other.selected
        self.sent += other.sent
        self.failed += other.failed
        return self


def by_ids(ids: Iterable[int]) -> Iterator[list[Key]]:
    """The keys of these actions, in batches; ids that are unknown are left out."""
    for batch in _batched(ids):
        found = store.read_many(store.action_id_key(action) for action in batch)
        yield [
            store.action_key(item.at, int(item.ref.removeprefix("id#")))
            for item in found.values()
            if isinstance(item, ActionIdItem)
        ]


def by_campaign(campaign: int, since_ms: int, until_ms: int, after: int | None = None) -> Iterator[list[Key]]:
    """The keys of a campaign's actions of a time range (ms since 1970, the end not included), in batches; those that
    come after this action, if one is given.
    """
    bucket = 0 if after is None else after % store.CAMPAIGN_BUCKETS
    first, last = first_id_at(since_ms), first_id_at(until_ms) - 1
    start = first if after is None else max(first, after + 1)
    while bucket < store.CAMPAIGN_BUCKETS:
        if start <= last:
            within = ActionsItem.sk.between(f"A#{padded(start)}", f"A#{padded(last)}")
            yield from dynamo.index_keys(ByCampaign, store.campaign_bucket(campaign, bucket), within, BATCH)
        bucket, start = bucket + 1, first


def requeue(keys: list[Key], job: Job, deadline_ms: int) -> Requeued:
    """Send the messages of these actions again; safe to repeat. Raises `Unavailable`."""
    report = Requeued()
    actions = [item for item in store.read_many(keys).values() if isinstance(item, ActionItem)]
    found = store.read_many(key for action in actions for key in keys_of(action))
    messages: list[Outgoing] = []
    for action in sorted(actions, key=lambda action: int(action.id)):
        work = _work(action, found, job.org)
        if work is None:
            continue  # not one of the org's: it is not told that there is one
        report.selected += 1
        message = _message(work, job)
        if isinstance(message, str):
            report.failed[message] += 1
        else:
            messages.append(message)
    url = job.exits.url(Destination(job.org.id, WAY[job.target]))
    refused = set() if job.dry_run else send(url, messages, deadline_ms)
    report.sent = len(messages) - len(refused)
    if refused:
        report.failed["refused"] += len(refused)
    return report


def stage_of(action: ActionStatus, supporter: SupporterStatus) -> Stage | None:
    """The stage of an action that is there (domain 4.8)."""
    match action, supporter:
        case (ActionStatus.DELIVERED | ActionStatus.REPEAT | ActionStatus.ACCEPTED, SupporterStatus.ACCEPTED):
            return Stage.DELIVER
        case (ActionStatus.NEW, SupporterStatus.CONFIRMING):
            return Stage.SUPPORTER_CONFIRM
        case (ActionStatus.CONFIRMING, SupporterStatus.ACCEPTED):
            return Stage.ACTION_CONFIRM
        case _:
            return None


def _work(action: ActionItem, found: dict[Key, ActionsItem], org: Org) -> Work | None:
    if action.supporter is None:
        return None
    supporter = found.get(store.supporter_key(action.ref, int(action.org), int(action.supporter)))
    contact = found.get(store.contact_key(action.ref, int(action.supporter), org.id))
    if not isinstance(supporter, SupporterItem) or not isinstance(contact, ContactItem):
        return None
    if org.id not in (action.recipients or ()):
        return None
    try:
        context = page_context(int(action.page))
    except NotFound:
        return None
    return Work("", action, supporter, {org.id: contact}, context)


def _message(work: Work, job: Job) -> Outgoing | str:
    """The message to send, or the code of why there is none."""
    stage = stage_of(work.status, work.supporter_status)
    if work.status is ActionStatus.ACCEPTED:
        return "on_its_way"
    if stage is None or stage not in STAGES[job.target]:
        return "bad_stage_destination"
    if not _is_on(job):
        return "destination_off"
    if job.target is Target.EMAIL_SUPPORTER:
        return _mail(work, stage, job)
    rank = int(work.action.dupe_rank or 0)
    links = job.links_of(work.action.ref, int(work.action.id)) if stage is Stage.SUPPORTER_CONFIRM else None
    try:
        told = action_message(stage, work.action, work.supporter, work.contacts[job.org.id], work.context, rank, links)
    except NotReadable:
        return "no_key"
    message = outgoing(told, job.org)
    again = replace(message, attributes={**message.attributes, "Replay": job.id})
    return _pushed(again, job) if WAY[job.target] is Way.PUSH else again


def _is_on(job: Job) -> bool:
    where = WAY[job.target]
    if isinstance(where, Queue):
        return where in switched_on(job.org)
    return where is Way.MAIL or job.org.push_backend == job.target


def _mail(work: Work, stage: Stage, job: Job) -> Outgoing | str:
    if int(work.action.org) != job.org.id:
        return "not_the_page_org"
    if work.supporter.mail is None:
        return "no_address"
    work.action.stage = stage.value
    kind = work.due_mail(work.status)
    return "no_mail" if kind is None else _mail_order(work, kind, job)


def _mail_order(work: Work, kind: MailKind, job: Job) -> Outgoing:
    return MailOrder(
        mail=kind.value,
        key=f"{kind}.{job.id}",
        action=int(work.action.id),
        ref=work.action.ref,
        supporter=int(work.supporter.id),
        org=int(work.action.org),
        page=int(work.action.page),
        rank=int(work.action.dupe_rank or 0),
    ).outgoing()


def _pushed(message: Outgoing, job: Job) -> Outgoing:
    """As a push order, which the queue in order takes although it had this message before."""
    order = PushOrder(
        org=job.org.id, backend="push", id=message.id, attributes=message.attributes, body=message.body
    ).outgoing()
    return replace(order, id=f"{order.id}.{job.id}")


def _batched(ids: Iterable[int]) -> Iterator[tuple[int, ...]]:
    rest = iter(ids)
    while batch := tuple(itertools.islice(rest, BATCH)):
        yield batch
