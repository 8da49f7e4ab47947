"""The numbers of a campaign that anybody may see (domain 10.1), kept in warm memory so that many may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proca_common.aws import clock
from proca_common.aws.errors import Unavailable
from proca_common.monitors import store

if TYPE_CHECKING:
    from proca_common.monitors.shapes import PublicNumbers

FRESH_MS = 5_000
MAX_ENTRIES = 2_000
PERSONS = "persons:total"
TYPE = "type:"

_known: dict[int, tuple[PublicNumbers, int]] = {}


def forget() -> None:
    """Empty the cache (tests)."""
    _known.clear()


def public_numbers(campaign: int) -> PublicNumbers:
    """The campaign's numbers, at most 5 s old; one call where they are older.

    When the store does not answer, those that are known are used on. Raises `Unavailable` where none are.
    """
    now = clock.now_ms()
    numbers, read_ms = _known.get(campaign, (None, 0))
    if numbers is not None and now - read_ms < FRESH_MS:
        return numbers
    try:
        found = store.read(campaign)
    except Unavailable:
        if numbers is None:
            raise
        return numbers
    numbers = {
        "supporterCount": found.get(PERSONS, 0),
        "actionCount": {name.removeprefix(TYPE): n for name, n in found.items() if name.startswith(TYPE)},
    }
    if len(_known) >= MAX_ENTRIES:
        _known.pop(next(iter(_known)))
    _known[campaign] = numbers, now
    return numbers
