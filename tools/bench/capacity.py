"""DynamoDB's documented rules of what a read or a write consumes. Pure.

Sizes: developer guide, "DynamoDB item sizes and formats". Units: "DynamoDB read and write operations", "Managing
complex workflows with transactions" (a transactional write of an item consumes two write units per KB) and "Using
Global Secondary Indexes" (each entry that is put, removed or changed is a write of its own, of the size of what is
projected, never doubled: indexes are kept up after the transaction).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""An item in DynamoDB's own form: `{"ref": {"S": "…"}}`."""

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
TRANSACTIONAL = 2
STORED_OVERHEAD_BYTES = 100
"""Bytes that storage adds to each item, and to each entry of an index."""


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index: its partition key first among `keys`; `projected` is None when it holds all."""

    name: str
    keys: tuple[str, ...]
    projected: frozenset[str] | None

    def entry(self, item: Item | None) -> Item | None:
        """What the index holds of the item; None when it lacks a key of the index."""
        if item is None or not all(key in item for key in self.keys):
            return None
        return {name: value for name, value in item.items() if self.projected is None or name in self.projected}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its label, its partition key first among `keys`, and its indexes."""

    label: str
    keys: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @classmethod
    def from_description(cls, label: str, description: Mapping[str, Any]) -> Table:
        """The table of what DescribeTable (or CreateTable) says."""
        keys = _keys(description)
        indexes = tuple(
            Index(index["IndexName"], _keys(index), _projected(index, keys))
            for index in description.get("GlobalSecondaryIndexes", ())
        )
        return cls(label, keys, indexes)


def item_size(item: Item | None) -> int:
    """Bytes of an item: names and values; 0 for none."""
    return sum(len(name.encode()) + value_size(value) for name, value in (item or {}).items())


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one value, `{"S": "…"}`."""
    ((kind, content),) = value.items()
    size = 0
    match kind:
        case "S":
            size = len(content.encode())
        case "N":
            size = _number_size(content)
        case "B":
            size = len(content)
        case "BOOL" | "NULL":
            size = 1
        case "SS" | "NS" | "BS":
            size = sum(value_size({kind[0]: element}) for element in content)
        case "L":
            size = 3 + sum(1 + value_size(element) for element in content)
        case "M":
            size = 3 + sum(1 + len(name.encode()) + value_size(element) for name, element in content.items())
        case _:
            raise ValueError(f"not a type of DynamoDB: {kind}")
    return size


def write_units(before: Item | None, after: Item | None, *, transactional: bool) -> int:
    """Units that the table consumes: by the larger of the two sizes, at least one KB."""
    units = _units(max(item_size(before), item_size(after)), WRITE_UNIT_BYTES)
    return units * TRANSACTIONAL if transactional else units


def index_units(index: Index, before: Item | None, after: Item | None) -> int:
    """Units that an index consumes: nothing when its entry stays as it is, two writes when the entry's key changes."""
    old, new = index.entry(before), index.entry(after)
    if old == new:
        return 0
    if old is None or new is None:
        return _units(item_size(new or old), WRITE_UNIT_BYTES)
    sizes = [_units(item_size(entry), WRITE_UNIT_BYTES) for entry in (old, new)]
    return sum(sizes) if any(old[key] != new[key] for key in index.keys) else max(sizes)


def read_units(item: Item | None, *, consistent: bool) -> float:
    """Units of reading one item; looking for one that is not there costs the same as a small one."""
    units = _units(item_size(item), READ_UNIT_BYTES)
    return units if consistent else units / 2


def stored_bytes(table: Table, item: Item) -> int:
    """Bytes that are billed for keeping the item and its index entries."""
    entries = [item, *filter(None, (index.entry(item) for index in table.indexes))]
    return sum(item_size(entry) + STORED_OVERHEAD_BYTES for entry in entries)


def _units(size: int, unit_bytes: int) -> int:
    return max(1, math.ceil(size / unit_bytes))


def _number_size(text: str) -> int:
    """One byte per two significant digits and one more; a sign is another."""
    mantissa = text.lower().partition("e")[0]
    digits = mantissa.lstrip("+-").replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + mantissa.startswith("-")


def _keys(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in sorted(schema["KeySchema"], key=lambda key: key["KeyType"] != "HASH"))


def _projected(index: Mapping[str, Any], table_keys: tuple[str, ...]) -> frozenset[str] | None:
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return None
    return frozenset({*table_keys, *_keys(index), *projection.get("NonKeyAttributes", ())})
