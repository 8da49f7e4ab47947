"""The shards of a campaign's numbers one by one: what each says and how often it was written, so that they can be
compared with what they must say, and mended while others write (see `monitors.store` for what stands in them).

Every write of an item adds one to its `writes`. Who read an item and mends it does so on condition that `writes` is as
it was read: what others counted meanwhile is in no danger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.aws.dynamo import StatsItem, Transaction, numbers_by_key, numbers_under
from proca_common.monitors.store import SHARDS, WRITES, hour_key

TOTAL = "total"
TOTAL_KINDS = ("persons", "org", "area", "type")
"""What hours and totals have; all other kinds are only counted by the hour."""
_AFTER_ALL = "~"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the shards say of an hour: the sums (`kind:name` to number, without zeros), and `writes` of each shard, 0
    where it says nothing of it.
    """

    numbers: dict[str, int]
    writes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """What one shard says in total, and the sum of what it says of each of so many hours, without zeros."""

    numbers: dict[str, int]
    of_hours: dict[str, int]
    writes: int
    hours: int


def read_hour(campaign: int, hour: str) -> Reading:
    """What the shards say of an hour (`YYYY-MM-DDTHH`), as last written. One call; raises `Unavailable`."""
    keys = [(f"{campaign}#{shard}", hour_key(hour)) for shard in range(SHARDS)]
    found = numbers_by_key(StatsItem, keys)
    sums: Counter[str] = Counter()
    for item in found.values():
        sums.update(item)
    return Reading(_counts(sums), tuple(found.get(key, {}).get(WRITES, 0) for key in keys))


def read_total(campaign: int, shard: int) -> Total | None:
    """What a shard says in total, and the sum of its hours; None if it was written while it was read. Raises
    `Unavailable`.
    """
    key = (f"{campaign}#{shard}", TOTAL)
    before = numbers_by_key(StatsItem, [key]).get(key, {})
    sums: Counter[str] = Counter()
    hours = 0
    for _, numbers in numbers_under(StatsItem, key[0], hour_key(""), hour_key(_AFTER_ALL)):
        sums.update(numbers)
        hours += 1
    after = numbers_by_key(StatsItem, [key]).get(key, {})
    if after != before:
        return None
    of_hours = {name: number for name, number in sums.items() if _is_of_totals(name)}
    return Total(_counts(before), _counts(of_hours), before.get(WRITES, 0), hours)


def next_hour(campaign: int, after: str) -> str | None:
    """The first hour after this one (any, after an empty text) of which a shard says something. 16 calls; raises
    `Unavailable`.
    """
    first = hour_key(after) + _AFTER_ALL if after else hour_key("")
    found = [
        sk
        for shard in range(SHARDS)
        for sk, _ in islice(
            numbers_under(StatsItem, f"{campaign}#{shard}", first, hour_key(_AFTER_ALL), page_size=1), 1
        )
    ]
    return min(found).removeprefix(hour_key("")) if found else None


def mend_hour(
    transaction: Transaction, campaign: int, hour: str, difference: Mapping[str, int], writes: Sequence[int], shard: int
) -> None:
    """Add the difference to an hour, and to the totals, of this shard, on condition that no shard was written since
    `writes` was read.
    """
    for number in range(SHARDS):
        item = StatsItem(pk=f"{campaign}#{number}", sk=hour_key(hour))
        if number == shard:
            transaction.update(f"shard {number}", item, _added(difference), _as_read(writes[number]))
        else:
            transaction.check(f"shard {number}", StatsItem, (item.pk, item.sk), _as_read(writes[number]))
    of_totals = {name: number for name, number in difference.items() if _is_of_totals(name)}
    if of_totals:
        transaction.update(f"total {shard}", StatsItem(pk=f"{campaign}#{shard}", sk=TOTAL), _added(of_totals))


def mend_total(transaction: Transaction, campaign: int, shard: int, difference: Mapping[str, int], writes: int) -> None:
    """Add the difference to the totals of this shard, on condition that they were not written since."""
    item = StatsItem(pk=f"{campaign}#{shard}", sk=TOTAL)
    transaction.update(f"total {shard}", item, _added(difference), _as_read(writes))


def _is_of_totals(name: str) -> bool:
    return name.partition(":")[0] in TOTAL_KINDS


def _counts(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in sorted(numbers.items()) if number and name != WRITES}


def _added(difference: Mapping[str, int]) -> list[UpdateAction]:
    return [NumberAttribute(attr_name=name).add(number) for name, number in sorted({**difference, WRITES: 1}.items())]


def _as_read(writes: int) -> Condition:
    written = NumberAttribute(attr_name=WRITES)
    condition: Condition = written == writes if writes else written.does_not_exist()
    return condition
