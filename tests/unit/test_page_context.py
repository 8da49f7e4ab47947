"""The warm cache of the hot path: how old what it gives may be, also when the store is down (design 4, 7.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proca_common.action_pages import context, store
from proca_common.action_pages.context import PageContext, page_context, page_context_by_name
from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.aws.errors import CloudError, Unavailable
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items, names
from proca_common.errors import NotFound
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org

PAGE, COALITION_PAGE, UNKNOWN = 314, 315, 999
SECOND = 1_000


pytestmark = pytest.mark.usefixtures("catalogue")


class Catalogue:
    """What the Catalog table holds, how often it was read, and whether it answers."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000
        self.down = False
        self.reads = 0
        self.items: dict[tuple[str, str], Any] = {}
        self.names = {"riverwatch/rivers": PAGE}
        self.put(Org(id=8, name="riverwatch", title="River Watch", encryption="encrypted"))
        self.put(Org(id=3, name="lead", title="Lead", encryption="encrypted"))
        self.put(Campaign(id=27, name="rivers", title="Rivers", org=8))
        self.put(Campaign(id=28, name="lakes", title="Lakes", org=3))
        self.put(ActionPage(id=PAGE, name="riverwatch/rivers", locale="en", org=8, campaign=27))
        self.put(ActionPage(id=COALITION_PAGE, name="riverwatch/lakes", locale="en", org=8, campaign=28))
        self.items[instances.KEY] = instances.InstanceItem(*instances.KEY, org=1, key_id=1, sealing_public=bytes(32))

    def put(self, entity: Org | Campaign | ActionPage) -> None:
        match entity:
            case Org():
                key = orgs.org_key(entity.id)
                item: Any = orgs.OrgItem(*key, document=entity.document(), encryption=entity.encryption)
            case Campaign():
                key = campaigns.campaign_key(entity.id)
                item = campaigns.CampaignItem(*key, document=entity.document())
            case _:
                key = store.page_key(entity.id)
                item = store.PageItem(*key, document=entity.document())
        self.items[key] = item

    def read(self, _model: type, pk: str, sk: str) -> Any:
        self._asked()
        return self.items.get((pk, sk))

    def read_many(self, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Any]:
        self._asked()
        return {key: self.items[key] for key in keys if key in self.items}

    def find(self, kind: str, name: str) -> int | None:
        self._asked()
        assert kind == "page"
        return self.names.get(name.lower())

    def _asked(self) -> None:
        self.reads += 1
        if self.down:
            raise Unavailable("down")

    def rename(self, org: int, title: str, encryption: str = "encrypted") -> None:
        self.put(Org(id=org, name="riverwatch", title=title, encryption=encryption))


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    made = Catalogue()
    monkeypatch.setattr(items, "read", made.read)
    monkeypatch.setattr(items, "read_many", made.read_many)
    monkeypatch.setattr(names, "find", made.find)
    monkeypatch.setattr(clock, "now_ms", lambda: made.now_ms)
    context.forget()
    yield made
    context.forget()


def reads_of(catalogue: Catalogue, ask: Callable[[], object]) -> int:
    before = catalogue.reads
    ask()
    return catalogue.reads - before


