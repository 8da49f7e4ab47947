"""A hundred thousand actions are counted again while people sign and others are rejected: exactly, in little memory."""

from __future__ import annotations

import itertools
import random
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.actions import store
from proca_common.actions.store import ActionIdItem, ActionItem, MembershipItem, SupporterItem
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.pace import Pace
from proca_common.ids import new_id
from proca_common.monitors.audit import Audit
from proca_common.stages import decide
from proca_common.stages.audit import work
from tests.harness.calls import Answer, Call, Hook, hooked, unseen_client
from tests.recount import Stored, counted, recounted
from tests.world import World

PEOPLE = 45_000
AGAIN = 10_000
"""So many of them signed on the other page, too, and all shared; that makes 100,000 actions in twenty hours."""
EVERY_MS = 700
TURN_S = 30
MOST_MB = 48


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_hundred_thousand_actions_are_counted_again_while_people_sign(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    org = world.org("bees")
    campaign = world.campaign(org)
    pages = [world.page(org, campaign, f"bees/{number}") for number in range(2)]
    rejectable = seed(world, pages)
    busy = _Busy(world, pages[0], rejectable)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hooked(busy):
        first = _audited(world, campaign.id)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    begun = time.monotonic()
    second = _audited(world, campaign.id)
    took = time.monotonic() - begun

    assert busy.signed > 50
    assert busy.rejected > 5
    assert (first.unsettled, first.memberships) == ([], 0)
    assert first.differing > 100, "nothing had been counted before"
    assert (second.wrong, second.unsettled, second.actions) == (0, [], 100_000)
    stored = Stored.of(world)
    assert counted(world, campaign.id) == recounted(world, stored, campaign.id)
    assert grown_mb < MOST_MB
    with capsys.disabled():
        print(  # noqa: T201 - the figures of `make soak`
            f"\n{second.actions:,} actions in {second.hours} hours counted again in {took:.0f} s:"
            f" {second.reads:,} reads, {second.reads / took:,.0f} a second; before that all numbers made anew while"
            f" {busy.signed} people signed and {busy.rejected} were rejected; {grown_mb:.0f} MB of memory at most"
        )


def _audited(world: World, campaign: int) -> Audit:
    """The whole audit, in turns, with the pauses between its rounds."""
    audit = Audit(id=0, campaign=campaign, who=0, repair=True, started_ms=clock.now_ms())
    pause: int | None = 0
    while pause is not None:
        world.ahead_ms += 1000 * pause
        ends = time.monotonic() + TURN_S
        audit, pause = work(audit, Pace(1_000_000), lambda ends=ends: time.monotonic() < ends)  # type: ignore[misc]
    return audit


class _Busy(Hook):
    """At every thirtieth read somebody signs; at some, somebody who was counted is rejected."""

    def __init__(self, world: World, page: ActionPage, rejectable: list[int]) -> None:
        self._world, self._page, self._rejectable = world, page, iter(rejectable)
        self._reads = 0
        self._inside = False
        self.signed = self.rejected = 0

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.operation == "BatchGetItem" and not self._inside:
            self._reads += 1
            if self._reads % 30 == 0:
                self._inside = True
                self._happen()
                self._inside = False
        return proceed()

    def _happen(self) -> None:
        self._world.sign(self._page, email=f"late{self.signed}@example.org", lead_opt_in=True)
        self.signed += 1
        if self.signed % 5 == 0:
            found = next(self._rejectable, None)
            if found is not None:
                self.rejected += decide.reject_supporter(found)


def seed(world: World, pages: list[ActionPage]) -> list[int]:
    """Put people with what they did into the table, and no numbers; ids of signatures that can be rejected."""
    client, table = unseen_client("dynamodb"), world.tables["ActionsTable"]
    rejectable: list[int] = []
    items = iter(_items(pages, rejectable))
    while some := list(itertools.islice(items, 25)):
        put = [{"PutRequest": {"Item": item.serialize()}} for item in some]
        assert not client.batch_write_item(RequestItems={table: put})["UnprocessedItems"]
    random.Random(7).shuffle(rejectable)  # so that not always the hour is hit that is being counted
    return rejectable


def _items(pages: list[ActionPage], rejectable: list[int]) -> Iterator[ActionsItem]:
    begun_ms = clock.now_ms() - 86_400_000
    every = (new_id(begun_ms + EVERY_MS * number, 4093 * number) for number in itertools.count())
    for number in range(PEOPLE):
        ref, area = f"{number:043d}", ("DK", "NO", "SE", None)[number % 4]
        signed = [next(every) for _ in range(2 if number < AGAIN else 1)]
        for page, supporter in zip(pages, signed, strict=False):
            yield _supporter(ref, page, supporter, area)
            yield _action(ref, page, supporter, supporter, "register")
        yield _action(ref, pages[0], next(every), signed[0], "share")
        members = {
            str(supporter): {"page": page.id, "org": page.org, "area": area}
            for page, supporter in zip(pages, signed, strict=False)
        }
        person = store.membership_key(ref, pages[0].campaign)
        yield MembershipItem(*person, version=signed[0], n=len(signed), members=members)
        if number % 1_000 == 500:
            rejectable.append(signed[0])
            yield ActionIdItem(*store.action_id_key(signed[0]), at=ref)


def _supporter(ref: str, page: ActionPage, supporter: int, area: str | None) -> SupporterItem:
    return SupporterItem(
        *store.supporter_key(ref, page.org, supporter),
        id=supporter,
        status="accepted",
        campaign=page.campaign,
        page=page.id,
        org=page.org,
        area=area,
        recipients=[page.org],
        actions=2,
        waiting=0,
    )


def _action(ref: str, page: ActionPage, action: int, supporter: int, kind: str) -> ActionItem:
    return ActionItem(
        *store.action_key(ref, action),
        id=action,
        status="delivered",
        action_type=kind,
        campaign=page.campaign,
        page=page.id,
        org=page.org,
        supporter=supporter,
        recipients=[page.org],
        with_consent=action == supporter,
        testing=False,
        source={"source": "letter", "medium": "mail", "campaign": "spring"},
        dupe_rank=0,
        campaign_bucket=store.campaign_bucket(page.campaign, action),
    )
