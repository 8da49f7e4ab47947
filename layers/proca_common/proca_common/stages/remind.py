"""Reminding supporters who did not confirm (domain 7.6): every hour, of those that are due.

A signature whose supporter is to be reminded is in `pending` with kind `remind`, and counts its reminders. Each is
ordered first and counted afterwards, on condition that nothing moved; the mail's key is that of the count, so an order
that is repeated after a crash goes out once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store
from proca_common.actions.status import EmailStatus, SupporterStatus
from proca_common.actions.store import ActionItem, Key, SupporterItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ActionsItem, Pending
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import log_fault, logger
from proca_common.errors import NotFound
from proca_common.mails.choice import MailKind
from proca_common.mails.reminders import DAY_MS, reminders
from proca_common.pipes.orders import MailOrder
from proca_common.pipes.publish import send
from proca_common.stages import addresses, forget, outbox
from proca_common.stages.memberships import membership_of, person_of
from proca_common.stages.outbox import Later

ENOUGH_MS = 20_000
NO_MORE_MAIL = frozenset({EmailStatus.BOUNCE, EmailStatus.BLOCKED, EmailStatus.SPAM, EmailStatus.UNSUB})


class Outcome(StrEnum):
    """What becomes of a signature that is due."""

    REMINDED = "reminded"
    PAUSED = "paused"
    ENDED = "ended"
    REFUSED = "refused"
    WIPED = "wiped"


@dataclass(slots=True)
class Hour:
    """What one run did; `by_campaign` counts reminders. `fault`: what kept a partition from being worked on."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    by_campaign: Counter[int] = field(default_factory=Counter)
    fault: Exception | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A signature that is due, with what is needed to remind its supporter. `rank`: as messages show it."""

    action: ActionItem
    supporter: SupporterItem | None
    context: PageContext | None
    rank: int


def remind(mail_queue_url: str | None, deadline_ms: int) -> Hour:
    """Work on all that is due, or as much as fits before `deadline_ms` (ms since 1970); the rest is for the next hour.

    Without a queue nothing is ordered and nothing is changed: a dry run, which only counts. A partition that fails does
    not hold up the others.
    """
    hour = Hour()
    for kind, keys in _due_keys(deadline_ms, hour):
        try:
            if kind == "remind":
                _remind_all(keys, mail_queue_url, deadline_ms, hour)
            elif mail_queue_url is not None:
                hour.counts[Outcome.WIPED] += forget.wipe(keys, clock.now_ms())
        except Exception as error:  # noqa: BLE001 - the caller tells, when the others are done
            log_fault("supporters cannot be reminded", error, kind=kind)
            hour.fault = error
    return hour


def _due_keys(deadline_ms: int, hour: Hour) -> Iterator[tuple[str, list[Key]]]:
    for kind in ("remind", "wipe"):
        for bucket in range(store.PENDING_BUCKETS):
            pages = dynamo.index_keys(Pending, f"{kind}#{bucket}", ActionsItem.due <= clock.now_ms())
            try:
                for keys in pages:
                    yield kind, keys
                    if _is_late(deadline_ms):
                        logger.warning("ran out of time", extra={"kind": kind, "bucket": bucket})
                        return
            except Exception as error:  # noqa: BLE001 - the caller tells, when the others are done
                log_fault("partition cannot be read", error, kind=kind, bucket=bucket)
                hour.fault = error
            if _is_late(deadline_ms):
                return


def _is_late(deadline_ms: int) -> bool:
    return deadline_ms - clock.now_ms() < ENOUGH_MS


def _remind_all(keys: Sequence[Key], mail_queue_url: str | None, deadline_ms: int, hour: Hour) -> None:
    """Order what is due of a page of keys, in batches, and then count each. What was not taken is for the next hour."""
    now_ms = clock.now_ms()
    dues = _read(keys, now_ms)
    orders = {int(due.action.id): _order(due) for due in dues if _outcome(due) is Outcome.REMINDED}
    refused: set[str] = set()
    if mail_queue_url is not None:
        refused = send(mail_queue_url, [order.outgoing() for order in orders.values()], deadline_ms)
    for due in dues:
        order = orders.get(int(due.action.id))
        outcome = _outcome(due)
        if order is not None and order.outgoing().id in refused:
            outcome = Outcome.REFUSED
        elif mail_queue_url is not None and not _store(due, outcome, now_ms):
            continue
        hour.counts[outcome] += 1
        if outcome is Outcome.REMINDED:
            hour.by_campaign[int(due.action.campaign)] += 1


def _read(keys: Sequence[Key], now_ms: int) -> list[Due]:
    """Those of these actions that still are due, with what belongs to them."""
    found = store.read_many(keys).values()
    actions = [action for action in found if isinstance(action, ActionItem) and _is_due(action, now_ms)]
    beside = store.read_many(key for action in actions for key in (_supporter_key(action), person_of(action)))
    dues = []
    for action in sorted(actions, key=lambda action: int(action.id)):
        supporter = beside.get(_supporter_key(action))
        rank = membership_of(beside.get(person_of(action))).rank(int(action.supporter))
        known = supporter if isinstance(supporter, SupporterItem) else None
        dues.append(Due(action, known, _context(int(action.page)), rank))
    return dues


def _context(page: int) -> PageContext | None:
    try:
        return page_context(page)
    except NotFound:
        return None


def _supporter_key(action: ActionItem) -> Key:
    return store.supporter_key(action.ref, int(action.org), int(action.supporter))


def _is_due(action: ActionItem, now_ms: int) -> bool:
    waits = action.stage is None and action.pending is not None and action.pending.startswith("remind#")
    return waits and action.supporter is not None and int(action.due) <= now_ms


def _outcome(due: Due) -> Outcome:
    """Whether a reminder goes out now. That is asked again the next day where reminders were switched off, as they may
    only pause, and where the mail before is still on its way: two in a row help nobody.
    """
    if due.supporter is None or due.context is None:
        return Outcome.ENDED
    if SupporterStatus(due.supporter.status) is not SupporterStatus.CONFIRMING or due.supporter.mail is None:
        return Outcome.ENDED
    if addresses.status_of(due.supporter) in NO_MORE_MAIL:
        return Outcome.ENDED
    wanted = reminders(due.context)
    if wanted is None:
        return Outcome.PAUSED
    if _reminded(due.action) >= wanted.max_count:
        return Outcome.ENDED
    return Outcome.REMINDED if _has_last_mail(due.action, due.supporter) else Outcome.PAUSED


def _reminded(action: ActionItem) -> int:
    return int(action.reminded or 0)


def _has_last_mail(action: ActionItem, supporter: SupporterItem) -> bool:
    count = _reminded(action)
    last = f"{MailKind.REMINDER}.{count}" if count else MailKind.SUPPORTER_CONFIRM.value
    return any(key == last or key.startswith(f"{last}.") for key in supporter.mailed or ())


def _order(due: Due) -> MailOrder:
    return MailOrder(
        mail=MailKind.REMINDER.value,
        key=f"{MailKind.REMINDER}.{_reminded(due.action) + 1}",
        action=int(due.action.id),
        ref=due.action.ref,
        supporter=int(due.action.supporter),
        org=int(due.action.org),
        page=int(due.action.page),
        rank=due.rank,
    )


def _store(due: Due, outcome: Outcome, now_ms: int) -> bool:
    """Count the reminder and say what comes next; False when something moved meanwhile, which has decided that."""
    action = due.action
    counted = _reminded(action) + (outcome is Outcome.REMINDED)
    changes = outbox.set_aside(action, _next(due, outcome, counted, now_ms))
    if outcome is Outcome.REMINDED:
        changes.append(ActionItem.reminded.set(counted))
    as_read = (ActionItem.status == action.status) & outbox.as_read(action)
    try:
        dynamo.update(ActionItem(action.ref, action.sk), changes, as_read)
    except Cancelled:
        return False
    return True


def _next(due: Due, outcome: Outcome, counted: int, now_ms: int) -> Later:
    """The next reminder, unless the link will have ended by then; after the last one the address goes with the link."""
    ends = forget.with_link(due.action)
    if outcome is Outcome.PAUSED:
        return forget.unless_ended(Later("remind", now_ms + DAY_MS), ends)
    wanted = None if due.context is None else reminders(due.context)
    if outcome is Outcome.REMINDED and wanted is not None and counted < wanted.max_count:
        return forget.unless_ended(Later("remind", now_ms + wanted.delay_ms), ends)
    return ends
