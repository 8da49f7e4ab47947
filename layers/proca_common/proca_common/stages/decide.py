"""Accepting and rejecting supporters and actions (domain 4.9, design 5): what links, moderators and bounces call.

Each is one transaction that also moves what waits, takes counts back and ends what is still owed. It holds only if
everything is as read; else everything is read and decided anew. Doing it again changes nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions import store
from proca_common.actions.status import ActionStatus, EmailStatus, Stage, SupporterStatus
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws import clock, metrics
from proca_common.aws.dynamo import Transaction
from proca_common.errors import NotAllowed
from proca_common.monitors import feed
from proca_common.monitors import store as stats
from proca_common.monitors.persons import Numbers, is_counted, moved, person_moved
from proca_common.stages import addresses, decision, machine, outbox
from proca_common.stages.binding import waits
from proca_common.stages.memberships import campaign_of, facts_of, person_of, put_membership, read_memberships, refilled


def accept_supporter(action_id: int, *, double_opt_in: bool = False) -> bool:
    """The supporter of this action meant it: it is accepted, and every action that waited for it goes on, all in one
    transaction. With `double_opt_in` its address is known to be its own, even if it was accepted before.

    False when nothing changed. Raises `NotFound`, `NotAllowed`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        _, supporter = decision.action_and_supporter(action_id)
        status = SupporterStatus(supporter.status)
        if machine.confirm_supporter(status) is status:
            return _report(supporter, EmailStatus.DOUBLE_OPT_IN) if double_opt_in else None
        waiting = decision.waiting_for(supporter)
        if waiting is None:
            return Transaction()
        transaction = Transaction()
        known = addresses.status_of(supporter)
        after = addresses.reported(known, EmailStatus.DOUBLE_OPT_IN) if double_opt_in else known
        _set_supporter(transaction, supporter, SupporterStatus.ACCEPTED, after)
        supporter.status, supporter.confirmed = SupporterStatus.ACCEPTED.value, True
        for action in waiting:
            _go_on(transaction, action, action.status, supporter)
        return transaction

    return decision.decided(decide)


def reject_supporter(action_id: int, reported: EmailStatus | None = None) -> bool:
    """Force-reject: the supporter of this action, its signature, this action and all that wait are rejected, from any
    state. `reported`: what became known of its address; without it, a double opt-in is revoked (domain 4.9).

    False when nothing changed. Raises `NotFound`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        action, supporter = decision.action_and_supporter(action_id)
        return _rejection(action, supporter, reported)

    return _counted(decision.decided(decide))


def set_email_status(action_id: int, reported: EmailStatus) -> bool:
    """Something became known of the address of this action's supporter; what it did stays as it is.

    False when nothing changed. Raises `NotFound`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        _, supporter = decision.action_and_supporter(action_id)
        return _report(supporter, reported)

    return decision.decided(decide)


def release_supporter(action_id: int) -> bool:
    """Somebody looked at a held supporter and lets it in: its signature goes on as at intake, and what waited with it
    goes on, or waits for the same confirmation.

    False when it is not held (any more). Raises `NotFound`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        _, supporter = decision.action_and_supporter(action_id)
        if supporter.held is None:
            return None
        waiting = decision.waiting_for(supporter)
        if waiting is None:
            return Transaction()
        now_ms = clock.now_ms()
        free = SupporterItem.from_raw_data(supporter.serialize())
        free.held = None
        transaction = Transaction()
        free.waiting = 0
        for action in sorted(waiting, key=lambda action: action.id != supporter.id):  # the signature decides for all
            after = decision.gone_on(action, action.status, free, now_ms)
            free.waiting += waits(after)
            transaction.put(f"action {action.id}", after, decision.unchanged(action))
        changes: list[UpdateAction] = [
            SupporterItem.status.set(free.status),
            SupporterItem.waiting.set(free.waiting),
            SupporterItem.held.remove(),
        ]
        if free.link_refs is not None:
            outbox.enter(free, "link", int(free.id), Stage.LINK, (), now_ms)
            changes += outbox.entered(free)
        transaction.update("supporter", SupporterItem(free.ref, free.sk), changes, decision.as_read(supporter))
        return transaction

    return decision.decided(decide)


def refuse_supporter(action_id: int) -> bool:
    """Somebody looked at a held supporter and does not let it in: it is rejected with all that waited.

    False when it is not held (any more). Raises `NotFound`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        action, supporter = decision.action_and_supporter(action_id)
        return None if supporter.held is None else _rejection(action, supporter, None)

    return _counted(decision.decided(decide))


def accept_action(action_id: int) -> bool:
    """A moderator accepts an action that waits in `confirming`: it goes on to be delivered.

    False when it had gone further already. Raises `NotFound`, `NotAllowed`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        action, supporter = decision.action_and_supporter(action_id)
        status = ActionStatus(action.status)
        after = machine.confirm_action(status)
        if after is status:
            return None
        if supporter.status == SupporterStatus.REJECTED:
            raise NotAllowed("supporter data already rejected")
        transaction = Transaction()
        _go_on(transaction, action, after.value, supporter)
        return transaction

    return decision.decided(decide)


def reject_action(action_id: int) -> bool:
    """A moderator rejects an action; its supporter stays as it is. Takes its counts back.

    False when it was rejected before. Raises `NotFound`, `NotAllowed`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        action, supporter = decision.action_and_supporter(action_id)
        status = ActionStatus(action.status)
        if machine.reject_action(status) is status:
            return None
        transaction = Transaction()
        _reject(transaction, [action], supporter)
        return transaction

    return _counted(decision.decided(decide))


