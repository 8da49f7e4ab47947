"""The sweep wakes what is overdue and nothing else, sends nothing, and nothing broken holds it up (design 5)."""

from itertools import pairwise
from typing import Any

import pytest

from proca_common.actions import store
from proca_common.aws.errors import Unavailable
from proca_common.pipes.routing import Queue
from proca_common.stages import sweep
from tests.coalition import Coalition, lose_records, message_ids, spoil
from tests.harness.calls import calls
from tests.harness.context import LambdaContext
from tests.harness.faults import faults, throttle
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import World, function

MINUTE_MS = 60_000


def test_it_wakes_what_is_overdue_and_changes_nothing_else(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()
    overdue = petition.sign("ida", contactRef="earlier").action
    time.forward(seconds=2)
    recent = petition.sign("per").action
    lose_records(world)
    before = {item["sk"]: item for item in world.pending()}
    time.forward(seconds=59)
    with calls() as recorded:
        assert world.sweep() == {"woken": 2, "stuck": 0}  # the signature and its link
    assert set(recorded.operations) == {"Query", "BatchGetItem", "UpdateItem"}
    for item in world.pending():
        woken = {"due": str(time.now_ms), "attempt": "1"} if int(item["id"]) == overdue else {}
        assert item == before[item["sk"]] | woken
    assert {int(item["id"]) for item in world.pending()} == {overdue, recent}
    assert not coalition.received()


def test_once_woken_it_waits_again(world: World, time: SimulatedTime) -> None:
    petition = Coalition(world).petition()
    petition.sign("ida")
    lose_records(world)
    time.forward(seconds=61)
    assert world.sweep()["woken"] == 1
    lose_records(world)
    time.forward(seconds=60)
    assert world.sweep()["woken"] == 0
    time.forward(seconds=1)
    assert world.sweep()["woken"] == 1
    world.run()
    assert_sound(world, petition.campaign)


def test_a_stream_that_is_late_is_not_made_later_still(world: World, time: SimulatedTime) -> None:
    """What was woken is served by its first record, or all that waits would go to the end of the stream each minute."""
    coalition = Coalition(world)
    petition = coalition.petition()
    actions = [petition.sign(f"person{number}").action for number in range(6)]
    for _ in range(2):
        time.forward(seconds=61)
        assert world.sweep()["woken"]
        world.streams.step(world.deliver, batch_size=3)
    assert not world.pending()
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert {stored.actions[action]["status"] for action in actions} == {"delivered"}
    assert set(coalition.received().values()) == {1}


def test_records_of_one_action_in_one_batch_are_one_work(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()
    action = petition.sign("ida").action
    for _ in range(3):
        time.forward(seconds=61)
        world.sweep()
    world.run()
    assert_sound(world, petition.campaign)
    assert coalition.received() == {f"{action}.deliver.{coalition.lead.id}": 1}
    [first, *_] = world.streams.invocations
    assert (len(first.records), first.succeeded) == (4, True)


def test_it_asks_every_partition_of_the_index_once(world: World) -> None:
    with calls() as recorded:
        world.sweep()
    assert {call.operation for call in recorded} == {"Query"}
    asked = {value for call in recorded for _, _, key in call.keys for value in key.values() if "#" in value}
    assert len(recorded) - 1 == len(asked) == 2 * 64, "and the events of the catalogue"


def test_it_asks_the_index_for_no_more_than_the_index_holds(world: World, time: SimulatedTime) -> None:
    """DynamoDB refuses to filter by an attribute that the index lacks; the local stack does not."""
    petition = Coalition(world).petition()
    petition.sign("ida")
    lose_records(world)
    time.forward(minutes=2)
    with calls() as recorded:
        assert world.sweep()["woken"] == 1
    of_index = [call.params for call in recorded.of("Query") if "IndexName" in call.params]
    assert of_index
    assert not [params for params in of_index if "FilterExpression" in params]


def test_it_stops_in_time_and_goes_on_the_next_minute(
    world: World, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PENDING_BUCKETS", 1)
    petition = Coalition(world).petition()
    for number in range(130):
        petition.sign(f"person{number}")
    lose_records(world)
    time.forward(minutes=2)
    hurried = LambdaContext("SweepFunction", remaining_ms=4_000)
    assert function("SweepFunction")({}, hurried) == {"woken": 100, "stuck": 0}
    assert world.sweep() == {"woken": 30, "stuck": 0}
    world.run()
    assert_sound(world, petition.campaign)


def test_an_org_whose_queue_is_gone_is_asked_more_and_more_seldom(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()
    coalition.close_queues(coalition.lead)
    action = petition.sign("ida", partner=True).action
    world.run()
    waits = []
    for attempt in range(8):
        stored = assert_sound(world, petition.campaign, owed=[action])
        assert stored.actions[action]["attempt"] == attempt
        waits.append((stored.actions[action]["due"] - time.now_ms) / MINUTE_MS)
        time.to_next_sweep()
        assert world.sweep() == {"woken": 1, "stuck": int(attempt >= 5)}
        world.run()
    for wait, least in zip(waits, [1, 2, 4, 8, 16, 360, 360, 360], strict=True):
        assert least <= wait <= least * 1.1
    coalition.open_queues(coalition.lead)
    time.to_next_sweep()
    world.sweep()
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert message_ids(world, coalition.lead) == {f"{action}.deliver.{coalition.lead.id}": 1}
    assert message_ids(world, coalition.partner) == {f"{action}.deliver.{coalition.partner.id}": 1}


@pytest.mark.parametrize(
    ("settings", "queue", "stage"),
    [
        ({"custom_supporter_confirm": True}, Queue.CONFIRM_SUPPORTER, "supporter_confirm"),
        ({"custom_action_confirm": True}, Queue.CONFIRM_ACTION, "action_confirm"),
    ],
)
def test_so_is_a_confirm_queue(
    world: World, time: SimulatedTime, settings: dict[str, bool], queue: Queue, stage: str
) -> None:
    coalition = Coalition(world, settings)
    petition = coalition.petition()
    coalition.close_queues(coalition.lead)
    action = petition.sign("ida").action
    world.run()
    tried = [time.now_ms]
    while len(tried) < 9:
        time.forward(minutes=8)
        if world.sweep()["woken"]:
            tried.append(time.now_ms)
            world.run()
    for (earlier, later), least in zip(pairwise(tried), [1, 2, 4, 8, 16, 360, 360, 360], strict=True):
        assert least <= (later - earlier) / MINUTE_MS <= least * 1.1 + 1 + 8
    coalition.open_queues(coalition.lead)
    time.recover()
    assert_sound(world, petition.campaign)
    assert message_ids(world, coalition.lead, queue) == {f"{action}.{stage}.{coalition.lead.id}": 1}


def test_what_nobody_ever_served_is_named_after_five_attempts_and_then_woken_every_six_hours(
    world: World, time: SimulatedTime
) -> None:
    petition = Coalition(world).petition()
    action = petition.sign("ida").action
    lose_records(world)
    for attempt in range(5):
        time.forward(seconds=61)
        assert world.sweep() == {"woken": 1, "stuck": 0}, attempt
        lose_records(world)
    time.forward(hours=5, minutes=59)
    assert world.sweep() == {"woken": 0, "stuck": 1}
    time.forward(minutes=2)
    assert world.sweep() == {"woken": 1, "stuck": 1}
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert stored.actions[action]["status"] == "delivered"


@pytest.mark.parametrize(
    ("attribute", "value"), [("fields", {"S": "{"}), ("kind", {"S": "of another time"}), ("status", {"S": "lost"})]
)
def test_an_item_that_cannot_be_read_does_not_keep_others_asleep(
    world: World, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch, attribute: str, value: dict[str, Any]
) -> None:
    monkeypatch.setattr(store, "PENDING_BUCKETS", 1)
    petition = Coalition(world).petition()
    broken, *_ = (petition.sign(name).action for name in ("ida", "per", "siri"))
    spoil(world, broken, attribute, value)
    lose_records(world)
    for minute in range(1, 10):
        time.forward(minutes=2)
        assert world.sweep() == {"woken": 3 if minute == 1 else int(minute <= 5), "stuck": int(minute > 5)}
        world.run()


def test_whoever_was_not_reached_in_time_is_not_always_the_last(
    world: World, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition a run, as if each were too full to come further: all have their turn."""
    monkeypatch.setattr(store, "PENDING_BUCKETS", 2)
    petition = Coalition(world).petition()
    for number in range(4):
        petition.sign(f"person{number}", contactRef="earlier")
    lose_records(world)
    time.forward(minutes=2)
    hurried = LambdaContext("SweepFunction", remaining_ms=4_000)
    for _ in range(4):
        function("SweepFunction")({}, hurried)
        time.forward(minutes=2)
    assert all(int(item["attempt"]) for item in world.pending())


def test_what_the_log_names_is_bounded(
    world: World, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sweep, "MAX_NAMED", 2)
    petition = Coalition(world).petition()
    for number in range(3):
        petition.sign(f"person{number}")
    for _ in range(6):
        lose_records(world)
        time.forward(seconds=61)
        answer = world.sweep()
    assert answer == {"woken": 0, "stuck": 3}
    [told] = [vars(record) for record in caplog.records if record.message == "actions are stuck"]
    assert (len(told["actions"]), told["stuck"]) == (2, 3)


def test_a_partition_that_does_not_answer_does_not_keep_others_asleep(
    world: World, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PENDING_BUCKETS", 4)
    petition = Coalition(world).petition()
    actions = [petition.sign(f"person{number}").action for number in range(20)]
    lose_records(world)
    time.forward(minutes=2)
    busy = throttle(lambda call: "emit#1" in str(call), nth=None)
    with faults(busy), pytest.raises(Unavailable):
        world.sweep()
    assert {int(item["id"]) for item in world.pending() if item["attempt"] == "1"} == {a for a in actions if a % 4 != 1}
    assert world.sweep()["woken"] == sum(action % 4 == 1 for action in actions)
