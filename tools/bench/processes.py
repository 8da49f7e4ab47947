"""CPU that this bench, the local stack and everybody else have used, where the system tells (Linux)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from tools.emulator import Emulator

EMULATOR, FUNCTIONS = "emulator", "functions"
WORKER = b"ministack-lambda-"
PROC = Path("/proc")


def is_known() -> bool:
    """Whether this system tells what processes use."""
    return (PROC / "self" / "stat").exists() and (PROC / "stat").exists()


def cpu_seconds(aws: Emulator) -> dict[str, float]:
    """CPU of the emulator, and of the functions that it runs or ran: all are in its process group. Empty if unknown."""
    if not is_known():
        return {}
    used = {EMULATOR: 0.0, FUNCTIONS: 0.0}
    for folder in PROC.glob("[0-9]*"):
        try:
            # The name, in parentheses, may hold anything. After it: state, parent, process group, and from the 12th on
            # user, system, and those of children that have ended, in ticks.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == aws.pid:
                is_function = WORKER in (folder / "cmdline").read_bytes()
                used[FUNCTIONS if is_function else EMULATOR] += _seconds(fields[11:13])
                used[FUNCTIONS] += _seconds(fields[13:15])
        except OSError:
            continue
    return used


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine had done at a moment, in seconds of CPU: all of it, and this bench with its emulator."""

    at: float
    all: float
    ours: float

    @classmethod
    def now(cls, aws: Emulator) -> Machine:
        """This moment; zeros where the system does not tell."""
        if not is_known():
            return cls(time.monotonic(), 0, 0)
        # cpu, user, nice, system, idle, iowait, irq, softirq, ...
        fields = (PROC / "stat").read_text().splitlines()[0].split()
        busy = _seconds([*fields[1:4], *fields[6:8]])
        return cls(time.monotonic(), busy, sum(os.times()[:4]) + sum(cpu_seconds(aws).values()))

    def others_since(self, before: Machine) -> float:
        """How many processors other programs have kept busy since then."""
        others = (self.all - before.all) - (self.ours - before.ours)
        return max(0.0, others / max(1e-3, self.at - before.at))


def _seconds(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
