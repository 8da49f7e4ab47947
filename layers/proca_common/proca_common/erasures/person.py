"""What is stored of a person, and which part of it an erasure for an org takes (domain 13.7, design 4). Pure, but for
reading.

The part is what somebody did in one campaign. As long as another org has a contact of the person there, only the org's
own data goes; else everything does, and what counts goes on under a random ref.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem, ContactItem, MembershipItem, SupporterItem
from proca_common.pipes.routing import Way
from proca_common.stages import outbox

COUNTED = frozenset({ActionStatus.DELIVERED, ActionStatus.REPEAT})
NO_COPIES = frozenset({Way.MAIL, Way.DETAIL})


@dataclass(frozen=True, slots=True)
class Wish:
    """That what `org` has of the person with this contact ref goes, as far as its supporters have ids below `before`;
    only in `campaigns`, if they are given. `gone`: the ref under which what counts goes on.
    """

    ref: str
    org: int
    before: int
    gone: str
    campaigns: frozenset[int] | None = None

    def covers(self, supporter: SupporterItem) -> bool:
        """Whether it is about this supporter."""
        of_campaign = self.campaigns is None or int(supporter.campaign) in self.campaigns
        return of_campaign and int(supporter.id) < self.before


@dataclass(slots=True)
class Person:
    """Everything under a contact ref. `contacts` and `actions` are by the ids of their supporters, `memberships` by
    their campaigns.
    """

    supporters: list[SupporterItem] = field(default_factory=list)
    contacts: dict[int, list[ContactItem]] = field(default_factory=lambda: defaultdict(list))
    actions: dict[int, list[ActionItem]] = field(default_factory=lambda: defaultdict(list))
    memberships: dict[int, MembershipItem] = field(default_factory=dict)

    def signature(self, supporter: SupporterItem) -> ActionItem | None:
        """The action that the supporter came with."""
        return next((action for action in self.actions[int(supporter.id)] if action.id == supporter.id), None)

    def is_of(self, supporter: SupporterItem, org: int) -> bool:
        """Whether the supporter came through a page of the org, or the org has, or had, a contact of it."""
        return supporter.org == org or org in supporter.recipients or self.has_contact(supporter, org)

    def has_contact(self, supporter: SupporterItem, org: int) -> bool:
        """Whether the org has a contact of the supporter."""
        return any(contact.org == org for contact in self.contacts[int(supporter.id)])

    def others(self, supporter: SupporterItem, org: int) -> set[int]:
        """The other orgs that have a contact of the supporter."""
        return {int(contact.org) for contact in self.contacts[int(supporter.id)] if contact.org != org}


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody did in a campaign, as far as the wish is about it. `shared`: another org has a contact of it."""

    campaign: int
    supporters: list[SupporterItem]
    shared: bool


def read_person(ref: str) -> Person:
    """Everything that is stored under the ref, as last written. Raises `Unavailable`."""
    person = Person()
    for item in store.items_under(ref):
        match item:
            case SupporterItem():
                person.supporters.append(item)
            case ContactItem():
                person.contacts[int(item.sk.split("#")[1])].append(item)
            case ActionItem() if item.supporter is not None:
                person.actions[int(item.supporter)].append(item)
            case MembershipItem():
                person.memberships[int(item.sk.removeprefix("M#"))] = item
    return person


def parts(person: Person, wish: Wish) -> list[Part]:
    """What the wish is about, by campaign: whatever the org has a part in, where something is left to do."""
    found = []
    covered = sorted(filter(wish.covers, person.supporters), key=lambda supporter: (supporter.campaign, supporter.id))
    for campaign, group in groupby(covered, key=lambda supporter: int(supporter.campaign)):
        supporters = list(group)
        shared = any(person.others(supporter, wish.org) for supporter in supporters)
        if shared:
            supporters = [supporter for supporter in supporters if has_share(person, supporter, wish.org)]
        if any(person.is_of(supporter, wish.org) for supporter in supporters):
            found.append(Part(campaign, supporters, shared))
    return found


def has_share(person: Person, supporter: SupporterItem, org: int) -> bool:
    """Whether anything of the supporter is the org's alone: its contact, its place among those who receive it, what it
    is owed, the address that its mails need.
    """
    own = org in supporter.recipients or person.has_contact(supporter, org)
    mails = supporter.org == org and supporter.mail is not None
    owed = any(destination.org == org for destination in outbox.owed_by(supporter))
    return own or mails or owed or any(has_share_of_action(action, org) for action in person.actions[int(supporter.id)])


def has_share_of_action(action: ActionItem, org: int) -> bool:
    """Whether the org is among those who receive the action, or is owed it."""
    return org in (action.recipients or ()) or any(destination.org == org for destination in outbox.owed_by(action))


def still_counts(action: ActionItem) -> bool:
    """Whether the action counts, and goes on counting when its person is gone."""
    return ActionStatus(action.status) in COUNTED and not action.testing


def copies(person: Person, found: Iterable[Part], org: int) -> dict[int, list[int]]:
    """Which orgs got a copy of which of the actions that an erasure for `org` is about, by org.

    An org whose messages of an action are all owed still has none; before a signature was confirmed only the page org
    may have one.
    """
    told: dict[int, list[int]] = defaultdict(list)
    for part in found:
        for supporter in part.supporters:
            if part.shared and not person.is_of(supporter, org):
                continue
            for action in person.actions[int(supporter.id)]:
                for receiver in _receivers(action):
                    told[receiver].append(int(action.id))
    return {receiver: sorted(actions) for receiver, actions in told.items()}


def _receivers(action: ActionItem) -> set[int]:
    owed = {destination.org for destination in outbox.owed_by(action) if destination.where not in NO_COPIES}
    receivers = {int(receiver) for receiver in action.recipients or ()}
    if ActionStatus(action.status) in (ActionStatus.NEW, ActionStatus.CONFIRMING):
        receivers &= {int(action.org)}
    return receivers - owed
