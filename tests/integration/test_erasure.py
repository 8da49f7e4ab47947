"""Erasing a person for an org (domain 13.7): what goes, what stays, and that it counts as before."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.erasures import ledger
from proca_common.erasures.erase import erase
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from tests.coalition import Coalition
from tests.erasing import KEY, NOBODY, erased, traces
from tests.recount import Stored, assert_sound, counted
from tests.simulated import SimulatedTime
from tests.world import Answer, World

EMAIL = "ida.holm@example.org"


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees", key=False, event_queue=True)


def kinds(world: World) -> dict[str, int]:
    """How many items of each kind there are."""
    found = Stored.of(world).by_kind
    return {kind: len(items) for kind, items in sorted(found.items()) if items}


class TestOfOneOrg:
    def test_nothing_is_left_but_what_counts(self, world: World, org: Org) -> None:
        campaign = world.campaign(org, public_actions=["register:comment"])
        page = world.page(org, campaign)
        signed = world.sign(
            page, email=EMAIL, fields={"comment": "Wilhelmina"}, headers={"Idempotency-Key": "Featherstone"}
        )
        for number in range(3):
            world.act(page, signed.contact_ref, "share", customFields={"note": f"Marmaduke {number}"})
        world.act(page, "earlier", "share")
        world.run()
        before = counted(world, campaign.id)

        entry = erased(org, signed.contact_ref)

        assert_sound(world, campaign)
        after = counted(world, campaign.id)
        assert after == before
        assert after["persons:total"] == 1
        words = (signed.contact_ref, EMAIL, "Wilhelmina", "Marmaduke", "Featherstone")
        assert not [*traces(world, *words)]
        assert kinds(world) == {"action": 5, "id": 5, "membership": 1}
        found = {kind: int(getattr(entry, kind)) for kind in ledger.KINDS if getattr(entry, kind)}
        assert found == {"contacts": 1, "supporters": 1, "counted_actions": 4}
        assert (entry.status, entry.ref, entry.gone, entry.campaigns) == ("done", None, None, {campaign.id})
        assert entry.person == ledger.mark(KEY, signed.contact_ref)

    def test_what_does_not_count_goes(self, world: World) -> None:
        org = world.org("asking", custom_supporter_confirm=True)
        campaign = world.campaign(org)
        page = world.page(org, campaign)
        waiting = world.sign(page)
        world.act(page, waiting.contact_ref, "share")
        world.sign(page, testing=True)
        rejected = world.sign(page)
        decide.reject_supporter(rejected.action)
        world.run()

        entry = erased(org, waiting.contact_ref)

        assert_sound(world, campaign)
        assert kinds(world) == {}
        assert (entry.supporters, entry.other_actions, entry.counted_actions) == (3, 4, 0)

    def test_actions_that_wait_for_the_person_go(self, world: World, org: Org) -> None:
        other = world.org("other")
        page, others = world.page(org), world.page(other, world.campaign(other, "birds"))
        ref = world.sign(others).contact_ref
        for _ in range(2):
            world.act(page, ref, "share", headers={"Idempotency-Key": "once"})
        for _ in range(46):
            world.act(page, ref, "share")
        world.run()

        entry = erased(org, ref)

        assert entry.waiting_actions == 47
        assert [item for item in world.items("A#") if item["ref"].startswith("u#")] == []
        assert_sound(world, page.campaign, others.campaign)
        assert kinds(world) == {"action": 1, "contact": 1, "id": 1, "membership": 1, "supporter": 1}

    def test_amounts_and_sources_stay_without_what_is_personal(self, world: World, org: Org) -> None:
        campaign = world.campaign(org)
        page = world.page(org, campaign)
        donation = {"amount": 500, "currency": "EUR", "payload": {"provider": "sepa", "id": "mandate-7"}}
        body: dict[str, Any] = {
            "action": {"actionType": "donate", "donation": donation},
            "tracking": {"source": "mail", "medium": "m", "campaign": "c", "location": "https://example.org/ida/page"},
        }
        signed = world.sign(page, email=EMAIL, headers={"Referer": "https://example.org/ida/"}, **body)
        world.run()

        erased(org, signed.contact_ref)

        assert_sound(world, campaign)
        [action] = Stored.of(world).gone
        assert '"amount": 500' in action["donation"]
        assert '"source": "mail"' in action["source"]
        assert not [*traces(world, "mandate-7")]

    def test_many_actions_take_many_transactions(self, world: World, org: Org) -> None:
        campaign = world.campaign(org)
        page = world.page(org, campaign)
        signed = [world.sign(page, email=EMAIL, country="DK" if number else "NO") for number in range(55)]
        for _ in range(5):
            world.act(page, signed[0].contact_ref, "share")
        world.run()
        before = counted(world, campaign.id)

        entry = erased(org, signed[0].contact_ref)

        assert_sound(world, campaign)
        assert counted(world, campaign.id) == before
        assert (entry.supporters, entry.counted_actions) == (55, 60)
        assert kinds(world) == {"action": 60, "id": 60, "membership": 1}

    def test_who_signs_again_is_somebody_new(self, world: World, org: Org, time: SimulatedTime) -> None:
        campaign = world.campaign(org)
        page = world.page(org, campaign)
        ref = world.sign(page).contact_ref
        world.run()
        entry = ledger.enter(org.id, ref, NOBODY, KEY)
        time.forward(seconds=1)
        again = world.sign(page)
        world.run()

        assert erase(entry)

        stored = assert_sound(world, campaign)
        assert [*stored.supporters] == [(ref, again.action)]
        assert counted(world, campaign.id)["persons:total"] == 2
        assert counted(world, campaign.id)["type:register"] == 1  # the second was a repeat, and stays one

    def test_of_somebody_unknown_nothing_is_found(self, world: World, org: Org) -> None:
        page = world.page(org)
        world.sign(page)
        world.run()
        before = kinds(world)
        entry = erased(org, "A" * 43)
        assert (kinds(world), entry.status, entry.supporters) == (before, "done", 0)

    def test_it_may_be_done_twice(self, world: World, org: Org) -> None:
        page = world.page(org)
        ref = world.sign(page).contact_ref
        world.run()
        entry = ledger.enter(org.id, ref, NOBODY, KEY)
        assert erase(entry)
        assert erase(entry)
        assert erase(ledger.get(org.id, entry.id))
        assert_sound(world, page.campaign)
        assert ledger.get(org.id, entry.id).supporters == 1


class TestOfCoalitions:
    @pytest.fixture
    def coalition(self, world: World) -> Coalition:
        events = {"event_queue": True}
        return Coalition(world, events, events)

    def events(self, coalition: Coalition, org: Org) -> list[dict[str, Any]]:
        return coalition.world.bodies(org, Queue.EVENT)

    def test_as_long_as_another_org_has_a_contact_only_the_own_data_goes(self, coalition: Coalition) -> None:
        world, petition = coalition.world, coalition.petition()
        signed = petition.sign("ida", partner=True)
        petition.share(signed, partner=True)
        world.run()
        before = counted(world, petition.campaign.id)

        entry = erased(coalition.partner, signed.contact_ref)

        stored = assert_sound(world, petition.campaign)
        assert counted(world, petition.campaign.id) == before
        assert stored.contacts == {(signed.contact_ref, signed.action): {coalition.lead.id}}
        assert {tuple(action["recipients"]) for action in stored.bound} == {(coalition.lead.id,)}
        assert (entry.contacts, entry.supporters, entry.kept_for_others) == (1, 0, 1)

        erased(coalition.lead, signed.contact_ref)
        assert_sound(world, petition.campaign)
        assert counted(world, petition.campaign.id) == before
        assert kinds(world) == {"action": 2, "id": 2, "membership": 1}

    def test_what_another_campaign_has_does_not_keep_this_one(self, coalition: Coalition) -> None:
        world, petition, other = coalition.world, coalition.petition(), coalition.petition()
        ref = petition.sign("ida", lead=False).contact_ref
        kept = other.sign("ida", partner=True, lead=False)
        world.run()

        erased(coalition.lead, ref)

        stored = assert_sound(world, petition.campaign, other.campaign)
        assert [*stored.supporters] == [(ref, kept.action)]

    def test_every_org_with_a_copy_hears_which_actions_were_meant(self, coalition: Coalition) -> None:
        world, petition = coalition.world, coalition.petition()
        shared = petition.sign("ida", partner=True)
        own = petition.sign("ida", partner=True, lead=False)
        world.run()
        erased(coalition.partner, shared.contact_ref)
        world.run()

        [to_partner] = self.events(coalition, coalition.partner)
        [to_lead] = self.events(coalition, coalition.lead)
        assert to_partner["eventType"] == "supporter.erased"
        assert to_partner["org"]["name"] == to_lead["org"]["name"] == "partner"
        assert (to_partner["dataErased"], to_lead["dataErased"]) == (True, False)
        assert to_partner["actionIds"] == [shared.action, own.action]
        assert to_lead["actionIds"] == [shared.action]

        erased(coalition.lead, shared.contact_ref)
        world.run()
        [last] = self.events(coalition, coalition.lead)
        assert (last["dataErased"], last["org"]["name"]) == (True, "lead")
        assert not self.events(coalition, coalition.partner)
        assert shared.contact_ref not in str([to_partner, to_lead, last])

    def test_who_had_nothing_to_do_with_it_changes_nothing(self, coalition: Coalition) -> None:
        world, petition = coalition.world, coalition.petition()
        signed = petition.sign("ida", partner=True, lead=False)
        world.run()
        before = world.items()
        erased(coalition.lead, signed.contact_ref)
        assert world.items() == before

    def test_what_is_owed_to_the_org_goes_with_its_data(self, coalition: Coalition, time: SimulatedTime) -> None:
        world, petition = coalition.world, coalition.petition()
        coalition.close_queues(coalition.partner)
        signed = petition.sign("ida", partner=True)
        world.run()
        assert world.action(signed.action)["owed"] == [f"{coalition.partner.id}/deliver"]

        erased(coalition.partner, signed.contact_ref)
        coalition.open_queues(coalition.partner)
        time.recover()

        assert_sound(world, petition.campaign)
        assert not coalition.received()[f"{signed.action}.deliver.{coalition.partner.id}"]

    def test_a_signature_that_waits_for_details_goes_on_without(self, world: World, time: SimulatedTime) -> None:
        coalition = Coalition(world, partner={"detail_backend": "webhook"})
        petition = coalition.petition()
        signed = petition.sign("ida", partner=True)
        assert world.action(signed.action)["stage"] == "detail"

        erased(coalition.partner, signed.contact_ref)
        time.recover()

        stored = assert_sound(world, petition.campaign)
        assert [action["status"] for action in stored.bound] == ["delivered"]
        assert coalition.received() == {f"{signed.action}.deliver.{coalition.lead.id}": 1}


def test_a_further_action_of_who_is_gone_waits_for_nobody(world: World, org: Org) -> None:
    page = world.page(org)
    signed: Answer = world.sign(page)
    world.run()
    erased(org, signed.contact_ref)
    late = world.act(page, signed.contact_ref, "share")
    world.run()
    assert_sound(world, page.campaign)
    assert world.action(late.action)["ref"].startswith("u#")
