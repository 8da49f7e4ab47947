"""Copies of pages: how a partner gets a page of its own (domain 7.4, 13.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proca_common.action_pages import store
from proca_common.action_pages.page import MAX_NAME, ActionPage, ActionPageInput
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.catalog import items
from proca_common.errors import Outdated, Taken
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org

MAX_TRIES = 100
COPIED = {"locale", "delivery", "config"}


def taken_over(original: ActionPage) -> dict[str, Any]:
    """What a copy has of its original besides the campaign, camelCase: no templates, extra supporters or being live."""
    return original.model_dump(mode="json", by_alias=True, include=COPIED)


def copied(original: ActionPage, org: int, name: str) -> ActionPageInput:
    """A page of the org with this name that is a copy of the original."""
    return ActionPageInput(name=name, org=org, campaign=original.campaign, **taken_over(original))


def name_for(org: str, original: str, number: int) -> str:
    """What a partner's copy is called: the org's name and the path of the original; later ones have a number."""
    suffix = f"-{number}" if number else ""
    path = original.partition("/")[2]
    return f"{org}/{path}"[: MAX_NAME - len(suffix)].rstrip("/") + suffix


def create_for(org: Org, original: ActionPage, along: Callable[[Transaction, ActionPage], None]) -> ActionPage:
    """A copy for the org under the first name that is free; `along` adds what is written with it.

    Raises `Outdated` when org, campaign or what `along` depends on are no longer as they were, and `Taken`.
    """
    for number in range(MAX_TRIES):
        page = store.new(copied(original, org.id, name_for(org.name, original.name, number)))
        transaction = Transaction()
        store.put_new(transaction, page)
        orgs.use(transaction, "org", page.org, 1)
        campaigns.use(transaction, "campaign", page.campaign, 1)
        along(transaction, page)
        try:
            items.commit(transaction)
        except Cancelled as cancelled:
            if cancelled.refused("name"):
                continue
            raise Outdated from None
        return page
    raise Taken("name")
