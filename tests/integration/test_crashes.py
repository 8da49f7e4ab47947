"""Whatever happens at whichever AWS call: every action arrives at least once and is counted exactly once (design 5)."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

import pytest

from proca_common.aws.errors import CloudError
from proca_common.erasures import ledger
from proca_common.erasures.erase import erase
from proca_common.erasures.ledger import ErasureItem
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from tests.coalition import Coalition, Petition, clear, lose_records
from tests.disasters import kills, mishaps
from tests.erasing import KEY, NOBODY
from tests.harness.calls import Calls
from tests.harness.faults import Killed, Plan, faults
from tests.harness.interleave import Operation, probe
from tests.recount import Stored, assert_sound, counted, entitled, recounted
from tests.simulated import SimulatedTime
from tests.world import World

Disasters = Callable[[Calls], Iterable[tuple[str, Plan]]]
Prepare = Callable[[Petition], Operation]

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed sweep has none


def each_disaster(
    coalition: Coalition, prepare: Prepare, *disasters: Disasters, cold: bool = False
) -> Iterator[tuple[str, Petition, Operation]]:
    """Prepare something in a new petition and do it, with one disaster each time. Whoever is killed starts again cold;
    with `cold` the operation itself starts so, and reads the catalogue too.
    """
    world = coalition.world

    def prepared() -> tuple[Petition, Operation]:
        petition = coalition.petition()
        operation = prepare(petition)
        if cold:
            world.forget()
        return petition, operation

    recorded = probe(prepared()[1])
    coalition.received(*Queue)
    for name, disaster in itertools.chain.from_iterable(some(recorded) for some in disasters):
        clear(world)
        petition, operation = prepared()
        try:
            with faults(disaster), suppress(CloudError):
                operation()
        except Killed:
            world.forget()
        yield name, petition, operation


@pytest.mark.parametrize(
    ("disasters", "given_up"),
    [(kills, False), (mishaps, False), (kills, True), pytest.param(mishaps, True, marks=pytest.mark.soak)],
    ids=["kills", "mishaps", "kills, given up", "mishaps, given up"],
)
def test_while_a_batch_is_delivered(world: World, time: SimulatedTime, disasters: Disasters, given_up: bool) -> None:
    coalition = Coalition(world)
    if given_up:
        world.deliver.max_retries, world.deliver.bisect = 0, False

    def crowd(petition: Petition) -> Operation:
        petition.crowd()
        return lambda: world.streams.step(world.deliver)

    for disaster, petition, _ in each_disaster(coalition, crowd, disasters, cold=True):
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert entitled(stored) <= coalition.received().keys(), disaster


def test_while_confirm_stages_are_sent(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world, {"custom_action_confirm": True}, {"custom_supporter_confirm": True})

    def sign_and_share(petition: Petition) -> Operation:
        petition.share(petition.sign("ida"))
        petition.share(petition.sign("per", partner=True), partner=True)
        return lambda: world.streams.step(world.confirm)

    for disaster, petition, _ in each_disaster(coalition, sign_and_share, kills, mishaps):
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert entitled(stored) <= coalition.received(*Queue).keys(), disaster


def test_while_the_sweep_wakes(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world)

    def lose(petition: Petition) -> Operation:
        petition.sign("ida", contactRef="earlier")
        petition.sign("per", partner=True)
        lose_records(world)
        time.to_next_sweep()
        return world.sweep

    for disaster, petition, _ in each_disaster(coalition, lose, kills, mishaps):
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert entitled(stored) <= coalition.received().keys(), disaster


@pytest.mark.parametrize("waits", [False, True], ids=["accepted", "waiting"])
def test_while_earlier_actions_are_linked(world: World, time: SimulatedTime, waits: bool) -> None:
    coalition = Coalition(world, {"custom_supporter_confirm": waits})

    def share_first(petition: Petition) -> Operation:
        for _ in range(2):
            world.act(petition.page, "earlier", "share")
        time.forward(seconds=5)
        petition.sign("ida", contactRef="earlier")
        return lambda: world.streams.step(world.deliver)

    for disaster, petition, _ in each_disaster(coalition, share_first, kills, mishaps):
        time.recover()
        if waits:
            stored = assert_sound(world, petition.campaign)
            decide.accept_supporter(max(stored.actions))
            time.recover()
        stored = assert_sound(world, petition.campaign)
        assert [action["status"] for action in stored.bound] == ["delivered"] * 3, disaster
        assert entitled(stored) <= coalition.received().keys(), disaster


WAITING, MODERATED = {"custom_supporter_confirm": True}, {"custom_action_confirm": True}


@pytest.mark.parametrize(
    ("decision", "settings", "ends"),
    [
        (decide.accept_supporter, WAITING, {"delivered"}),
        (decide.reject_supporter, WAITING, {"rejected"}),
        (decide.accept_action, MODERATED, {"delivered"}),
        (decide.reject_action, MODERATED, {"rejected", "delivered"}),
        (decide.reject_action, {}, {"rejected", "delivered"}),
        (decide.reject_supporter, {}, {"rejected", "delivered"}),
    ],
    ids=lambda part: getattr(part, "__name__", None),
)
def test_while_somebody_decides(
    world: World, time: SimulatedTime, decision: Callable[[int], bool], settings: dict[str, bool], ends: set[str]
) -> None:
    coalition = Coalition(world, settings)

    def sign_and_share(petition: Petition) -> Operation:
        signature = petition.sign("ida")
        petition.share(signature)
        petition.share(signature)
        world.run()
        return partial(decision, signature.action)

    for disaster, petition, again in each_disaster(coalition, sign_and_share, kills, mishaps):
        again()
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert {action["status"] for action in stored.bound} == ends, disaster
        assert entitled(stored) <= coalition.received().keys(), disaster


@pytest.mark.parametrize("further", [False, True], ids=["signature", "further action"])
def test_while_an_action_is_taken_in(world: World, time: SimulatedTime, further: bool) -> None:
    coalition = Coalition(world)
    once = {"Idempotency-Key": "once"}

    def ask(petition: Petition) -> Operation:
        if not further:
            return partial(world.sign, petition.partner_page, headers=once, lead_opt_in=True)
        signature = petition.sign("ida", partner=True)
        return partial(world.act, petition.partner_page, signature.contact_ref, headers=once)

    for disaster, petition, again in each_disaster(coalition, ask, kills, mishaps):
        assert len(on_their_way(world)) in (further, 1 + further), disaster
        answer = again()
        assert answer.status == 201, disaster
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert len(stored.actions) == 1 + further, disaster
        assert answer.action in stored.actions
        assert entitled(stored) <= coalition.received().keys(), disaster


@pytest.mark.parametrize("disasters", [kills, pytest.param(mishaps, marks=pytest.mark.soak)])
@pytest.mark.parametrize("shared", [False, True], ids=["of one org", "of two orgs"])
def test_while_somebody_is_erased(world: World, time: SimulatedTime, shared: bool, disasters: Disasters) -> None:
    coalition = Coalition(world)
    entries: list[ErasureItem] = []

    def sign_and_ask(petition: Petition) -> Operation:
        for _ in range(2):
            signature = petition.sign("ida", partner=True, lead=shared)
            petition.share(signature, partner=True)
        petition.sign("per")
        world.run()
        entries.append(ledger.enter(coalition.partner.id, signature.contact_ref, NOBODY, KEY))
        return lambda: erase(ledger.get(entries[-1].org, entries[-1].id))

    for disaster, petition, again in each_disaster(coalition, sign_and_ask, disasters):
        campaign = petition.campaign.id
        numbers = counted(world, campaign)
        assert numbers == recounted(world, Stored.of(world), campaign), disaster
        assert (numbers["persons:total"], numbers["type:share"]) == (2, 2), disaster
        assert again(), disaster
        time.recover()
        stored, entry = assert_sound(world, petition.campaign), ledger.get(entries[-1].org, entries[-1].id)
        assert counted(world, campaign) == numbers, disaster
        assert (entry.status, entry.ref) == ("done", None), disaster
        assert (entry.contacts, entry.supporters) == (2, 0 if shared else 2), disaster
        assert {org for orgs in stored.contacts.values() for org in orgs} == {coalition.lead.id}, disaster


def on_their_way(world: World) -> set[int]:
    """The ids of the actions, which are all on their way, in a store where nothing is half stored."""
    stored = Stored.of(world)
    ids = set(stored.actions)
    assert not [*stored.faults(owed=ids)]
    assert {action["status"] for action in stored.bound} <= {"accepted"}
    return ids
