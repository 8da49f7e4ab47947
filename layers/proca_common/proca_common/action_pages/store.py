"""Action pages in the Catalog table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from proca_common.action_pages.page import ActionPage, ActionPageInput
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.catalog import entries, items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.catalog.entries import Entry, EntryItem
from proca_common.errors import NotFound, Outdated, Taken
from proca_common.orgs import store as orgs

SK = "page"


class PageItem(CatalogItem, discriminator="page"):
    """An action page."""

    document = UnicodeAttribute()
    version = NumberAttribute(default=1)


def page_key(page: int) -> tuple[str, str]:
    """Where a page stands in the table."""
    return f"page#{page}", SK


def to_page(item: PageItem) -> ActionPage:
    """The page of a stored item."""
    return ActionPage.load(item.document, id=int(item.pk.removeprefix("page#")), version=int(item.version))


def create(wanted: ActionPageInput, along: Callable[[Transaction, ActionPage], None] | None = None) -> ActionPage:
    """A new page; raises `Taken` (name) or `NotFound` (org, campaign). `along` adds what is written with it."""
    page = new(wanted)
    transaction = Transaction()
    put_new(transaction, page)
    orgs.use(transaction, "org", page.org, 1)
    campaigns.use(transaction, "campaign", page.campaign, 1)
    count_extra(transaction, (), [page])
    if along is not None:
        along(transaction, page)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused("name"):
            raise Taken("name") from None
        raise NotFound("org" if cancelled.refused("org") else "campaign") from None
    return page


def new(wanted: ActionPageInput) -> ActionPage:
    """The page that will be, with its number."""
    return ActionPage(id=names.next_number("page"), **wanted.model_dump())


def put_new(transaction: Transaction, page: ActionPage, label: str = "") -> None:
    """Write a new page in this transaction; refused under `<label>name`. The `uses` of its org and campaign and its
    extra supporters are for the caller to count.
    """
    pk, sk = page_key(page.id)
    item = PageItem(pk=pk, sk=sk, document=page.document())
    transaction.put(f"{label}page", item, CatalogItem.pk.does_not_exist())
    names.claim(transaction, "page", page.name, page.id, f"{label}name")
    for entry in _entries(page):
        entries.put(transaction, entry)


def put_changed(transaction: Transaction, old: ActionPage, page: ActionPage, label: str = "") -> None:
    """Write a page that is to be as it was read in this transaction; refused under `<label>name` and `<label>page`. Its
    extra supporters are for the caller to count.
    """
    changes = [PageItem.document.set(page.document()), PageItem.version.set(page.version + 1)]
    transaction.update(f"{label}page", PageItem(*page_key(page.id)), changes, PageItem.version == page.version)
    names.rename(transaction, "page", old.name, page.name, page.id, f"{label}name")


def put_gone(transaction: Transaction, page: ActionPage) -> None:
    """Remove a page that is to be as it was read in this transaction; refused under its key. The `uses` of its org and
    campaign and its extra supporters are for the caller to count.
    """
    pk, sk = page_key(page.id)
    transaction.delete(pk, PageItem(pk, sk), PageItem.version == page.version)
    transaction.delete(f"{pk} name", names.guard("page", page.name, page.id))
    for entry in _entries(page):
        entries.remove(transaction, entry)


def count_extra(transaction: Transaction, before: Iterable[ActionPage], after: Iterable[ActionPage]) -> None:
    """Count the extra supporters of pages that one transaction changes, from what they were to what they will be: one
    write per campaign, and none where they stay the same.
    """
    differences: dict[int, Counter[int]] = defaultdict(Counter)
    for page in before:
        differences[page.campaign][page.org] -= page.extra_supporters
    for page in after:
        differences[page.campaign][page.org] += page.extra_supporters
    for campaign, by_org in differences.items():
        if any(by_org.values()):
            from proca_common.monitors import extra  # noqa: PLC0415 - not where nothing is counted, such as at intake

            extra.add(transaction, campaign, by_org)


def _entries(page: ActionPage) -> tuple[Entry, Entry]:
    return (
        Entry(orgs.org_key(page.org)[0], "page", page.id, campaign=page.campaign),
        Entry(campaigns.campaign_key(page.campaign)[0], "page", page.id, org=page.org),
    )


def get(page: int) -> ActionPage:
    """The page with this id; raises `NotFound`."""
    item = items.read(PageItem, *page_key(page))
    if item is None:
        raise NotFound("action page")
    return to_page(item)


def find(name: str) -> ActionPage:
    """The page with this name, in any case of letters; raises `NotFound`."""
    found = names.find("page", name)
    if found is None:
        raise NotFound("action page")
    return get(found)


def get_many(numbers: Iterable[int]) -> list[ActionPage]:
    """The pages with these ids (at most 100 at once), those that exist, in the order of ids."""
    keys = [page_key(number) for number in numbers]
    found = items.read_many(keys) if keys else {}
    pages = (to_page(item) for item in found.values() if isinstance(item, PageItem))
    return sorted(pages, key=lambda page: page.id)


def of_org(org: int, *, after: int = 0, limit: int | None = None, campaign: int | None = None) -> list[EntryItem]:
    """What says that pages are the org's, in the order of their ids: at most `limit` above `after`, of one campaign if
    one is given.
    """
    return entries.under(orgs.org_key(org)[0], "page", after=after, limit=limit, campaign=campaign)


def of_campaign(campaign: int) -> list[EntryItem]:
    """What says that pages are of this campaign, and whose they are, in the order of their ids."""
    return entries.under(campaigns.campaign_key(campaign)[0], "page")


def every() -> list[ActionPage]:
    """All pages by id (admin only)."""
    return sorted((to_page(item) for item in items.every(PageItem)), key=lambda page: page.id)


def replace(page: ActionPage, along: Along = nothing) -> ActionPage:
    """Store the changed settings of a page that is as it was read, a new name too; its org and campaign stay.

    Raises `NotFound`, `Taken` (name) and `Outdated`.
    """
    transaction = Transaction()
    known = get(page.id)
    put_changed(transaction, known, page)
    count_extra(transaction, [known], [page])
    along(transaction)
    commit(transaction)
    return page.model_copy(update={"version": page.version + 1})


def delete(page: ActionPage, along: Along = nothing) -> None:
    """Remove a page that is as it was read, and its name. Whether it has actions is for the caller to know.

    Raises `Outdated`.
    """
    transaction = Transaction()
    put_gone(transaction, page)
    orgs.use(transaction, "org", page.org, -1)
    campaigns.use(transaction, "campaign", page.campaign, -1)
    count_extra(transaction, [page], ())
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled:
        raise Outdated from None
