"""Actions that came before their supporter are linked to whoever signs with their ref (domain 3.2.7; design 5)."""

from __future__ import annotations

import time

import pytest

from proca_common.stages import decide, link
from tests.harness.faults import faults, throttle
from tests.world import World

REF = "a-text-the-widget-made"
OTHER_REF = "another-text"


def supporters_of(world: World, *action_ids: int) -> list[str | None]:
    return [world.action(action_id).get("supporter") for action_id in action_ids]


def test_an_earlier_share_is_linked_delivered_and_counted(world: World) -> None:  # 16.6 row 14
    org = world.org("ngo")
    page = world.page(org)
    shared = world.act(page, REF)
    signed = world.sign(page, contactRef=REF)
    world.run()
    linked = world.action(shared.action)
    assert linked["ref"] == signed.contact_ref
    assert linked["status"] == "delivered"
    assert linked["supporter"] == str(signed.action)
    assert "expires" not in linked
    assert linked["campaign_bucket"].startswith(f"{page.campaign}#")
    assert {message["actionId"] for message in world.messages(org)} == {shared.action, signed.action}
    assert world.numbers(page.campaign)["type:share"] == 1
    [supporter] = world.items("S#")
    assert (supporter["actions"], supporter["waiting"]) == ("2", "0")
    assert not {"stage", "due", "owed", "pending", "link_refs"} & supporter.keys()
    assert not world.pending()


def test_the_id_item_moves_with_the_action_and_stays(world: World) -> None:
    page = world.page(world.org("ngo"))
    shared = world.act(page, REF)
    [before] = [item for item in world.items("id") if item["ref"] == f"id#{shared.action}"]
    assert before["at"].startswith("u#")
    assert int(before["expires"]) > time.time()
    signed = world.sign(page, contactRef=REF)
    world.run()
    [after] = [item for item in world.items("id") if item["ref"] == f"id#{shared.action}"]
    assert after["at"] == signed.contact_ref
    assert "expires" not in after
    assert decide.reject_action(shared.action)


def test_only_actions_of_pages_of_the_same_org_are_linked(world: World) -> None:
    org, stranger = world.org("ngo"), world.org("stranger")
    page, sister = world.page(org), world.page(org, world.campaign(org, "rivers"))
    theirs = world.act(world.page(stranger, world.campaign(stranger, "theirs")), REF)
    ours, sisters = world.act(page, REF), world.act(sister, REF)
    signed = world.sign(page, contactRef=REF)
    world.run()
    mine = str(signed.action)
    assert supporters_of(world, ours.action, sisters.action, theirs.action) == [mine, mine, None]


def test_only_actions_under_the_very_text_are_linked(world: World) -> None:
    page = world.page(world.org("ngo"))
    same, other = world.act(page, REF), world.act(page, OTHER_REF)
    signed = world.sign(page, contactRef=REF)
    world.run()
    assert supporters_of(world, same.action, other.action) == [str(signed.action), None]


def test_only_the_newest_25_are_linked(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    shares = [world.act(page, REF).action for _ in range(link.NEWEST + 3)]
    shares.sort()
    signed = world.sign(page, contactRef=REF)
    world.run()
    assert supporters_of(world, *shares) == [None] * 3 + [str(signed.action)] * link.NEWEST
    assert world.numbers(page.campaign)["type:share"] == link.NEWEST
    assert len(world.messages(org)) == link.NEWEST + 1


def test_an_action_is_linked_once_to_the_first_who_signs(world: World) -> None:
    page = world.page(world.org("ngo"))
    shared = world.act(page, REF)
    first = world.sign(page, email="ida@example.org", contactRef=REF)
    world.run()
    world.sign(page, email="bo@example.org", contactRef=REF)
    world.run()
    assert supporters_of(world, shared.action) == [str(first.action)]
    assert world.numbers(page.campaign)["type:share"] == 1


def test_actions_linked_to_a_supporter_that_waits_go_on_when_it_is_accepted(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    shared = world.act(page, REF)
    signed = world.sign(page, contactRef=REF)
    world.run()
    assert world.action(shared.action)["status"] == "new"
    assert decide.accept_supporter(signed.action)
    world.run()
    assert {message["actionId"] for message in world.messages(org)} == {shared.action, signed.action}
    assert world.numbers(page.campaign)["type:share"] == 1


def test_actions_linked_to_a_supporter_that_waits_are_rejected_with_it(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    shared = world.act(page, REF)
    signed = world.sign(page, contactRef=REF)
    world.run()
    assert decide.reject_supporter(signed.action)
    world.run()
    assert world.action(shared.action)["status"] == "rejected"
    assert not world.pending()
    assert not world.messages(org)


def test_actions_of_a_rejected_supporter_are_linked_as_rejected(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    shared = world.act(page, REF)
    signed = world.sign(page, contactRef=REF)
    decide.reject_supporter(signed.action)
    world.run()
    assert world.action(shared.action)["status"] == "rejected"
    assert not world.messages(org)


def test_a_store_that_fails_while_linking_only_delays_it(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    shares = [world.act(page, REF).action for _ in range(3)]
    signed = world.sign(page, contactRef=REF)
    with faults(throttle(on="TransactWriteItems", nth=2)):
        world.run()
    assert supporters_of(world, *shares) == [str(signed.action)] * 3
    assert world.numbers(page.campaign)["type:share"] == 3
    [supporter] = world.items("S#")
    assert supporter["actions"] == "4"


@pytest.mark.parametrize("ref", ["", None])
def test_an_empty_ref_links_nothing(world: World, ref: str | None) -> None:
    page = world.page(world.org("ngo"))
    world.sign(page, contactRef=ref)
    [supporter] = world.items("S#")
    assert "link_refs" not in supporter
    assert "stage" not in supporter
