"""Linking earlier actions after the signature, by an endpoint that tells nothing (domain 3.3, design 5, 7.7)."""

from __future__ import annotations

import pytest

from proca_common.intake import link as asking
from proca_common.stages import decide, link
from tests.harness.calls import calls
from tests.harness.faults import faults, lose_request, throttle
from tests.world import World

REF = "a-text-the-widget-made"
OTHER = "another-text"
UNKNOWN = "dW5rbm93bg"


def supporters_of(world: World, *action_ids: int) -> list[str | None]:
    return [world.action(action_id).get("supporter") for action_id in action_ids]


def test_what_came_under_the_refs_becomes_the_latest_supporters(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    shares = [world.act(page, REF).action, world.act(page, OTHER).action]
    not_asked = world.act(page, "a-third-text").action
    world.sign(page)
    latest = world.sign(page)
    world.run()
    world.messages(org)
    answer = world.link(page, latest.contact_ref, REF, OTHER, "nothing-is-here")
    assert (answer.status, answer.body) == (202, {"contactRef": latest.contact_ref, "firstName": None})
    world.run()
    assert supporters_of(world, *shares, not_asked) == [str(latest.action)] * 2 + [None]
    assert [message["actionId"] for message in world.messages(org)] == sorted(shares)
    assert world.numbers(page.campaign)["type:share"] == 2
    assert not world.pending()
    assert not [item for item in world.items("S#") if {"link_refs", "stage", "due"} & item.keys()]


def test_a_page_of_the_same_org_will_do_and_one_of_another_org_will_not(world: World) -> None:
    org, stranger = world.org("ngo"), world.org("stranger")
    page, sister = world.page(org), world.page(org, world.campaign(org, "rivers"))
    theirs = world.page(stranger, world.campaign(stranger, "theirs"))
    shared, at_theirs = world.act(sister, REF).action, world.act(theirs, REF).action
    signed = world.sign(page)
    world.link(theirs, signed.contact_ref, REF)
    world.run()
    assert supporters_of(world, shared, at_theirs) == [None, None]
    world.link(sister, signed.contact_ref, REF)
    world.run()
    assert supporters_of(world, shared, at_theirs) == [str(signed.action), None]


def test_what_is_stored_about_a_ref_shows_in_neither_calls_nor_answer(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    waiting = world.sign(page, email="waiting@example.org")
    rejected = world.sign(page, email="rejected@example.org")
    decide.reject_supporter(rejected.action)
    being_linked = world.sign(page, email="linked@example.org", contactRef=OTHER)
    world.act(page, REF)
    world.link(page, UNKNOWN, REF)
    seen = set()
    for ref in (UNKNOWN, REF, waiting.contact_ref, rejected.contact_ref, being_linked.contact_ref):
        with calls() as recorded:
            answer = world.link(page, ref, REF)
        assert answer.body == {"contactRef": ref, "firstName": None}
        seen.add((answer.status, tuple(sorted(answer.headers.items())), tuple(recorded.operations)))
    [(status, _, operations)] = seen
    assert (status, operations) == (202, ("Query", "UpdateItem"))


def test_for_an_unknown_ref_nothing_is_stored(world: World) -> None:
    page = world.page(world.org("ngo"))
    world.act(page, REF)
    before = world.items()
    assert world.link(page, UNKNOWN, REF).status == 202
    assert world.link(page, REF, REF).status == 202
    assert world.items() == before


def test_asking_again_does_nothing_twice(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    shared = world.act(page, REF).action
    signed = world.sign(page)
    for _ in range(3):
        assert world.link(page, signed.contact_ref, REF, headers={"Idempotency-Key": "once"}).status == 202
        world.run()
    assert supporters_of(world, shared) == [str(signed.action)]
    assert world.numbers(page.campaign)["type:share"] == 1
    assert len(world.messages(org)) == 2


def test_what_is_asked_while_something_is_being_linked_is_linked_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = world.page(world.org("ngo"))
    shares = [world.act(page, REF).action, world.act(page, OTHER).action]
    signed = world.sign(page, contactRef=REF)
    real, asked = link._move, []

    def meanwhile(*arguments: object) -> bool:
        if not asked:
            asked.append(world.link(page, signed.contact_ref, OTHER))
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(link, "_move", meanwhile)
    world.run()
    assert [answer.status for answer in asked] == [202]
    assert supporters_of(world, *shares) == [str(signed.action)] * 2
    assert not world.pending()


def test_requests_before_the_first_is_worked_on_add_up(world: World) -> None:
    page = world.page(world.org("ngo"))
    shares = [world.act(page, REF).action, world.act(page, OTHER).action]
    signed = world.sign(page)
    world.link(page, signed.contact_ref, REF)
    world.link(page, signed.contact_ref, OTHER)
    world.run()
    assert supporters_of(world, *shares) == [str(signed.action)] * 2


def test_the_newest_25_of_all_refs_are_linked(world: World) -> None:
    page = world.page(world.org("ngo"))
    shares = sorted(world.act(page, ref).action for _ in range(15) for ref in (REF, OTHER))
    signed = world.sign(page)
    world.link(page, signed.contact_ref, REF, OTHER)
    world.run()
    assert supporters_of(world, *shares) == [None] * 5 + [str(signed.action)] * 25


def test_a_crowd_of_refs_does_not_grow_the_supporter_without_bound(world: World) -> None:
    page = world.page(world.org("ngo"))
    signed = world.sign(page)
    for number in range(6):
        refs = [f"ref-{number}-{one:04}" for one in range(asking.MAX_LINK_REFS)]
        assert world.link(page, signed.contact_ref, *refs).status == 202
    [supporter] = world.items("S#")
    assert len(supporter["link_refs"]) == asking.MAX_WAITING_REFS
    world.run()
    assert not world.pending()
    [supporter] = world.items("S#")
    assert "link_refs" not in supporter


def test_actions_wait_with_a_supporter_that_waits(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    shared = world.act(page, REF).action
    signed = world.sign(page)
    world.link(page, signed.contact_ref, REF)
    world.run()
    assert world.action(shared)["status"] == "new"
    decide.accept_supporter(signed.action)
    world.run()
    assert world.action(shared)["status"] == "delivered"


@pytest.mark.parametrize(
    "fault", [throttle("Query", nth=None), throttle("UpdateItem", nth=None), lose_request("UpdateItem", nth=None)]
)
@pytest.mark.parametrize("known", [True, False])
def test_a_store_in_trouble_is_a_503(world: World, fault: object, *, known: bool) -> None:
    page = world.page(world.org("ngo"))
    ref = world.sign(page).contact_ref if known else UNKNOWN
    world.link(page, UNKNOWN, REF)
    with faults(fault):  # type: ignore[arg-type]
        answer = world.link(page, ref, REF)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize(
    ("body", "failures"),
    [
        ({}, [("/linkRefs", "blank")]),
        ({"linkRefs": None}, [("/linkRefs", "blank")]),
        ({"linkRefs": []}, [("/linkRefs", "invalid")]),
        ({"linkRefs": "abcd"}, [("/linkRefs", "invalid")]),
        ({"linkRefs": ["abcd"] * 26}, [("/linkRefs", "invalid")]),
        ({"linkRefs": ["abcd", 1, None]}, [("/linkRefs/1", "invalid"), ("/linkRefs/2", "blank")]),
        ({"linkRefs": ["", "a b", "x" * 65]}, [(f"/linkRefs/{index}", "base64url") for index in range(3)]),
        ({"linkRefs": ["abcd"], "contactRef": "abcd"}, [("/contactRef", "unknown_field")]),
    ],
)
def test_what_is_no_request(world: World, body: object, failures: list[tuple[str, str]]) -> None:
    page = world.page(world.org("ngo"))
    answer = world.post(f"/v1/pages/{page.id}/contacts/{UNKNOWN}/links", body)
    assert (answer.status, answer.codes) == (422, failures)


def test_all_that_is_wrong_is_told_at_once(world: World) -> None:
    page = world.page(world.org("ngo"))
    answer = world.post(f"/v1/pages/{page.id}/contacts/a/links", {"linkRefs": ["%"], "x": 1})
    assert answer.codes == [("/contactRef", "base64url"), ("/linkRefs/0", "base64url"), ("/x", "unknown_field")]


def test_a_page_that_is_none_a_body_that_is_none_a_key_that_is_none(world: World) -> None:
    page = world.page(world.org("ngo"))
    path = f"/v1/pages/{page.id}/contacts/{UNKNOWN}/links"
    assert world.post("/v1/pages/99999/contacts/abcd/links", {"linkRefs": ["abcd"]}).status == 404
    assert world.post(path, "[]").status == 400
    assert world.post(path, {"linkRefs": ["abcd"]}, {"Content-Type": "text/plain"}).status == 415
    assert world.post(path, {"linkRefs": ["abcd"]}, {"Idempotency-Key": "a b"}).status == 422
