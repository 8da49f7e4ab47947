"""Design 7.1 and 7.9 on the running system: what an org with a key receives is nowhere in clear text."""

import json
from typing import Any

from tests.e2e.people import people
from tests.e2e.site import RUN, Site
from tests.world import signature
from tools import clear_text

CONTACT = {
    "firstName": "Wilhelmina",
    "lastName": "Featherstonehaugh",
    "email": "Wilhelmina.Featherstonehaugh@example.org",
    "phone": "+44 1632 960983",
    "address": {"country": "GB", "postcode": "ZE3 9JW", "locality": "Sumburgh", "street": "Grutness Road"},
}
ACTION: dict[str, Any] = {
    "actionType": "register",
    "donation": {
        "amount": 500,
        "payload": {"provider": "sepa", "id": "mandate-7", "holder": {"name": "Crackenthorpe"}},
    },
    "fields": [{"key": "neighbour", "value": "Marmaduke"}],
}
WORDS = (
    "Wilhelmina",
    "Featherstonehaugh",
    "1632 960983",
    "ZE3 9JW",
    "Sumburgh",
    "Grutness",
    "Crackenthorpe",
    "Marmaduke",
)
SHARE = {"action": {"actionType": "share"}}


def test_nothing_of_a_person_is_kept_in_clear_text_for_orgs_with_a_key(site: Site) -> None:
    client = site.client
    pending = client.pending()
    keyed, waiting = site.org("custom_supporter_confirm=true"), site.org("custom_action_confirm=true")
    keyless, lead = site.org(key=False), site.org()
    refs = []
    for org in (keyed, waiting, keyless, lead):
        page = site.page(org, lead=lead)
        client.admin("campaign", "set", page.campaign, 'transient_actions=["register:neighbour"]')
        signed = client.post(page.path, signature(lead_opt_in=True) | {"contact": CONTACT, "action": ACTION})
        refs.append(signed.json["contactRef"])
    # and what is refused, wherever it stands
    page = site.page(lead)
    broken = signature() | {"contact": {**CONTACT, "phone": "Wilhelmina", "Featherstonehaugh": "Sumburgh"}}
    answers = [
        client.post(page.path, broken),
        client.call("POST", page.path, b'{"contact": "Wilhelmina', {"Content-Type": "application/json"}),
        client.post(page.path, signature(contactRef="Wilhelmina Featherstonehaugh")),
        client.post(page.path, signature(), {"Idempotency-Key": "Wilhelmina Featherstonehaugh"}),
        client.post(f"/v1/pages/{page.id}/contacts/{'Wilhelmina.'}/actions", SHARE),
        client.post(f"/v1/pages/{page.id}/contacts/{refs[0]}/actions", {"action": ACTION}),
        client.post(f"/v1/pages/{page.id}/contacts/{refs[0]}/links", {"linkRefs": ["Wilhelmina?"]}),
        client.post("/v1/pages/Wilhelmina/actions", signature()),
        client.call("GET", "/v1/pages?name=Wilhelmina/Featherstonehaugh"),
        client.call("GET", "/v1/Wilhelmina/Featherstonehaugh"),
        client.call("POST", page.path, b"Wilhelmina", {"Content-Type": "Wilhelmina/Featherstonehaugh"}),
    ]
    assert {answer.status for answer in answers} == {400, 404, 415, 422}
    site.wait_for(lambda: client.pending() == pending + 1)  # the message of the org without a key waits for one

    found = clear_text.search(client.stack, WORDS, control=[*refs, "answered"])

    assert not found.places, str(found)
    assert all(found.control[kind] for kind in clear_text.KINDS if kind != "files"), str(found)
    key = site.with_key(keyless)
    client.admin("key", "encrypt-contacts", keyless.name)
    client.wait_until_delivered()
    [message] = site.messages(key)
    assert message["contact"]["lastName"] == CONTACT["lastName"]
    assert message["action"]["donation"]["payload"] == ACTION["donation"]["payload"]
    assert message["action"]["customFields"] == {"neighbour": "Marmaduke"}


def test_the_search_finds_what_an_org_without_encryption_keeps(site: Site) -> None:
    org = site.org(key=False, encryption="clear")
    site.signed(site.page(org), email="Clear.Text@example.org", first_name="Ferdinand", last_name="Grimstonby")
    site.client.wait_until_delivered()

    for word in ("Ferdinand", "GRIMSTONBY", "clear.text@example.org"):
        kinds = {place.partition(":")[0] for place in clear_text.search(site.client.stack, [word]).places}
        assert kinds == {"table items", "stream records", "messages"}, word
    [message] = site.messages(org)
    assert message["contact"]["lastName"] == "Grimstonby"


def test_after_an_erasure_nothing_is_found_but_what_was_sent_before(site: Site) -> None:
    """Even of an org that keeps clear text. What a stream still has ends after a day; queues are read by then.

    The file goes too, and is empty: an export ends a minute before it begins (with rows: test_export_files).
    """
    client = site.client
    org = site.org("event_queue=true", key=False, encryption="clear")
    page = site.page(org)
    client.admin("campaign", "set", page.campaign, 'public_actions=["register:comment"]')
    words = ("Nightingale.Plimsoll@example.org", "Nightingale", "Plimsoll", "Bartholomew")
    signed = site.sign(
        page,
        {"Idempotency-Key": "Bartholomew-Plimsoll"},
        email=words[0],
        first_name="Nightingale",
        last_name="Plimsoll",
        fields={"comment": "Bartholomew"},
        opt_in=True,
    ).json
    client.post(f"/v1/pages/{page.id}/contacts/{signed['contactRef']}/actions", SHARE)
    client.wait_until_delivered()
    with people(client) as meet:
        owner = meet(f"erases@{RUN}.example.org", {org.name: "owner"})
        asked = {"kind": "contacts", "format": "csv", "onlyOptIn": False}
        export = owner.post(f"/v1/orgs/{org.name}/exports", asked).json["id"]
        site.wait_for(lambda: owner.get(f"/v1/orgs/{org.name}/exports/{export}").json["state"] == "ready")
        before = clear_text.search(client.stack, [*words, signed["contactRef"]])
        site.received(org)
        numbers = site.numbers(page)

        answer = owner.post(f"/v1/orgs/{org.name}/erasures", {"email": words[0]})

        assert (answer.status, answer.json["state"], answer.json["removed"]["exportFiles"]) == (201, "done", 1)
        site.wait_for(lambda: site.depth(client.queue_url(org.id, "event")))
    found = clear_text.search(client.stack, [*words, signed["contactRef"]], control=["answered"])
    assert found.control["log lines"], str(found)
    kinds = [{place.partition(":")[0] for place in each.places} for each in (before, found)]
    assert kinds[0] >= {"table items", "stream records", "messages"}, str(before)
    assert kinds[1] == {"stream records"}, str(found)
    assert site.numbers(page) == numbers
    events = [json.loads(message["Body"]) for message in site.received(org, "event")]
    [told] = [event for event in events if event["eventType"] == "supporter.erased"]
    assert (len(told["actionIds"]), told["dataErased"]) == (2, True)
