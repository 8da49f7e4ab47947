"""The state machine: the whole tables of domain 4.1, 4.2 and 4.9, as design 5 changes them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.action_pages.switches import Switches, switches
from proca_common.actions.status import ActionStatus as A
from proca_common.actions.status import Stage
from proca_common.actions.status import SupporterStatus as S
from proca_common.errors import NotAllowed
from proca_common.stages.machine import (
    Transition,
    confirm_action,
    confirm_supporter,
    reject_action,
    stored,
    transition,
)

SUPPORTERS = (None, *S)
SWITCHES = [Switches(supporter, action) for supporter, action in product([False, True], [False, True])]
SITUATIONS = list(product(A, SUPPORTERS, [False, True], SWITCHES))

WAITS = None
Condition = Callable[[bool, Switches], bool]


def always(with_consent: bool, on: Switches) -> bool:
    return True


def on_supporter(with_consent: bool, on: Switches) -> bool:
    return with_consent and on.supporter_confirm


def else_on_action(with_consent: bool, on: Switches) -> bool:
    return with_consent and not on.supporter_confirm and on.action_confirm


def otherwise_with_consent(with_consent: bool, on: Switches) -> bool:
    return with_consent and not on.supporter_confirm and not on.action_confirm


def without_consent(with_consent: bool, on: Switches) -> bool:
    return not with_consent


def moderated(with_consent: bool, on: Switches) -> bool:
    return with_consent and on.action_confirm


def not_moderated(with_consent: bool, on: Switches) -> bool:
    return not (with_consent and on.action_confirm)


REJECTED_SILENTLY = Transition(A.REJECTED, S.REJECTED, None)
DELIVERED = Transition(A.DELIVERED, S.ACCEPTED, Stage.DELIVER)
TO_BE_MODERATED = Transition(A.CONFIRMING, S.ACCEPTED, Stage.ACTION_CONFIRM)
TO_BE_CONFIRMED = Transition(A.NEW, S.CONFIRMING, Stage.SUPPORTER_CONFIRM)

TABLE: list[tuple[A, S | None, Condition, Transition | None]] = [
    (A.NEW, None, always, WAITS),
    (A.NEW, S.NEW, without_consent, WAITS),  # decision 1 of domain 15: it waits for the signature
    (A.NEW, S.NEW, on_supporter, TO_BE_CONFIRMED),
    (A.NEW, S.NEW, else_on_action, TO_BE_MODERATED),
    (A.NEW, S.NEW, otherwise_with_consent, DELIVERED),
    (A.NEW, S.CONFIRMING, always, WAITS),
    (A.NEW, S.ACCEPTED, moderated, TO_BE_MODERATED),
    (A.NEW, S.ACCEPTED, not_moderated, DELIVERED),
    (A.ACCEPTED, S.ACCEPTED, always, DELIVERED),
    (A.CONFIRMING, S.ACCEPTED, always, WAITS),
    (A.REJECTED, S.ACCEPTED, always, WAITS),
    (A.NEW, S.REJECTED, always, REJECTED_SILENTLY),
    (A.REJECTED, S.REJECTED, always, REJECTED_SILENTLY),
    # design 5: an action whose supporter is rejected is never emitted
    (A.CONFIRMING, S.REJECTED, always, REJECTED_SILENTLY),
    (A.ACCEPTED, S.REJECTED, always, REJECTED_SILENTLY),
    *((A.DELIVERED, supporter, always, WAITS) for supporter in SUPPORTERS),
    *((A.REPEAT, supporter, always, WAITS) for supporter in SUPPORTERS),
    # what the original could not handle: nothing happens
    *((A.CONFIRMING, supporter, always, WAITS) for supporter in (None, S.NEW, S.CONFIRMING)),
    *((A.ACCEPTED, supporter, always, WAITS) for supporter in (None, S.NEW, S.CONFIRMING)),
    *((A.REJECTED, supporter, always, WAITS) for supporter in (None, S.NEW, S.CONFIRMING)),
]


def expected(action: A, supporter: S | None, with_consent: bool, on: Switches) -> Transition | None:
    [row] = [row for row in TABLE if row[:2] == (action, supporter) and row[2](with_consent, on)]
    return row[3]


@pytest.mark.parametrize(("action", "supporter", "with_consent", "on"), SITUATIONS)
def test_table_of_transitions(action: A, supporter: S | None, *, with_consent: bool, on: Switches) -> None:
    found = transition(action, supporter, with_consent=with_consent, effective=on)
    assert found == expected(action, supporter, with_consent, on)


@pytest.mark.parametrize(("action", "supporter", "with_consent", "on"), SITUATIONS)
def test_a_second_run_changes_and_emits_nothing(
    action: A, supporter: S | None, *, with_consent: bool, on: Switches
) -> None:
    first = transition(action, supporter, with_consent=with_consent, effective=on)
    if first is not None:
        again = transition(first.action, first.supporter, with_consent=with_consent, effective=on)
        assert again in (None, Transition(first.action, first.supporter, None))


@pytest.mark.parametrize(("action", "with_consent", "on"), list(product(A, [False, True], SWITCHES)))
def test_nothing_is_emitted_of_a_rejected_supporter(action: A, *, with_consent: bool, on: Switches) -> None:
    move = transition(action, S.REJECTED, with_consent=with_consent, effective=on)
    assert move is None or (move.stage is None and move.action is A.REJECTED)


@pytest.mark.parametrize(
    ("move", "status"),
    [
        (DELIVERED, A.ACCEPTED),
        (TO_BE_MODERATED, A.CONFIRMING),
        (TO_BE_CONFIRMED, A.NEW),
        (REJECTED_SILENTLY, A.REJECTED),
    ],
)
def test_an_action_on_its_way_to_delivery_is_stored_as_accepted(move: Transition, status: A) -> None:
    assert stored(move) is status


class TestSwitches:
    """Domain 4.1: the campaign's own setting wins in both directions, else the page org's counts."""

    @pytest.mark.parametrize("org", [False, True])
    @pytest.mark.parametrize(("campaign", "wins"), [(None, None), (True, True), (False, False)])
    def test_supporter_and_action_confirm(self, campaign: bool | None, *, wins: bool | None, org: bool) -> None:
        found = switches(campaign_supporter=campaign, campaign_action=None, org_supporter=org, org_action=False)
        assert found == Switches(org if wins is None else wins, action_confirm=False)
        found = switches(campaign_supporter=None, campaign_action=campaign, org_supporter=False, org_action=org)
        assert found == Switches(supporter_confirm=False, action_confirm=org if wins is None else wins)


class TestPrimitives:
    """Domain 4.9."""

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (S.NEW, "not allowed"),
            (S.CONFIRMING, S.ACCEPTED),
            (S.ACCEPTED, S.ACCEPTED),
            (S.REJECTED, "supporter data already rejected"),
        ],
    )
    def test_confirm_supporter(self, status: S, outcome: S | str) -> None:
        assert outcome_of(lambda: confirm_supporter(status)) == outcome

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (A.NEW, "not allowed"),
            (A.CONFIRMING, A.ACCEPTED),
            (A.ACCEPTED, A.ACCEPTED),
            (A.REJECTED, "data already rejected"),
            (A.DELIVERED, A.DELIVERED),
            (A.REPEAT, A.REPEAT),
        ],
    )
    def test_confirm_action(self, status: A, outcome: A | str) -> None:
        assert outcome_of(lambda: confirm_action(status)) == outcome

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (A.NEW, "not allowed"),
            (A.CONFIRMING, A.REJECTED),
            (A.ACCEPTED, A.REJECTED),
            (A.REJECTED, A.REJECTED),
            (A.DELIVERED, A.REJECTED),
            (A.REPEAT, A.REJECTED),
        ],
    )
    def test_reject_action(self, status: A, outcome: A | str) -> None:
        assert outcome_of(lambda: reject_action(status)) == outcome


def outcome_of(primitive: Callable[[], A | S]) -> A | S | str:
    try:
        return primitive()
    except NotAllowed as refusal:
        return str(refusal)


STEPS = st.one_of(
    st.tuples(st.just("process"), st.sampled_from(SWITCHES)),
    st.tuples(st.sampled_from(["confirm supporter", "confirm action", "reject action", "reject supporter"]), st.none()),
)


def step(action: A, supporter: S, with_consent: bool, name: str, on: Switches | None) -> tuple[A, S]:
    """One thing that may happen to an action and its supporter; what is not allowed changes nothing."""
    try:
        match name:
            case "process":
                assert on is not None
                move = transition(action, supporter, with_consent=with_consent, effective=on)
                return (action, supporter) if move is None else (move.action, move.supporter)
            case "confirm supporter":
                return action, confirm_supporter(supporter)
            case "confirm action":
                return confirm_action(action), supporter
            case "reject action":
                return reject_action(action), supporter
            case _:
                return A.REJECTED, S.REJECTED
    except NotAllowed:
        return action, supporter


@given(st.booleans(), st.sampled_from([A.NEW, A.DELIVERED]), st.lists(STEPS, max_size=12))
def test_nothing_leaves_delivered_except_to_rejected_and_nothing_leaves_rejected(
    with_consent: bool, action: A, steps: list[tuple[str, Switches | None]]
) -> None:
    supporter = S.ACCEPTED if action is A.DELIVERED else S.NEW
    for name, on in steps:
        after, supporter = step(action, supporter, with_consent, name, on)
        if action is A.DELIVERED:
            assert after is A.DELIVERED or (after is A.REJECTED and name.startswith("reject"))
        if action is A.REJECTED:
            assert after is A.REJECTED
        action = after


@given(st.booleans(), st.lists(STEPS, max_size=12), st.sampled_from(SWITCHES))
def test_processing_twice_is_processing_once_wherever_an_action_stands(
    with_consent: bool, steps: list[tuple[str, Switches | None]], on: Switches
) -> None:
    states = A.NEW, S.NEW
    for name, switched in steps:
        states = step(*states, with_consent, name, switched)
    once = step(*states, with_consent, "process", on)
    assert step(*once, with_consent, "process", on) == once
