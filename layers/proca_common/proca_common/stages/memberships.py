"""Memberships and facts from what is stored, and back (the rules are in `monitors.persons`)."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import islice

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem, Key, MembershipItem, SupporterItem
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.ids import hour_of
from proca_common.monitors.persons import MAX_MEMBERS, Facts, Member, Membership, is_member


def facts_of(action: ActionItem, supporter: SupporterItem | None) -> Facts:
    """What counting needs to know of an action and its supporter. That of somebody who was erased has none: it says
    itself what counts of it.
    """
    return Facts(
        campaign=int(action.campaign),
        page=int(action.page),
        org=int(action.org),
        supporter=int(action.id if action.supporter is None else action.supporter),
        area=action.area if supporter is None else supporter.area,
        action_type=action.action_type,
        source=action.source["source"] if action.source else None,
        hour=hour_of(int(action.id)),
        with_consent=action.with_consent,
        testing=action.testing,
    )


def person_of(action: ActionItem) -> Key:
    """The key of the membership of the action's person in its campaign."""
    return store.membership_key(action.ref, int(action.campaign))


def campaign_of(person: Key) -> int:
    """The campaign of a membership's key."""
    return int(person[1].removeprefix("M#"))


def membership_of(item: ActionsItem | None) -> Membership:
    """The membership of its stored item; none yet is an empty one."""
    if not isinstance(item, MembershipItem):
        return Membership()
    members = {
        int(supporter): Member(member["page"], member["org"], member["area"])
        for supporter, member in item.members.items()
    }
    return Membership(int(item.version), int(item.n), members)


def read_memberships(people: Collection[Key]) -> dict[Key, Membership]:
    """The memberships at these keys, as last written; raises `Unavailable`."""
    found = store.read_many(people)
    return {person: membership_of(found.get(person)) for person in people}


def put_membership(transaction: Transaction, label: str, person: Key, membership: Membership) -> None:
    """Store a changed membership as the next version, on condition that the version it was made from still stands."""
    members = {
        str(supporter): {"page": member.page, "org": member.org, "area": member.area}
        for supporter, member in membership.members.items()
    }
    ref, sk = person
    item = MembershipItem(ref=ref, sk=sk, version=membership.next_version, n=membership.n, members=members)
    first = membership.version == 0
    unchanged = ActionsItem.ref.does_not_exist() if first else MembershipItem.version == membership.version
    transaction.put(label, item, unchanged)


def refilled(person: Key, membership: Membership, gone: Collection[int]) -> Membership:
    """The membership with the lowest of its members read from the person's actions, which were more than a record
    keeps.

    `gone` are actions that leave in the same transaction, whose condition on the version makes this reading safe.
    """
    members = members_of([person], gone)[person]
    return replace(membership, members=dict(islice(members.items(), MAX_MEMBERS)))


def members_of(people: Collection[Key], gone: Collection[int] = ()) -> dict[Key, dict[int, Member]]:
    """All members of each person in a campaign, in the order of their ids, as its actions say; without those that
    `gone` are. A query for each person, and one read of all their supporters. Raises `Unavailable`.
    """
    actions = {person: _signatures(person, gone) for person in people}
    every = itertools.chain.from_iterable(actions.values())
    found = store.read_many(supporter_of(action) for action in every if action.supporter is not None)
    return {person: _members(some, found) for person, some in actions.items()}


def _signatures(person: Key, gone: Collection[int]) -> list[ActionItem]:
    return [
        action
        for action in store.actions_of(person[0])
        if int(action.campaign) == campaign_of(person) and action.with_consent and int(action.id) not in gone
    ]


def _members(actions: Iterable[ActionItem], found: Mapping[Key, ActionsItem]) -> dict[int, Member]:
    members: dict[int, Member] = {}
    for action in actions:
        supporter = None if action.supporter is None else found.get(supporter_of(action))
        facts = facts_of(action, supporter if isinstance(supporter, SupporterItem) else None)
        if is_member(ActionStatus(action.status), facts):
            members[facts.supporter] = Member(facts.page, facts.org, facts.area)
    return members


def supporter_of(action: ActionItem) -> Key:
    """The key of the supporter of a bound action."""
    return store.supporter_key(action.ref, int(action.org), int(action.supporter))
