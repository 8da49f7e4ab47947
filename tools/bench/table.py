"""Prints measured values beside their budget and their floor. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WITHIN, BEYOND, UNCHECKED = "ok", "beyond", ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: texts, and whether the budget holds (None: there is none)."""

    what: str
    measured: str
    floor: str = ""
    budget: str = ""
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        return UNCHECKED if self.holds is None else WITHIN if self.holds else BEYOND


def budget_table(rows: Iterable[Row]) -> str:
    """All rows under a head."""
    head = ("what", "measured", "floor", "budget", "")
    cells = [(row.what, row.measured, row.floor, row.budget, row.verdict) for row in rows]
    return grid([head, *cells], numbers=False)


def grid(rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    """Rows in columns, the first of them as head; with `numbers`, columns of numbers stand at the right."""
    columns = range(len(rows[0]))
    widths = [max(len(row[column]) for row in rows) for column in columns]
    right = [numbers and all(_is_number(row[column]) for row in rows[1:]) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _is_number(text: str) -> bool:
    return not text or text.replace(".", "").replace(",", "").removesuffix("/s").removesuffix(" x").isdigit()
