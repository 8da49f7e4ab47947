"""Reading and writing catalogue items, with failures in our own words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled, Unavailable

Item = TypeVar("Item", bound=CatalogItem)


def read(model: type[Item], pk: str, sk: str) -> Item | None:
    """The item as last written, None when there is none; raises `Unavailable`."""
    try:
        return model.get(pk, sk, consistent_read=True)
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise translated(error) from None


def read_many(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], CatalogItem]:
    """The items as last written, those that exist, by key; raises `Unavailable`."""
    try:
        return {(item.pk, item.sk): item for item in CatalogItem.batch_get(list(keys), consistent_read=True)}
    except PynamoDBException as error:
        raise translated(error) from None


def every(model: type[Item]) -> list[Item]:
    """All items of one kind, in no order: for the admin command, never on a signature's way."""
    try:
        return list(model.scan())
    except PynamoDBException as error:
        raise translated(error) from None


def commit(transaction: Transaction) -> None:
    """Commit it; raises `Cancelled` when a condition did not hold, `Unavailable` when other writes were in the way."""
    try:
        transaction.commit()
    except Cancelled as cancelled:
        if cancelled.any_condition:
            raise
        raise Unavailable("other writes were in the way") from None
