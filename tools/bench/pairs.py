"""Two things measured in turn, and how they compare. Pure.

The machine's speed changes while a bench runs. Two measurements taken one right after the other see the same machine,
so that the ratio within a pair is steadier than either time, and its median steadier still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

NOISY = 0.25
"""A spread of the ratios, as a part of their median, above which a figure is to be read with care."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Medians of what was measured and of the floor (same unit), the median of the ratios within pairs, and how far the
    middle half of the ratios spreads, as a part of that."""

    measured: float
    floor: float
    ratio: float
    spread: float

    @classmethod
    def of(cls, measured: Sequence[float], floors: Sequence[float]) -> Pairs:
        """At least two pairs."""
        ratios = [one / other for one, other in zip(measured, floors, strict=True)]
        low, ratio, high = quantiles(ratios, n=4, method="inclusive")
        return cls(median(measured), median(floors), ratio, (high - low) / ratio)

    @property
    def is_noisy(self) -> bool:
        """Whether something else used the machine."""
        return self.spread > NOISY
