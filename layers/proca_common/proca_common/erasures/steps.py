"""The steps of an erasure: each is one transaction of at most 100 writes that holds only if everything is as read.

So numbers are exact at every moment, nothing is left half done for longer than until the work is resumed, and whoever
works on the same action meanwhile either was before, or finds that it is gone and makes nothing of it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import (
    ActionIdItem,
    ActionItem,
    ContactItem,
    IdempotencyItem,
    MembershipItem,
    SupporterItem,
)
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.erasures.person import Part, Person, Wish, has_share_of_action, still_counts
from proca_common.monitors import feed
from proca_common.monitors import store as stats
from proca_common.monitors.persons import Member, Numbers, person_moved
from proca_common.mtt.forget import forget
from proca_common.stages import outbox
from proca_common.stages.decision import unchanged
from proca_common.stages.memberships import membership_of, put_membership, refilled

Found = Counter[str]
Journal = Callable[[Transaction, Found], None]
"""Writes down, in the transaction that removes something, what that is."""

MOST_WRITES = 88
"""Besides, a transaction has two memberships, up to seven numbers and the ledger's entry."""
KEPT_WRITES = 4
"""Of an action that counts: gone here, there from now on, where it is found, and its place in the public feed."""
GONE_WRITES = 2
DONATED = frozenset({"amount", "currency", "frequencyUnit"})


def remove(person: Person, part: Part, wish: Wish, journal: Journal) -> Transaction:
    """Remove what fits into one transaction of a part that nobody else has a contact of: further actions first, then
    signatures with their supporters and contacts. Raises `Unavailable`.
    """
    actions, supporters = _fitting(person, part)
    transaction, found = Transaction(), Found()
    taken: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    by_id = {int(supporter.id): supporter for supporter in part.supporters}
    for action in actions:
        of = by_id[int(action.supporter)]
        taken[int(of.id)] += 1
        waiting[int(of.id)] += action.status == ActionStatus.NEW
        found["counted_actions" if still_counts(action) else "other_actions"] += 1
        _remove_action(transaction, action, wish.gone, of.area)
    leaving = {int(supporter.id) for supporter in supporters}
    for identifier in taken.keys() - leaving:
        of = by_id[identifier]
        fewer = [SupporterItem.actions.add(-taken[identifier]), SupporterItem.waiting.add(-waiting[identifier])]
        transaction.update(f"supporter {identifier}", SupporterItem(of.ref, of.sk), fewer, _as_read(of))
    for supporter in supporters:
        found["supporters"] += 1
        transaction.delete(f"supporter {supporter.id}", SupporterItem(supporter.ref, supporter.sk), _as_read(supporter))
        for contact in person.contacts[int(supporter.id)]:
            found["contacts"] += 1
            transaction.delete(f"contact {contact.sk}", ContactItem(contact.ref, contact.sk))
    _move_members(transaction, person, part.campaign, actions, by_id, wish)
    journal(transaction, found)
    return transaction


