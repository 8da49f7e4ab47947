"""Queues that their org does not read: it hears of each by mail, once a day (design 6: what is older than ten days is
gone).

A queue is unread when its oldest message is older than the org's `queue_notice_hours`, as CloudWatch knows it, and
nobody read it over HTTPS since. Only queues that have messages are asked about: SQS tells that for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import NumberAttribute, TTLAttribute

from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import CatalogItem
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.queue import in_our_words
from proca_common.catalog import items
from proca_common.errors import NotFound
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.store import org_key
from proca_common.pipes import readings, topology
from proca_common.pipes.ages import oldest_ages_s
from proca_common.pipes.orders import StaffMail, StaffMailOrder, Unread
from proca_common.pipes.publish import send
from proca_common.pipes.routing import Queue, switched_on
from proca_common.users import store as users
from proca_common.users.permissions import Role, role_of

HOUR_S = 3_600
HOUR_MS = 1_000 * HOUR_S
DAY_MS = 24 * HOUR_MS
ORGS_AT_ONCE = 100
ENOUGH_MS = 20_000
KEPT = timedelta(days=30)


class NoticeItem(CatalogItem, discriminator="notice"):
    """`org#<id>`, `notice#<queue>`: when the org was last told of this queue (ms since 1970)."""

    at = NumberAttribute()
    expires = TTLAttribute()


@dataclass(slots=True)
class Watched:
    """What one look at all queues found: how many messages they have, how old the oldest is, how many are unread, and
    how many mails were ordered about those. `fault`: what kept an org's queues from being looked at. `complete`: all
    orgs were.
    """

    messages: int = 0
    oldest_s: int = 0
    unread: int = 0
    ordered: int = 0
    fault: Exception | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class _Filled:
    """A queue that has messages, and its full name."""

    org: Org
    queue: Queue
    name: str
    messages: int


def watch(prefix: str, mail_queue_url: str, deadline_ms: int) -> Watched:
    """Look at the queues of all orgs, or of as many as fit before `deadline_ms` (ms since 1970). `prefix`: what their
    URLs begin with. Raises `Unavailable` where the catalogue cannot be read.
    """
    watched = Watched()
    try:
        instance = orgs.get(instances.get().org)
    except NotFound:  # it was not set up yet, so there is nobody to look after
        return watched
    may_mail = instance.email_backend is not None and instance.email_from is not None
    after = 0
    while some := orgs.listed(after, ORGS_AT_ONCE):
        after = some[-1].id
        if deadline_ms - clock.now_ms() < ENOUGH_MS:
            watched.complete = False
            break
        filled = list(_filled(prefix, some, watched))
        ages = oldest_ages_s([each.name for each in filled]) if filled else {}
        for each in filled:
            watched.messages += each.messages
            age_s = ages.get(each.name, 0)
            watched.oldest_s = max(watched.oldest_s, age_s)
            try:
                if not _is_unread(each, age_s):
                    continue
                watched.unread += 1
                if may_mail:
                    watched.ordered += _tell(each, age_s, instance.id, mail_queue_url, deadline_ms)
            except Exception as error:  # noqa: BLE001 - the caller tells, when the others were looked at
                log_fault("org cannot be told of its queue", error, queue=each.name)
                watched.fault = error
    return watched


def _filled(prefix: str, some: Sequence[Org], watched: Watched) -> Iterator[_Filled]:
    for org in some:
        for queue in sorted(switched_on(org)):
            try:
                with in_our_words():
                    depth = topology.depth(prefix, org.id, queue)
            except Exception as error:  # noqa: BLE001 - as above
                log_fault("queue cannot be looked at", error, org=org.id, queue=queue.value)
                watched.fault = error
                continue
            if depth is not None and depth.total:
                yield _Filled(org, queue, f"{prefix.rpartition('/')[2]}{org.id}-{queue}", depth.total)


def _is_unread(found: _Filled, age_s: int) -> bool:
    hours = found.org.queue_notice_hours
    if not hours or age_s < hours * HOUR_S:
        return False
    read = readings.last(found.org.id, [found.queue]).get(found.queue)
    return read is None or clock.now_ms() - read.at_ms >= hours * HOUR_MS


def _tell(found: _Filled, age_s: int, instance: int, mail_queue_url: str, deadline_ms: int) -> int:
    """Order a mail to each owner, unless they were told within a day; how many. The mails of a day have one key, so an
    order that is repeated after a break-off goes out once. Raises `Unavailable`.
    """
    now_ms = clock.now_ms()
    key = org_key(found.org.id)[0], f"notice#{found.queue}"
    told = items.read(NoticeItem, *key)
    if told is not None and now_ms - int(told.at) < DAY_MS:
        return 0
    owners = [user for user, perms in users.staff_of(found.org.id).items() if role_of(perms) is Role.OWNER]
    about = Unread(org=found.org.id, queue=found.queue.value, hours=age_s // HOUR_S)
    orders = [
        StaffMailOrder(
            mail=StaffMail.UNREAD_QUEUE,
            key=f"unread.{found.org.id}.{found.queue}.{clock.date_of(now_ms)}.{user}",
            org=instance,
            user=user,
            unread=about,
        )
        for user in sorted(owners)
    ]
    refused = send(mail_queue_url, [order.outgoing() for order in orders], deadline_ms)
    if not refused:
        expires = datetime.fromtimestamp(now_ms // 1000, UTC) + KEPT
        dynamo.save(NoticeItem(*key, at=now_ms, expires=expires))
    logger.warning("queue is not read", extra={"queue": found.name, "hours": about.hours, "owners": len(orders)})
    return len(orders) - len(refused)
