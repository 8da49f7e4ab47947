"""Orgs, campaigns and pages: numbers, unique names, and what may be deleted (design 3, domain 1.18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPageInput
from proca_common.aws.errors import Unavailable
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import CampaignInput
from proca_common.catalog import names
from proca_common.errors import InUse, NotFound, Taken
from proca_common.orgs import keys
from proca_common.orgs import store as orgs
from proca_common.orgs.org import OrgInput
from tests.harness.calls import calls
from tests.harness.faults import conflict, faults
from tests.harness.interleave import run
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")
UNKNOWN = 999_999_999


def new_org(name: str) -> Any:
    return orgs.create(OrgInput(name=name, title="Org", encryption="encrypted"))


def new_campaign(org: int, name: str, **settings: Any) -> Any:
    return campaigns.create(CampaignInput(name=name, title="Campaign", org=org, **settings))


def new_page(org: int, campaign: int, name: str, **settings: Any) -> Any:
    return pages.create(ActionPageInput(name=name, locale="en", org=org, campaign=campaign, **settings))


def catalogue(world: World) -> list[dict[str, Any]]:
    """All items but the sequences, of which a failed creation may use up a number."""
    found = [item for item in world.tables.all_items("CatalogTable") if item["pk"]["S"] != "sequence"]
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


class TestNumbers:
    def test_ids_are_small_numbers_one_after_the_other(self) -> None:
        first, second = new_org("a"), new_org("b")
        assert second.id == first.id + 1
        assert new_campaign(first.id, "c").id == new_campaign(first.id, "d").id - 1

    def test_two_at_once_get_two_numbers(self) -> None:
        outcome = run(lambda: new_org("a"), lambda: new_org("b"), "ABABAB")
        assert outcome.a.value.id != outcome.b.value.id


@pytest.fixture
def org(world: World) -> Any:
    return new_org("Ngo")


@pytest.fixture
def campaign(world: World, org: Any) -> Any:
    return new_campaign(org.id, "Bees")


class TestNames:
    """Unique without regard to case; the casing is kept (domain 0.3.8)."""

    @pytest.mark.parametrize("name", ["ietf", "IETF", "Ietf"])
    def test_an_orgs(self, world: World, name: str) -> None:
        made = new_org("IETF")
        before = catalogue(world)
        with pytest.raises(Taken, match="name has already been taken"):
            new_org(name)
        assert catalogue(world) == before
        assert orgs.find(name) == made
        assert orgs.find(name).name == "IETF"

    def test_a_campaigns_also_of_another_org(self, world: World, campaign: Any) -> None:
        other = new_org("other")
        before = catalogue(world)
        with pytest.raises(Taken, match="name"):
            new_campaign(other.id, "BEES")
        assert catalogue(world) == before
        assert campaigns.find("bees") == campaign

    def test_a_pages(self, world: World, org: Any, campaign: Any) -> None:
        made = new_page(org.id, campaign.id, "Act.ngo.example/Bees")
        before = catalogue(world)
        with pytest.raises(Taken, match="name"):
            new_page(org.id, campaign.id, "act.NGO.example/bees")
        assert catalogue(world) == before
        assert pages.find("act.ngo.example/bees") == made

    def test_the_same_name_for_an_org_a_campaign_and_a_page_is_fine(self) -> None:
        org = new_org("bees")
        campaign = new_campaign(org.id, "bees")
        assert new_page(org.id, campaign.id, "bees/bees")

    def test_an_external_id_is_unique_within_its_org(self, world: World, org: Any) -> None:
        new_campaign(org.id, "one", external_id=5501)
        before = catalogue(world)
        with pytest.raises(Taken, match="external_id has already been taken"):
            new_campaign(org.id, "two", external_id=5501)
        assert catalogue(world) == before
        assert new_campaign(new_org("other").id, "two", external_id=5501)

    def test_of_two_who_want_a_name_at_once_one_gets_it(self) -> None:
        for schedule in ("ABAB", "BABA", "AABB", "ABBA"):
            name = f"wanted-{schedule}"
            outcome = run(lambda name=name: new_org(name), lambda name=name: new_org(name), schedule)
            errors = [result.error for result in (outcome.a, outcome.b)]
            assert sorted(map(type, errors), key=str) == [type(None), Taken]

    def test_a_name_is_free_again_after_a_deletion(self, org: Any, campaign: Any) -> None:
        campaigns.delete(campaign)
        orgs.delete(org)
        again = new_org("ngo")
        assert orgs.find("NGO").id == again.id
        assert new_campaign(again.id, "bees")

    def test_unknown_names_are_not_found(self) -> None:
        for find in (orgs.find, campaigns.find, pages.find):
            with pytest.raises(NotFound):
                find("nobody")
        for get in (orgs.get, campaigns.get, pages.get):
            with pytest.raises(NotFound):
                get(UNKNOWN)


class TestReferences:
    def test_a_campaign_needs_its_org_and_a_page_both(self, world: World, org: Any, campaign: Any) -> None:
        before = catalogue(world)
        with pytest.raises(NotFound, match="org"):
            new_campaign(UNKNOWN, "rivers")
        with pytest.raises(NotFound, match="org"):
            new_page(UNKNOWN, campaign.id, "ngo/bees")
        with pytest.raises(NotFound, match="campaign"):
            new_page(org.id, UNKNOWN, "ngo/bees")
        assert catalogue(world) == before
        assert names.find("campaign", "rivers") is None
        assert names.find("page", "ngo/bees") is None

    def test_an_org_with_campaigns_or_pages_stays(self, world: World, org: Any, campaign: Any) -> None:
        partner = new_org("partner")
        new_page(partner.id, campaign.id, "partner/bees")
        before = catalogue(world)
        for used in (org, partner):
            with pytest.raises(InUse, match="has campaigns or action pages"):
                orgs.delete(used)
        with pytest.raises(InUse, match="has action pages"):
            campaigns.delete(campaign)
        assert catalogue(world) == before

    def test_what_nothing_needs_goes_with_its_name_and_keys(self, world: World) -> None:
        before = catalogue(world)
        org = new_org("ngo")
        keys.generate(org, "one")
        keys.generate(org, "two")
        campaign = new_campaign(org.id, "bees", external_id=7)
        campaigns.delete(campaign)
        orgs.delete(org)
        assert catalogue(world) == before

    def test_an_org_that_gets_a_campaign_while_it_is_deleted_is_not_half_gone(self) -> None:
        for schedule in ("ABAB", "BABA", "AABB", "BBAA", "ABBA", "BAAB"):
            org = new_org(f"org-{schedule}")
            outcome = run(
                lambda org=org: orgs.delete(org),
                lambda org=org, schedule=schedule: new_campaign(org.id, f"campaign-{schedule}"),
                schedule,
            )
            deleted, created = outcome.a.error is None, outcome.b.error is None
            assert deleted != created, outcome
            if created:
                assert orgs.get(org.id).name == org.name


class TestOneTransaction:
    @pytest.mark.parametrize("kind", ["org", "campaign", "page"])
    def test_what_is_created_comes_with_its_name_or_not_at_all(self, org: Any, campaign: Any, kind: str) -> None:
        create: dict[str, Callable[[], Any]] = {
            "org": lambda: new_org("new"),
            "campaign": lambda: new_campaign(org.id, "new"),
            "page": lambda: new_page(org.id, campaign.id, "ngo/new"),
        }
        with calls() as recorded:
            create[kind]()
        assert recorded.operations == ["UpdateItem", "TransactWriteItems"]

    def test_a_busy_store_is_told_from_a_refusal(self, org: Any, campaign: Any) -> None:
        key, _ = keys.generate(org, "crm")
        for write in (
            lambda: new_org("other"),
            lambda: new_campaign(org.id, "rivers"),
            lambda: new_page(org.id, campaign.id, "ngo/bees"),
            lambda: campaigns.delete(campaign),
            lambda: orgs.delete(org),
            lambda: keys.activate(org, key.id),
            lambda: keys.expire(org, key.id),
        ):
            with faults(conflict(nth=None)), pytest.raises(Unavailable):
                write()


class TestChanges:
    def test_changed_settings_are_stored_and_the_key_and_uses_stay(self, world: World) -> None:
        org = world.org("ngo")
        campaign = world.campaign(org)
        page = world.page(org, campaign)
        orgs.replace(org.model_copy(update={"title": "New title", "config": {"a": [1, None]}}))
        campaigns.replace(campaign.model_copy(update={"title": "New bees"}))
        pages.replace(page.model_copy(update={"locale": "de_AT"}))
        assert (orgs.get(org.id).title, orgs.get(org.id).config) == ("New title", {"a": [1, None]})
        assert orgs.get(org.id).active_key == org.active_key
        assert campaigns.get(campaign.id).title == "New bees"
        assert pages.get(page.id).locale == "de_AT"
        with pytest.raises(InUse):
            orgs.delete(org)

    def test_lists_are_in_the_order_of_ids(self) -> None:
        made = [new_org(name) for name in ("c", "a", "b")]
        listed = [org for org in orgs.every() if org.id in {one.id for one in made}]
        assert listed == made
