"""The settings of a campaign for messages to targets (domain 1.13, 9.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from proca_common.campaigns.campaign import Campaign, CampaignSettings
from proca_common.catalog.given import checked
from proca_common.failures import Refused
from proca_common.mtt.settings import TOO_SHORT, KeepMessages, Mtt, is_zone, mtt_of

WINDOW = {"startAt": "2026-03-02T08:00:00Z", "endAt": "2026-03-15T18:00:00Z"}
CAMPAIGN = {"name": "bees", "title": "Bees"}


def settings(**given: Any) -> Mtt:
    stored = checked(CampaignSettings, CAMPAIGN | {"mtt": WINDOW | given})
    campaign = Campaign(id=7, org=8, **stored.model_dump())
    again = Campaign.load(campaign.document(), id=7)
    assert again == campaign
    found = mtt_of(again)
    assert found is not None
    return found


def refusals(**given: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        checked(CampaignSettings, CAMPAIGN | {"mtt": WINDOW | given})
    return [(failure.pointer, failure.message) for failure in refused.value.failures]


def test_a_campaign_takes_no_messages_unless_it_is_said_how() -> None:
    assert mtt_of(Campaign(id=7, org=8, **CAMPAIGN)) is None


def test_defaults() -> None:
    assert settings() == Mtt(
        start_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
        end_at=datetime(2026, 3, 15, 18, tzinfo=UTC),
        drip_delivery=True,
        message_template=None,
        test_email=None,
        cc_contacts=(),
        cc_sender=False,
        max_emails_per_hour=None,
        timezone="Etc/UTC",
        paused=False,
        keep_messages=KeepMessages.NONE,
    )


def test_all_that_can_be_said_is_kept() -> None:
    given = {
        "dripDelivery": False,
        "messageTemplate": "to_meps",
        "testEmail": "Desk@example.org",
        "ccContacts": ["press@example.org"],
        "ccSender": True,
        "maxEmailsPerHour": 12,
        "timezone": "Europe/Lisbon",
        "paused": True,
        "keepMessages": "text",
    }
    found = settings(**given).model_dump(mode="json", by_alias=True)
    assert found == WINDOW | given | {"testEmail": "desk@example.org"}


def test_moments_are_kept_in_utc_to_the_second() -> None:
    found = settings(startAt="2026-03-02T08:00:00.750+02:00")
    assert found.start_at == datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.mark.parametrize("moment", ["2026-03-02T08:00:00", "2026-03-02", "tomorrow", 1_700_000_000, None, True])
def test_no_moments(moment: object) -> None:
    assert refusals(startAt=moment) == [("/mtt/startAt", "is invalid")]


def test_no_moment_is_beyond_the_calendar() -> None:
    ((pointer, _message),) = refusals(startAt="0001-01-01T00:00:00+14:00")
    assert pointer == "/mtt/startAt"


def test_all_failed_rules_at_once() -> None:
    given = {
        "messageTemplate": "a/b",
        "testEmail": "nobody",
        "ccContacts": ["press@example.org", "x"],
        "maxEmailsPerHour": 0,
        "keepMessages": "some",
        "start_at": "2026-03-02T08:00:00Z",
    }
    assert refusals(**given) == [
        ("/mtt/messageTemplate", "has invalid format"),
        ("/mtt/testEmail", "has invalid format"),
        ("/mtt/ccContacts/1", "has invalid format"),
        ("/mtt/maxEmailsPerHour", "is invalid"),
        ("/mtt/keepMessages", "is invalid"),
        ("/mtt/start_at", "is not a known field"),
    ]


def test_both_ends_are_needed() -> None:
    with pytest.raises(Refused) as refused:
        checked(CampaignSettings, CAMPAIGN | {"mtt": {}})
    assert [failure.pointer for failure in refused.value.failures] == ["/mtt/startAt", "/mtt/endAt"]


@pytest.mark.parametrize("end", ["2026-03-02T08:00:00Z", "2026-03-01T18:00:00Z", "2026-03-02T09:00:00+02:00"])
@pytest.mark.parametrize("drip", [True, False])
def test_the_end_is_after_the_start(end: str, *, drip: bool) -> None:
    assert refusals(endAt=end, dripDelivery=drip) == [("/mtt/endAt", "should be after start_at")]


@pytest.mark.parametrize(
    ("end", "sound"),
    [
        ("2026-03-02T08:03:00Z", True),
        ("2026-03-15T08:03:00Z", True),
        ("2026-03-02T08:02:59Z", False),
        ("2026-03-15T08:00:00Z", False),
        ("2026-03-15T07:00:00Z", False),
        ("2026-03-16T00:00:00Z", False),
    ],
)
def test_a_drip_needs_a_cycle_in_each_day(end: str, *, sound: bool) -> None:
    """Else it would never send, or divide by zero (domain 9.3)."""
    if sound:
        assert settings(endAt=end)
    else:
        assert refusals(endAt=end) == [("/mtt/endAt", TOO_SHORT)]
    assert settings(endAt=end if end > "2026-03-02T08:03" else WINDOW["endAt"], dripDelivery=False)


@pytest.mark.parametrize("name", ["Etc/UTC", "Europe/Lisbon", "America/Argentina/Buenos_Aires"])
def test_zones(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime", "Europe"])
def test_no_zones(name: str) -> None:
    assert not is_zone(name)


def test_errors_do_not_show_what_was_given() -> None:
    with pytest.raises(ValidationError) as error:
        Campaign(id=7, org=8, **CAMPAIGN, mtt=WINDOW | {"testEmail": "who is this"})
    assert "who is this" not in str(error.value)
