"""The only clock. Rules get the time as an argument; tests replace `now_ms`."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def today() -> date:
    """The date in UTC."""
    return datetime.fromtimestamp(now_ms() // 1000, UTC).date()


def sleep_ms(duration: float) -> None:
    """Wait for `duration` milliseconds."""
    time.sleep(duration / 1000)
