"""Idempotency-Key: what a widget sends twice is taken once (design 4, 8)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from tests.harness.calls import calls
from tests.harness.faults import faults, lose_answer, throttle
from tests.harness.interleave import run, schedules
from tests.world import Answer, World

KEY = {"Idempotency-Key": "b3JhbmdlLWJlZXM_-1"}
DAY_MS = int(timedelta(hours=24).total_seconds() * 1000)


def actions(world: World) -> int:
    return len(world.items("A#"))


def is_replay(answer: Answer) -> bool:
    return answer.headers.get("Idempotent-Replay") == "true"


def test_the_same_request_again_gets_the_same_answer_and_stores_nothing(world: World) -> None:
    page = world.page(world.org("ngo"))
    first = world.sign(page, headers=KEY)
    before = world.items()
    again = world.sign(page, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert (is_replay(first), is_replay(again)) == (False, True)
    assert world.items() == before


def test_without_a_key_the_same_request_again_is_another_action(world: World) -> None:
    page = world.page(world.org("ngo"))
    assert world.sign(page).action != world.sign(page).action
    assert actions(world) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"email": "bo.berg@example.org"},
        {"opt_in": True},
        {"fields": {"comment": "x"}},
        {"tracking": {"source": "mail"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_body_under_the_key_is_refused_and_stores_nothing(world: World, other: dict[str, object]) -> None:
    page = world.page(world.org("ngo"))
    world.sign(page, headers=KEY)
    before = world.items()
    refused = world.sign(page, headers=KEY, **other)  # type: ignore[arg-type]
    assert (refused.status, refused.codes) == (422, [("", "idempotency_key")])
    assert world.items() == before


def test_a_key_belongs_to_one_endpoint_and_one_ref(world: World) -> None:
    page = world.page(world.org("ngo"))
    first = world.act(page, "some-ref", headers=KEY)
    before = world.items()
    assert world.act(page, "some-ref", headers=KEY).body == first.body
    assert world.act(page, "another-ref-", headers=KEY).codes == [("", "idempotency_key")]
    assert world.sign(page, headers=KEY).codes == [("", "idempotency_key")]
    assert world.items() == before


def test_a_key_of_one_page_is_free_on_another(world: World) -> None:
    org = world.org("ngo")
    one, other = world.page(org), world.page(org, world.campaign(org, "rivers"))
    world.sign(one, headers=KEY)
    answer = world.sign(other, headers=KEY)
    assert not is_replay(answer)
    assert actions(world) == 2


def test_a_key_is_kept_for_24_hours(world: World) -> None:
    page = world.page(world.org("ngo"))
    first = world.sign(page, headers=KEY)
    world.ahead_ms = DAY_MS - 120_000
    assert is_replay(world.sign(page, headers=KEY))
    world.ahead_ms = DAY_MS + 5_000  # also where the item was not yet removed
    later = world.sign(page, headers=KEY)
    assert not is_replay(later)
    assert later.action != first.action
    assert is_replay(world.sign(page, headers=KEY))
    assert actions(world) == 2


def test_of_two_first_uses_at_once_one_is_taken_and_both_get_its_answer(world: World) -> None:
    page = world.page(world.org("ngo"))
    world.sign(page, email="warm@example.org")
    for number, schedule in enumerate(schedules(1, 1)):
        before = actions(world)
        key = {"Idempotency-Key": f"key-{number}"}
        sign = partial(world.sign, page, headers=key)
        outcome = run(sign, sign, schedule)
        one, other = outcome.a.value, outcome.b.value
        assert one.body == other.body
        assert sorted([is_replay(one), is_replay(other)]) == [False, True]
        assert actions(world) == before + 1


def test_a_lost_answer_is_found_again_by_the_key(world: World) -> None:
    page = world.page(world.org("ngo"))
    with faults(lose_answer("TransactWriteItems", nth=None)):
        lost = world.sign(page, headers=KEY)
    assert lost.status == 503
    again = world.sign(page, headers=KEY)
    assert is_replay(again)
    [stored] = world.items("A#")
    assert int(stored["id"]) == again.action


def test_a_request_that_was_refused_or_failed_leaves_the_key_free(world: World) -> None:
    page = world.page(world.org("ngo"))
    assert world.sign(page, headers=KEY, email="no address").status == 422
    with faults(throttle("TransactWriteItems", nth=None)):
        assert world.sign(page, headers=KEY).status == 503
    answer = world.sign(page, headers=KEY)
    assert (answer.status, is_replay(answer)) == (201, False)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 65, "schlüssel", "a/b", "a.b", "line\nbreak"])
def test_a_key_of_another_form_is_refused(world: World, key: str) -> None:
    page = world.page(world.org("ngo"))
    headers = {"Idempotency-Key": key}
    for answer in (world.sign(page, headers=headers), world.act(page, "ref", headers=headers)):
        assert (answer.status, answer.codes) == (422, [("", "format")])
    assert not world.items()


def test_a_key_costs_no_further_call_and_its_item_shows_nothing_of_the_request(world: World) -> None:
    page = world.page(world.org("ngo"))
    world.sign(page)
    with calls() as recorded:
        world.sign(page, headers=KEY)
    assert recorded.operations == ["TransactWriteItems"]
    [item] = world.items("I")
    assert item.keys() == {"ref", "sk", "kind", "action", "asked", "expires"}
    assert len(item["asked"]) == 64
