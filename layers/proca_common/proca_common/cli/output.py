"""What a person sees: tables, fields, a bar while something takes long."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Any, Self

WIDTH = 30


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """Rows in columns; a column `a.b` is `b` of the object `a`. Without `columns` those of the first row."""
    if not rows:
        return "(none)"
    wanted = list(columns or rows[0])
    lines = [wanted, *([cell(_in(row, column)) for column in wanted] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def fields(record: Mapping[str, Any]) -> str:
    """One thing, a line per field."""
    width = max(map(len, record), default=0)
    return "\n".join(f"{name:<{width}}  {cell(value)}" for name, value in record.items())


def cell(value: object) -> str:
    """A value in one line. What others wrote must not steer the terminal: unprintable characters are shown as such."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


class Progress:
    """A bar on standard error while somebody watches; where nobody does, nothing.

    with Progress("sent again", 1200) as progress:
        progress.at(300)
    """

    def __init__(self, what: str, total: int, stream: IO[str] | None = None) -> None:
        self._what, self._total = what, total
        self._stream = stream or sys.stderr
        self._is_watched = self._stream.isatty()

    def __enter__(self) -> Self:
        self.at(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_watched:
            self._stream.write("\n")

    def at(self, done: int) -> None:
        """So much is done."""
        if self._is_watched:
            share = min(done / self._total, 1) if self._total else 1
            bar = ("#" * round(share * WIDTH)).ljust(WIDTH, ".")
            self._stream.write(f"\r[{bar}] {done}/{self._total} {self._what}")
            self._stream.flush()


class Ticker:
    """A line on standard error that is written over, while somebody watches and nobody knows how much there is."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_watched = self._stream.isatty()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._stream.write("\n")

    def show(self, text: str) -> None:
        """This is how it stands."""
        if self._is_watched:
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width = len(text)


def _in(row: Mapping[str, Any], column: str) -> Any:
    found: Any = row
    for name in column.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
