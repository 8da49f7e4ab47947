"""Campaigns end by themselves after their last day, and by an operator's command when nobody signs (domain 11.5)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from proca_common.admin.__main__ import parser
from proca_common.aws import clock
from proca_common.aws.errors import Unavailable
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignStatus
from proca_common.catalog.happenings import EventItem
from proca_common.management import audit, campaign_life
from proca_common.management.campaign_life import close_ended, is_over, months_before
from proca_common.orgs.org import Org
from tests.harness.context import LambdaContext
from tests.harness.faults import faults, throttle
from tests.simulated import SimulatedTime
from tests.world import World, function

CLOSED = CampaignStatus.CLOSED
LONG_MS = 600_000


def run() -> Any:
    return function("CloseCampaignsFunction")({}, LambdaContext("CloseCampaignsFunction", 300))


def operator(*arguments: str) -> Any:
    args = parser().parse_args(["campaign", *arguments])
    return args.command(args, None)


def dates(campaign: Campaign) -> tuple[CampaignStatus, date | None, date | None]:
    found = campaigns.get(campaign.id)
    return found.status, found.start, found.end


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.mark.parametrize(
    ("status", "end", "over"),
    [
        ("live", date(2026, 3, 1), True),
        ("live", date(2026, 3, 2), False),  # its last day
        ("live", None, False),
        ("draft", date(2026, 3, 1), False),
        ("closed", date(2026, 3, 1), False),
        ("ignored", date(2026, 3, 1), False),
    ],
)
def test_a_live_campaign_is_over_after_its_last_day(status: str, end: date | None, over: bool) -> None:
    campaign = Campaign(id=1, name="bees", title="Bees", org=1, status=status, end=end)
    assert is_over(campaign, date(2026, 3, 2)) is over


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 3, date(2025, 10, 15)),
        (date(2026, 12, 1), 12, date(2025, 12, 1)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_are_those_of_the_calendar(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


def test_it_is_closed_the_day_after_with_an_entry_in_the_trail_and_an_event(
    world: World, time: SimulatedTime, org: Org
) -> None:
    today = clock.today()
    ending = world.campaign(org, "ending", end=today)
    others = [world.campaign(org, "draft", end=today, status="draft"), world.campaign(org, "endless")]
    assert run() == {"closed": 0}
    time.forward(hours=24)

    assert run() == {"closed": 1}

    assert dates(ending) == (CLOSED, None, today)
    assert [campaigns.get(other.id) for other in others] == others
    [entry] = [entry for entry in audit.trail(org.id) if entry["action"] == "campaign.update"]
    assert (entry["who"], entry["object"]) == (audit.OPERATOR, f"campaign#{ending.id}")
    assert (entry["before"], entry["after"]) == ({"status": "live"}, {"status": "closed"})
    assert [event.subject for event in EventItem.query("events")] == [{"campaign": ending.id}]
    assert run() == {"closed": 0}, "safe to repeat"


def test_what_is_signed_after_it_is_late_and_counts(world: World, time: SimulatedTime, org: Org) -> None:
    campaign = world.campaign(org, "ending", end=clock.today())
    page = world.page(org, campaign)
    time.forward(hours=24)
    run()
    world.forget()
    action = world.sign(page).action
    world.run()
    [message] = world.messages(org)
    assert (message["actionId"], world.action(action)["status"]) == (action, "delivered")
    assert world.action(action)["late"] is True
    assert world.numbers(campaign)["persons:total"] == 1


def test_one_that_cannot_be_closed_now_keeps_no_other_open(world: World, time: SimulatedTime, org: Org) -> None:
    both = [world.campaign(org, name, end=clock.today()) for name in ("first", "second")]
    time.forward(hours=24)
    with faults(throttle(on="TransactWriteItems")), pytest.raises(Unavailable):
        run()
    assert sorted(dates(campaign)[0] for campaign in both) == ["closed", "live"]
    assert run() == {"closed": 1}


def test_who_gives_it_more_time_meanwhile_keeps_it_open(
    world: World, time: SimulatedTime, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.campaign(org, "ending", end=clock.today())
    time.forward(hours=24)
    read = campaigns.get

    def read_then_changed(number: int) -> Campaign:
        found = read(number)
        monkeypatch.setattr(campaigns, "get", read)
        campaigns.replace(found.model_copy(update={"end": None}))
        return found

    monkeypatch.setattr(campaigns, "get", read_then_changed)
    assert run() == {"closed": 0}
    assert dates(campaign) == (CampaignStatus.LIVE, None, None)


def test_it_stops_in_time(world: World, time: SimulatedTime, org: Org) -> None:
    world.campaign(org, "ending", end=clock.today())
    time.forward(hours=24)
    assert close_ended(clock.today(), clock.now_ms() + 5_000).complete is False
    assert close_ended(clock.today(), clock.now_ms() + LONG_MS).closed == ["ending"]


class TestIdle:
    """Nobody signs any more."""

    def test_it_is_closed_with_the_dates_of_its_first_and_last_action(
        self, world: World, time: SimulatedTime, org: Org
    ) -> None:
        campaign = world.campaign(org, "idle")
        page = world.page(org, campaign)
        world.sign(page, testing=True)
        time.forward(hours=24)
        first = clock.today()
        world.sign(page)
        time.forward(hours=48)
        last = clock.today()
        world.sign(page, email="per@example.org")
        time.forward(hours=24)
        world.sign(page, email="liv@example.org", testing=True)
        time.forward(hours=24 * 88)
        assert operator("close-idle") == {"closed": 0, "with_actions": [], "without_actions": []}
        time.forward(hours=24 * 10)

        found = {"with_actions": ["idle"], "without_actions": []}
        assert operator("close-idle", "--dry-run") == {"would_close": 1, **found}
        assert dates(campaign) == (CampaignStatus.LIVE, None, None)
        assert operator("close-idle") == {"closed": 1, **found}
        assert dates(campaign) == (CLOSED, first, last)
        assert operator("close-idle") == {"closed": 0, "with_actions": [], "without_actions": []}

    def test_dates_that_somebody_set_stay(self, world: World, time: SimulatedTime, org: Org) -> None:
        start, end = date(2020, 1, 1), date(2040, 1, 1)
        campaign = world.campaign(org, "idle", start=start, end=end)
        world.sign(world.page(org, campaign))
        time.forward(hours=24 * 40)
        assert operator("close-idle", "--months", "1")["closed"] == 1
        assert dates(campaign) == (CLOSED, start, end)

    def test_one_that_was_signed_on_a_single_day_gets_no_end_because_it_must_be_after_the_start(
        self, world: World, time: SimulatedTime, org: Org
    ) -> None:
        campaign = world.campaign(org, "idle")
        day = clock.today()
        world.sign(world.page(org, campaign))
        time.forward(hours=24 * 40)
        operator("close-idle", "--months", "1")
        assert dates(campaign) == (CLOSED, day, None)

    def test_one_that_was_never_signed_is_closed_when_it_is_old_itself(
        self, world: World, time: SimulatedTime, org: Org
    ) -> None:
        campaign, drafted = world.campaign(org, "idle"), world.campaign(org, "draft", status="draft")
        time.forward(hours=24 * 40)
        young = world.campaign(org, "young")
        unknown = world.campaign(org, "unknown")
        item = campaigns.CampaignItem(*campaigns.campaign_key(unknown.id))
        item.update(actions=[campaigns.CampaignItem.created.remove()])
        found = {"with_actions": [], "without_actions": ["idle"]}
        assert operator("close-idle", "--months", "1") == {"closed": 1, **found}
        assert dates(campaign) == (CLOSED, None, None)
        assert [campaigns.get(one.id) for one in (drafted, young, unknown)] == [drafted, young, unknown]


def test_dates_are_filled_in_for_campaigns_of_any_state(world: World, time: SimulatedTime, org: Org) -> None:
    old, young = world.campaign(org, "old", status="ignored"), world.campaign(org, "young")
    first = clock.today()
    world.sign(world.page(org, old, "bees/old"))
    time.forward(hours=48)
    last = clock.today()
    world.sign(world.page(org, old, "bees/old2"))
    time.forward(hours=24 * 40)
    world.sign(world.page(org, young, "bees/young"))
    recently = clock.today()
    world.campaign(org, "never")

    assert operator("backfill-dates", "--dry-run") == {"would_change": 2, "campaigns": ["old", "young"]}
    assert dates(old)[1] is None
    assert operator("backfill-dates") == {"changed": 2, "campaigns": ["old", "young"]}

    assert dates(old) == (CampaignStatus.IGNORED, first, last)
    assert dates(young) == (CampaignStatus.LIVE, recently, None)
    assert operator("backfill-dates") == {"changed": 0, "campaigns": []}


def test_all_campaigns_are_walked_part_by_part(world: World, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_life, "ORGS_AT_ONCE", 1)
    monkeypatch.setattr(campaign_life, "CAMPAIGNS_AT_ONCE", 2)
    lakes = world.org("lakes")
    made = [world.campaign(org, f"bees{number}").id for number in range(5)]
    made += [world.campaign(lakes, f"lakes{number}").id for number in range(3)]
    assert sorted(campaign.id for campaign in campaign_life.every_campaign()) == made
