"""Erasing people without the API: what its function does, in this process."""

from __future__ import annotations

from collections.abc import Iterator

from proca_common.erasures import ledger
from proca_common.erasures.erase import erase
from proca_common.erasures.ledger import ErasureItem
from proca_common.orgs.org import Org
from tests.world import World
from tools.clear_text import forms, values

KEY = b"an erasure key of the tests"
NOBODY = 0
TABLES = ("ActionsTable", "CatalogTable", "StatsTable", "ErasuresTable")


def erased(org: Org | int, ref: str) -> ErasureItem:
    """Erase the person with this contact ref for the org; the entry of the ledger afterwards."""
    number = org if isinstance(org, int) else org.id
    entry = ledger.enter(number, ref, NOBODY, KEY)
    assert erase(entry)
    return ledger.get(number, entry.id)


def traces(world: World, *words: str) -> Iterator[str]:
    """Where in the tables one of these words stands, in any form."""
    wanted = {form for word in words for form in forms(word)}
    for table in TABLES:
        for item in world.tables.all_items(table):
            haystack = b"\0".join(values(item)).lower()
            if any(form in haystack for form in wanted):
                yield f"{table} {[*item.values()][:2]}"
