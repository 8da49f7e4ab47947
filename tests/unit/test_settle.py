"""Ranking and counting: the table of domain 4.4 as design 5 changes it, and that sums of differences stay exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.action_pages.switches import Switches
from proca_common.actions.status import ActionStatus as A
from proca_common.actions.status import SupporterStatus as S
from proca_common.actions.store import Key, membership_key
from proca_common.ids import hour_of
from proca_common.monitors import persons
from proca_common.monitors.persons import Facts, Label, Member, Membership, Numbers, moved, person_moved
from proca_common.stages.settle import Arrival, Verdict, settle

CAMPAIGN = 5
OFF, CONFIRM = (
    Switches(supporter_confirm=False, action_confirm=False),
    Switches(supporter_confirm=True, action_confirm=True),
)
IDA = membership_key("ida", CAMPAIGN)
BO = membership_key("bo", CAMPAIGN)
ELSEWHERE = membership_key("ida", 6)
PAGES = {1: (3, "DK"), 2: (3, "DK"), 3: (4, "SE")}  # page: (org, area of those who sign there)


def facts(
    supporter: int, page: int = 1, *, with_consent: bool = True, testing: bool = False, campaign: int = CAMPAIGN
) -> Facts:
    org, area = PAGES[page]
    return Facts(
        campaign=campaign,
        page=page,
        org=org,
        supporter=supporter,
        area=area,
        action_type="register" if with_consent else "share",
        source="mail",
        hour="2026-03-01T12",
        with_consent=with_consent,
        testing=testing,
    )


def signature(number: int, page: int = 1, *, person: Key = IDA, switches: Switches = OFF, **about: bool) -> Arrival:
    campaign = int(person[1].removeprefix("M#"))
    return Arrival(
        (person[0], f"A#{number}"),
        person,
        A.ACCEPTED,
        S.ACCEPTED,
        facts(number, page, campaign=campaign, **about),
        switches,
    )


def share(number: int, supporter: int, page: int = 1, **about: bool) -> Arrival:
    return Arrival(
        (IDA[0], f"A#{number}"), IDA, A.ACCEPTED, S.ACCEPTED, facts(supporter, page, with_consent=False, **about), OFF
    )


def nobody() -> dict[Key, Membership]:
    return {IDA: Membership(), BO: Membership(), ELSEWHERE: Membership()}


def verdicts(*arrivals: Arrival) -> list[tuple[str, int]]:
    """What becomes of arrivals that are settled one after the other, each in a batch of its own."""
    known = nobody()
    found = []
    for arrival in arrivals:
        settlement = settle([arrival], known)
        known |= settlement.memberships
        verdict = settlement.verdicts[arrival.action]
        found.append((verdict.status.value, verdict.dupe_rank))
    return found


ROWS = {
    "first signature": ([(1, 1)], [("delivered", 0)]),
    "second signature, same page": ([(1, 1), (2, 1)], [("delivered", 0), ("repeat", 1)]),
    "second signature, other page": ([(1, 1), (2, 2)], [("delivered", 0), ("delivered", 1)]),
    "second signature, page of a partner": ([(1, 1), (2, 3)], [("delivered", 0), ("delivered", 1)]),
    "third, on the first page": ([(1, 1), (2, 2), (3, 1)], [("delivered", 0), ("delivered", 1), ("repeat", 2)]),
    "the older confirmed later than the newer": ([(2, 1), (1, 1)], [("delivered", 0), ("delivered", 0)]),
}
"""(supporter, page) of each signature, and what becomes of it."""


class TestTableOfRanks:
    """Domain 4.4, every row. Design 5 changes one: `repeat` is decided at delivery, with or without confirmation."""

    @pytest.mark.parametrize("switches", [OFF, CONFIRM])
    @pytest.mark.parametrize(("arrivals", "expected"), ROWS.values(), ids=ROWS.keys())
    def test_signatures_of_one_person(
        self, arrivals: list[tuple[int, int]], expected: list[tuple[str, int]], switches: Switches
    ) -> None:
        assert verdicts(*(signature(number, page, switches=switches) for number, page in arrivals)) == expected

    def test_a_share_of_a_supporter_with_rank_1_is_delivered(self) -> None:
        found = verdicts(signature(1), signature(2), share(3, supporter=2), share(4, supporter=2))
        assert found == [("delivered", 0), ("repeat", 1), ("delivered", 1), ("delivered", 1)]

    def test_other_people_and_other_campaigns_do_not_count(self) -> None:
        found = verdicts(signature(1, person=BO), signature(2, person=ELSEWHERE), signature(3))
        assert found == [("delivered", 0)] * 3

    def test_a_test_makes_nobody_a_repeat_and_is_ranked_like_any_other(self) -> None:
        assert verdicts(signature(1, testing=True), signature(2)) == [("delivered", 0), ("delivered", 0)]
        assert verdicts(signature(1), signature(2, testing=True)) == [("delivered", 0), ("repeat", 1)]


def test_an_action_whose_supporter_is_rejected_is_rejected_and_changes_no_number() -> None:
    rejected = replace(signature(1), supporter=S.REJECTED)
    settlement = settle([rejected], nobody())
    assert settlement.verdicts == {rejected.action: Verdict(A.REJECTED, 0)}
    assert (settlement.memberships, settlement.numbers) == ({}, {})


@pytest.mark.parametrize("status", [A.DELIVERED, A.REPEAT])
def test_what_was_settled_before_and_only_owes_a_destination_changes_nothing(status: A) -> None:
    known = nobody() | {IDA: Membership(1, 2, {1: Member(1, 3, "DK"), 2: Member(1, 3, "DK")})}
    again = replace(signature(2), status=status)
    settlement = settle([again], known)
    assert settlement.verdicts == {again.action: Verdict(status, 1)}
    assert (settlement.memberships, settlement.numbers) == ({}, {})


def test_only_memberships_that_changed_are_to_be_stored() -> None:
    settlement = settle([signature(1), share(2, supporter=1), signature(3, person=BO, testing=True)], nobody())
    assert settlement.memberships.keys() == {IDA}


@dataclass(slots=True)
class Ledger:
    """States, memberships and numbers as stored, changed by batches and by rejections as the real functions do."""

    arrivals: dict[Key, Arrival]
    states: dict[Key, A] = field(default_factory=dict)
    known: dict[Key, Membership] = field(default_factory=nobody)
    numbers: Numbers = field(default_factory=Counter)
    ranks: dict[Key, int] = field(default_factory=dict)

    def deliver(self, batch: Iterable[Key]) -> None:
        settlement = settle(
            [self.arrivals[key] for key in sorted(batch, key=number_of) if key not in self.states], self.known
        )
        self.known |= settlement.memberships
        self.numbers.update(settlement.numbers)
        self.states |= {key: verdict.status for key, verdict in settlement.verdicts.items()}
        self.ranks |= {key: verdict.dupe_rank for key, verdict in settlement.verdicts.items()}

    def reject(self, key: Key) -> None:
        arrival = self.arrivals[key]
        before = self.known[arrival.person]
        after, numbers = moved(self.states.get(key, arrival.status), A.REJECTED, arrival.facts, before)
        self.states[key] = A.REJECTED
        if after.must_refill:
            lowest = sorted(self.members(arrival.person).items())[: persons.MAX_MEMBERS]
            after = replace(after, members=dict(lowest))
        self.known[arrival.person] = after
        self.numbers.update(numbers)
        self.numbers.update(person_moved(arrival.facts.campaign, before, after))

    def members(self, person: Key) -> dict[int, Member]:
        """Recounted from the states of the actions alone (design 4)."""
        return {
            arrival.facts.supporter: Member(arrival.facts.page, arrival.facts.org, arrival.facts.area)
            for key, arrival in self.arrivals.items()
            if arrival.person == person
            and arrival.facts.with_consent
            and not arrival.facts.testing
            and self.states.get(key) in (A.DELIVERED, A.REPEAT)
        }

    def recounted(self) -> Numbers:
        """The numbers by their definition: persons by their lowest member, types by delivered actions."""
        numbers: Numbers = Counter()
        for person in self.known:
            members = self.members(person)
            if members:
                campaign, first = int(person[1].removeprefix("M#")), members[min(members)]
                for hour in (None, hour_of(min(members))):
                    numbers[Label(campaign, "persons", "total", hour)] += 1
                    numbers[Label(campaign, "org", str(first.org), hour)] += 1
                    numbers[Label(campaign, "area", str(first.area), hour)] += 1
        for key, status in self.states.items():
            of = self.arrivals[key].facts
            if status is A.DELIVERED and not of.testing:
                numbers[Label(of.campaign, "type", of.action_type)] += 1
                numbers[Label(of.campaign, "type", of.action_type, of.hour)] += 1
                if of.with_consent:
                    numbers[Label(of.campaign, "signatures", "total", of.hour)] += 1
                    numbers[Label(of.campaign, "page", str(of.page), of.hour)] += 1
                    numbers[Label(of.campaign, "source", str(of.source), of.hour)] += 1
                    numbers[Label(of.campaign, "place", str(of.area), of.hour)] += 1
        return numbers


def number_of(key: Key) -> int:
    return int(key[1].removeprefix("A#"))


TESTING = st.sampled_from([False, False, False, True])
SIGNATURES = st.lists(st.tuples(st.sampled_from([IDA, BO, ELSEWHERE]), st.sampled_from([1, 2, 3]), TESTING), max_size=7)
SHARES = st.lists(st.integers(0, 6), max_size=3)


@st.composite
def actions(draw: st.DrawFn) -> dict[Key, Arrival]:
    """Signatures of two people in two campaigns, some of them tests, and shares of some of those who signed."""
    made = [signature(1)]
    for person, page, testing in draw(SIGNATURES):
        made.append(signature(len(made) + 1, page, person=person, testing=testing))
    for number, index in enumerate(draw(SHARES)):
        signed = made[index % len(made)]
        about = replace(signed.facts, with_consent=False, action_type="share")
        made.append(replace(signed, action=(signed.action[0], f"A#{100 + number}"), facts=about))
    return {arrival.action: arrival for arrival in made}


@given(actions())
def test_folding_a_batch_is_folding_one_by_one(arrivals: dict[Key, Arrival]) -> None:
    together, apart = Ledger(arrivals), Ledger(arrivals)
    together.deliver(arrivals)
    for key in sorted(arrivals, key=number_of):
        apart.deliver([key])
    assert together.states == apart.states
    assert together.ranks == apart.ranks
    assert together.known == apart.known
    assert +together.numbers == +apart.numbers
    assert +together.numbers == together.recounted()


@given(actions(), st.data())
def test_whatever_is_delivered_and_rejected_the_differences_add_up_to_the_recount(
    arrivals: dict[Key, Arrival], events: st.DataObject
) -> None:
    with patch.object(persons, "MAX_MEMBERS", 2):
        ledger = Ledger(arrivals)
        keys = st.sampled_from(sorted(arrivals))
        steps = st.lists(st.one_of(st.lists(keys, unique=True, min_size=1), keys), max_size=8)
        for step in events.draw(steps):
            if isinstance(step, list):
                ledger.deliver(step)
            else:
                ledger.reject(step)
            assert {label: number for label, number in ledger.numbers.items() if number} == ledger.recounted()
            for person, membership in ledger.known.items():
                assert membership.n == len(ledger.members(person))
