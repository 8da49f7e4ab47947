"""Who receives what: the consent matrix of domain 16.5 and the receivers of 4.6, from the widget to the queues."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.actions import store
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from tests.world import World

Received = tuple[bool | None, bool]
"""(communication consent, delivery consent) of a contact."""


def stored_consents(world: World) -> dict[int, Received]:
    return {
        int(contact["org"]): (contact.get("communication_consent"), contact["delivery_consent"])
        for contact in world.items("C#")
    }


MATRIX = [
    # P=L, delivery, force, optIn, leadOptIn, page org's contact, lead org's contact
    (True, False, False, False, None, (False, True), None),
    (True, True, False, None, True, (None, True), None),
    (False, True, False, True, False, (True, True), None),
    (False, True, False, False, True, (False, True), (True, False)),
    (False, True, True, None, None, (None, True), (None, True)),
    (False, False, False, False, False, None, (False, True)),
    (False, False, False, True, True, (True, False), (True, True)),
]


@pytest.mark.parametrize(("same", "delivery", "force", "opt_in", "lead_opt_in", "to_page_org", "to_lead"), MATRIX)
def test_matrix_of_consents(
    world: World,
    *,
    same: bool,
    delivery: bool,
    force: bool,
    opt_in: bool | None,
    lead_opt_in: bool | None,
    to_page_org: Received | None,
    to_lead: Received | None,
) -> None:
    lead = world.org("lead")
    page_org = lead if same else world.org("partner")
    page = world.page(page_org, world.campaign(lead, force_delivery=force), delivery=delivery)
    answer = world.sign(page, opt_in=opt_in, lead_opt_in=lead_opt_in)
    world.run()
    expected = {lead.id: to_lead, page_org.id: to_page_org}
    assert stored_consents(world) == {org: consent for org, consent in expected.items() if consent is not None}
    for org, consent in expected.items():
        opt_ins = [message["privacy"]["optIn"] for message in world.messages(org)]
        assert opt_ins == ([] if consent is None else [consent[0]])
    stored = store.action_by_id(answer.action)
    assert stored is not None
    assert stored.status == "delivered"
    assert set(map(int, stored.recipients)) == set(stored_consents(world))


def test_each_org_can_open_its_own_copy_only(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner")
    world.sign(world.page(partner, world.campaign(lead)), lead_opt_in=True)
    contacts = {int(item["org"]): item for item in world.items("C#")}
    assert contacts[lead.id]["payload"] != contacts[partner.id]["payload"]
    assert contacts[lead.id]["nonce"] != contacts[partner.id]["nonce"]
    world.run()
    [boxed] = world.bodies(lead)
    assert boxed["personalInfo"]["encryptKey"]["public"] in world.private_keys[lead.id]
    assert boxed["personalInfo"]["encryptKey"]["public"] not in world.private_keys[partner.id]


def test_a_clear_partner_and_a_keyed_lead_each_get_it_in_their_own_way(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner", key=False)
    world.sign(world.page(partner, world.campaign(lead)), lead_opt_in=True)
    world.run()
    [clear], [boxed] = world.bodies(partner), world.bodies(lead)
    assert (clear["personalInfo"], clear["contact"]["lastName"]) == (None, "Holm")
    assert boxed["personalInfo"] is not None
    assert "Holm" not in str(boxed)


def test_an_org_whose_deliver_queue_is_off_gets_nothing_and_holds_nobody_up(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner", custom_action_deliver=False)
    page = world.page(partner, world.campaign(lead, force_delivery=True))
    answer = world.sign(page)
    world.run()
    assert len(world.messages(lead)) == 1
    assert world.action(answer.action)["status"] == "delivered"
    assert not world.pending()


def test_who_has_no_contact_gets_no_share_either(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner")
    page = world.page(partner, world.campaign(lead))
    signed = world.sign(page, lead_opt_in=False)
    world.act(page, signed.contact_ref)
    world.run()
    assert len(world.messages(partner)) == 2
    assert not world.messages(lead)


def test_without_a_contact_for_any_org_of_the_page_a_share_is_delivered_without_a_message(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner")
    coalition = world.page(partner, world.campaign(lead, "coalition"), delivery=False)
    own = world.page(partner, world.campaign(partner, "own"))
    signed = world.sign(coalition)  # its contact is the lead's alone
    world.run()
    assert len(world.messages(lead)) == 1
    shared = world.act(own, signed.contact_ref)
    world.run()
    assert world.action(shared.action)["status"] == "delivered"
    assert not world.messages(lead)
    assert not world.messages(partner)
    assert world.numbers(own.campaign) == {"type:share": 1}
    assert not world.pending()


@pytest.mark.parametrize(
    ("switch", "queue", "stage"),
    [
        ("custom_supporter_confirm", Queue.CONFIRM_SUPPORTER, "supporter_confirm"),
        ("custom_action_confirm", Queue.CONFIRM_ACTION, "action_confirm"),
    ],
)
class TestConfirmStages:
    """They go to the page org alone (domain 4.6)."""

    def page(self, world: World, switch: str, **settings: Any) -> tuple[Org, Org, Any]:
        lead, partner = (
            world.org("lead", custom_supporter_confirm=True, custom_action_confirm=True),
            world.org("partner", **{switch: True}),
        )
        return lead, partner, world.page(partner, world.campaign(lead), **settings)

    def test_only_the_page_org_hears_of_it(self, world: World, switch: str, queue: Queue, stage: str) -> None:
        lead, partner, page = self.page(world, switch)
        world.sign(page, lead_opt_in=True)
        world.run()
        [message] = world.messages(partner, queue)
        assert message["stage"] == stage
        assert message["contact"]["email"] == "ida.holm@example.org"
        assert not world.messages(lead, queue)

    def test_without_a_contact_it_has_no_personal_data(
        self, world: World, switch: str, queue: Queue, stage: str
    ) -> None:
        _, partner, page = self.page(world, switch, delivery=False)
        signed = world.sign(page)
        world.run()
        [message] = world.bodies(partner, queue)
        assert message["stage"] == stage
        assert message["contact"] == {
            "firstName": None,
            "email": None,
            "contactRef": signed.contact_ref,
            "dupeRank": 0,
            "area": "DK",
        }
        assert message["personalInfo"] is None
        assert message["privacy"]["optIn"] is None
        assert message["privacy"]["givenAt"] is None
