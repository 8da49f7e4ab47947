"""The only clock. Rules get the time as an argument; tests replace `now_ms`."""

from __future__ import annotations

import time
from datetime import date
from typing import Final

_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def today() -> date:
    """The date in UTC."""
    return date_of(now_ms())


def date_of(moment_ms: int) -> date:
    """The date in UTC at this moment (ms since 1970)."""
    return date.fromordinal(_EPOCH + moment_ms // _DAY_MS)


def sleep_ms(duration: float) -> None:
    """Wait for `duration` milliseconds."""
    time.sleep(duration / 1000)
