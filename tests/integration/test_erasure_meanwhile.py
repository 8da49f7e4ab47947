"""Somebody is erased while something else works on it, between any two of its calls: nothing is made again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from proca_common.stages import details
from tests import ses
from tests.coalition import Coalition, Petition
from tests.erasing import erased
from tests.harness.interleave import Operation, probe, run
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import World

Prepare = Callable[[World, Petition], tuple[str, Operation]]


def linking(world: World, petition: Petition) -> tuple[str, Operation]:
    world.act(petition.partner_page, "earlier", "share")
    signed = petition.sign("ida", partner=True, lead=False, contactRef="earlier")
    return signed.contact_ref, lambda: world.streams.step(world.deliver)


def asking_to_link(world: World, petition: Petition) -> tuple[str, Operation]:
    signed = petition.sign("ida", partner=True, lead=False)
    world.run()
    return signed.contact_ref, partial(world.link, petition.partner_page, signed.contact_ref, "earlier")


def going_on_without_details(world: World, petition: Petition) -> tuple[str, Operation]:
    signed = petition.sign("ida", partner=True, lead=False)
    return signed.contact_ref, partial(details.settle, signed.action, None)


def hearing_of_a_bounce(world: World, petition: Petition) -> tuple[str, Operation]:
    signed = petition.sign("ida", partner=True, lead=False)
    world.run()
    return signed.contact_ref, lambda: ses.tell(ses.bounced(signed.action))


def hearing_of_a_soft_bounce(world: World, petition: Petition) -> tuple[str, Operation]:
    signed = petition.sign("ida", partner=True, lead=False)
    world.run()
    return signed.contact_ref, lambda: ses.tell(ses.softly_bounced(signed.action))


@pytest.mark.parametrize(
    ("prepare", "settings"),
    [
        (linking, {}),
        pytest.param(asking_to_link, {}, marks=pytest.mark.soak),
        (going_on_without_details, {"detail_backend": "webhook"}),
        (hearing_of_a_bounce, {}),
        pytest.param(hearing_of_a_soft_bounce, {}, marks=pytest.mark.soak),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_nothing_is_made_again(world: World, time: SimulatedTime, prepare: Prepare, settings: dict[str, str]) -> None:
    coalition = Coalition(world, partner=settings)
    calls = len(probe(prepare(world, coalition.petition())[1]))
    for done in range(calls + 1):
        time.recover()
        petition = coalition.petition()
        ref, operation = prepare(world, petition)
        happened = run(operation, partial(erased, coalition.partner, ref), "A" * done + "B" * 60)
        assert happened.b.error is None, happened
        time.recover()
        assert_sound(world, petition.campaign)
        assert [item for item in world.items() if item["ref"] == ref] == [], happened
