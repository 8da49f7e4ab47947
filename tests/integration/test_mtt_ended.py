"""What could not be sent before its campaign was over ends, and with it what supporters wrote (design 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import claims, store
from proca_common.mtt.ended import UNSENT_DAYS
from proca_common.mtt.store import MailId
from proca_common.stages.decide import accept_supporter
from tests import mtt
from tests.harness.context import LambdaContext
from tests.simulated import SimulatedTime
from tests.target_post import TargetPost, target_post
from tests.world import World, function

DAYS = 3
OVER_H = 24 * (DAYS + UNSENT_DAYS)
SEALED = {"text", "sender"}


@pytest.fixture
def post(world: World, time: SimulatedTime) -> Iterator[TargetPost]:
    with target_post(world) as made:
        yield made


def night() -> dict[str, int]:
    """One run of what ends things."""
    done: dict[str, int] = function("RetainFunction")({}, LambdaContext("RetainFunction", 300))
    return done


def waiting(post: TargetPost, time: SimulatedTime, **settings: Any) -> tuple[Campaign, str, int]:
    """A campaign of three days with one mail, to a target that cannot be reached; with the target and the action."""
    world = post.world
    org = world.org("bees")
    campaign = mtt.campaign(world, org, **{**mtt.window(DAYS), **settings})
    bo = mtt.target(campaign, "Bo", emails=[])
    action = mtt.write(world, world.page(org, campaign), bo).action
    world.run()
    time.forward(seconds=3)
    post.work()
    assert post.statuses() == {"unsent": 1}
    return campaign, bo.id, action


def change(campaign: Campaign, mtt: dict[str, Any] | None) -> None:
    campaigns.replace(campaigns.get(campaign.id).model_copy(update={"mtt": mtt}))


def left(world: World) -> set[str]:
    """Which of what was written is there still."""
    [message] = world.items("T#")
    return SEALED & message.keys()


def test_what_waits_a_month_after_the_end_expires(post: TargetPost, time: SimulatedTime) -> None:
    campaign, target, action = waiting(post, time)
    time.forward(hours=OVER_H - 24)
    assert night()["mails"] == 0
    assert left(post.world) == SEALED

    time.forward(hours=24)
    assert night()["mails"] == 1
    assert post.mails() == {(target, action): "expired"}
    assert post.numbers(campaign.id, target) == {"total": 1, "taken": 1, "expired": 1}
    assert left(post.world) == set()
    assert not [item for item in post.world.items() if "pending" in item]
    assert night()["mails"] == 0


def test_more_time_for_the_campaign_is_more_time_for_its_mails(post: TargetPost, time: SimulatedTime) -> None:
    campaign, _, _ = waiting(post, time)
    change(campaign, {**(campaign.mtt or {}), "endAt": mtt.window(DAYS + 7)["endAt"]})
    time.forward(hours=OVER_H)
    assert night()["mails"] == 0
    assert left(post.world) == SEALED


def test_what_a_campaign_keeps_it_keeps(post: TargetPost, time: SimulatedTime) -> None:
    waiting(post, time, keepMessages="text")
    time.forward(hours=OVER_H)
    assert night()["mails"] == 1
    assert left(post.world) == {"text"}


def test_a_campaign_that_takes_no_messages_any_more_keeps_none(post: TargetPost, time: SimulatedTime) -> None:
    campaign, target, action = waiting(post, time)
    per = mtt.write(post.world, post.world.page(post.world.org("birds"), campaign), target, name="per").action
    post.world.run()
    time.forward(seconds=3)
    post.work()
    claimed = MailId(campaign.id, target, per)
    item = store.read_mail(claimed)
    assert item is not None
    claims.claim(claimed, item)
    change(campaign, None)
    time.forward(hours=2)

    assert night()["mails"] == 1
    assert post.mails() == {(target, action): "expired", (target, per): "uncertain"}
    assert not [item for item in post.world.items("T#") if SEALED & item.keys()]


@pytest.mark.parametrize("confirmed", [False, True], ids=["never", "in time"])
def test_what_was_written_goes_with_the_link_that_nobody_followed(
    post: TargetPost, time: SimulatedTime, confirmed: bool
) -> None:
    """The org asks for confirmation itself: no mail of ours is due that would keep an address until then."""
    world = post.world
    org = world.org("bees", supporter_confirm=True, custom_supporter_confirm=True)
    campaign = mtt.campaign(world, org, **mtt.window(365))
    action = mtt.write(world, world.page(org, campaign), mtt.target(campaign, "Anna")).action
    world.run()
    if confirmed:
        accept_supporter(action)
        world.run()
    time.forward(hours=24 * 180)
    world.remind()
    assert left(world) == SEALED

    time.forward(hours=24 * 2)
    world.remind()
    assert left(world) == (SEALED if confirmed else set())
