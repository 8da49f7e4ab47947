"""What anybody sees of a campaign's targets: no address, at most 30 s old, in parts (domain 11.2)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.aws.dynamo import Transaction
from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import numbers
from proca_common.targets import store
from proca_common.targets.target import EmailInput, Target, TargetInput
from tests.harness.calls import calls
from tests.harness.faults import faults, throttle
from tests.world import World


@pytest.fixture
def campaign(world: World) -> Campaign:
    return world.campaign(world.org("bees"))


def made(campaign: Campaign, external_id: str, **settings: Any) -> Target:
    emails = (EmailInput(email=f"{external_id}@example.org"),)
    return store.create(
        store.new(campaign.id, TargetInput(external_id=external_id, name="A", emails=emails, **settings))
    )


def path(campaign: Campaign) -> str:
    return f"/v1/campaigns/{campaign.id}/targets"


def test_all_but_addresses(world: World, campaign: Campaign) -> None:
    anna = made(campaign, "mep-1", locale="pt", area="PT", fields={"party": "Left"})
    answer = world.get(path(campaign))
    shown = {"externalId": "mep-1", "name": "A", "locale": "pt", "area": "PT", "fields": {"party": "Left"}}
    assert (answer.status, answer.body) == (200, {"items": [{"id": anna.id, **shown}], "next": None})
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert world.get(path(campaign), {"If-None-Match": answer.headers["ETag"]}).status == 304


def test_what_is_not_said(world: World, campaign: Campaign) -> None:
    made(campaign, "mep-1")
    [shown] = world.get(path(campaign)).body["items"]
    assert (shown["locale"], shown["area"], shown["fields"]) == (None, "", {})


def test_in_parts_and_by_area_and_locale(world: World, campaign: Campaign) -> None:
    places = [("PT", "pt"), ("PT", "en"), ("DE", "de"), ("PT", "pt")]
    for number, (area, locale) in enumerate(places):
        made(campaign, str(number), area=area, locale=locale)
    found: list[str] = []
    query = {"limit": "2"}
    while True:
        part = world.get(path(campaign), **query).body
        found += [target["id"] for target in part["items"]]
        if part["next"] is None:
            break
        query["cursor"] = part["next"]
    assert found == sorted(store.ids(campaign.id).values())
    in_pt = world.get(path(campaign), area="PT", locale="pt").body["items"]
    assert {target["externalId"] for target in in_pt} == {"0", "3"}
    assert world.get(path(campaign), area="FR").body["items"] == []


def test_at_most_30_s_old_and_older_only_while_the_store_does_not_answer(world: World, campaign: Campaign) -> None:
    made(campaign, "mep-1")
    assert len(world.get(path(campaign)).body["items"]) == 1
    made(campaign, "mep-2")
    with calls() as asked:
        assert len(world.get(path(campaign)).body["items"]) == 1
    assert not asked.all
    world.ahead_ms += 31_000
    with faults(throttle(on="dynamodb", nth=None, attempts=99)):
        assert len(world.get(path(campaign)).body["items"]) == 1
    world.ahead_ms += 31_000
    assert len(world.get(path(campaign)).body["items"]) == 2


def test_how_many_messages_went_out(world: World, campaign: Campaign) -> None:
    made(campaign, "mep-1")
    assert world.get(f"{path(campaign)}/numbers").body == {"targets": 1, "sent": 0}
    for _ in range(2):
        transaction = Transaction()
        numbers.add_sent(transaction, campaign.id)
        transaction.commit()
    world.forget()
    answer = world.get(f"{path(campaign)}/numbers")
    assert answer.body == {"targets": 1, "sent": 2}
    assert answer.headers["Cache-Control"] == "public, max-age=30"


@pytest.mark.parametrize("campaign_id", ["999", "x", "0", "-1", "9" * 30])
def test_no_such_campaign(world: World, campaign_id: str) -> None:
    for what in ("targets", "targets/numbers"):
        answer = world.get(f"/v1/campaigns/{campaign_id}/{what}")
        assert (answer.status, answer.body["detail"]) == (404, "No such campaign")


def test_bad_parameters_are_told_together(world: World, campaign: Campaign) -> None:
    for limit in ("0", "501", "x"):
        answer = world.get(path(campaign), limit=limit, cursor="-")
        assert answer.codes == [("/limit", "invalid"), ("/cursor", "format")]