class TestFresh:
    def test_page_campaign_org_and_instance_come_together(self, catalogue: Catalogue) -> None:
        found = page_context(PAGE)
        assert (found.page.id, found.campaign.id, found.org.id, found.instance.key_id) == (PAGE, 27, 8, 1)
        assert found.lead is found.org
        assert catalogue.reads == 2

    def test_a_coalitions_lead_is_another_org(self) -> None:
        found = page_context(COALITION_PAGE)
        assert (found.org.id, found.lead.id) == (8, 3)
        assert found.org_by_id(8) is found.org
        assert found.org_by_id(3) is found.lead
        assert found.org_by_id(4) is None

    def test_for_30_seconds_it_is_given_from_memory_then_read_again(self, catalogue: Catalogue) -> None:
        page_context(PAGE)
        catalogue.rename(8, "New title")
        catalogue.now_ms += 30 * SECOND - 1
        assert reads_of(catalogue, lambda: page_context(PAGE)) == 0
        assert page_context(PAGE).org.title == "River Watch"
        catalogue.now_ms += 1
        assert page_context(PAGE).org.title == "New title"

    def test_pages_are_remembered_one_by_one(self, catalogue: Catalogue) -> None:
        page_context(PAGE)
        assert reads_of(catalogue, lambda: page_context(COALITION_PAGE)) > 0
        assert reads_of(catalogue, lambda: page_context(PAGE)) == 0

    def test_memory_has_a_limit(self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(context, "MAX_ENTRIES", 2)
        for page in (PAGE, COALITION_PAGE):
            page_context(page)
        with pytest.raises(NotFound):
            page_context(UNKNOWN)
        assert len(context._by_id) == 2
        assert reads_of(catalogue, lambda: page_context(COALITION_PAGE)) == 0
        assert reads_of(catalogue, lambda: page_context(PAGE)) > 0


class TestStoreDown:
    def expect(self, catalogue: Catalogue, age_s: float, *, given: bool) -> None:
        catalogue.now_ms += round(age_s * SECOND)
        catalogue.down = True
        if given:
            assert page_context(PAGE).page.id == PAGE
        else:
            with pytest.raises(Unavailable):
                page_context(PAGE)

    @pytest.mark.parametrize("age_s", [30, 59.999, 60, 3600, 86_400])
    def test_where_all_is_encrypted_what_is_known_is_used_on(self, catalogue: Catalogue, age_s: float) -> None:
        page_context(PAGE)
        self.expect(catalogue, age_s, given=True)

    @pytest.mark.parametrize(("age_s", "given"), [(30, True), (59.999, True), (60, False), (3600, False)])
    def test_where_clear_text_is_stored_only_up_to_60_seconds(
        self, catalogue: Catalogue, age_s: float, *, given: bool
    ) -> None:
        catalogue.rename(8, "River Watch", "clear")
        page_context(PAGE)
        self.expect(catalogue, age_s, given=given)

    def test_a_clear_lead_counts_too(self, catalogue: Catalogue) -> None:
        catalogue.rename(3, "Lead", "clear")
        page_context(COALITION_PAGE)
        catalogue.now_ms += 60 * SECOND
        catalogue.down = True
        with pytest.raises(Unavailable):
            page_context(COALITION_PAGE)

    def test_what_was_never_known_is_not_given(self, catalogue: Catalogue) -> None:
        self.expect(catalogue, 0, given=False)

    def test_using_on_does_not_make_it_young_again(self, catalogue: Catalogue) -> None:
        catalogue.rename(8, "River Watch", "clear")
        page_context(PAGE)
        self.expect(catalogue, 40, given=True)
        self.expect(catalogue, 20, given=False)

    def test_once_the_store_answers_again_it_is_read(self, catalogue: Catalogue) -> None:
        page_context(PAGE)
        self.expect(catalogue, 3600, given=True)
        catalogue.down = False
        catalogue.rename(8, "New title")
        assert page_context(PAGE).org.title == "New title"

    def test_an_activated_key_holds_within_60_seconds_whatever_happens(self, catalogue: Catalogue) -> None:
        catalogue.rename(8, "River Watch", "clear")
        page_context(PAGE)
        catalogue.rename(8, "River Watch", "encrypted")
        for _ in range(120):
            catalogue.now_ms += SECOND
            catalogue.down = not catalogue.down
            found: PageContext | None = None
            try:
                found = page_context(PAGE)
            except Unavailable:
                continue
            age_s = (catalogue.now_ms - 1_800_000_000_000) / SECOND
            assert found.org.encryption == "encrypted" or age_s < 60


class TestUnknown:
    def test_an_unknown_page_is_not_found_and_asked_for_again_after_five_seconds(self, catalogue: Catalogue) -> None:
        with pytest.raises(NotFound, match="action page"):
            page_context(UNKNOWN)
        catalogue.put(ActionPage(id=UNKNOWN, name="new/page", locale="en", org=8, campaign=27))
        catalogue.now_ms += 5 * SECOND - 1
        with pytest.raises(NotFound):
            page_context(UNKNOWN)
        assert catalogue.reads == 1
        catalogue.now_ms += 1
        assert page_context(UNKNOWN).page.name == "new/page"

    def test_an_unknown_page_stays_unavailable_while_the_store_is_down(self, catalogue: Catalogue) -> None:
        with pytest.raises(NotFound):
            page_context(UNKNOWN)
        catalogue.now_ms += 5 * SECOND
        catalogue.down = True
        with pytest.raises(Unavailable):
            page_context(UNKNOWN)

    def test_a_page_that_was_removed_is_forgotten(self, catalogue: Catalogue) -> None:
        page_context(PAGE)
        del catalogue.items[store.page_key(PAGE)]
        catalogue.now_ms += 30 * SECOND
        with pytest.raises(NotFound):
            page_context(PAGE)

    @pytest.mark.parametrize("missing", [instances.KEY, campaigns.campaign_key(27), orgs.org_key(8)])
    def test_a_catalogue_with_a_hole_is_an_error_of_ours(self, catalogue: Catalogue, missing: tuple[str, str]) -> None:
        del catalogue.items[missing]
        with pytest.raises(CloudError, match=missing[1]) as error:
            page_context(PAGE)
        assert not isinstance(error.value, Unavailable)


class TestByName:
    @pytest.mark.parametrize("name", ["riverwatch/rivers", "RiverWatch/Rivers"])
    def test_in_any_case_it_is_the_same_page(self, name: str) -> None:
        assert page_context_by_name(name) is page_context(PAGE)

    def test_it_is_remembered_in_any_case(self, catalogue: Catalogue) -> None:
        page_context_by_name("riverwatch/rivers")
        assert reads_of(catalogue, lambda: page_context_by_name("RIVERWATCH/rivers")) == 0
        catalogue.now_ms += 30 * SECOND
        assert reads_of(catalogue, lambda: page_context_by_name("riverwatch/rivers")) > 0

    def test_an_unknown_name_is_asked_for_again_after_five_seconds(self, catalogue: Catalogue) -> None:
        for later_ms, reads in ((0, 1), (4_999, 1), (1, 2)):
            catalogue.now_ms += later_ms
            with pytest.raises(NotFound):
                page_context_by_name("no/page")
            assert catalogue.reads == reads
