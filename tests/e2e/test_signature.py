"""From a signature over HTTP to what the org has in hand."""

from tests.e2e.site import Site


def test_a_signature_arrives_decrypted_in_the_orgs_own_account(site: Site) -> None:
    org = site.org()
    page = site.page(org)
    answer = site.sign(page, email="Ida.Holm@example.org", opt_in=True, fields={"comment": "For the bees"})
    site.client.wait_until_delivered()

    [action] = site.actions(org)

    assert answer.status == 201
    assert answer.json["firstName"] == "Ida"
    assert action.key.message_id == f"{answer.json['actionId']}.deliver.{org.id}"
    assert action.message["action"]["customFields"] == {"comment": "For the bees"}
    contact = action.message["contact"]
    assert (contact["email"], contact["lastName"], contact["dupeRank"]) == ("ida.holm@example.org", "Holm", 0)
    assert contact["contactRef"] == answer.json["contactRef"]
    assert action.message["privacy"]["optIn"] is True
    assert site.status(answer.json["actionId"]) == "delivered"
    assert site.numbers(page) == {"persons:total": 1, f"org:{org.id}": 1, "area:DK": 1, "type:register": 1}


def test_a_share_before_the_signature_is_linked_to_it(site: Site) -> None:
    org = site.org()
    page = site.page(org)
    share = {"action": {"actionType": "share"}}
    before = site.client.post(f"/v1/pages/{page.id}/contacts/a_ref_of_the_widget/actions", share)
    signed = site.sign(page, contactRef="a_ref_of_the_widget")
    after = site.client.post(f"/v1/pages/{page.id}/contacts/{signed.json['contactRef']}/actions", share)
    site.client.wait_until_delivered()

    messages = site.messages(org)

    assert [message["actionId"] for message in messages] == [
        answer.json["actionId"] for answer in (before, signed, after)
    ]
    assert {message["contact"]["email"] for message in messages} == {"ida.holm@example.org"}
    assert site.numbers(page)["type:share"] == 2


def test_a_coalition_shares_a_signature_only_with_whom_it_was_allowed_to(site: Site) -> None:
    lead, partner = site.org(), site.org()
    page = site.page(partner, lead=lead)
    alone = site.signed(page, email="one@example.org", opt_in=True, lead_opt_in=False)
    both = site.signed(page, email="two@example.org", opt_in=False, lead_opt_in=True)
    site.client.wait_until_delivered()

    to_partner, to_lead = site.messages(partner), site.messages(lead)

    assert [(each["actionId"], each["privacy"]["optIn"]) for each in to_partner] == [(alone, True), (both, False)]
    assert [(each["actionId"], each["privacy"]["optIn"]) for each in to_lead] == [(both, True)]
    assert {each["orgId"] for each in (*to_partner, *to_lead)} == {partner.id}


def test_an_org_without_a_key_gets_its_messages_once_it_has_one(site: Site) -> None:
    org = site.org(key=False)
    page = site.page(org)
    action = site.signed(page)
    site.wait_for(lambda: site.status(action) == "delivered")
    assert site.numbers(page)["persons:total"] == 1
    assert not site.received(org)

    org = site.with_key(org)
    site.client.admin("key", "encrypt-contacts", org.name)
    site.client.wait_until_delivered()

    [message] = site.messages(org)
    assert (message["actionId"], message["contact"]["email"]) == (action, "ida.holm@example.org")
