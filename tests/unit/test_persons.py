"""Who counts, and where: the members of a person in a campaign, ranks and numbers (design 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.actions.status import ActionStatus as A
from proca_common.monitors import persons
from proca_common.monitors.persons import (
    MAX_MEMBERS,
    Facts,
    Label,
    Member,
    Membership,
    is_counted,
    is_member,
    moved,
    person_moved,
)

HOUR, FIRST_HOUR = "2026-03-01T12", "2024-01-01T00"
PAGE, OTHER_PAGE = 11, 12
NGO, PARTNER = 3, 4
DANE = Member(PAGE, NGO, "DK")
SWEDE = Member(OTHER_PAGE, PARTNER, "SE")
SIGNATURE = Facts(
    campaign=5,
    page=PAGE,
    org=NGO,
    supporter=100,
    area="DK",
    action_type="register",
    source="newsletter",
    hour=HOUR,
    with_consent=True,
    testing=False,
)


def membership(*members: int, n: int | None = None, page: int = PAGE) -> Membership:
    known = {supporter: Member(page, NGO, "DK") for supporter in members}
    return Membership(version=1, n=len(known) if n is None else n, members=known)


class TestRank:
    """dupe_rank is the number of members with a lower id (design 5)."""

    @pytest.mark.parametrize(
        ("members", "supporter", "rank"),
        [([], 100, 0), ([100], 100, 0), ([50], 100, 1), ([150], 100, 0), ([50, 60, 150], 100, 2)],
    )
    def test_counts_only_members_with_a_lower_id(self, members: list[int], supporter: int, rank: int) -> None:
        assert membership(*members).rank(supporter) == rank

    def test_counts_members_beyond_those_that_are_known(self) -> None:
        crowd = membership(*range(1, 51), n=900)
        assert crowd.rank(10_000) == 900
        assert crowd.rank(50) == 49
        assert crowd.rank(1) == 0

    @pytest.mark.parametrize(
        ("members", "page", "supporter", "found"),
        [([50], PAGE, 100, True), ([50], OTHER_PAGE, 100, False), ([150], PAGE, 100, False), ([100], PAGE, 100, False)],
    )
    def test_an_earlier_member_on_the_same_page(
        self, members: list[int], page: int, supporter: int, *, found: bool
    ) -> None:
        assert membership(*members).has_earlier_on(page, supporter) is found


class TestMembers:
    def test_a_person_counts_for_the_member_with_the_lowest_id(self) -> None:
        assert Membership().first is None
        first = Membership().joined(200, SWEDE)
        assert first.first == 200
        assert first.joined(300, DANE).first == 200
        assert first.joined(100, DANE).first == 100
        assert first.joined(100, DANE).left(100).first == 200
        assert first.left(200) == Membership()

    def test_nothing_is_changed_in_place(self) -> None:
        before = membership(50)
        before.joined(60, DANE)
        before.left(50)
        assert before == membership(50)

    def test_beyond_50_members_a_newcomer_is_only_counted(self) -> None:
        full = membership(*range(1, MAX_MEMBERS + 1))
        more = full.joined(1000, SWEDE)
        assert more == replace(full, n=51)

    def test_an_earlier_member_takes_the_place_of_the_last_known(self) -> None:
        full = membership(*range(10, 10 + MAX_MEMBERS)).joined(5, SWEDE)
        assert full.n == 51
        assert len(full.members) == MAX_MEMBERS
        assert full.first == 5
        assert max(full.members) == 10 + MAX_MEMBERS - 2

    def test_once_members_are_unknown_a_newcomer_stays_unknown_even_where_there_is_room(self) -> None:
        gap = membership(*range(1, 51), n=60).left(7)
        assert gap.joined(5000, DANE) == replace(gap, n=60)
        assert gap.joined(7, DANE).members.keys() == set(range(1, 51))

    def test_who_was_not_known_leaves_by_number(self) -> None:
        assert membership(1, 2, n=3).left(900) == membership(1, 2)

    def test_they_must_be_read_again_when_none_of_those_left_is_known(self) -> None:
        assert membership(1, n=2).left(1).must_refill
        assert not membership(1, n=2).must_refill
        assert not membership(1).left(1).must_refill


class Model:
    """All members, as if a record had room for them; `record` is what is stored of them."""

    def __init__(self) -> None:
        self.everyone: dict[int, Member] = {}
        self.record = Membership()

    def join(self, supporter: int, member: Member) -> None:
        self.everyone[supporter] = member
        self.record = self.record.joined(supporter, member)

    def leave(self, supporter: int) -> None:
        del self.everyone[supporter]
        self.record = self.record.left(supporter)
        if self.record.must_refill:
            lowest = sorted(self.everyone)[: persons.MAX_MEMBERS]
            self.record = replace(self.record, members={one: self.everyone[one] for one in lowest})

    def lowest(self, number: int) -> dict[int, Member]:
        return {supporter: self.everyone[supporter] for supporter in sorted(self.everyone)[:number]}


MEMBERS = st.builds(Member, st.sampled_from([PAGE, OTHER_PAGE]), st.sampled_from([NGO, PARTNER]), st.just("DK"))
MOVES = st.lists(st.tuples(st.integers(1, 12), MEMBERS), max_size=30)


@given(MOVES)
def test_however_members_come_and_go_the_known_ones_are_the_lowest_of_all(moves: list[tuple[int, Member]]) -> None:
    with patch.object(persons, "MAX_MEMBERS", 3):
        model = Model()
        for supporter, member in moves:
            if supporter in model.everyone:
                model.leave(supporter)
            else:
                model.join(supporter, member)
            record = model.record
            assert record.n == len(model.everyone)
            assert len(record.members) <= 3
            assert record.members == model.lowest(len(record.members))
            assert record.first == next(iter(model.lowest(1)), None)
            for other in {*range(14)}:
                exact = sum(one < other for one in model.everyone)
                if record.n == len(record.members) or other <= max(record.members) or other > max(model.everyone):
                    assert record.rank(other) == exact


CONSENT = [(True, False), (False, False), (True, True), (False, True)]


class TestWhoCounts:
    @pytest.mark.parametrize("status", A)
    @pytest.mark.parametrize(("with_consent", "testing"), CONSENT)
    def test_a_member_is_a_supporter_whose_action_with_consent_was_delivered(
        self, status: A, *, with_consent: bool, testing: bool
    ) -> None:
        facts = replace(SIGNATURE, with_consent=with_consent, testing=testing)
        delivered = status in {A.DELIVERED, A.REPEAT}
        assert is_member(status, facts) is (delivered and with_consent and not testing)

    @pytest.mark.parametrize("status", A)
    @pytest.mark.parametrize(("with_consent", "testing"), CONSENT)
    def test_a_type_counts_delivered_actions_that_are_no_repeat(
        self, status: A, *, with_consent: bool, testing: bool
    ) -> None:
        facts = replace(SIGNATURE, with_consent=with_consent, testing=testing)
        assert is_counted(status, facts) is (status is A.DELIVERED and not testing)


def type_numbers(sign: int) -> dict[Label, int]:
    return {
        Label(5, "type", "register"): sign,
        Label(5, "type", "register", HOUR): sign,
        Label(5, "signatures", "total", HOUR): sign,
        Label(5, "page", str(PAGE), HOUR): sign,
        Label(5, "source", "newsletter", HOUR): sign,
        Label(5, "place", "DK", HOUR): sign,
    }


class TestMoved:
    def test_a_delivered_signature_joins_and_counts(self) -> None:
        after, numbers = moved(A.ACCEPTED, A.DELIVERED, SIGNATURE, Membership())
        assert after.members == {100: DANE}
        assert numbers == type_numbers(1)

    def test_a_repeat_joins_but_counts_for_no_type(self) -> None:
        after, numbers = moved(A.ACCEPTED, A.REPEAT, SIGNATURE, Membership())
        assert after.members == {100: DANE}
        assert numbers == {}

    def test_a_share_counts_for_its_type_but_makes_no_member(self) -> None:
        facts = replace(SIGNATURE, action_type="share", with_consent=False, source=None)
        after, numbers = moved(A.ACCEPTED, A.DELIVERED, facts, Membership())
        assert after == Membership()
        assert numbers == {Label(5, "type", "share"): 1, Label(5, "type", "share", HOUR): 1}

    def test_a_test_counts_nowhere(self) -> None:
        after, numbers = moved(A.ACCEPTED, A.DELIVERED, replace(SIGNATURE, testing=True), Membership())
        assert (after, numbers) == (Membership(), {})

    def test_a_rejected_signature_leaves_and_takes_its_counts_back(self) -> None:
        after, numbers = moved(A.DELIVERED, A.REJECTED, SIGNATURE, membership(100))
        assert (after.n, after.members) == (0, {})
        assert numbers == type_numbers(-1)

    @pytest.mark.parametrize("before", [A.NEW, A.CONFIRMING, A.ACCEPTED])
    def test_rejecting_what_was_never_delivered_changes_no_number(self, before: A) -> None:
        assert moved(before, A.REJECTED, SIGNATURE, membership(50)) == (membership(50), {})


class TestPersonMoved:
    @pytest.mark.parametrize(
        ("before", "after", "numbers"),
        [
            ([], [], {}),
            ([], [(1, DANE)], {("persons", "total"): 1, ("org", "3"): 1, ("area", "DK"): 1}),
            ([(1, DANE)], [], {("persons", "total"): -1, ("org", "3"): -1, ("area", "DK"): -1}),
            ([(1, DANE)], [(1, DANE), (2, SWEDE)], {}),
            (
                [(2, SWEDE)],
                [(1, DANE), (2, SWEDE)],
                {("org", "4"): -1, ("org", "3"): 1, ("area", "SE"): -1, ("area", "DK"): 1},
            ),
            ([(2, Member(PAGE, NGO, "SE"))], [(1, DANE)], {("area", "SE"): -1, ("area", "DK"): 1}),
            ([], [(1, Member(PAGE, NGO, None))], {("persons", "total"): 1, ("org", "3"): 1}),
        ],
    )
    def test_a_person_counts_once_for_the_lowest_member(
        self, before: Sequence[tuple[int, Member]], after: Sequence[tuple[int, Member]], numbers: dict[object, int]
    ) -> None:
        found = person_moved(5, Membership(1, len(before), dict(before)), Membership(2, len(after), dict(after)))
        labels = [(Label(5, kind, name, hour), n) for (kind, name), n in numbers.items() for hour in (None, FIRST_HOUR)]
        assert found == Counter(dict(labels))
        assert 0 not in found.values()
