"""What actions count for in their hour, read anew with their supporters and memberships (see `stages.audit`).

A person counts in the hour of its lowest member. A membership that has this very signature as the only member is
believed; wherever it says something else than the signature at hand, or of more than one, all actions of the person are
read, and say what the membership must be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem, Key, SupporterItem
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.retry import pauses
from proca_common.monitors.persons import (
    MAX_MEMBERS,
    Facts,
    Member,
    Membership,
    Numbers,
    is_member,
    moved,
    person_moved,
)
from proca_common.stages.memberships import (
    facts_of,
    members_of,
    membership_of,
    person_of,
    read_memberships,
    supporter_of,
)

NOBODY = Membership()
Spend = Callable[[int], None]


class MovingError(Exception):
    """A person is changed whenever it is read."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A person's membership as stored, and as its actions say that it must be."""

    known: Membership
    truth: Membership

    @property
    def is_right(self) -> bool:
        """Whether all members are counted, and those known are the lowest; after many left, not all 50 are known."""
        lowest = dict(islice(self.truth.members.items(), len(self.known.members)))
        knows_some = bool(self.known.members) or not self.truth.members
        return self.known.n == self.truth.n and self.known.members == lowest and knows_some


@dataclass(slots=True)
class Counted:
    """What some actions count for, how many they are, and the persons among them whose memberships are wrong."""

    numbers: Numbers = field(default_factory=Counter)
    actions: int = 0
    wrong: dict[Key, Verified] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    facts: Facts
    status: ActionStatus
    person: Key

    @property
    def joins(self) -> bool:
        return is_member(self.status, self.facts)


def count(keys: Sequence[Key], doubted: Collection[Key], spend: Spend) -> Counted:
    """What the actions with these keys count for. `doubted`: persons whose memberships are not believed. `spend` is
    told how many items are read.

    Raises `MovingError` and `Unavailable`.
    """
    spend(len(keys))
    actions = [action for action in store.read_many(keys).values() if isinstance(action, ActionItem)]
    seen, memberships = _seen(actions, spend)
    verified = _verified(_doubtful(seen, memberships, doubted), spend)
    counted = Counted(actions=len(actions))
    for action in seen:
        _, numbers = moved(ActionStatus.NEW, action.status, action.facts, NOBODY)
        counted.numbers.update(numbers)
        found = verified.get(action.person)
        membership = memberships.get(action.person, NOBODY) if found is None else found.truth
        if action.joins and membership.first == action.facts.supporter:
            counted.numbers.update(person_moved(action.facts.campaign, NOBODY, membership))
    counted.wrong = {person: found for person, found in verified.items() if not found.is_right}
    return counted


def _seen(actions: Sequence[ActionItem], spend: Spend) -> tuple[list[_Seen], dict[Key, Membership]]:
    """The actions that may count, and the memberships of those who signed."""
    keys: dict[Key, None] = {}
    for action in actions:
        if action.with_consent and not action.testing:
            keys[person_of(action)] = None
            if action.supporter is not None:
                keys[supporter_of(action)] = None
    spend(len(keys))
    found = store.read_many(keys)
    seen = []
    for action in actions:
        supporter = None if action.supporter is None else found.get(supporter_of(action))
        facts = facts_of(action, supporter if isinstance(supporter, SupporterItem) else None)
        seen.append(_Seen(facts, ActionStatus(action.status), person_of(action)))
    return seen, _memberships(keys, found)


def _memberships(keys: Collection[Key], found: dict[Key, ActionsItem]) -> dict[Key, Membership]:
    return {key: membership_of(found.get(key)) for key in keys if key[1].startswith("M#")}


def _doubtful(seen: Sequence[_Seen], memberships: dict[Key, Membership], doubted: Collection[Key]) -> set[Key]:
    """The persons of whom all actions have to be read."""
    doubtful = set()
    for action in seen:
        membership = memberships.get(action.person)
        if membership is None:
            continue  # what is no signature, or a test, has nothing to do with it
        facts = action.facts
        if action.joins:
            alone = {facts.supporter: Member(facts.page, facts.org, facts.area)}
            agrees = membership.n == 1 and membership.members == alone
        else:
            agrees = facts.supporter not in membership.members
        if not agrees or action.person in doubted:
            doubtful.add(action.person)
    return doubtful


def _verified(people: Collection[Key], spend: Spend) -> dict[Key, Verified]:
    """Each of these persons by all its actions, read while its membership stayed as it is."""
    left, verified = set(people), dict[Key, Verified]()
    for pause in pauses():
        if not left:
            return verified
        before = read_memberships(left)
        members = members_of(left)
        after = read_memberships(left)
        spend(2 * len(left) + 2 * sum(len(found) for found in members.values()))
        for person in sorted(left):
            if before[person].version == after[person].version:
                truth = Membership(before[person].version, len(members[person]), _lowest(members[person]))
                verified[person] = Verified(before[person], truth)
        left -= verified.keys()
        if left:
            clock.sleep_ms(pause)
    if left:
        raise MovingError
    return verified


def _lowest(members: dict[int, Member]) -> dict[int, Member]:
    return dict(islice(members.items(), MAX_MEMBERS))
