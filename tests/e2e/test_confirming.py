"""Signatures that wait: for the supporter's own confirmation, for the org's moderator."""

import pytest

from tests.e2e.site import Page, Site
from tools.client import Refused


def types(site: Site, page: Page) -> dict[str, int]:
    return {name: number for name, number in site.numbers(page).items() if name.startswith(("type:", "persons:"))}


def test_a_signature_waits_until_the_supporter_confirms_it(site: Site) -> None:
    org = site.org("custom_supporter_confirm=true")
    page = site.page(org)
    answer = site.sign(page)
    action = answer.json["actionId"]
    site.client.wait_until_delivered()

    [asked] = site.messages(org, "confirm-supporter")
    assert (asked["stage"], asked["actionId"]) == ("supporter_confirm", action)
    assert asked["contact"]["email"] == "ida.holm@example.org"
    assert not site.received(org)
    assert site.numbers(page) == {}

    # a share of somebody who has not confirmed waits too, and goes along
    path = f"/v1/pages/{page.id}/contacts/{answer.json['contactRef']}/actions"
    share = site.client.post(path, {"action": {"actionType": "share"}}).json["actionId"]
    assert site.client.admin("supporter", "accept", str(action)) == {"id": action, "changed": True}
    assert site.client.admin("supporter", "accept", str(action)) == {"id": action, "changed": False}
    site.client.wait_until_delivered()

    assert [message["actionId"] for message in site.messages(org)] == [action, share]
    assert types(site, page) == {"persons:total": 1, "type:register": 1, "type:share": 1}


def test_a_rejected_signature_is_never_delivered(site: Site) -> None:
    org = site.org("custom_supporter_confirm=true")
    page = site.page(org)
    action = site.signed(page)
    site.client.wait_until_delivered()

    site.client.admin("supporter", "reject", str(action))
    with pytest.raises(Refused, match="already rejected"):
        site.client.admin("supporter", "accept", str(action))
    site.client.wait_until_delivered()

    assert site.status(action) == "rejected"
    assert not site.received(org)
    assert site.numbers(page) == {}


def test_a_signature_waits_for_the_moderator(site: Site) -> None:
    org = site.org("custom_action_confirm=true")
    page = site.page(org)
    good, bad = site.signed(page, email="good@example.org"), site.signed(page, email="bad@example.org")
    site.client.wait_until_delivered()

    assert [message["actionId"] for message in site.messages(org, "confirm-action")] == [good, bad]
    assert site.numbers(page) == {}
    site.client.admin("action", "accept", str(good))
    site.client.admin("action", "reject", str(bad))
    site.client.wait_until_delivered()

    assert [message["actionId"] for message in site.messages(org)] == [good]
    assert types(site, page) == {"persons:total": 1, "type:register": 1}


def test_rejecting_what_was_delivered_takes_it_back_from_the_numbers(site: Site) -> None:
    org = site.org()
    page = site.page(org)
    first, second = site.signed(page), site.signed(page)
    site.client.wait_until_delivered()
    assert types(site, page) == {"persons:total": 1, "type:register": 1}

    site.client.admin("action", "reject", str(first))
    assert types(site, page)["persons:total"] == 1, "the second signature still stands"
    site.client.admin("action", "reject", str(second))
    site.client.wait_until_delivered()

    assert site.numbers(page) == {}
    assert [message["contact"]["dupeRank"] for message in site.messages(org)] == [0, 1]
