"""Records every read and write that the process asks DynamoDB for, with what each consumes by the documented rules.

The items are read before and after each write by a client that is not recorded, because an update's request does not
say how large the item is. That makes calls slower and counts nothing wrongly, as long as nobody else writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.harness.calls import Answer, Call, Hook, unseen_client
from tools.bench import capacity
from tools.bench.capacity import Item, Table

WRITES = frozenset({"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"})
READS = frozenset({"GetItem", "BatchGetItem"})
MAX_KEYS = 100

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One item written, or one entry of an index: `where` is `Actions` or `Actions/by_campaign`.

    `partition` is the value of the partition key that takes the units, `what` the kind of item, `verb` what was done.
    `round` and `phase` are what the meter was set to.
    """

    round: int
    phase: str
    where: str
    partition: str
    what: str
    verb: str
    size: int
    units: int


@dataclass(frozen=True, slots=True)
class Read:
    """One item read."""

    phase: str
    where: str
    units: float


class Meter(Hook):
    """The hook; `tables` by their names. `round` and `phase` mark what is recorded from then on."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = tables
        self.round = 0
        self.phase = ""
        self.writes: list[Write] = []
        self.reads: list[Read] = []
        self.reported = 0.0
        """Write units by the answers' own ConsumedCapacity, to compare with those by the rules."""

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.service != "dynamodb":
            return proceed()
        if call.operation in READS:
            return self._read(call, proceed)
        if call.operation not in WRITES:
            # The signing path makes no other call; one that it begins to make must not go unweighed.
            raise ValueError(f"no rule says what {call.operation} costs")
        call.params["ReturnConsumedCapacity"] = "INDEXES"
        touched = [(verb, table, self._key(table, key)) for verb, table, key in call.keys]
        before = self._items((table, key) for _, table, key in touched)
        answer = proceed()
        after = self._items((table, key) for _, table, key in touched)
        consumed = answer.pop("ConsumedCapacity", [])
        self.reported += sum(
            entry["CapacityUnits"] for entry in (consumed if isinstance(consumed, list) else [consumed])
        )
        for verb, table, key in touched:
            found = table, key
            self._wrote(verb, self.tables[table], before.get(found), after.get(found), "Transact" in call.operation)
        return answer

    def _wrote(self, verb: str, table: Table, before: Item | None, after: Item | None, transactional: bool) -> None:
        item = after or before or {}
        units = capacity.write_units(before, after, transactional=transactional)
        self._add(
            table.label, item, table.keys, _kind(table, item), verb.lower(), max(map(_size, (before, after))), units
        )
        for index in table.indexes:
            old, new = index.entry(before), index.entry(after)
            units = capacity.index_units(index, before, after)
            if units:
                done = "put" if old is None else "remove" if new is None else "move"
                entry = new or old or {}
                self._add(
                    f"{table.label}/{index.name}", entry, index.keys, _kind(table, item), done, _size(entry), units
                )

    def _add(self, where: str, item: Item, keys: tuple[str, ...], what: str, verb: str, size: int, units: int) -> None:
        partition = str(next(iter(item[keys[0]].values())))
        self.writes.append(Write(self.round, self.phase, where, partition, what, verb, size, units))

    def _read(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        answer = proceed()
        found = _answered(call, answer)
        asked = call.params if call.operation == "GetItem" else None
        for _, table, key in call.keys:
            request = asked or call.params["RequestItems"][table]
            item = found.get((table, self._key(table, key)))
            units = capacity.read_units(item, consistent=bool(request.get("ConsistentRead")))
            self.reads.append(Read(self.phase, self.tables[table].label, units))
        return answer

    def _key(self, table: str, key: Mapping[str, Any]) -> Key:
        return tuple((name, str(key[name])) for name in self.tables[table].keys)

    def _items(self, touched: Iterable[tuple[str, Key]]) -> dict[tuple[str, Key], Item]:
        wanted = list(dict.fromkeys(touched))
        found: dict[tuple[str, Key], Item] = {}
        for start in range(0, len(wanted), MAX_KEYS):
            request: dict[str, Any] = {}
            for table, key in wanted[start : start + MAX_KEYS]:
                keys = request.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"]
                keys.append({name: {"S": value} for name, value in key})
            answer = unseen_client("dynamodb").batch_get_item(RequestItems=request)
            for table, items in answer["Responses"].items():
                for item in items:
                    found[table, tuple((name, item[name]["S"]) for name in self.tables[table].keys)] = item
        return found


def _answered(call: Call, answer: Answer) -> dict[tuple[str, Key], Item]:
    """The items of an answer, by table and key; key attributes are text everywhere here."""
    if call.operation == "GetItem":
        ((_, table, key),) = call.keys
        return {(table, tuple(key.items())): answer["Item"]} if "Item" in answer else {}
    keys = {table: tuple(entry["Keys"][0]) for table, entry in call.params["RequestItems"].items()}
    return {
        (table, tuple((name, item[name]["S"]) for name in keys[table])): item
        for table, items in answer["Responses"].items()
        for item in items
    }


def _kind(table: Table, item: Item) -> str:
    """What the item is: its `kind`, or the first part of its sort key."""
    if "kind" in item:
        return str(item["kind"]["S"])
    return str(item[table.keys[-1]]["S"]).partition("#")[0]


def _size(item: Item | None) -> int:
    return capacity.item_size(item)
