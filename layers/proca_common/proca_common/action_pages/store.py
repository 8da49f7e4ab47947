"""Action pages in the Catalog table."""

from __future__ import annotations

from collections.abc import Callable

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from proca_common.action_pages.page import ActionPage, ActionPageInput
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.errors import NotFound, Taken
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
    page = ActionPage(id=names.next_number("page"), **wanted.model_dump())
    pk, sk = page_key(page.id)
    transaction = Transaction()
    transaction.put("page", PageItem(pk=pk, sk=sk, document=page.document()), CatalogItem.pk.does_not_exist())
    names.claim(transaction, "page", page.name, page.id)
    orgs.use(transaction, "org", page.org, 1)
    campaigns.use(transaction, "campaign", page.campaign, 1)
    if along is not None:
        along(transaction, page)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused("name"):
            raise Taken("name") from None
        raise NotFound("org" if cancelled.refused("org") else "campaign") from None
    return page


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


def every() -> list[ActionPage]:
    """All pages by id (admin only)."""
    return sorted((to_page(item) for item in items.every(PageItem)), key=lambda page: page.id)


def replace(page: ActionPage, along: Along = nothing) -> ActionPage:
    """Store the changed settings of a page that is as it was read, a new name too; its org and campaign stay.

    Raises `NotFound`, `Taken` (name) and `Outdated`.
    """
    old = get(page.id)
    transaction = Transaction()
    changes = [PageItem.document.set(page.document()), PageItem.version.set(page.version + 1)]
    transaction.update("page", PageItem(*page_key(page.id)), changes, PageItem.version == page.version)
    names.rename(transaction, "page", old.name, page.name, page.id)
    along(transaction)
    commit(transaction)
    return page.model_copy(update={"version": page.version + 1})
