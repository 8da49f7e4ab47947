"""Deliver a batch: rank, build, send to each org, then commit states, memberships and numbers in one transaction
(design 5).

At least once and safe to repeat. An org's destination that fails is not a failed record: everything is committed, and
only that destination stays owed. Nothing relies on order or on being alone: the conditions of the transaction make
ranks and numbers exact.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from proca_common.actions.private import wiped
from proca_common.actions.status import EMITTED, ActionStatus, Stage
from proca_common.actions.store import ActionItem, ContactItem, Key, SupporterItem
from proca_common.aws import clock, metrics
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.aws.errors import Cancelled, CloudError, Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.retry import pauses
from proca_common.monitors import activity
from proca_common.monitors import store as stats
from proca_common.monitors.persons import Membership, is_counted
from proca_common.pipes.exits import Exits
from proca_common.stages import outbox
from proca_common.stages.ask import ask
from proca_common.stages.emit import emit
from proca_common.stages.events import tell
from proca_common.stages.forget import after_ordering
from proca_common.stages.link import link
from proca_common.stages.memberships import put_membership, read_memberships
from proca_common.stages.settle import Arrival, Settlement, settle
from proca_common.stages.works import Work, load

CHUNK = 25
COUNTED = {
    ActionStatus.DELIVERED: "ActionsDelivered",
    ActionStatus.REPEAT: "ActionsRepeated",
    ActionStatus.REJECTED: "ActionsRejected",
}
"""The metrics of what becomes of actions."""


def deliver(records: Iterable[dict[str, Any]], exits: Exits, deadline_ms: int) -> list[str]:
    """Work on a batch of stream records; returns the sequence numbers of those that must come again.

    `deadline_ms`: when the function will be stopped, in ms since 1970.
    """
    entries, failed = outbox.entries(records)
    now_ms = clock.now_ms()
    ready = [entry for entry in entries if not outbox.too_early(entry.image, now_ms)]
    links = [entry for entry in ready if entry.image.stage == Stage.LINK]
    works, memberships, broken = load(entry for entry in ready if entry.image.stage == Stage.DELIVER)
    failed += broken
    for start in range(0, len(works), CHUNK):
        chunk = works[start : start + CHUNK]
        failed += _deliver_chunk(chunk, memberships, exits, deadline_ms)
    failed += ask([entry for entry in ready if entry.image.stage == Stage.DETAIL], exits, deadline_ms)
    failed += tell([entry for entry in ready if entry.image.stage == Stage.EVENT], exits, deadline_ms)
    for entry in links:
        try:
            link(entry)
        except Exception as error:  # noqa: BLE001 - one supporter's fault must not hold up the others
            log_fault("earlier actions cannot be linked", error, supporter=int(entry.image.id))
            failed.append(entry.sequence)
    activity.note(work.action for work in works)
    logger.info("delivered", extra={"records": len(entries), "worked_on": len(works), "failed": len(failed)})
    return failed


def _deliver_chunk(
    works: Sequence[Work], memberships: dict[Key, Membership], exits: Exits, deadline_ms: int
) -> list[str]:
    verdicts = settle(map(_arrival, works), memberships).verdicts
    for work in works:
        status = verdicts[work.key].status
        work.mail = work.due_mail(status)
        if work.action.messages and status is not ActionStatus.DELIVERED:
            work.withhold_targets()
        if status is ActionStatus.REJECTED:
            work.unserved.clear()

    def rank_of(work: Work) -> int:
        return verdicts[work.key].dupe_rank if work.action.dupe_rank is None else int(work.action.dupe_rank)

    sound, failed = emit(works, rank_of, exits, deadline_ms)
    return failed + _commit_or_split(sound, memberships)


def _arrival(work: Work) -> Arrival:
    return Arrival(work.key, work.person, work.status, work.supporter_status, work.facts, work.context.switches)


def _commit_or_split(works: list[Work], memberships: dict[Key, Membership]) -> list[str]:
    """Commit all together; when that cannot be, because they are too many or for a reason that lies in one of them, in
    halves. Returns what failed.
    """
    try:
        _commit(works, memberships)
    except Unavailable as error:
        log_fault("batch cannot be stored now", error, actions=[int(work.action.id) for work in works])
    except CloudError as error:
        if len(works) > 1:
            middle = len(works) // 2
            return _commit_or_split(works[:middle], memberships) + _commit_or_split(works[middle:], memberships)
        log_fault("action cannot be stored", error, action=int(works[0].action.id))
    else:
        return []
    return [work.sequence for work in works]


def _commit(works: list[Work], memberships: dict[Key, Membership]) -> None:
    """One transaction for the works that are still as read. `memberships` is brought up to date.

    When it is cancelled, actions that somebody else changed are dropped (whoever did also decided what comes next), so
    are contacts that were encrypted meanwhile, memberships that moved are read again and everything is computed anew;
    on mere contention another shard is taken.
    """
    left = list(works)
    for pause in pauses():
        if not left:
            return
        settlement = settle(map(_arrival, left), memberships)
        transaction = _transaction(left, settlement)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            left = _as_read(left, cancelled)
            moved = [person for person in settlement.memberships if cancelled.refused(_label(person))]
            if moved:
                memberships.update(read_memberships(moved))
            if not cancelled.any_condition:
                clock.sleep_ms(pause)
        except Unavailable:
            clock.sleep_ms(pause)
        else:
            _count(left, settlement)
            for person, membership in settlement.memberships.items():
                memberships[person] = replace(membership, version=membership.next_version)
            return
    if left:
        raise Unavailable("other writes were in the way")


def _count(works: Iterable[Work], settlement: Settlement) -> None:
    """Tell what became of these works, as metrics; those of which only a destination was owed still count no more."""
    done = [work for work in works if settlement.verdicts[work.key].status is not work.status]
    if not done:
        return
    ended = Counter(settlement.verdicts[work.key].status for work in done)
    metrics.emit({name: ended[status] for status, name in COUNTED.items()})
    now_ms = clock.now_ms()
    metrics.emit(
        {"StageLag": [outbox.waited_ms(work.action, now_ms) for work in done]}, "Milliseconds", stage=Stage.DELIVER
    )


def _as_read(works: Iterable[Work], cancelled: Cancelled) -> list[Work]:
    """Those that nobody else changed, without the contacts that somebody did, and addresses and messages that are
    gone.
    """
    left = [work for work in works if not cancelled.refused(_label(work.key))]
    for work in left:
        for org in [org for org in work.contacts if cancelled.refused(_label(work.contact_key(org)))]:
            del work.contacts[org]
        if cancelled.refused(_label((work.supporter.ref, work.supporter.sk))):
            work.supporter.mail = None
        if cancelled.refused(_message_label(work)):
            work.message_gone = True
    return left


def _transaction(works: Sequence[Work], settlement: Settlement) -> Transaction:
    now_ms = clock.now_ms()
    transaction = Transaction()
    for work in works:
        verdict = settlement.verdicts[work.key]
        then = None if work.mail is None else after_ordering(now_ms)
        if work.action.messages:
            _settle_message(transaction, work, verdict.status)
        changes = outbox.served(work.unserved, work.action, now_ms, then)
        if verdict.status is not work.status:
            changes.append(ActionItem.status.set(verdict.status.value))
            if verdict.status in EMITTED:
                changes.append(ActionItem.accepted.set(now_ms))
        if work.action.dupe_rank is None:
            changes.append(ActionItem.dupe_rank.set(verdict.dupe_rank))
        as_read = (ActionItem.status == work.action.status) & outbox.as_read(work.action)
        transaction.update(_label(work.key), ActionItem(*work.key), changes, as_read)
        _wipe(transaction, work)
        if work.context.campaign.public_actions and verdict.status is not work.status:
            _publish(transaction, work, verdict.status)
        if work.supporter.mail is not None and work.mail is None and work.action.with_consent:
            key = work.supporter.ref, work.supporter.sk
            exists = ActionsItem.ref.exists()
            transaction.update(_label(key), SupporterItem(*key), [SupporterItem.mail.remove()], exists)
    for person, membership in settlement.memberships.items():
        put_membership(transaction, _label(person), person, membership)
    stats.add(transaction, stats.bounded(settlement.numbers), random.randrange(stats.SHARDS))
    return transaction


def _settle_message(transaction: Transaction, work: Work, after: ActionStatus) -> None:
    """Forget what was written to targets with an action that is not delivered; owe its mails where it is after all."""
    if after is not ActionStatus.DELIVERED and not work.message_gone:
        from proca_common.mtt import store as messages  # noqa: PLC0415 - few actions have messages

        label = _message_label(work)
        messages.forget_content(transaction, label, work.action.ref, int(work.action.id))
    elif after is ActionStatus.DELIVERED and work.withheld is not None:
        work.unserved.add(work.withheld)


def _message_label(work: Work) -> str:
    return f"message {_label(work.key)}"


def _wipe(transaction: Transaction, work: Work) -> None:
    """Take the transient fields out of the contacts in clear whose orgs have their message (domain 3.7)."""
    waiting = {destination.org for destination in work.unserved}
    for org, contact in work.contacts.items():
        if contact.clear is None or org in waiting or not work.action.with_consent:
            continue
        clear = wiped(contact.clear)
        if clear is not None:
            key = work.contact_key(org)
            transaction.update(
                _label(key), ContactItem(*key), [ContactItem.clear.set(clear)], ContactItem.clear == contact.clear
            )


def _publish(transaction: Transaction, work: Work, after: ActionStatus) -> None:
    """Put an action that counts from now on into the public feed of a campaign that shows its type (domain 11.3)."""
    from proca_common.monitors import feed  # noqa: PLC0415 - few campaigns show their actions

    facts, shown = work.facts, work.context.campaign.public_actions
    if is_counted(after, facts) and not work.action.unlisted and facts.action_type in feed.public_types(shown):
        fields = feed.public_fields(shown, facts.action_type, work.action.fields or {})
        action = feed.PublicAction(int(work.action.id), facts.area, fields)
        feed.put(transaction, facts.campaign, facts.action_type, action)


def _label(key: Key) -> str:
    return " ".join(key)
