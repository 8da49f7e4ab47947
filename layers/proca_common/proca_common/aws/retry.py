"""Trying again when other writes were in the way."""

from __future__ import annotations

import random
from collections.abc import Iterator

TRIES = 8


def pauses() -> Iterator[float]:
    """Milliseconds to wait after each of eight tries: longer each time, at random so that rivals part."""
    return (random.uniform(5, 15 * 2**attempt) for attempt in range(TRIES))