def _counted(rejected: bool) -> bool:
    """Tell a rejection as a metric."""
    if rejected:
        metrics.emit({"Rejections": 1})
    return rejected


def _set_supporter(
    transaction: Transaction, supporter: SupporterItem, status: SupporterStatus, email_status: EmailStatus | None
) -> None:
    changes: list[UpdateAction] = [SupporterItem.status.set(status.value), SupporterItem.waiting.set(0)]
    if supporter.held is not None:
        changes.append(SupporterItem.held.remove())
    if status is SupporterStatus.ACCEPTED:
        changes.append(SupporterItem.confirmed.set(True))
    if status is SupporterStatus.REJECTED and supporter.mail is not None:
        changes.append(SupporterItem.mail.remove())
    condition = decision.as_read(supporter)
    if email_status is not addresses.status_of(supporter):
        changes += addresses.changed(supporter, email_status)
        condition &= addresses.as_read(supporter)
    transaction.update("supporter", SupporterItem(supporter.ref, supporter.sk), changes, condition)


def _report(supporter: SupporterItem, reported: EmailStatus) -> Transaction | None:
    """Everything that stores what became known of the address, and nothing else; None when it is known already."""
    known = addresses.status_of(supporter)
    after = addresses.reported(known, reported)
    if after is known:
        return None
    transaction = Transaction()
    item, changes = SupporterItem(supporter.ref, supporter.sk), addresses.changed(supporter, after)
    if after in addresses.FINAL and supporter.mail is not None:
        changes.append(SupporterItem.mail.remove())  # no mail will be sent to it any more
    transaction.update("supporter", item, changes, addresses.as_read(supporter))
    return transaction


def _go_on(transaction: Transaction, action: ActionItem, status: str, supporter: SupporterItem) -> None:
    """Store the action as one with this status whose supporter is accepted: it waits no more."""
    after = decision.gone_on(action, status, supporter, clock.now_ms())
    transaction.put(f"action {action.id}", after, decision.unchanged(action))


def _rejection(action: ActionItem, supporter: SupporterItem, reported: EmailStatus | None) -> Transaction | None:
    """Everything that rejects the supporter; None when nothing is left to do, empty: read again."""
    known = addresses.status_of(supporter)
    after = addresses.revoked(known) if reported is None else addresses.reported(known, reported)
    waiting = decision.waiting_for(supporter)
    if waiting is None:
        return Transaction()
    signature = store.read(store.action_key(supporter.ref, int(supporter.id)))
    targets = {target.sk: target for target in (action, signature, *waiting) if isinstance(target, ActionItem)}
    open_targets = [target for target in targets.values() if target.status != ActionStatus.REJECTED]
    if supporter.status == SupporterStatus.REJECTED and not open_targets and after is known:
        return None
    transaction = Transaction()
    _set_supporter(transaction, supporter, SupporterStatus.REJECTED, after)
    _reject(transaction, open_targets, supporter)
    return transaction


def _reject(transaction: Transaction, targets: Iterable[ActionItem], supporter: SupporterItem) -> None:
    """Reject these actions of the supporter, end what they owe, take their counts back, and take them out of the public
    feed: what may stand there is what counts.
    """
    targets = list(targets)
    gone = {int(target.id) for target in targets}
    known = read_memberships({person_of(target) for target in targets})
    after = dict(known)
    numbers: Numbers = Counter()
    for target in targets:
        person = person_of(target)
        facts = facts_of(target, supporter)
        after[person], difference = moved(ActionStatus(target.status), ActionStatus.REJECTED, facts, after[person])
        numbers.update(difference)
        changes = [ActionItem.status.set(ActionStatus.REJECTED.value), *outbox.finished()]
        if target.held is not None:
            changes.append(ActionItem.held.remove())
        transaction.update(
            f"action {target.id}", ActionItem(target.ref, target.sk), changes, decision.unchanged(target)
        )
        if is_counted(ActionStatus(target.status), facts):
            feed.remove(transaction, facts.campaign, facts.action_type, int(target.id))
    for person, membership in after.items():
        if membership == known[person]:
            continue
        whole = refilled(person, membership, gone) if membership.must_refill else membership
        put_membership(transaction, f"membership {campaign_of(person)}", person, whole)
        numbers.update(person_moved(campaign_of(person), known[person], whole))
    stats.add(transaction, stats.bounded(numbers), random.randrange(stats.SHARDS))
    written = [(target.ref, int(target.id)) for target in targets if target.messages]
    if written:
        from proca_common.mtt import store as messages  # noqa: PLC0415 - few actions have messages

        messages.withdraw(transaction, written)
