"""The Stats table: per campaign 16 shards, in each one item of totals and one per hour for the series.

pk                    sk                      attributes
<campaign>#<shard>    total                   persons:total, org:<id>, area:<a>, type:<t>; writes
<campaign>#<shard>    hour#<YYYY-MM-DDTHH>    the same, and signatures:total, page:<id>, source:<s>, place:<a>
<campaign>#names      type                    which names are counted by themselves; all others as `other`
<campaign>#names      source#<YYYY-MM-DD>     the same for the sources of a day

In every shard the totals are the sums of the hours. `writes` counts how often an item was written. Beside the shards
stand the extra supporters (`extra`), the public feed (`feed`) and the records of audits (`audits`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException
from pynamodb.expressions.condition import size

from proca_common.aws.dynamo import StatsItem, Transaction, numbers_by_key, read_numbers, translated
from proca_common.aws.errors import Cancelled
from proca_common.monitors.persons import Label, Numbers

SHARDS: Final = 16
OTHER: Final = "other"
NAME_LENGTH: Final = 40
WRITES: Final = "writes"
MAX_NAMES: Final = {"type": 100, "source": 50}


class NamesItem(StatsItem):
    """The names of a kind that have a number of their own."""

    names: UnicodeSetAttribute = UnicodeSetAttribute(null=True)


_known: dict[tuple[str, str], set[str]] = {}


def forget() -> None:
    """Empty the cache of names (tests)."""
    _known.clear()


def add(transaction: Transaction, numbers: Numbers, shard: int) -> None:
    """Add the numbers to this shard within the transaction: one write per campaign, and one per campaign and hour.

    The labels of the writes begin with `shard`, by which a conflict there can be told.
    """
    writes: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for label, number in numbers.items():
        if number:
            sk = "total" if label.hour is None else hour_key(label.hour)
            writes[label.campaign, sk][f"{label.kind}:{label.name}"] = number
    for (campaign, sk), attributes in writes.items():
        item = StatsItem(pk=f"{campaign}#{shard}", sk=sk)
        added = {WRITES: 1, **attributes}
        actions = [NumberAttribute(attr_name=name).add(number) for name, number in sorted(added.items())]
        transaction.update(f"shard {campaign} {sk}", item, actions)


def hour_key(hour: str) -> str:
    """Sort key of the numbers of an hour (`YYYY-MM-DDTHH`)."""
    return f"hour#{hour}"


def bounded(numbers: Numbers, *, register: bool = True) -> Numbers:
    """The numbers with every type and source beyond the first 100 or 50 as `other` (design 4), so that no caller can
    add names at will.

    A name that is new is put on its list by a conditional write of its own; that happens once per name. Without
    `register` nothing is written: it is only told how it would be counted. Raises `Unavailable`.
    """
    result: Numbers = Counter()
    for label, number in numbers.items():
        name = label.name[:NAME_LENGTH] if label.kind in MAX_NAMES else label.name
        if label.kind in MAX_NAMES and not _is_named(label, name, register=register):
            name = OTHER
        result[Label(label.campaign, label.kind, name, label.hour)] += number
    return result


def _is_named(label: Label, name: str, *, register: bool) -> bool:
    day = f"#{label.hour[:10]}" if label.kind == "source" and label.hour else ""
    key = (f"{label.campaign}#names", f"{label.kind}{day}")
    known = _known.get(key, set())
    if name not in known and len(known) < MAX_NAMES[label.kind]:  # a full list changes no more
        known = _known[key] = _read_names(key)
    if name in known:
        return True
    if len(known) >= MAX_NAMES[label.kind]:
        return False
    return _register(key, name, MAX_NAMES[label.kind]) if register else True


def _read_names(key: tuple[str, str]) -> set[str]:
    try:
        return set(NamesItem.get(*key, consistent_read=True).names or ())
    except DoesNotExist:
        return set()
    except PynamoDBException as error:
        raise translated(error) from None


def _register(key: tuple[str, str], name: str, limit: int) -> bool:
    item = NamesItem(*key)
    room = NamesItem.names.does_not_exist() | (size(NamesItem.names) < limit)  # type: ignore[no-untyped-call]
    try:
        item.update(actions=[NamesItem.names.add({name})], condition=room)
    except PynamoDBException as error:
        failure = translated(error)
        if isinstance(failure, Cancelled):
            _known[key] = _read_names(key)
            return name in _known[key]
        raise failure from None
    _known[key] = set(item.names)
    return True


def read(campaign: int, *beside: tuple[str, str]) -> dict[str, int]:
    """The campaign's totals over all shards, and what stands under the keys `beside`, as last written: `kind:name` to
    number, without zeros. One call.
    """
    return _sum([*_of_shards(campaign, "total"), *beside])


def read_many(beside: Mapping[int, Sequence[tuple[str, str]]]) -> dict[int, dict[str, int]]:
    """The same of several campaigns, each with what stands under its keys beside; at most 100 keys in all. One call."""
    keys = {campaign: [*_of_shards(campaign, "total"), *more] for campaign, more in beside.items()}
    found = numbers_by_key(StatsItem, [key for some in keys.values() for key in some])
    return {campaign: _total(found[key] for key in some if key in found) for campaign, some in keys.items()}


def read_hour(campaign: int, hour: str) -> dict[str, int]:
    """The campaign's numbers of one UTC hour (`YYYY-MM-DDTHH`) over all shards, as last written."""
    return _sum(_of_shards(campaign, hour_key(hour)))


def _of_shards(campaign: int, sk: str) -> list[tuple[str, str]]:
    return [(f"{campaign}#{shard}", sk) for shard in range(SHARDS)]


def _sum(keys: Sequence[tuple[str, str]]) -> dict[str, int]:
    return _total(read_numbers(StatsItem, keys))


def _total(items: Iterable[Mapping[str, int]]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for item in items:
        totals.update(item)
    return {name: number for name, number in sorted(totals.items()) if number and name != WRITES}
