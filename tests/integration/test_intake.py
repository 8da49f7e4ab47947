"""Taking actions in: one transaction, the same for everybody, clear answers when the store fails (design 4, 7)."""

from __future__ import annotations

import base64
import json

import pytest

from proca_common.aws import clock
from proca_common.intake import add as intake
from proca_common.stages import decide
from tests.harness.calls import calls
from tests.harness.faults import Plan, conflict, faults, lose_request, refuse, throttle
from tests.world import World, api_event, call, signature

UNKNOWN = "dW5rbm93bg"


def test_a_warm_signature_is_one_call_and_one_transaction(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner")
    page = world.page(partner, world.campaign(lead))
    world.sign(page)
    with calls() as recorded:
        world.sign(page, email="bo.berg@example.org", lead_opt_in=True, contactRef=UNKNOWN)
    assert recorded.operations == ["TransactWriteItems"]
    assert len(recorded[0].keys) == 5  # supporter, a contact for each org, action, id


def test_a_cold_signature_reads_page_campaign_and_orgs_once(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner")
    page = world.page(partner, world.campaign(lead))
    world.forget()
    with calls() as recorded:
        world.sign(page)
    assert recorded.operations == ["GetItem", "BatchGetItem", "GetItem", "TransactWriteItems"]


def test_what_is_stored_about_a_ref_shows_in_neither_calls_nor_answer(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    confirming, direct = world.page(org), world.page(org, world.campaign(org, "direct", supporter_confirm=False))
    waiting = world.sign(confirming, email="waiting@example.org")
    accepted = world.sign(direct, email="accepted@example.org")
    rejected = world.sign(confirming, email="rejected@example.org")
    decide.reject_supporter(rejected.action)
    seen = set()
    for ref in (UNKNOWN, waiting.contact_ref, accepted.contact_ref, rejected.contact_ref):
        with calls() as recorded:
            answer = world.act(confirming, ref)
        headers = tuple(sorted(answer.headers.items()))
        shape = (answer.status, tuple(answer.body), answer.body["firstName"], answer.contact_ref == ref, headers)
        seen.add((shape, tuple(recorded.operations)))
    [(_, operations)] = seen
    assert operations == ("Query", "TransactWriteItems")


def test_a_signature_of_a_known_address_shows_nothing_of_the_earlier_one(world: World) -> None:
    page = world.page(world.org("ngo"))
    world.sign(page, email="warm@example.org")
    seen = []
    for first_name in ("Ida", "Ingrid"):
        with calls() as recorded:
            answer = world.sign(page, first_name=first_name)
        assert answer.body["firstName"] == first_name
        seen.append((answer.status, tuple(answer.body), answer.contact_ref, recorded.operations))
    assert seen[0] == seen[1]


def test_two_people_in_the_same_millisecond_with_the_same_random_bits_get_two_ids(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = world.org("ngo")
    page = world.page(org)
    world.sign(page, email="warm@example.org")
    now, bits = clock.now_ms(), iter([7, 7, 7, 8])
    monkeypatch.setattr(clock, "now_ms", lambda: now)
    monkeypatch.setattr(intake, "random_bits", lambda: next(bits))
    ida = world.sign(page, email="ida.holm@example.org")
    bo = world.sign(page, email="bo.berg@example.org")
    monkeypatch.setattr(clock, "now_ms", world.now_ms)
    assert bo.action == ida.action + 1
    world.run()
    emails = {message["actionId"]: message["contact"]["email"] for message in world.messages(org)}
    assert (emails[ida.action], emails[bo.action]) == ("ida.holm@example.org", "bo.berg@example.org")
    assert world.numbers(page.campaign)["persons:total"] == 3


def test_an_action_and_a_signature_never_share_an_id(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = world.page(world.org("ngo"))
    now, bits = clock.now_ms(), iter([5, 5, 5, 6])
    monkeypatch.setattr(clock, "now_ms", lambda: now)
    monkeypatch.setattr(intake, "random_bits", lambda: next(bits))
    assert world.sign(page).action + 1 == world.act(page, UNKNOWN).action


@pytest.mark.parametrize(
    "fault",
    [
        throttle("TransactWriteItems", nth=None),
        throttle("TransactWriteItems", code="ProvisionedThroughputExceededException", nth=None),
        refuse("InternalServerError", "TransactWriteItems", status=500, nth=None),
        refuse("RequestLimitExceeded", "TransactWriteItems", nth=None),
        lose_request("TransactWriteItems", nth=None),
        throttle("Query", nth=None),
        lose_request("Query", nth=None),
    ],
    ids=["throttled", "throughput exceeded", "server error", "limit", "no connection", "query throttled", "query lost"],
)
def test_a_store_in_trouble_is_a_503_with_retry_after_and_nothing_is_stored(world: World, fault: Plan) -> None:
    page = world.page(world.org("ngo"))
    world.get(f"/v1/pages/{page.id}")
    with faults(fault):
        answer = world.act(page, UNKNOWN)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.body["type"] == "urn:proca:problem:unavailable"
    assert not world.items()


@pytest.mark.parametrize("operation", ["GetItem", "BatchGetItem"])
def test_a_catalogue_that_does_not_answer_is_a_503_for_a_cold_signature(world: World, operation: str) -> None:
    page = world.page(world.org("ngo"))
    world.forget()
    with faults(throttle(operation, nth=None)):
        assert world.sign(page).status == 503
    assert not world.items()
    assert world.sign(page).status == 201


def test_a_throttle_that_passes_and_a_conflict_that_ends_are_not_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
    page = world.page(world.org("ngo"))
    with faults(throttle("TransactWriteItems", attempts=1)):
        assert world.sign(page).status == 201
    with faults(conflict(nth=1)):
        assert world.sign(page).status == 201
    assert len(world.items("A#")) == 2


def test_a_conflict_that_does_not_end_is_a_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
    page = world.page(world.org("ngo"))
    with faults(conflict(nth=None)):
        assert world.sign(page).status == 503
    assert not world.items()


def test_a_body_in_base64_is_read(world: World) -> None:
    page = world.page(world.org("ngo", key=False))
    event = api_event(
        "POST", f"/v1/pages/{page.id}/actions", headers={"content-type": "application/json; charset=utf-8"}
    )
    event |= {
        "body": base64.b64encode(json.dumps(signature(first_name="Søren")).encode()).decode(),
        "isBase64Encoded": True,
    }
    answer = call("AddActionContactFunction", event)
    assert (answer.status, answer.body["firstName"]) == (201, "Søren")


def test_tracking_is_proven_by_the_referer(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    referer = {"Referer": "https://ngo.example.org/bees?utm_source=x"}
    location = "https://ngo.example.org/bees/now?x=1"
    world.sign(page, headers=referer, tracking={"source": "mail", "location": location})
    world.sign(page)
    world.run()
    [tracked, direct] = [message["tracking"] for message in world.messages(org)]
    assert tracked == {
        "source": "mail",
        "medium": "unknown",
        "campaign": "unknown",
        "content": "",
        "location": "https://ngo.example.org/bees/now",
    }
    assert direct is None
