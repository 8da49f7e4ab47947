"""Links while other things happen, and while everything fails: nothing is left waiting, nothing is done by half."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from proca_common.action_pages.context import page_context
from proca_common.actions.input import AddActionInput
from proca_common.approvals import codes
from proca_common.approvals.supporter import follow, open_link
from proca_common.approvals.texts import LANGUAGES
from proca_common.confirms import store
from proca_common.confirms.confirm import Confirm
from proca_common.confirms.tokens import Purpose
from proca_common.errors import DomainError, Ended
from proca_common.intake.add import add_action
from proca_common.pipes.routing import Queue
from tests.coalition import Coalition, Petition
from tests.disasters import kills, mishaps
from tests.harness.faults import faults, throttle
from tests.harness.interleave import Operation, probe, run, schedules
from tests.integration.test_concurrency import insist
from tests.integration.test_crashes import each_disaster
from tests.links import KEYS, links_of, press
from tests.recount import assert_sound, entitled
from tests.simulated import SimulatedTime
from tests.world import Answer, World

CONFIRMATIONS = 500
THREADS = 25
WAITING = {"custom_supporter_confirm": True}
SHARE = AddActionInput.model_validate({"action": {"actionType": "share"}})


def click(signature: Answer, name: str, *, doi: bool = False) -> bool:
    """What POST does for this link of the signature. It may run in many threads, which the handler may not."""
    _, _, token = getattr(links_of(signature), name).rpartition("/")
    purpose = {"double_opt_in": Purpose.DOUBLE_OPT_IN, "unsubscribe": Purpose.UNSUBSCRIBE}.get(name)
    return follow(open_link(KEYS, purpose or Purpose(name), signature.action, token, 180), double_opt_in=doi)


def share(petition: Petition, signature: Answer) -> None:
    add_action(page_context(petition.page.id), SHARE, signature.contact_ref, None, None)


def test_500_confirm_at_once_while_they_share(world: World) -> None:
    coalition = Coalition(world, WAITING)
    petition = coalition.petition()
    signatures = [petition.sign(f"person{number}") for number in range(CONFIRMATIONS)]
    world.run()
    page_context(petition.page.id)
    work: list[Callable[[], Any]] = []
    for signature in signatures:
        work += [partial(insist, share, petition, signature), partial(insist, click, signature, "accept")]

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(operation) for operation in work]:
            done.result()
    world.run()

    stored = assert_sound(world, petition.campaign)
    assert len(stored.bound) == 2 * CONFIRMATIONS
    assert {action["status"] for action in stored.bound} == {"delivered"}
    assert {supporter["waiting"] for supporter in stored.supporters.values()} == {0}
    assert not world.pending()
    numbers = world.numbers(petition.campaign)
    assert (numbers["persons:total"], numbers["type:share"]) == (CONFIRMATIONS, CONFIRMATIONS)


PAIRS = [
    ("accept", "share"),
    ("accept with opt-in", "share"),
    ("accept", "accept with opt-in"),
    ("accept with opt-in", "reject"),
    ("accept with opt-in", "unsubscribe"),
    ("double_opt_in", "reject"),
    ("double_opt_in", "unsubscribe"),
]


@pytest.mark.parametrize("changes", [1, pytest.param(2, marks=pytest.mark.soak)])
@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_clicks_meet_in_every_order_with_so_many_changes_of_turn(
    world: World, time: SimulatedTime, pair: tuple[str, str], changes: int
) -> None:
    """What they leave is what they leave one after the other."""
    coalition = Coalition(world, WAITING)
    petition = coalition.petition()

    def operations(signature: Answer) -> dict[str, Operation]:
        known: dict[str, Operation] = {
            "share": partial(share, petition, signature),
            "accept with opt-in": partial(click, signature, "accept", doi=True),
        }
        return {name: content(known.get(name) or partial(click, signature, name)) for name in pair}

    def steps() -> list[int]:
        found = []
        for name in pair:
            signature = petition.sign(f"probe.{name.replace(' ', '')}")
            found.append(len(probe(operations(signature)[name])))
        return found

    a, b = steps()
    orders = ["A" * 2 * a + "B" * 2 * b, "B" * 2 * b + "A" * 2 * a, *schedules(a, b, preemptions=changes)]
    signatures = [petition.sign(f"person{number}") for number in range(len(orders))]
    for signature, order in zip(signatures, orders, strict=True):
        result = run(*operations(signature).values(), order)
        assert not [end.error for end in (result.a, result.b) if end.error], result
    time.recover()
    stored = assert_sound(world, petition.campaign)
    outcomes = [outcome(stored, signature) for signature in signatures]
    assert set(outcomes) <= set(outcomes[:2])


def content(operation: Operation) -> Operation:
    """The operation, content with being told that the rules forbid it."""

    def tried() -> None:
        with suppress(DomainError):
            operation()

    return tried


def outcome(stored: Any, signature: Answer) -> tuple[object, ...]:
    """What a person is left with."""
    supporter = stored.supporters[signature.contact_ref, signature.action]
    actions = stored.of_supporter[signature.contact_ref, signature.action]
    statuses = sorted(action["status"] for action in actions)
    return supporter["status"], supporter.get("email_status"), supporter["waiting"], *statuses


@pytest.mark.parametrize(
    ("name", "doi", "statuses", "email_status"),
    [
        ("accept", False, {"delivered"}, None),
        ("accept", True, {"delivered"}, "double_opt_in"),
        ("reject", False, {"rejected"}, None),
        ("double_opt_in", False, {"new"}, "double_opt_in"),
        ("unsubscribe", False, {"new"}, "unsub"),
    ],
)
def test_whatever_happens_to_a_click_the_next_one_completes_it(
    world: World, time: SimulatedTime, name: str, doi: bool, statuses: set[str], email_status: str | None
) -> None:
    coalition = Coalition(world, WAITING)

    def sign_and_share(petition: Petition) -> Operation:
        signature = petition.sign("ida")
        petition.share(signature)
        world.run()
        return partial(click, signature, name, doi=doi)

    for disaster, petition, again in each_disaster(coalition, sign_and_share, kills, mishaps):
        again()
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert {action["status"] for action in stored.bound} == statuses, disaster
        [supporter] = stored.supporters.values()
        assert supporter.get("email_status") == email_status, disaster
        assert entitled(stored) <= coalition.received(Queue.DELIVER, Queue.CONFIRM_SUPPORTER).keys(), disaster


@pytest.mark.parametrize(("verb", "status"), [("accept", "delivered"), ("reject", "rejected")])
def test_whatever_happens_to_a_code_the_next_try_completes_it(
    world: World, time: SimulatedTime, verb: str, status: str
) -> None:
    coalition = Coalition(world, {"custom_action_confirm": True})
    made: list[Confirm] = []

    def sign(petition: Petition) -> Operation:
        signature = petition.sign("ida")
        world.run()
        made.append(store.create(Confirm("", "confirm_action", signature.action)))
        return partial(getattr(codes, verb), made[-1].code, codes.NOTHING)

    for disaster, petition, again in each_disaster(coalition, sign, kills, mishaps):
        with suppress(Ended):  # it was done already
            again()
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert {action["status"] for action in stored.bound} == {status}, disaster
        found = store.find(made[-1].code)
        assert found is not None
        assert found.charges == 0, disaster


def test_a_busy_store_asks_to_try_again(world: World) -> None:
    signature = Coalition(world, WAITING).petition().sign("ida")
    with faults(throttle("TransactWriteItems", nth=None)):
        shown = press(links_of(signature).accept)
    assert (shown.status, shown.headers["Retry-After"], LANGUAGES["en"].busy in shown.text) == (503, "2", True)
    assert press(links_of(signature).accept).status == 200
