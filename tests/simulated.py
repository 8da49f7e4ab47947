"""Simulated time: it stands still unless a test moves it, so that hours pass at once and writes share a millisecond."""

from __future__ import annotations

import time

import pytest

from proca_common.aws import clock
from tests.world import World

PATIENCE_MS = 6 * 3600_000
SWEEP_AFTER_MS = 61_000


class SimulatedTime:
    """The time of a world. `now_ms` is only moved by `forward` and by what the layer would have slept.

    The age of stream records stays real, because the emulator stamps them: a test may be hours ahead and loses none.
    """

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.now_ms = clock.now_ms()
        monkeypatch.setattr(clock, "now_ms", lambda: self.now_ms)
        monkeypatch.setattr(clock, "sleep_ms", self._sleep)
        world.streams.clock = world.catalog_streams.clock = time.time

    def _sleep(self, duration: float) -> None:
        self.now_ms += round(duration)

    def forward(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let this much time pass."""
        self.now_ms += round(1000 * (seconds + 60 * minutes + 3600 * hours))

    def to_next_sweep(self) -> None:
        """Let time pass until the sweep has to wake everything that owes something, be it ever so patient."""
        dues = [int(item["due"]) for item in self.world.pending()]
        patient = any(int(item["attempt"]) >= 5 for item in self.world.pending())
        if dues:
            self.now_ms = max(self.now_ms, max(dues) + SWEEP_AFTER_MS + patient * PATIENCE_MS)

    def recover(self, sweeps: int = 4) -> None:
        """What the system does by itself after a fault: the stream again, then the sweep, until nothing is owed."""
        self.world.run()
        for _ in range(sweeps):
            if not self.world.pending():
                return
            self.to_next_sweep()
            self.world.sweep()
            self.world.run()
