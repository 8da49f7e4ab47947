"""Erasing a person takes what it wrote to targets with it (domain 13.7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proca_common.mtt import expand, store
from proca_common.mtt.forget import forget
from tests import mtt
from tests.disasters import kills
from tests.erasing import erased, traces
from tests.harness import faults
from tests.harness.faults import Killed
from tests.harness.interleave import probe, run
from tests.mail_server import MailServer
from tests.simulated import SimulatedTime
from tests.target_post import TargetPost, target_post
from tests.world import World

NOON_MS = 12 * 3_600_000


@pytest.fixture
def post(world: World, time: SimulatedTime) -> Iterator[TargetPost]:
    """It is just after noon."""
    time.now_ms += (NOON_MS - time.now_ms) % mtt.DAY_MS + 1_000
    with target_post(world) as made:
        yield made


def test_what_waits_is_withdrawn_and_what_went_out_is_nobody_s(
    world: World, post: TargetPost, time: SimulatedTime, mail_server: MailServer
) -> None:
    org = world.org("bees", email_backend="smtp", email_from="mail@bees.example.org")
    post.smtp(org, mail_server)
    campaign = mtt.campaign(world, org, dripDelivery=False, keepMessages="all")
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo", emails=[])
    page = world.page(org, campaign)
    answer = mtt.write(world, page, anna, bo)
    time.forward(seconds=1)
    other = mtt.write(world, page, anna, name="per")
    world.run()
    time.forward(seconds=3)
    post.work()
    post.schedule()
    post.step()

    forget(answer.contact_ref, [answer.action])

    assert post.mails() == {(anna.id, answer.action): "sent", (bo.id, answer.action): "withdrawn"} | {
        (anna.id, other.action): "unsent"
    }
    assert answer.contact_ref not in repr(
        [item for item in world.items() if item["ref"].startswith("mtt#") or item["sk"].startswith(("T#", "W#"))]
    )
    assert post.numbers(campaign.id, anna.id) == {"total": 2, "taken": 1, "sent": 1}
    assert post.numbers(campaign.id, bo.id) == {}
    assert {item["ref"] for item in world.items("T#")} == {other.contact_ref}


@pytest.mark.soak
def test_it_may_break_off_at_any_call(world: World, post: TargetPost, time: SimulatedTime) -> None:
    org = world.org("bees")
    campaign = mtt.campaign(world, org)
    to = [mtt.target(campaign, "Anna")]
    page = world.page(org, campaign)

    def written(name: str) -> tuple[str, int]:
        answer = mtt.write(world, page, *to, name=name)
        world.run()
        time.forward(seconds=3)
        post.work()
        return answer.contact_ref, answer.action

    ref, action = written("ida")
    recorded = probe(lambda: forget(ref, [action]))
    for number, (disaster, plan) in enumerate(kills(recorded)):
        ref, action = written(f"per{number}")
        with faults.faults(plan), pytest.raises(Killed):
            forget(ref, [action])
        forget(ref, [action])
        assert store.read_message(ref, action) is None, disaster
        assert not [item for item in world.items("W#") if item["ref"] == ref], disaster
        assert {status for (_, of), status in post.mails().items() if of == action} == {"withdrawn"}, disaster
        assert all(post.numbers(campaign.id, each.id) == {} for each in to), disaster


def test_mails_that_are_made_meanwhile_go_too(
    world: World, post: TargetPost, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two mails is made between any two calls of who erases."""
    monkeypatch.setattr(expand, "STEP", 1)
    org = world.org("bees")
    campaign = mtt.campaign(world, org)
    to = [mtt.target(campaign, name) for name in ("Anna", "Bo")]
    page = world.page(org, campaign)
    made: list[tuple[str, int]] = []

    def written() -> None:
        answer = mtt.write(world, page, *to, name=f"ida{len(made)}")
        made.append((answer.contact_ref, answer.action))
        world.run()
        time.forward(seconds=3)

    def erase() -> None:
        forget(made[-1][0], [made[-1][1]])

    written()
    making = probe(post.work)
    _, one_made, _ = [nth for nth, call in enumerate(making, 1) if call.operation == "TransactWriteItems"]
    written()
    post.work()
    for erased_so_far in range(1, len(probe(erase))):
        written()
        turns = run(post.work, erase, "A" * one_made + "B" * erased_so_far + "A" * len(making))
        ref, action = made[-1]
        assert store.read_message(ref, action) is None, turns
        assert {status for (_, of), status in post.mails().items() if of == action} <= {"withdrawn"}, turns
        assert ref not in repr([item for item in world.items() if item["ref"].startswith("mtt#")]), turns
        assert not [item for item in world.items("W#") if item["ref"] == ref], turns


def test_whoever_is_erased_leaves_no_trace_in_messages(world: World, post: TargetPost, time: SimulatedTime) -> None:
    org = world.org("bees", key=False)
    campaign = mtt.campaign(world, org)
    anna = mtt.target(campaign, "Anna")
    answer = mtt.write(world, world.page(org, campaign), anna)
    world.run()
    time.forward(seconds=3)
    post.work()

    erased(org, answer.contact_ref)

    assert not [*traces(world, answer.contact_ref, "ida@example.org")]
    assert post.mails() == {(anna.id, answer.action): "withdrawn"}
