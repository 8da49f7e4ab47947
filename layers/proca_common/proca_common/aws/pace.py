"""Working no faster than agreed, so that what runs beside it is not disturbed."""

from __future__ import annotations

from proca_common.aws import clock

AT_ONCE_MS = 1_000
"""What was not used is not saved up for longer than this."""


class Pace:
    """So many a second, in the middle."""

    def __init__(self, per_second: float) -> None:
        self._each_ms = 1000 / per_second
        self._free_ms = 0.0

    def spend(self, number: int) -> None:
        """Wait until so many more may be used up."""
        now_ms = clock.now_ms()
        self._free_ms = max(self._free_ms, now_ms - AT_ONCE_MS) + number * self._each_ms
        if self._free_ms > now_ms:
            clock.sleep_ms(self._free_ms - now_ms)
