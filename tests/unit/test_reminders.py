"""Whether and when supporters are reminded, by settings (domain 7.6)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.action_pages.context import PageContext
from proca_common.action_pages.page import ActionPage
from proca_common.campaigns.campaign import Campaign
from proca_common.mails.reminders import DAY_MS, Reminders, reminders
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Org

MAILS = {
    "supporter_confirm": True,
    "supporter_confirm_template": "confirm",
    "email_backend": "ses",
    "email_from": "a@a.org",
}
ON = {"enabled": True}


def context(of_org: Any = None, of_campaign: Any = None, campaign: Any = None, **settings: Any) -> PageContext:
    """A page of an org that mails its supporters, with this said of reminders by the org and by the campaign."""
    said = {} if of_org is None else {"reminder": of_org}
    org = Org(id=1, name="bees", title="Bees", encryption="clear", config=said, **{**MAILS, **settings})
    said = {} if of_campaign is None else {"reminder": of_campaign}
    led = Campaign(id=1, name="bees", title="Bees", org=1, config=said, **(campaign or {}))
    page = ActionPage(id=1, name="bees/en", locale="en", org=1, campaign=1)
    return PageContext(page, led, org, org, Instance(1, 1, bytes(32)), None)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, None),
        ({}, None),
        ({"enabled": False}, None),
        ({"enabled": "true"}, None),
        ({"enabled": 1}, None),
        ("on", None),
        ([True], None),
        (ON, Reminders(2 * DAY_MS, 3)),
        ({**ON, "delay_days": 5, "max_count": 1}, Reminders(5 * DAY_MS, 1)),
        ({**ON, "delay_days": "5", "max_count": "7"}, Reminders(5 * DAY_MS, 7)),
        ({**ON, "delay_days": None}, Reminders(2 * DAY_MS, 3)),
        ({**ON, "delay_days": 0}, None),
        ({**ON, "max_count": 0}, None),
        ({**ON, "max_count": "0"}, None),
        ({**ON, "delay_days": -1}, None),
        ({**ON, "delay_days": 1.5}, None),
        ({**ON, "delay_days": True}, None),
        ({**ON, "delay_days": "soon"}, None),
        ({**ON, "delay_days": "9" * 30}, None),
        ({**ON, "max_count": 10_000}, Reminders(2 * DAY_MS, 20)),
    ],
)
def test_what_the_org_says(said: Any, found: Reminders | None) -> None:
    assert reminders(context(said)) == found


@pytest.mark.parametrize(
    ("of_org", "of_campaign", "found"),
    [
        (ON, {"enabled": False}, None),
        ({"enabled": False}, ON, Reminders(2 * DAY_MS, 3)),
        (None, {**ON, "max_count": 2}, Reminders(2 * DAY_MS, 2)),
        ({**ON, "delay_days": 4}, {"max_count": 1}, Reminders(4 * DAY_MS, 1)),
        ({**ON, "delay_days": 4}, {"delay_days": 1}, Reminders(DAY_MS, 3)),
    ],
)
def test_the_campaign_says_more(of_org: Any, of_campaign: Any, found: Reminders | None) -> None:
    assert reminders(context(of_org, of_campaign)) == found


@pytest.mark.parametrize(
    "settings",
    [
        {"supporter_confirm": False},
        {"email_backend": None},
        {"email_from": None},
        {"supporter_confirm_template": None},
        {"campaign": {"supporter_confirm": False}},
    ],
)
def test_who_does_not_mail_supporters_to_confirm_does_not_remind_them(settings: dict[str, Any]) -> None:
    assert reminders(context(ON, **settings)) is None


def test_it_is_enough_that_the_campaign_wants_confirmation() -> None:
    assert reminders(context(ON, campaign={"supporter_confirm": True}, supporter_confirm=False)) is not None
