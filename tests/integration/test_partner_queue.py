"""A coalition partner's queue is gone for ten minutes: nobody else notices, and the partner gets everything later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.coalition import Coalition, Petition, message_ids
from tests.harness.calls import Answer, Call, Hook, hooked
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import World

OUTAGE_S = 600
STEP_S = 10  # simulated seconds between two looks at the streams
LONGEST_WAIT_MIN = 1.1 * 8 + 2  # the fourth wait, its jitter, the grace of the sweep, and the minute until the next


class Tries(Hook):
    """How often each message was put to its queue, and how often a queue was asked in vain."""

    def __init__(self) -> None:
        self.messages: Counter[str] = Counter()
        self.refused = 0

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.operation != "SendMessageBatch":
            return proceed()
        attributes = [entry["MessageAttributes"] for entry in call.params["Entries"]]
        self.messages.update(each["MessageId"]["StringValue"] for each in attributes)
        self.refused += 1
        answer = proceed()
        self.refused -= 1
        return answer


@pytest.mark.parametrize(
    "rate", [1, pytest.param(50, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])], ids="{}/s".format
)
def test_a_queue_that_is_gone_for_ten_minutes(world: World, time: SimulatedTime, rate: int) -> None:
    coalition = Coalition(world)
    petition = coalition.petition()
    lead, partner = coalition.lead, coalition.partner
    coalition.close_queues(partner)
    signed: set[int] = set()
    arrived: set[str] = set()
    with hooked(tries := Tries()):
        for second in range(0, OUTAGE_S, STEP_S):
            signed |= sign(petition, len(signed), rate * STEP_S)
            time.forward(seconds=STEP_S)
            if second % 60 == 0:
                world.sweep()
            runs = len(world.streams.invocations)
            world.run()
            assert message_ids(world, lead) == dict.fromkeys(ids(signed, lead.id) - arrived, 1)
            arrived = ids(signed, lead.id)
            assert all(run.succeeded for run in world.streams.invocations[runs:])
            assert tries.refused <= len(world.streams.invocations)
            assert world.numbers(petition.campaign)["persons:total"] == len(signed)
        assert_sound(world, petition.campaign, owed=signed)
        coalition.open_queues(partner)
        minutes = 0
        while world.pending():
            minutes += 1
            time.forward(minutes=1)
            world.sweep()
            world.run()
            assert minutes <= LONGEST_WAIT_MIN
    assert_sound(world, petition.campaign)
    assert message_ids(world, partner) == dict.fromkeys(ids(signed, partner.id), 1)
    assert not message_ids(world, lead)
    assert max(tries.messages[message] for message in ids(signed, lead.id)) == 1
    assert max(tries.messages[message] for message in ids(signed, partner.id)) <= 5
    assert not any(world.streams.failures.values())


def sign(petition: Petition, first: int, number: int) -> set[int]:
    """So many new people sign on the partner's page; the ids of their actions."""
    people = range(first, first + number)
    return {petition.sign(f"person{each}", partner=True).action for each in people}


def ids(actions: set[int], org: int) -> set[str]:
    """The MessageIds of these actions for the org."""
    return {f"{action}.deliver.{org}" for action in actions}
