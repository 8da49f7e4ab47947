"""Targets in the table: their ids, their addresses, and what is in warm memory of them (domain 1.12, 9.8)."""

from __future__ import annotations

import pytest

from proca_common.actions.status import EmailStatus
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.catalog import items
from proca_common.errors import NotFound, Outdated, Taken
from proca_common.targets import known, store
from proca_common.targets.store import Emails
from proca_common.targets.target import (
    EmailInput,
    Target,
    TargetEmail,
    TargetInput,
    emails_after_report,
    emails_after_sending,
)
from tests.harness.calls import calls
from tests.harness.interleave import run
from tests.world import World

MTT = {"startAt": "2026-03-02T08:00:00Z", "endAt": "2026-03-15T18:00:00Z"}
ANNA = "anna@example.org"


@pytest.fixture
def campaign(world: World) -> Campaign:
    org = world.org("bees")
    return campaigns.create(CampaignInput(name="save_bees", title="Bees", org=org.id, mtt=MTT))


def made(campaign: Campaign, external_id: str, *emails: str) -> Target:
    given = TargetInput(external_id=external_id, name="A", emails=tuple(EmailInput(email=email) for email in emails))
    return store.create(store.new(campaign.id, given))


class TestStored:
    def test_a_target_is_read_back_as_it_was(self, campaign: Campaign) -> None:
        given = TargetInput(external_id="é 1", name="A", locale="fr", area="FR", fields={"a": [1, 2.5]})
        target = store.create(store.new(campaign.id, given))
        assert store.get(campaign.id, target.id.upper()) == target
        assert store.get_many(campaign.id, [target.id, target.id, "unknown"]) == {target.id: target}
        assert store.ids(campaign.id) == {"é 1": target.id}
        assert store.listed(campaign.id) == [target]

    def test_targets_belong_to_their_campaign(self, campaign: Campaign) -> None:
        """Decision 30 of domain 15: the same external id may be used in another one."""
        other = campaigns.create(CampaignInput(name="save_rivers", title="Rivers", org=campaign.org))
        here, there = made(campaign, "mep-1"), made(other, "mep-1")
        assert here.id != there.id
        assert store.listed(other.id) == [there]
        with pytest.raises(NotFound):
            store.get(other.id, here.id)

    def test_an_external_id_is_unique_in_a_campaign(self, campaign: Campaign) -> None:
        made(campaign, "mep-1")
        with pytest.raises(Taken):
            made(campaign, "mep-1")
        assert len(store.listed(campaign.id)) == 1

    def test_two_at_once_with_one_external_id_make_one(self, campaign: Campaign) -> None:
        outcome = run(lambda: made(campaign, "mep-1"), lambda: made(campaign, "mep-1"), "AB")
        assert sorted(type(side.error) for side in (outcome.a, outcome.b) if side.error) == [Taken]
        assert len(store.listed(campaign.id)) == len(store.ids(campaign.id)) == 1

    def test_lists_go_on_after_a_target(self, campaign: Campaign) -> None:
        ids = sorted(made(campaign, str(number)).id for number in range(5))
        assert [target.id for target in store.listed(campaign.id, limit=2)] == ids[:2]
        assert [target.id for target in store.listed(campaign.id, after=ids[1])] == ids[2:]

    def test_another_external_id_frees_the_old_one(self, campaign: Campaign) -> None:
        target = made(campaign, "mep-1")
        changed = store.replace(target, target.model_copy(update={"external_id": "mep-2"}))
        assert (store.get(campaign.id, target.id), changed.version) == (changed, 2)
        assert made(campaign, "mep-1").external_id == "mep-1"
        with pytest.raises(Outdated):
            store.replace(target, target.model_copy(update={"name": "B"}))

    def test_who_is_gone_leaves_nothing(self, campaign: Campaign, world: World) -> None:
        before = world.tables.all_items("CatalogTable")
        transaction = Transaction()
        store.put_gone(transaction, made(campaign, "mep-1"))
        items.commit(transaction)
        assert world.tables.all_items("CatalogTable") == before


class TestAddresses:
    def test_reports_and_sending_change_the_address_alone(self, campaign: Campaign) -> None:
        target = made(campaign, "mep-1", ANNA)
        store.change_emails(campaign.id, target.id, lambda emails: emails_after_sending(emails, ANNA))
        active = store.get(campaign.id, target.id)
        assert active.emails == (TargetEmail(email=ANNA, email_status=EmailStatus.ACTIVE),)
        assert active.model_copy(update={"emails": target.emails, "version": 1}) == target

    def test_what_changes_nothing_writes_nothing(self, campaign: Campaign) -> None:
        target = made(campaign, "mep-1", ANNA)
        with calls() as made_calls:
            store.change_emails(campaign.id, target.id, lambda emails: emails)
            store.change_emails(campaign.id, "no-such-target", lambda _: ())
        assert made_calls.operations == ["GetItem", "GetItem"]

    def test_two_reports_at_once_are_both_kept(self, campaign: Campaign) -> None:
        target = made(campaign, "mep-1", ANNA, "ben@example.org")

        def bounced(email: str) -> None:
            def change(emails: Emails) -> Emails:
                return emails_after_report(emails, email, EmailStatus.BOUNCE, None)

            store.change_emails(campaign.id, target.id, change)

        outcome = run(lambda: bounced(ANNA), lambda: bounced("ben@example.org"), "ABAB")
        assert (outcome.a.error, outcome.b.error) == (None, None)
        found = store.get(campaign.id, target.id)
        assert [one.email_status for one in found.emails] == [EmailStatus.BOUNCE, EmailStatus.BOUNCE]


class TestKnown:
    def test_warm_memory_makes_no_call(self, campaign: Campaign) -> None:
        target = made(campaign, "mep-1")
        assert known.of(campaign.id, [target.id]) == {target.id}
        with calls() as made_calls:
            assert known.of(campaign.id, [target.id]) == {target.id}
        assert not made_calls.all

    def test_a_new_target_is_known_at_once_and_a_gone_one_for_a_while(self, campaign: Campaign, world: World) -> None:
        first = made(campaign, "mep-1")
        assert known.of(campaign.id, [first.id]) == {first.id}
        second = made(campaign, "mep-2")
        assert known.of(campaign.id, [first.id, second.id]) == {first.id, second.id}
        transaction = Transaction()
        store.put_gone(transaction, first)
        items.commit(transaction)
        world.ahead_ms += 31_000
        assert known.of(campaign.id, [first.id, second.id]) == {second.id}

    def test_asking_for_what_is_not_there_costs_a_read_in_five_seconds(self, campaign: Campaign) -> None:
        with calls() as made_calls:
            for _ in range(5):
                assert known.of(campaign.id, ["6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f"]) == frozenset()
        assert len(made_calls) == 2


def test_campaigns_that_take_messages_are_listed(campaign: Campaign) -> None:
    other = campaigns.create(CampaignInput(name="save_rivers", title="Rivers", org=campaign.org))
    assert campaigns.with_mtt() == [campaign.id]
    campaigns.replace(other.model_copy(update={"mtt": campaign.mtt}))
    assert campaigns.with_mtt() == [campaign.id, other.id]
    campaigns.replace(campaign.model_copy(update={"mtt": None}))
    assert campaigns.with_mtt() == [other.id]
    campaigns.delete(campaigns.get(other.id))
    assert campaigns.with_mtt() == []
