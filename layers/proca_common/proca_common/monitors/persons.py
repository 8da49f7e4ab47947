"""Who counts: the members of one person in one campaign, their ranks, and what a change of state adds to the numbers
(design 4).

A *member* is a supporter whose action with consent was delivered (as `delivered` or `repeat`), never `testing`. A
person with at least one member counts once, for the org and area of the member with the lowest id. A *signature* is an
action with consent that counts for its type.

Every number is of an hour, that of the id it comes from, and the totals are sums of those of all hours: so they can be
counted again hour by hour (`audit`), and shown as a series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from proca_common.actions.status import ActionStatus
from proca_common.ids import hour_of

MAX_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Member:
    """Where a supporter signed; `area` may be unknown."""

    page: int
    org: int
    area: str | None


@dataclass(frozen=True, slots=True)
class Membership:
    """The members of one person in one campaign: all `n` of them are counted, the 50 with the lowest ids are known.

    `version` is that of the stored record, 0 when there is none. As long as more than 50 exist, a newcomer above the
    highest known id is only counted, so that the known ones are always those with the lowest ids.
    """

    version: int = 0
    n: int = 0
    members: dict[int, Member] = field(default_factory=dict)

    @property
    def first(self) -> int | None:
        """The member whose org and area the person counts for, in the hour of its id."""
        return min(self.members, default=None)

    @property
    def next_version(self) -> int:
        """The version that a change of it is stored as. The first is the id of a member: one that was erased with its
        members is never taken for one that came later.
        """
        return self.version + 1 if self.version else (self.first or 1)

    @property
    def must_refill(self) -> bool:
        """Whether none of the remaining members is known, so that they have to be read from the actions."""
        return self.n > 0 and not self.members

    def rank(self, supporter: int) -> int:
        """dupe_rank: the number of members with a lower id (domain 4.4 as design 5 changes it)."""
        known = sum(identifier < supporter for identifier in self.members)
        beyond = self.n - len(self.members)
        return known + (beyond if self.members and supporter > max(self.members) else 0)

    def has_earlier_on(self, page: int, supporter: int) -> bool:
        """Whether a member with a lower id signed on the same page."""
        return any(identifier < supporter and member.page == page for identifier, member in self.members.items())

    def joined(self, supporter: int, member: Member) -> Membership:
        """With this supporter as a member."""
        all_known = self.n == len(self.members)
        if (not all_known or self.n >= MAX_MEMBERS) and supporter > max(self.members, default=0):
            return replace(self, n=self.n + 1)
        members = {**self.members, supporter: member}
        if len(members) > MAX_MEMBERS:
            del members[max(members)]
        return replace(self, n=self.n + 1, members=members)

    def left(self, supporter: int) -> Membership:
        """Without this supporter."""
        members = {identifier: member for identifier, member in self.members.items() if identifier != supporter}
        return replace(self, n=self.n - 1, members=members)


@dataclass(frozen=True, slots=True)
class Facts:
    """What counting needs to know of an action; nothing of it ever changes."""

    campaign: int
    page: int
    org: int
    supporter: int
    area: str | None
    action_type: str
    source: str | None
    hour: str
    with_consent: bool
    testing: bool


@dataclass(frozen=True, slots=True)
class Label:
    """What a number counts. `hour` (UTC, `YYYY-MM-DDTHH`) is None for the campaign's totals.

    Kinds: `persons`, `org` and `area` count people; `type` actions; `signatures`, `page`, `source` and `place` (the
    area again) signatures, these four only by the hour.
    """

    campaign: int
    kind: str
    name: str
    hour: str | None = None


Numbers = Counter[Label]


def is_member(status: ActionStatus, facts: Facts) -> bool:
    """Whether the supporter of an action in this state is a member."""
    return facts.with_consent and not facts.testing and status in (ActionStatus.DELIVERED, ActionStatus.REPEAT)


def is_counted(status: ActionStatus, facts: Facts) -> bool:
    """Whether an action in this state counts for its type: delivered, not testing, not a repeat."""
    return status is ActionStatus.DELIVERED and not facts.testing


def moved(
    before: ActionStatus, after: ActionStatus, facts: Facts, membership: Membership
) -> tuple[Membership, Numbers]:
    """The membership after this change of state, and what it adds to the numbers of the actions (see `person_moved` for
    persons).
    """
    numbers: Numbers = Counter()
    difference = int(is_counted(after, facts)) - int(is_counted(before, facts))
    if difference:
        numbers[Label(facts.campaign, "type", facts.action_type)] += difference
        numbers[Label(facts.campaign, "type", facts.action_type, facts.hour)] += difference
        for kind, name in _of_signature(facts) if facts.with_consent else ():
            numbers[Label(facts.campaign, kind, name, facts.hour)] += difference
    match is_member(before, facts), is_member(after, facts):
        case (False, True):
            membership = membership.joined(facts.supporter, Member(facts.page, facts.org, facts.area))
        case (True, False):
            membership = membership.left(facts.supporter)
    return membership, numbers


def person_moved(campaign: int, before: Membership, after: Membership) -> Numbers:
    """What a person's change of membership adds to the numbers of persons: in total, per org and per area."""
    numbers: Numbers = Counter()
    for membership, sign in ((before, -1), (after, 1)):
        if membership.first is None:
            continue
        counted = membership.members[membership.first]
        for hour in (None, hour_of(membership.first)):
            numbers[Label(campaign, "persons", "total", hour)] += sign
            numbers[Label(campaign, "org", str(counted.org), hour)] += sign
            if counted.area is not None:
                numbers[Label(campaign, "area", counted.area, hour)] += sign
    return Counter({label: number for label, number in numbers.items() if number})


def _of_signature(facts: Facts) -> Iterator[tuple[str, str]]:
    """What a signature counts for in its hour, as kind and name."""
    yield "signatures", "total"
    yield "page", str(facts.page)
    if facts.source is not None:
        yield "source", facts.source
    if facts.area is not None:
        yield "place", facts.area
