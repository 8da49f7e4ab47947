"""Simulated time: processes that take turns, may be delayed anywhere, and may die between any two of their steps."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from typing import TypeAlias

Process: TypeAlias = Iterator[int]
"""Each step gives the ms until the next; what it does in one step, nobody sees half done."""


class Clockwork:
    """Runs processes in the order of simulated time (ms since 1970); `deaths`: the part of steps that are the last."""

    def __init__(self, now_ms: int, chance: random.Random, deaths: float) -> None:
        self.now_ms = now_ms
        self._chance, self._deaths = chance, deaths
        self._turns: list[tuple[int, int, bool, Process]] = []
        self._count = itertools.count()

    def start(self, process: Process, at_ms: int, *, mortal: bool = True) -> None:
        """Let the process make its first step then."""
        heapq.heappush(self._turns, (at_ms, next(self._count), mortal, process))

    def run(self) -> None:
        """Until every process came to its end."""
        while self._turns:
            self.now_ms, _, mortal, process = heapq.heappop(self._turns)
            pause_ms = next(process, None)
            if pause_ms is not None and not (mortal and self._chance.random() < self._deaths):
                self.start(process, self.now_ms + pause_ms, mortal=mortal)
