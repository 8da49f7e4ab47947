"""Names and titles of orgs, as anybody may see them, kept for minutes: whoever shows many orgs reads them together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from proca_common.aws import clock
from proca_common.aws.errors import Unavailable
from proca_common.orgs import store as orgs

FRESH_MS: Final = 300_000
MAX_ENTRIES: Final = 10_000
MAX_AT_ONCE: Final = 100


class Titled(NamedTuple):
    """An org's name, and its title for people."""

    name: str
    title: str


_known: dict[int, tuple[Titled | None, int]] = {}


def forget() -> None:
    """Empty the cache (tests)."""
    _known.clear()


def titles_of(numbers: Collection[int]) -> dict[int, Titled]:
    """The orgs with these ids, those that exist, at most five minutes old; one call for each hundred that are older.

    When the store does not answer, what is known is used on. Raises `Unavailable` where that is not enough.
    """
    now = clock.now_ms()
    stale = [number for number in numbers if now - _known.get(number, (None, -FRESH_MS))[1] >= FRESH_MS]
    try:
        for start in range(0, len(stale), MAX_AT_ONCE):
            _learn(stale[start : start + MAX_AT_ONCE], now)
    except Unavailable:
        if not all(number in _known for number in numbers):
            raise
    found = ((number, _known[number][0]) for number in numbers)
    return {number: titled for number, titled in found if titled is not None}


def _learn(numbers: Collection[int], now_ms: int) -> None:
    found = orgs.get_many(numbers)
    if len(_known) + len(numbers) > MAX_ENTRIES:
        _known.clear()
    for number in numbers:
        org = found.get(number)
        _known[number] = None if org is None else Titled(org.name, org.title), now_ms
