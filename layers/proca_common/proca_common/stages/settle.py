"""Ranking and counting a batch: what delivering these actions, in the order of their ids, makes of states, memberships
and numbers. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proca_common.action_pages.switches import Switches
from proca_common.actions.status import ActionStatus, SupporterStatus
from proca_common.actions.store import Key
from proca_common.monitors.persons import Facts, Membership, Numbers, moved, person_moved
from proca_common.stages.machine import transition


@dataclass(frozen=True, slots=True)
class Arrival:
    """An action that is to be delivered, `person` being the key of its person's membership in the campaign."""

    action: Key
    person: Key
    status: ActionStatus
    supporter: SupporterStatus
    facts: Facts
    switches: Switches


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state an action ends in and its dupe_rank."""

    status: ActionStatus
    dupe_rank: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one transaction is to store. `memberships` holds only those that changed."""

    verdicts: dict[Key, Verdict]
    memberships: dict[Key, Membership]
    numbers: Numbers


def settle(arrivals: Iterable[Arrival], known: Mapping[Key, Membership]) -> Settlement:
    """Fold the arrivals into the memberships, in the order given (that of the ids).

    An action with consent becomes `repeat` when a member with a lower id signed on the same page, with or without
    confirmation (domain 4.4 as design 5 changes it); one whose supporter was rejected is rejected.
    """
    verdicts: dict[Key, Verdict] = {}
    memberships = dict(known)
    numbers: Numbers = Counter()
    for arrival in arrivals:
        facts, membership = arrival.facts, memberships[arrival.person]
        after = _after(arrival, membership)
        verdicts[arrival.action] = Verdict(after, membership.rank(facts.supporter))
        memberships[arrival.person], difference = moved(arrival.status, after, facts, membership)
        numbers.update(difference)
    changed = {person: membership for person, membership in memberships.items() if membership != known[person]}
    for person, membership in changed.items():
        campaign = int(person[1].removeprefix("M#"))
        numbers.update(person_moved(campaign, known[person], membership))
    return Settlement(verdicts, changed, numbers)


def _after(arrival: Arrival, membership: Membership) -> ActionStatus:
    facts = arrival.facts
    move = transition(arrival.status, arrival.supporter, with_consent=facts.with_consent, effective=arrival.switches)
    after = arrival.status if move is None else move.action
    arrives = after is ActionStatus.DELIVERED and arrival.status is not after
    if arrives and facts.with_consent and membership.has_earlier_on(facts.page, facts.supporter):
        return ActionStatus.REPEAT
    return after
