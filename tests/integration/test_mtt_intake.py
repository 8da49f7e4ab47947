"""Signatures with a message to targets: what is refused, and what is stored, in one call (domain 3.5.5; design 4)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import store
from proca_common.orgs import encryption
from proca_common.orgs.org import Org
from proca_common.targets import known
from tests import mtt
from tests.harness.calls import calls
from tests.world import World


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees", email_backend="smtp", email_from="mail@bees.example.org")


@pytest.fixture
def campaign(world: World, org: Org) -> Campaign:
    return mtt.campaign(world, org)


def opened(world: World, item: dict[str, Any], part: str) -> dict[str, Any]:
    return json.loads(encryption.unseal(item[part], world.sealing_key))  # type: ignore[no-any-return]


def test_a_message_is_stored_once_for_all_its_targets_and_sealed(world: World, org: Org, campaign: Campaign) -> None:
    page = world.page(org, campaign)
    to = [mtt.target(campaign, name) for name in ("Anna", "Bo", "Carl")]
    mtt.write(world, page, to[0], name="warm")
    with calls() as made:
        answer = mtt.write(world, page, *to, to[0].id.upper(), subject="Dear\nall", files=["bees/a.jpg"])

    assert [call.operation for call in made] == ["TransactWriteItems"]
    action = world.action(answer.action)
    assert action["messages"] == "3"
    [item] = [item for item in world.items("T#") if item["action"] == str(answer.action)]
    assert item["ref"] == answer.contact_ref == action["ref"]
    assert store.unpacked(item["targets"]) == [each.id for each in to]
    assert opened(world, item, "text") == {
        "subject": "Dear all",
        "body": "Dear {{target.name}},\nbees matter.",
        "files": ["bees/a.jpg"],
    }
    assert opened(world, item, "sender") == {
        "email": "ida@example.org",
        "firstName": "Ida",
        "lastName": "Holm",
        "area": None,
    }
    assert f"{org.id}/targets" in action["owed"]


def test_a_thousand_targets_come_in_one_call(world: World, org: Org, campaign: Campaign) -> None:
    page = world.page(org, campaign)
    first = mtt.target(campaign, "First")
    many = [first.id, *(str(uuid4()) for _ in range(999))]
    known._ids.get(campaign.id, lambda: frozenset(many))  # as if all had been added before
    mtt.write(world, page, first, name="warm")
    with calls() as made:
        answer = mtt.write(world, page, *many)

    assert [call.operation for call in made] == ["TransactWriteItems"]
    [item] = [item for item in world.items("T#") if item["action"] == str(answer.action)]
    assert len(store.unpacked(item["targets"])) == 1000
    assert len(item["targets"]) == 16_000


def test_a_signature_without_a_message_is_stored_as_ever(world: World, org: Org, campaign: Campaign) -> None:
    answer = world.sign(world.page(org, campaign))

    assert "messages" not in world.action(answer.action)
    assert not world.items("T#")


def test_all_that_is_wrong_is_told_at_once(world: World, org: Org, campaign: Campaign) -> None:
    page = world.page(org, campaign)
    known = mtt.target(campaign, "Anna")
    elsewhere = mtt.target(mtt.campaign(world, org, "trees"), "Bo")
    answer = mtt.write(world, page, known, elsewhere, str(uuid4()), subject="{{#bees}}", body="Dear {{secret name")

    assert answer.status == 422
    assert answer.codes == [
        ("/action/mtt/subject", "mustache"),
        ("/action/mtt/body", "mustache"),
        ("/action/mtt/targets/1", "unknown_target"),
        ("/action/mtt/targets/2", "unknown_target"),
    ]
    words = [failed["message"] for failed in answer.body["errors"]]
    assert words[0] == "Invalid mustache template format in subject: at line 1 column 1"
    assert "secret" not in json.dumps(answer.body)
    assert not world.items("A#")


def test_a_message_needs_a_target(world: World, org: Org, campaign: Campaign) -> None:
    assert mtt.write(world, world.page(org, campaign)).codes == [("/action/mtt/targets", "blank")]


def test_a_target_that_was_added_just_now_is_known(world: World, org: Org, campaign: Campaign) -> None:
    page = world.page(org, campaign)
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo")
    known.forget()
    known._ids.get(campaign.id, lambda: frozenset({anna.id}))

    assert mtt.write(world, page, anna, bo).status == 201


def test_campaigns_without_settings_take_no_messages(world: World, org: Org, campaign: Campaign) -> None:
    page = world.page(org, world.campaign(org, "plain"))

    assert mtt.write(world, page, mtt.target(campaign, "Anna")).codes == [("/action/mtt", "unsupported")]


def test_who_writes_must_have_an_address(world: World, org: Org) -> None:
    campaign = world.campaign(org, "eci", contact_schema="eci", mtt=mtt.window())
    page = world.page(org, campaign)
    anna = mtt.target(campaign, "Anna")
    contact = {"firstName": "Ida", "lastName": "Holm", "nationality": {"country": "DE"}, "birthDate": "1990-01-01"}
    contact |= {"address": {"country": "DE", "postcode": "12345", "locality": "X", "street": "Y", "streetNumber": "1"}}
    body = {
        "action": {"actionType": "m", "mtt": {"subject": "a", "body": "b", "targets": [anna.id]}},
        "contact": contact,
        "privacy": {"optIn": False},
    }
    answer = world.post(f"/v1/pages/{page.id}/actions", body)

    assert answer.codes == [("/contact/email", "needs_email")]


@pytest.mark.parametrize(("name", "code"), [("bees", "needs_contact"), ("plain", "unsupported")])
def test_a_message_comes_with_a_contact(world: World, org: Org, campaign: Campaign, name: str, code: str) -> None:
    pages = {"bees": world.page(org, campaign), "plain": world.page(org, world.campaign(org, "plain"))}
    anna = mtt.target(campaign, "Anna")
    ref = world.sign(pages[name]).contact_ref
    given = {"subject": "a", "body": "b", "targets": [anna.id]}

    assert world.act(pages[name], ref, "m", mtt=given).codes == [("/action/mtt", code)]


def test_nobody_else_can_read_what_was_written(world: World, org: Org, campaign: Campaign) -> None:
    mtt.write(world, world.page(org, campaign), mtt.target(campaign, "Anna"), body="a very private sentence")
    stored = repr(world.tables.all_items("ActionsTable"))

    assert "private sentence" not in stored
    assert "ida@example.org" not in stored
