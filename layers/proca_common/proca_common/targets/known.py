"""Which targets a campaign has, in warm memory: what a signature with a message needs to know of them (design 4)."""

from __future__ import annotations

from collections.abc import Collection

from proca_common.catalog.fresh import Fresh
from proca_common.targets import store

FRESH_MS = 30_000
UNKNOWN_MS = 5_000
MAX_CAMPAIGNS = 50

Ids = frozenset[str]
_ids: Fresh[int, Ids] = Fresh(FRESH_MS, MAX_CAMPAIGNS)
_newest_ids: Fresh[int, Ids] = Fresh(UNKNOWN_MS, MAX_CAMPAIGNS)


def of(campaign: int, wanted: Collection[str]) -> Ids:
    """Those of the wanted ids (UUIDs in small letters) that are of targets of the campaign.

    What is known is at most 30 s old, and at most 5 s where one of them is not known, so that new targets can be
    written to at once; else no call is made. Raises `Unavailable`.
    """
    found = _ids.get(campaign, lambda: _read(campaign))
    if not found.issuperset(wanted):
        found = _newest_ids.get(campaign, lambda: _read(campaign))
    return found.intersection(wanted)


def forget() -> None:
    """Empty it (tests)."""
    _ids.forget()
    _newest_ids.forget()


def _read(campaign: int) -> Ids:
    return frozenset(store.ids(campaign).values())
