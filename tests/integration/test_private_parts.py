"""Donations and transient fields: what is stored where, what each org receives, and that nothing private is in clear
(design 7.1, domain 3.5.4, 3.7, 5.1).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from proca_common.stages.encrypt_contacts import encrypt_contacts
from tests.harness.calls import calls, unseen_client
from tests.harness.faults import conflict, faults, refuse
from tests.world import Answer, World

IBAN = "SE3550000000054910000003"
DONATION = {
    "amount": 1500,
    "currency": "SEK",
    "frequencyUnit": "monthly",
    "payload": {"provider": "sepa", "id": "mandate-7", "iban": IBAN, "holder": {"name": "Wilhelmina Featherstone"}},
}
KEPT = {"provider": "sepa", "id": "mandate-7"}
REST = {"iban": IBAN, "holder": {"name": "Wilhelmina Featherstone"}}
FIELDS = {"phone": "+46 70 123 45 67", "comment": "My kids swim here"}
PHONE = {"phone": FIELDS["phone"]}
PRIVATE = ("SE3550", "Featherstone", "123 45 67", "holder")
ACTION = {"actionType": "donate", "donation": DONATION, "customFields": FIELDS}
IN_MESSAGE = {"amount": 1500, "currency": "SEK", "frequencyUnit": "monthly"}


def donate(world: World, page: ActionPage, **more: Any) -> Answer:
    return world.sign(page, action=ACTION, **more)


def private_campaign(world: World, org: Org, **settings: Any) -> ActionPage:
    campaign = world.campaign(org, transient_actions=["donate:phone"], public_actions=["donate:comment"], **settings)
    return world.page(org, campaign)


def records(world: World) -> Iterator[str]:
    """Every item that was ever written, as the stream has it."""
    client = unseen_client("dynamodbstreams")
    for stream in client.list_streams(TableName=world.tables["ActionsTable"])["Streams"]:
        for shard in client.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]:
            start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = client.get_shard_iterator(StreamArn=stream["StreamArn"], **start)["ShardIterator"]
            for record in client.get_records(ShardIterator=iterator)["Records"]:
                yield str(record["dynamodb"])


def in_clear(*texts: str) -> list[str]:
    return [word for word in PRIVATE for text in texts if word in text]


def test_an_org_with_a_key_finds_what_is_private_in_the_contact_alone(world: World) -> None:
    org = world.org("ngo")
    signed = donate(world, private_campaign(world, org))
    stored = world.action(signed.action)
    assert json.loads(stored["donation"]) == {**IN_MESSAGE, "payload": KEPT}
    assert json.loads(stored["fields"]) == {"comment": FIELDS["comment"]}
    world.run()
    written = [*map(str, world.items()), *records(world)]
    assert len(written) > 4
    assert not in_clear(*written)
    [raw] = world.bodies(org)
    assert not in_clear(json.dumps(raw))
    assert raw["action"]["donation"] == {**IN_MESSAGE, "payload": KEPT}
    assert raw["action"]["customFields"] == {"comment": FIELDS["comment"]}
    contact = world.opened(org.id, raw)["contact"]
    assert contact["donation"] == REST
    assert contact["fields"] == PHONE
    assert contact["lastName"] == "Holm"


def test_an_org_without_encryption_finds_all_in_its_place_once(world: World) -> None:
    org = world.org("ngo", key=False)
    page = private_campaign(world, org)
    signed = donate(world, page)
    assert "phone" not in str(world.action(signed.action))
    world.run()
    [message] = world.messages(org)
    assert message["action"]["donation"] == {**IN_MESSAGE, "payload": DONATION["payload"]}
    assert message["action"]["customFields"] == FIELDS
    assert message["contact"]["lastName"] == "Holm"
    assert not {"donation", "fields"} & message["contact"].keys()
    [contact] = world.items("C#")
    assert json.loads(contact["clear"])["donation"] == REST
    assert "fields" not in json.loads(contact["clear"])
    assert "123 45 67" not in str(world.items())
    followed = world.act(page, signed.contact_ref, "donate", customFields={"comment": "again"})
    world.run()
    [message] = world.messages(org)
    assert message["actionId"] == followed.action
    assert message["action"]["customFields"] == {"comment": "again"}
    assert "donation" not in message["action"]
    assert not {"donation", "fields"} & message["contact"].keys()


@pytest.mark.parametrize("lead_has_key", [True, False])
def test_each_of_two_orgs_gets_it_in_its_own_way(world: World, *, lead_has_key: bool) -> None:
    lead, partner = world.org("lead", key=lead_has_key), world.org("partner", key=not lead_has_key)
    campaign = world.campaign(lead, transient_actions=["donate:phone"])
    signed = donate(world, world.page(partner, campaign), lead_opt_in=True)
    assert "phone" not in world.action(signed.action)["fields"]
    world.run()
    keyed, clear = (lead, partner) if lead_has_key else (partner, lead)
    [boxed], [plain] = world.bodies(keyed), world.bodies(clear)
    assert not in_clear(json.dumps(boxed))
    assert world.opened(keyed.id, boxed)["contact"]["fields"] == PHONE
    assert plain["action"]["customFields"] == FIELDS
    assert plain["action"]["donation"]["payload"] == DONATION["payload"]
    assert "123 45 67" not in str(world.items())


def test_what_is_sealed_for_want_of_a_key_arrives_when_there_is_one(world: World) -> None:
    org = world.org("ngo", key=False, encryption="encrypted")
    donate(world, private_campaign(world, org))
    world.run()
    assert not world.messages(org)
    assert not in_clear(*map(str, world.items()), *records(world))
    world.give_key(org)
    world.forget()
    assert encrypt_contacts(orgs.get(org.id), world.instance, world.sealing_key).contacts == 1
    world.run()
    [message] = world.messages(org)
    assert message["contact"]["donation"] == REST
    assert message["contact"]["fields"] == PHONE


def test_a_key_that_comes_before_delivery_takes_it_out_of_the_clear(world: World) -> None:
    org = world.org("ngo", key=False, custom_supporter_confirm=True)
    signed = donate(world, private_campaign(world, org))
    world.run()
    [asked] = world.messages(org, Queue.CONFIRM_SUPPORTER)
    assert asked["action"]["customFields"] == FIELDS
    world.give_key(org)
    world.forget()
    encrypt_contacts(orgs.get(org.id), world.instance, world.sealing_key)
    assert not in_clear(*map(str, world.items()))
    decide.accept_supporter(signed.action)
    world.run()
    [raw] = world.bodies(org)
    assert not in_clear(json.dumps(raw))
    assert world.opened(org.id, raw)["contact"]["fields"] == PHONE


def test_transient_fields_wait_for_an_org_whose_queue_fails(world: World) -> None:
    lead, partner = world.org("lead", key=False), world.org("partner", key=False)
    campaign = world.campaign(lead, transient_actions=["donate:phone"], force_delivery=True)
    donate(world, world.page(partner, campaign))
    refused = refuse("AWS.SimpleQueueService.NonExistentQueue", "SendMessageBatch", nth=1, status=400)
    with faults(refused):
        world.run()
    kept = [int(contact["org"]) for contact in world.items("C#") if "123 45 67" in contact["clear"]]
    received = {org.id: world.messages(org) for org in (lead, partner)}
    assert [org for org, messages in received.items() if not messages] == kept
    assert len(kept) == 1
    world.ahead_ms += 10 * 60_000
    world.sweep()
    world.run()
    [late] = world.messages(kept[0])
    assert late["action"]["customFields"] == FIELDS
    assert "123 45 67" not in str(world.items())
    assert not world.pending()


def test_a_contact_that_is_encrypted_while_it_is_delivered_stays_encrypted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = world.org("ngo", key=False)
    donate(world, private_campaign(world, org))
    from proca_common.stages import deliver as flow  # noqa: PLC0415

    real, done = flow._transaction, []

    def meanwhile(*arguments: Any) -> Any:
        transaction = real(*arguments)
        if not done:
            world.give_key(org)
            done.append(encrypt_contacts(orgs.get(org.id), world.instance, world.sealing_key))
        return transaction

    monkeypatch.setattr(flow, "_transaction", meanwhile)
    world.run()
    assert len(done) == 1
    assert not in_clear(*map(str, world.items()))
    [contact] = world.items("C#")
    assert "payload" in contact
    assert "clear" not in contact
    assert len(world.messages(org)) == 1
    assert not world.pending()


def test_contention_while_wiping_is_only_a_second_try(world: World) -> None:
    org = world.org("ngo", key=False)
    page = private_campaign(world, org)
    donate(world, page)
    with faults(conflict(nth=1)):
        world.run()
    assert "123 45 67" not in str(world.items())
    assert len(world.messages(org)) == 1
    assert world.numbers(page.campaign)["persons:total"] == 1


def test_a_repeat_is_wiped_too(world: World) -> None:
    org = world.org("ngo", key=False)
    page = private_campaign(world, org)
    donate(world, page)
    donate(world, page)
    world.run()
    assert [message["action"]["customFields"] for message in world.messages(org)] == [FIELDS, FIELDS]
    assert "123 45 67" not in str(world.items())


def test_a_public_field_that_is_transient_is_never_kept(world: World) -> None:
    org = world.org("ngo", key=False)
    page = world.page(org, world.campaign(org, transient_actions=["donate:comment"], public_actions=["donate:comment"]))
    signed = donate(world, page)
    assert "comment" not in world.action(signed.action)["fields"]
    world.run()
    [message] = world.messages(org)
    assert message["action"]["customFields"] == FIELDS
    assert "swim" not in str(world.items())


def test_other_types_of_the_campaign_keep_the_field(world: World) -> None:
    org = world.org("ngo")
    signed = world.sign(private_campaign(world, org), fields=FIELDS)
    assert json.loads(world.action(signed.action)["fields"]) == FIELDS


def test_a_payment_intent(world: World) -> None:
    org = world.org("ngo")
    intent = {"id": "pi_1", "amount": 900, "currency": "eur", "status": "succeeded", "receipt_email": "x@example.org"}
    action = {"actionType": "donate", "donation": {"schema": "stripe_payment_intent", "payload": intent}}
    world.sign(world.page(org), action=action)
    world.run()
    [message] = world.messages(org)
    assert message["action"]["donation"] == {
        "schema": "stripe_payment_intent",
        "amount": 900,
        "currency": "EUR",
        "frequencyUnit": "one_off",
        "payload": {"id": "pi_1", "amount": 900, "currency": "eur", "status": "succeeded"},
    }
    assert message["contact"]["donation"] == {"receipt_email": "x@example.org"}


def test_legacy_fields_arrive_as_custom_fields(world: World) -> None:
    org = world.org("ngo")
    listed = [{"key": "color", "value": "red"}, {"key": "color", "value": "blue"}, {"key": "age", "value": "x"}]
    world.sign(world.page(org), action={"actionType": "register", "fields": listed, "customFields": {"age": 41}})
    world.run()
    [message] = world.messages(org)
    assert message["action"]["customFields"] == {"color": ["blue", "red"], "age": 41}


class TestFollowUp:
    """An action without contact data has no contact to carry anything (its supporter's cannot be opened)."""

    def test_a_donation_of_what_may_stand_in_clear(self, world: World) -> None:
        org = world.org("ngo")
        page = world.page(org)
        signed = world.sign(page)
        donation = {"schema": "stripe_payment_intent", "payload": {"id": "pi_1", "amount": 900, "currency": "eur"}}
        given = world.act(page, signed.contact_ref, "donate", donation=donation)
        world.run()
        [message] = [message for message in world.messages(org) if message["actionId"] == given.action]
        assert message["action"]["donation"]["payload"] == donation["payload"]
        assert "donation" not in message["contact"]

    @pytest.mark.parametrize("key", [True, False])
    @pytest.mark.parametrize("known", [True, False])
    def test_anything_else_is_refused_for_everybody(self, world: World, *, key: bool, known: bool) -> None:
        page = private_campaign(world, world.org("ngo", key=key))
        ref = world.sign(page).contact_ref if known else "dW5rbm93bg"
        world.get(f"/v1/pages/{page.id}")
        world.act(page, ref, "share")
        stored = world.items()
        with calls() as recorded:
            answer = world.act(page, ref, "donate", donation=DONATION, customFields=FIELDS)
        assert (answer.status, answer.codes) == (
            422,
            [("/action/donation/payload", "needs_contact"), ("/action/customFields", "needs_contact")],
        )
        assert not recorded.operations
        assert world.items() == stored
        assert not in_clear(json.dumps(answer.body))


@pytest.mark.parametrize("follow_up", [True, False])
def test_no_campaign_takes_a_message_to_targets_yet(world: World, *, follow_up: bool) -> None:
    page = world.page(world.org("ngo"))
    mtt = {"subject": "Bees", "body": "Save them", "targets": ["6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f"]}
    if follow_up:
        answer = world.act(page, "dW5rbm93bg", "mail2target", mtt=mtt)
    else:
        answer = world.sign(page, action={"actionType": "mail2target", "mtt": mtt})
    assert answer.status == 422
    [failed] = answer.body["errors"]
    assert failed == {"pointer": "/action/mtt", "code": "unsupported", "message": "Campaign does not support MTT"}
    assert not world.items()


def test_a_refused_donation_stores_nothing_and_repeats_nothing(world: World) -> None:
    page = world.page(world.org("ngo"))
    action = {"actionType": "donate", "donation": {**DONATION, "amount": 0, "currency": "Featherstone"}}
    answer = world.sign(page, action=action)
    assert answer.codes == [("/action/donation/amount", "not_positive"), ("/action/donation/currency", "format")]
    assert not in_clear(json.dumps(answer.body))
    assert not world.items()
