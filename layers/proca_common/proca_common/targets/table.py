"""Targets as a table in CSV (RFC 4180), as spreadsheets write it: to what a list in JSON would say. Pure.

A row is a target, a column what its head says: `externalId`, `name`, `locale`, `area`, `email` (as often as wanted, or
with several addresses in a cell) and `fields.<name>`. An empty cell takes a value back; what has no column stays.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from proca_common.failures import Failure, Malformed, Refused

SEPARATORS = ",;\t"
COLUMNS = {
    "externalid": "externalId",
    "name": "name",
    "locale": "locale",
    "area": "area",
    "email": "emails",
    "emails": "emails",
}
FIELDS = "fields."
RAGGED = "should have a cell for each column"
_BETWEEN_ADDRESSES = re.compile(r"[\s,;]+")


def rows(text: str) -> list[dict[str, Any]]:
    """What each row says, as `targets.given` takes it. Raises `Malformed` for what is no CSV, `Refused` for heads that
    say nothing and rows that do not fit them.
    """
    lines = _lines(text.removeprefix("\ufeff"))
    heads = next(lines, None)
    if heads is None:
        raise Malformed("The table is empty")
    columns = _columns(heads)
    cells = list(lines)
    failures = [
        Failure(f"/targets/{index}", "invalid", RAGGED) for index, row in enumerate(cells) if len(row) != len(columns)
    ]
    if failures:
        raise Refused(failures)
    return [_said(columns, row) for row in cells]


def _lines(text: str) -> Iterator[list[str]]:
    """The rows that are not empty; cells are separated by whichever sign the heads are."""
    head = text.lstrip("\r\n").partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from (row for row in reader if any(cell.strip() for cell in row))
    except csv.Error:
        raise Malformed(f"The body is no CSV (line {reader.line_num})") from None


def _columns(heads: Sequence[str]) -> list[str]:
    """What each column is called in JSON. Raises `Refused`."""
    columns, failures = [], []
    for index, head in enumerate(heads):
        name = head.strip()
        known = COLUMNS.get(re.sub(r"[ _-]", "", name).lower())
        column = name if name.startswith(FIELDS) and name != FIELDS else known
        if column is None:
            failures.append(Failure.unknown_field(f"/columns/{index}"))
        elif column in columns and column != "emails":
            failures.append(Failure(f"/columns/{index}", "taken", "has already been taken"))
        columns.append(column or "")
    if "externalId" not in columns:
        failures.append(Failure.blank("/columns/externalId"))
    if failures:
        raise Refused(failures)
    return columns


def _said(columns: Sequence[str], row: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for column, text in zip(columns, row, strict=True):
        cell = text.strip()
        if column == "emails":
            addresses = filter(None, _BETWEEN_ADDRESSES.split(cell))
            said.setdefault(column, []).extend({"email": address} for address in addresses)
        elif column.startswith(FIELDS):
            said.setdefault("fields", {}).update({column.removeprefix(FIELDS): cell} if cell else {})
        else:
            said[column] = cell or None
    return said
