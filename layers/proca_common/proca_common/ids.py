"""Ids of actions and supporters (design 3): 53 bits, exact in JavaScript, in the order of time.

The high 41 bits are milliseconds since 2024-01-01 UTC, the low 12 bits are random. Two equal ids are possible, so
whoever creates an action also claims its id in the same transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH_MS = 1_704_067_200_000
RANDOM_BITS = 12


def new_id(now_ms: int, random_bits: int) -> int:
    """The id for this moment; `random_bits` is any non-negative integer, of which 12 bits are used."""
    return (now_ms - EPOCH_MS) << RANDOM_BITS | random_bits & (1 << RANDOM_BITS) - 1


def created_ms(identifier: int) -> int:
    """Milliseconds since 1970 at which this id was made."""
    return (identifier >> RANDOM_BITS) + EPOCH_MS


def first_id_at(moment_ms: int) -> int:
    """The lowest id that can be made at this moment (ms since 1970), or at the first moment there is."""
    return new_id(max(moment_ms, EPOCH_MS), 0)


def created_at(identifier: int) -> datetime:
    """The moment of creation in UTC, to the second as messages show it."""
    return datetime.fromtimestamp(created_ms(identifier) // 1000, UTC)


def hour_of(identifier: int) -> str:
    """The UTC hour of creation, `YYYY-MM-DDTHH`."""
    return created_at(identifier).strftime("%Y-%m-%dT%H")


def hour_ms(hour: str) -> int:
    """Milliseconds since 1970 at which this UTC hour (`YYYY-MM-DDTHH`) begins."""
    return int(datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC).timestamp()) * 1000


def padded(identifier: int) -> str:
    """An id as it stands in sort keys: 16 digits."""
    return f"{identifier:016d}"