def withdraw(person: Person, supporter: SupporterItem, wish: Wish, journal: Journal) -> Transaction:
    """Take the org's own data off a supporter of whom another org has a contact: off what fits of its actions, and when
    that is all of them, off the supporter.
    """
    transaction = Transaction()
    now_ms = clock.now_ms()
    actions = [action for action in person.actions[int(supporter.id)] if has_share_of_action(action, wish.org)]
    chosen = actions[: MOST_WRITES // 2]
    for action in chosen:
        changes: list[UpdateAction] = [*_owes_less(action, wish.org, now_ms)]
        if action.recipients is not None:
            changes.append(ActionItem.recipients.set(_without(action.recipients, wish.org)))
        changes.append(ActionItem.unlisted.set(True))
        transaction.update(f"action {action.id}", ActionItem(action.ref, action.sk), changes, unchanged(action))
        if still_counts(action):
            feed.remove(transaction, int(action.campaign), action.action_type, int(action.id))
        if action.messages and campaigns.get(int(action.campaign)).org == wish.org:
            _forget_message(action)
    if len(chosen) < len(actions):
        return transaction
    known = _as_read(supporter) & outbox.as_read(supporter) & (SupporterItem.recipients == supporter.recipients)
    changes = [
        *_owes_less(supporter, wish.org, now_ms),
        SupporterItem.recipients.set(_without(supporter.recipients, wish.org)),
    ]
    if supporter.org == wish.org and supporter.mail is not None:
        changes.append(SupporterItem.mail.remove())
    transaction.update("supporter", SupporterItem(supporter.ref, supporter.sk), changes, known)
    own = [contact for contact in person.contacts[int(supporter.id)] if contact.org == wish.org]
    for contact in own:
        transaction.delete("contact", ContactItem(contact.ref, contact.sk))
    journal(transaction, Found(contacts=len(own)))
    return transaction


def empty_membership(person: Person) -> Transaction | None:
    """Remove a membership that counts nobody, where no supporter is left either; None when there is none."""
    used = {int(supporter.campaign) for supporter in person.supporters}
    for campaign, item in person.memberships.items():
        if campaign not in used and not item.n:
            transaction = Transaction()
            as_read = MembershipItem.version == item.version
            transaction.delete("membership", MembershipItem(item.ref, item.sk), as_read)
            return transaction
    return None


def unbound(at: str, before: int, journal: Journal) -> Transaction | None:
    """Remove what fits of the actions that wait for a supporter at this ref (`store.unbound_ref`); None when none does.
    Raises `Unavailable`.
    """
    waiting = [action for action in store.actions_of(at) if int(action.id) < before]
    if not waiting:
        return None
    transaction = Transaction()
    chosen = waiting[: MOST_WRITES // GONE_WRITES]
    for action in chosen:
        transaction.delete(f"action {action.id}", ActionItem(action.ref, action.sk), ActionsItem.ref.exists())
        transaction.delete(f"id {action.id}", ActionIdItem(*store.action_id_key(int(action.id))))
        _forget_request(action)
    journal(transaction, Found(waiting_actions=len(chosen)))
    return transaction


def _fitting(person: Person, part: Part) -> tuple[list[ActionItem], list[SupporterItem]]:
    """As many of the part's further actions, and then of its supporters with their signatures, as one transaction may
    hold.
    """
    actions: list[ActionItem] = []
    supporters: list[SupporterItem] = []
    left = MOST_WRITES
    further = [
        action for supporter in part.supporters for action in person.actions[int(supporter.id)]
        if action.id != supporter.id
    ]  # fmt: skip
    for action in further:
        left -= _writes(action)
        if left < 0:
            return actions, supporters
        actions.append(action)
    for supporter in part.supporters:
        signature = person.signature(supporter)
        left -= 1 + len(person.contacts[int(supporter.id)]) + (0 if signature is None else _writes(signature))
        if left < 0:
            return actions, supporters
        supporters.append(supporter)
        if signature is not None:
            actions.append(signature)
    return actions, supporters


def _writes(action: ActionItem) -> int:
    """How many writes it takes to remove the action; one more may be the count of its supporter."""
    return (KEPT_WRITES if still_counts(action) else GONE_WRITES) + 1


def _as_read(supporter: SupporterItem) -> Condition:
    same: Condition = (
        (SupporterItem.status == supporter.status)
        & (SupporterItem.actions == supporter.actions)
        & (SupporterItem.waiting == supporter.waiting)
    )
    return same


def _remove_action(transaction: Transaction, action: ActionItem, gone: str, area: str | None) -> None:
    """Remove it; if it counts, let it go on without anything of its person."""
    identifier = int(action.id)
    where = ActionIdItem(*store.action_id_key(identifier))
    transaction.delete(f"action {identifier}", ActionItem(action.ref, action.sk), unchanged(action))
    _forget_request(action)
    _forget_message(action)
    if not still_counts(action):
        transaction.delete(f"id {identifier}", where)
        return
    transaction.put(f"gone {identifier}", nobodys(action, gone, area))
    transaction.update(f"id {identifier}", where, [ActionIdItem.at.set(gone)], ActionsItem.ref.exists())
    feed.remove(transaction, int(action.campaign), action.action_type, identifier)


def nobodys(action: ActionItem, gone: str, area: str | None) -> ActionItem:
    """What is left of an action that counts: what it counts for, and the amount of a donation."""
    ref, sk = store.action_key(gone, int(action.id))
    donation: dict[str, Any] | None = None
    if action.donation is not None:
        donation = {"payload": {}, **{key: value for key, value in action.donation.items() if key in DONATED}}
    return ActionItem(
        ref=ref,
        sk=sk,
        id=action.id,
        status=action.status,
        action_type=action.action_type,
        campaign=action.campaign,
        campaign_bucket=action.campaign_bucket,
        page=action.page,
        org=action.org,
        area=area,
        with_consent=action.with_consent,
        testing=action.testing,
        late=action.late,
        donation=donation,
        source=None if action.source is None else {**action.source, "location": ""},
        dupe_rank=action.dupe_rank,
    )


def _move_members(
    transaction: Transaction,
    person: Person,
    campaign: int,
    actions: Sequence[ActionItem],
    supporters: dict[int, SupporterItem],
    wish: Wish,
) -> None:
    """Take the signatures that make members out of the person's membership into that of nobody, and count anew."""
    members = [action for action in actions if action.with_consent and still_counts(action)]
    if not members:
        return
    here, there = store.membership_key(wish.ref, campaign), store.membership_key(wish.gone, campaign)
    before, gone_before = membership_of(person.memberships.get(campaign)), membership_of(store.read(there))
    after, gone_after = before, gone_before
    for action in members:
        supporter = supporters[int(action.supporter)]
        after = after.left(int(supporter.id))
        member = Member(int(action.page), int(action.org), supporter.area)
        gone_after = gone_after.joined(int(supporter.id), member)
    if after.must_refill:
        after = refilled(here, after, {int(action.id) for action in members})
    if after.n:
        put_membership(transaction, "membership", here, after)
    else:
        transaction.delete("membership", MembershipItem(*here), MembershipItem.version == before.version)
    put_membership(transaction, "membership of nobody", there, gone_after)
    numbers: Numbers = Counter(person_moved(campaign, before, after))
    numbers.update(person_moved(campaign, gone_before, gone_after))
    stats.add(transaction, numbers, random.randrange(stats.SHARDS))


def _owes_less(item: ActionItem | SupporterItem, org: int, now_ms: int) -> list[UpdateAction]:
    """Nothing is owed to the org any more; who is at work on the item now must not end its stage."""
    owed = outbox.owed_by(item)
    left = {str(destination) for destination in owed if destination.org != org}
    if len(left) == len(owed):
        return []
    fewer = type(item).owed.set(left) if left else type(item).owed.remove()
    return [fewer, type(item).due.set(max(now_ms, int(item.due or 0) + 1))]


def _without(recipients: Iterable[Any], org: int) -> list[int]:
    return [int(recipient) for recipient in recipients if recipient != org]


def _forget_message(action: ActionItem) -> None:
    """Remove what its supporter wrote to targets, which the campaign's lead would send. Raises `Unavailable`."""
    if action.messages:
        forget(action.ref, [int(action.id)])


def _forget_request(action: ActionItem) -> None:
    """Remove what is remembered of the request that the action came with, unless its key was used again since. Raises
    `Unavailable`.
    """
    if action.idempotency is None:
        return
    item = IdempotencyItem(*store.idempotency_key(int(action.page), action.idempotency))
    try:
        dynamo.delete(item, IdempotencyItem.action == action.id)
    except Cancelled:
        return
