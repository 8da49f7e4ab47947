"""What goes on on a page: noted by the stream functions, shown to who runs it, and where links lead back to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from proca_common.action_pages.context import page_context
from proca_common.actions.store import ActionItem
from proca_common.approvals.supporter import SupporterLink
from proca_common.aws import clock
from proca_common.confirms.tokens import Purpose
from proca_common.ids import new_id
from proca_common.monitors import activity
from proca_common.monitors.activity import Activity, PageStatus
from proca_common.users.permissions import Role
from tests.coalition import Coalition
from tests.desks import desk
from tests.harness.calls import Calls, calls
from tests.harness.faults import faults, throttle
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import World

BEES = "https://bees.example.org/act"
MINUTE_MS = 60_000
FEBRUARY = int(datetime(2026, 2, 20, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now_ms", "days", "status"),
    [
        (FEBRUARY, 0, PageStatus.ACTIVE),
        (FEBRUARY, 27.99, PageStatus.ACTIVE),
        (FEBRUARY, 28, PageStatus.STALLED),
        (FEBRUARY + 30 * activity.DAY_MS, 30, PageStatus.ACTIVE),  # in March, which has 31 days
        (FEBRUARY, 365, PageStatus.STALLED),
        (FEBRUARY, 365.01, PageStatus.STANDBY),
    ],
)
def test_a_page_is_active_for_as_long_as_the_month_and_known_for_a_year(
    now_ms: int, days: float, status: PageStatus
) -> None:
    assert activity.status(Activity(now_ms - int(days * activity.DAY_MS)), now_ms) is status


def test_a_page_that_nobody_used_stands_by() -> None:
    assert activity.status(None, FEBRUARY) is PageStatus.STANDBY


def writes(recorded: Calls) -> int:
    return len([call for call in recorded.of("UpdateItem") if "activity" in str(call.params)])


def sign(world: World, page: Any, name: str, location: str | None = None, **given: Any) -> int:
    headers = {} if location is None else {"Referer": location}
    return world.sign(page, email=f"{name}@example.org", headers=headers, **given).action


def test_delivering_notes_it_once_a_minute_with_where_it_was(world: World, time: SimulatedTime) -> None:
    page = world.page(world.org("bees"))
    sign(world, page, "ida", f"{BEES}?mail=ida#top")
    at = clock.now_ms()
    with calls() as recorded:
        world.run()
        assert activity.read(page.id) == Activity(at, BEES), "no query: it may say who somebody is"
        time.forward(seconds=59)
        sign(world, page, "per", f"{BEES}/later")
        world.run()
        assert activity.read(page.id) == Activity(at, BEES)
        time.forward(seconds=1)
        sign(world, page, "liv", testing=True)
        world.run()
    assert writes(recorded) == 2
    assert activity.read(page.id) == Activity(clock.now_ms(), BEES), "a location stays until another is told"


def test_a_location_is_noted_also_soon_after_an_action_without_one(world: World, time: SimulatedTime) -> None:
    page = world.page(world.org("bees"))
    sign(world, page, "ida")
    world.run()
    time.forward(seconds=5)
    sign(world, page, "per", BEES)
    world.run()
    assert activity.read(page.id) == Activity(clock.now_ms(), BEES)


def test_who_waits_for_a_confirmation_is_seen_too(world: World, time: SimulatedTime) -> None:
    page = world.page(world.org("bees", custom_supporter_confirm=True))
    action = sign(world, page, "ida", BEES)
    world.run()
    assert world.action(action)["status"] == "new"
    assert activity.read(page.id) == Activity(clock.now_ms(), BEES)


def test_what_comes_late_does_not_turn_it_back(world: World, time: SimulatedTime) -> None:
    def done(moment_ms: int, location: str) -> ActionItem:
        return ActionItem(id=new_id(moment_ms, 0), page=7, source={"location": location})

    now = clock.now_ms()
    activity.note([done(now, BEES), done(now - 9, f"{BEES}/older")])
    activity.forget()  # as another environment
    activity.note([done(now - 5, f"{BEES}/late")])
    assert activity.read(7) == Activity(now, BEES)


def test_it_holds_up_nothing_when_it_cannot_be_written(world: World, time: SimulatedTime) -> None:
    petition = Coalition(world).petition()
    petition.sign("ida")
    with faults(throttle(lambda call: "activity" in str(call.params))):
        world.run()
    assert_sound(world, petition.campaign)
    assert activity.read(petition.page.id) is None
    petition.sign("per")
    world.run()
    assert activity.read(petition.page.id) is not None, "not put off for a minute"


def test_who_runs_the_page_sees_it(world: World, time: SimulatedTime) -> None:
    bees = world.org("bees")
    campaign = world.campaign(bees)
    page, quiet = world.page(bees, campaign, "bees/en"), world.page(bees, campaign, "bees/de")
    ida = desk("ida@example.org", bees=Role.TRANSLATOR)
    sign(world, page, "per", BEES)
    world.run()
    shown = {one["id"]: (one["status"], one["location"]) for one in ida.everything("/v1/orgs/bees/pages")}
    assert shown == {page.id: ("active", BEES), quiet.id: ("standby", None)}
    time.forward(hours=24 * 40)
    per = desk("per@example.org", bees=Role.TRANSLATOR)  # by now all tokens of before have ended
    assert per.get(f"/v1/orgs/bees/pages/{page.id}").body["status"] == "stalled"


@pytest.mark.usefixtures("time")
class TestLeadingBack:
    """A double opt-in without `redir` leads back to the page, if that is an allowed host (domain 7.1.2, design 7.4)."""

    def target(self, world: World, action: int, redir: str | None = None) -> str | None:
        page, item = int(world.action(action)["page"]), ActionItem(source=None)
        return SupporterLink(Purpose.DOUBLE_OPT_IN, item, page_context(page)).target(redir, None)

    @pytest.mark.parametrize(
        ("hosts", "leads_to"),
        [(["bees.example.org"], f"{BEES}?proca_doi=1"), (["other.example.org"], None), ([], None)],
    )
    def test_to_the_last_location(self, world: World, hosts: list[str], leads_to: str | None) -> None:
        page = world.page(world.org("bees", redirect_hosts=hosts))
        action = sign(world, page, "ida")
        sign(world, page, "per", BEES)
        world.run()
        assert self.target(world, action) == leads_to

    def test_not_where_another_place_is_asked_for(self, world: World) -> None:
        page = world.page(world.org("bees", redirect_hosts=["bees.example.org"]))
        action = sign(world, page, "ida")
        sign(world, page, "per", BEES)
        world.run()
        with calls() as recorded:
            assert self.target(world, action, "https://evil.example.org/x") is None
        assert not [call for call in recorded.of("GetItem") if "activity" in str(call.params)]
