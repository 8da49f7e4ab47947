"""Small numbers as ids, and names that are unique without regard to case (design 3, domain 0.3.8)."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws.dynamo import CatalogItem, Transaction, translated

MAX_BYTES = 1_000
"""More than any name has, less than a key may have."""


class Sequence(CatalogItem, discriminator="sequence"):
    """The last number given out for a kind of entity."""

    n = NumberAttribute()


class NameGuard(CatalogItem, discriminator="name"):
    """Holds a name for the entity `id`; written in the transaction that creates the entity."""

    id = NumberAttribute()


def next_number(kind: str) -> int:
    """The next id of this kind: 1, 2, 3 … A number may stay unused when its creation fails."""
    sequence = Sequence(pk="sequence", sk=kind)
    try:
        sequence.update(actions=[Sequence.n.add(1)])
    except PynamoDBException as error:
        raise translated(error) from None
    return int(sequence.n)


def last_number(kind: str) -> int:
    """The last number that was given out, 0 before the first."""
    try:
        return int(Sequence.get("sequence", kind, consistent_read=True).n)
    except Sequence.DoesNotExist:
        return 0
    except PynamoDBException as error:
        raise translated(error) from None


def guard(kind: str, name: str, owner: int) -> NameGuard:
    """The guard item of a name."""
    return NameGuard(pk=f"name#{kind}#{name.lower()}", sk="name", id=owner)


def claim(transaction: Transaction, kind: str, name: str, owner: int, label: str = "name") -> None:
    """Take the name in this transaction; its write is refused under the label when somebody has it."""
    transaction.put(label, guard(kind, name, owner), CatalogItem.pk.does_not_exist())


def rename(transaction: Transaction, kind: str, old: str, new: str, owner: int, label: str = "name") -> None:
    """Give up the old name for the new one in this transaction; refused under the label when somebody has it."""
    if old.lower() != new.lower():
        claim(transaction, kind, new, owner, label)
        transaction.delete(f"old {label}", guard(kind, old, owner))


def find(kind: str, name: str) -> int | None:
    """The id of the entity with this name, in any case of letters; none of what is too long to be one."""
    if len(name.encode()) > MAX_BYTES:
        return None
    try:
        return int(NameGuard.get(f"name#{kind}#{name.lower()}", "name", consistent_read=True).id)
    except NameGuard.DoesNotExist:
        return None
    except PynamoDBException as error:
        raise translated(error) from None
