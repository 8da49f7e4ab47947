"""Whatever happens at whichever AWS call: every action arrives at least once and is counted exactly once (design 5)."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import pytest

from proca_common.actions import store
from proca_common.aws.errors import CloudError
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from tests.coalition import Coalition, clear, lose_records
from tests.disasters import kills, mishaps
from tests.harness.calls import Calls
from tests.harness.faults import Killed, Plan, faults
from tests.harness.interleave import Operation, probe
from tests.recount import Stored, assert_sound, entitled
from tests.simulated import SimulatedTime
from tests.world import Answer, World

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed sweep has none

Disasters = Callable[[Calls], Iterable[tuple[str, Plan]]]


@pytest.fixture
def time(world: World, monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    monkeypatch.setattr(store, "PENDING_BUCKETS", 1)
    return SimulatedTime(world, monkeypatch)


def each_disaster(coalition: Coalition, prepare: Callable[[], Operation], *disasters: Disasters) -> Iterator[str]:
    """Prepare anew and do what is prepared, in a cold environment, with one disaster each time. Yields its name."""
    world = coalition.world
    operation = prepare()
    world.forget()
    recorded = probe(operation)
    for name, disaster in itertools.chain.from_iterable(some(recorded) for some in disasters):
        clear(world)
        coalition.received(*Queue)
        operation = prepare()
        world.forget()
        with faults(disaster), suppress(Killed, CloudError):
            operation()
        world.forget()
        yield name


def insist(operation: Operation) -> None:
    """What a caller does whose call failed: the same again."""
    with suppress(CloudError):
        operation()
        return
    operation()


@pytest.mark.parametrize(
    ("disasters", "given_up"),
    [(kills, False), (mishaps, False), (kills, True), pytest.param(mishaps, True, marks=pytest.mark.soak)],
    ids=["kills", "mishaps", "kills, given up", "mishaps, given up"],
)
def test_while_a_batch_is_delivered(world: World, time: SimulatedTime, disasters: Disasters, given_up: bool) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()
    if given_up:
        world.deliver.max_retries, world.deliver.bisect = 0, False

    def prepare() -> Operation:
        nonlocal petition
        petition = coalition.petition()
        petition.crowd()
        return lambda: world.streams.step(world.deliver)

    for disaster in each_disaster(coalition, prepare, disasters):
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert entitled(stored) <= coalition.received().keys(), disaster


def test_while_confirm_stages_are_sent(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world, {"custom_action_confirm": True}, {"custom_supporter_confirm": True})
    petition = coalition.petition()

    def prepare() -> Operation:
        nonlocal petition
        petition = coalition.petition()
        petition.share(petition.sign("ida"))
        petition.share(petition.sign("per", partner=True), partner=True)
        return lambda: world.streams.step(world.confirm)

    for disaster in each_disaster(coalition, prepare, kills, mishaps):
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert entitled(stored) <= coalition.received(*Queue).keys(), disaster


def test_while_the_sweep_wakes(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()

    def prepare() -> Operation:
        nonlocal petition
        petition = coalition.petition()
        petition.sign("ida", contactRef="earlier")
        petition.sign("per", partner=True)
        lose_records(world)
        time.to_next_sweep()
        return world.sweep

    for disaster in each_disaster(coalition, prepare, kills, mishaps):
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert entitled(stored) <= coalition.received().keys(), disaster


@pytest.mark.parametrize("waits", [False, True], ids=["accepted", "waiting"])
def test_while_earlier_actions_are_linked(world: World, time: SimulatedTime, waits: bool) -> None:
    coalition = Coalition(world, {"custom_supporter_confirm": waits})
    petition = coalition.petition()
    signature = shares = None

    def prepare() -> Operation:
        nonlocal petition, signature, shares
        petition = coalition.petition()
        shares = [world.act(petition.page, "earlier", "share").action for _ in range(3)]
        time.forward(seconds=5)
        signature = petition.sign("ida", contactRef="earlier")
        return lambda: world.streams.step(world.deliver)

    for disaster in each_disaster(coalition, prepare, kills, mishaps):
        time.recover()
        if waits:
            assert_sound(world, petition.campaign)
            decide.accept_supporter(signature.action)
            time.recover()
        stored = assert_sound(world, petition.campaign)
        assert {action["status"] for action in stored.by_kind["action"]} == {"delivered"}, disaster
        assert [stored.actions[share]["supporter"] for share in shares] == [signature.action] * 3, disaster
        assert entitled(stored) <= coalition.received().keys(), disaster


WAITING = {"custom_supporter_confirm": True}
MODERATED = {"custom_action_confirm": True}
DECISIONS = [
    (decide.accept_supporter, WAITING, {"delivered"}),
    (decide.reject_supporter, WAITING, {"rejected"}),
    (decide.accept_action, MODERATED, {"delivered"}),
    (decide.reject_action, MODERATED, {"rejected", "delivered"}),
    (decide.reject_action, {}, {"rejected", "delivered"}),
    (decide.reject_supporter, {}, {"rejected", "delivered"}),
]


@pytest.mark.parametrize(("decision", "settings", "ends"), DECISIONS, ids=lambda part: getattr(part, "__name__", None))
def test_while_somebody_decides(
    world: World, time: SimulatedTime, decision: Callable[[int], bool], settings: dict[str, bool], ends: set[str]
) -> None:
    coalition = Coalition(world, settings)
    petition = coalition.petition()
    decide_now: Operation = list

    def prepare() -> Operation:
        nonlocal petition, decide_now
        petition = coalition.petition()
        signature = petition.sign("ida")
        petition.share(signature)
        petition.share(signature)
        world.run()
        decide_now = lambda: decision(signature.action)  # noqa: E731
        return decide_now

    for disaster in each_disaster(coalition, prepare, kills, mishaps):
        decide_now()
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert {action["status"] for action in stored.bound} == ends, disaster
        assert entitled(stored) <= coalition.received().keys(), disaster


@pytest.mark.parametrize("further", [False, True], ids=["signature", "further action"])
def test_while_an_action_is_taken_in(world: World, time: SimulatedTime, further: bool) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()
    once = {"Idempotency-Key": "once"}
    ask: Callable[[], Answer] = lambda: petition.sign("ida")  # noqa: E731

    def prepare() -> Operation:
        nonlocal petition, ask
        petition = coalition.petition()
        signature = petition.sign("ida", partner=True) if further else None
        if signature is None:
            ask = lambda: world.sign(petition.partner_page, headers=once, lead_opt_in=True)  # noqa: E731
        else:
            ask = lambda: world.act(petition.partner_page, signature.contact_ref, headers=once)  # noqa: E731
        return ask

    for disaster in each_disaster(coalition, prepare, kills, mishaps):
        assert len(waiting_in(world)) - further in (0, 1), disaster
        again = ask()
        assert again.status == 201, disaster
        time.recover()
        stored = assert_sound(world, petition.campaign)
        assert len(stored.actions) == 1 + further, disaster
        assert again.action in stored.actions
        assert entitled(stored) <= coalition.received().keys(), disaster


def waiting_in(world: World) -> set[int]:
    """The ids of the actions on their way, in a store where nothing is half stored."""
    stored = Stored.of(world)
    ids = set(stored.actions)
    assert not [*stored.faults(owed=ids)]
    assert {action["status"] for action in stored.bound} <= {"accepted"}
    return ids
