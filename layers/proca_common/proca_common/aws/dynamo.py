"""The three tables, one connection for all of them, and transactions whose refusals can be understood.

What of PynamoDB's inside is leaned on stands in this file alone: a model's and a connection's `_get_connection`,
`_connection` and `_local.session` (each model would otherwise make a session and a client of its own, 50 ms apiece),
and the order in which `TransactWrite` sends its writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.connection.table import TableConnection
from pynamodb.exceptions import PynamoDBException, TransactWriteError, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from proca_common.aws import clients
from proca_common.aws.errors import CONDITION_FAILED, Cancelled, CloudError, Unavailable
from proca_common.aws.settings import TableSettings

MAX_TRANSACTION_ITEMS = 100
RETURN_OLD = "ALL_OLD"
RETRYABLE = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
CONTENTION = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})


class _Meta:
    region = None
    connect_timeout_seconds = clients.CONNECT_TIMEOUT_S
    read_timeout_seconds = clients.READ_TIMEOUT_S
    max_retry_attempts = clients.TRIES - 1


class ByCampaign(GlobalSecondaryIndex["ActionsItem"]):  # type: ignore[no-untyped-call]
    """Actions of a campaign in the order of their ids: `<campaign>#<bucket 0-15>`, then the sort key."""

    class Meta:
        index_name = "by_campaign"
        projection = KeysOnlyProjection()

    campaign_bucket = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class Pending(GlobalSecondaryIndex["ActionsItem"]):  # type: ignore[no-untyped-call]
    """Sparse: items with something to do at `due` (ms): `<kind>#<bucket 0-63>`."""

    class Meta:
        index_name = "pending"
        projection = KeysOnlyProjection()

    pending = UnicodeAttribute(hash_key=True)
    due = NumberAttribute(range_key=True)


class ActionsItem(Model):
    """Any item of the Actions table (design 4)."""

    class Meta(_Meta):
        table_name: str | None = None

    ref = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    campaign_bucket = UnicodeAttribute(null=True)
    pending = UnicodeAttribute(null=True)
    due = NumberAttribute(null=True)
    expires = TTLAttribute(null=True)
    by_campaign = ByCampaign()
    by_due = Pending()


class CatalogItem(Model):
    """Any item of the Catalog table: what campaigners edit."""

    class Meta(_Meta):
        table_name: str | None = None

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()


class StatsItem(Model):
    """Any item of the Stats table."""

    class Meta(_Meta):
        table_name: str | None = None

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class ErasuresItem(Model):
    """Any item of the Erasures table: the ledger of who was erased."""

    class Meta(_Meta):
        table_name: str | None = None

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


_shared: Connection | None = None


def connect(settings: TableSettings) -> None:
    """Bind the models to the tables that `settings` names, over one client that is made now (in the init phase)."""
    global _shared  # noqa: PLW0603 - the one connection of the process
    if _shared is None:
        _shared = Connection(
            connect_timeout_seconds=clients.CONNECT_TIMEOUT_S,
            read_timeout_seconds=clients.READ_TIMEOUT_S,
            max_retry_attempts=clients.TRIES - 1,
        )
        _shared._local.session = clients.session()
    for base, name in (
        (ActionsItem, settings.actions_table),
        (CatalogItem, settings.catalog_table),
        (StatsItem, settings.stats_table),
        (ErasuresItem, settings.erasures_table),
    ):
        if name is not None and name != base.Meta.table_name:
            _bind(base, name, _shared)
    _ = _shared.client


def _bind(base: type[Model], table_name: str, shared: Connection) -> None:
    base.Meta.table_name = table_name
    base._connection = None
    table: TableConnection = base._get_connection()
    with suppress(ValueError):  # it is known already, from when it was bound before
        shared.add_meta_table(table.connection.get_meta_table(table_name))
    table.connection = shared


def connection() -> Connection:
    """The shared connection; `connect` must have been called."""
    if _shared is None:
        raise CloudError("not connected: call connect() in the init phase")
    return _shared


def read_numbers(model: type[Model], keys: Sequence[tuple[str, str]]) -> list[dict[str, int]]:
    """All number attributes of the items with these keys (at most 100), as last written: for items whose names are made
    at run time.

    Raises `Unavailable`.
    """
    return [*numbers_by_key(model, keys).values()]


def numbers_by_key(model: type[Model], keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, int]]:
    """The same by key, of those that exist."""
    table = str(model.Meta.table_name)
    asked: Sequence[dict[str, Any]] = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
    found: dict[tuple[str, str], dict[str, int]] = {}
    while asked:
        try:
            request = {"RequestItems": {table: {"Keys": asked, "ConsistentRead": True}}}
            answer = connection().dispatch("BatchGetItem", request)
        except (PynamoDBException, BotoCoreError, ClientError) as error:
            raise translated(error) from None
        for item in answer["Responses"].get(table, ()):
            found[item["pk"]["S"], item["sk"]["S"]] = _numbers_of(item)
        asked = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ())
    return found


def numbers_under(
    model: type[Model], partition: str, first: str, last: str, page_size: int | None = None
) -> Iterator[tuple[str, dict[str, int]]]:
    """The items of one collection with sort keys from `first` to `last`, in their order, as last written: the sort key
    and all number attributes of each.

    `page_size`: how many one call reads, else as many as fit. Raises `Unavailable`.
    """
    table = model._get_connection()
    within = UnicodeAttribute(attr_name="sk").between(first, last)
    start: dict[str, Any] | None = None
    while True:
        try:
            answer = table.query(
                partition,
                range_key_condition=within,
                consistent_read=True,
                exclusive_start_key=start,
                limit=page_size,
            )
        except (PynamoDBException, BotoCoreError) as error:
            raise translated(error) from None
        yield from ((item["sk"]["S"], _numbers_of(item)) for item in answer["Items"])
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def _numbers_of(item: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value}


def index_keys(
    index: type[GlobalSecondaryIndex[ActionsItem]],
    partition: str,
    condition: Condition | None = None,
    page_size: int = 100,
    *,
    newest_first: bool = False,
) -> Iterator[list[tuple[str, str]]]:
    """Pages of the keys of the items of the Actions table in a partition of an index, in its order, or from its end.

    The models cannot ask an index that holds nothing but keys: they filter by `kind`, which DynamoDB refuses where the
    index lacks it (PynamoDB issue 1178). Raises `Unavailable`.
    """
    table = ActionsItem._get_connection()
    start: dict[str, Any] | None = None
    while True:
        try:
            answer = table.query(
                partition,
                range_key_condition=condition,
                index_name=index.Meta.index_name,
                exclusive_start_key=start,
                limit=page_size,
                scan_index_forward=not newest_first,
            )
        except (PynamoDBException, BotoCoreError) as error:
            raise translated(error) from None
        if answer["Items"]:
            yield [(item["ref"]["S"], item["sk"]["S"]) for item in answer["Items"]]
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def keys_under(model: type[Model], partition: str) -> list[tuple[str, str]]:
    """The keys of all items of one item collection, of whatever kind, as last written. Raises `Unavailable`."""
    table = model._get_connection()
    found: list[tuple[str, str]] = []
    start: dict[str, Any] | None = None
    while True:
        try:
            answer = table.query(
                partition, attributes_to_get=["pk", "sk"], consistent_read=True, exclusive_start_key=start
            )
        except (PynamoDBException, BotoCoreError) as error:
            raise translated(error) from None
        found += [(item["pk"]["S"], item["sk"]["S"]) for item in answer["Items"]]
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return found


def partitions(model: type[Model]) -> Iterator[str]:
    """The partition key of every item of the table, item collection by item collection, as last written: a scan.

    Raises `Unavailable`.
    """
    table = model._get_connection()
    name = str(model._hash_keyname)
    start: Any = None
    while True:
        try:
            answer = table.scan(attributes_to_get=[name], consistent_read=True, exclusive_start_key=start)
        except (PynamoDBException, BotoCoreError) as error:
            raise translated(error) from None
        yield from (item[name]["S"] for item in answer["Items"])
        start = answer.get("LastEvaluatedKey")
        if start is None:
            return


def add_numbers(
    model: type[Model],
    key: Mapping[str, str],
    numbers: Mapping[str, int],
    *,
    remove: Collection[str] = (),
    put: Mapping[str, str | int] | None = None,
) -> dict[str, int]:
    """Add to number attributes of one item, made if need be, remove others, and set some; all number attributes as
    they are then. Raises `Unavailable`.
    """
    put = put or {}
    names = {f"#{index}": name for index, name in enumerate([*numbers, *remove, *put])}
    of = {name: placeholder for placeholder, name in names.items()}
    values: dict[str, Any] = {f":{of[name][1:]}": {"N": str(number)} for name, number in numbers.items()}
    values |= {f":{of[name][1:]}": {"N" if isinstance(value, int) else "S": str(value)} for name, value in put.items()}
    parts = ["ADD " + ", ".join(f"{of[name]} :{of[name][1:]}" for name in numbers)]
    if put:
        parts.append("SET " + ", ".join(f"{of[name]} = :{of[name][1:]}" for name in put))
    if remove:
        parts.append("REMOVE " + ", ".join(of[name] for name in remove))
    request = {
        "TableName": str(model.Meta.table_name),
        "Key": {name: {"S": value} for name, value in key.items()},
        "UpdateExpression": " ".join(parts),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValues": "ALL_NEW",
    }
    try:
        answer = connection().dispatch("UpdateItem", request)
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        raise translated(error) from None
    return _numbers_of(answer["Attributes"])


def update(item: Model, actions: Sequence[UpdateAction], condition: Condition) -> None:
    """Change attributes of the item with this key; raises `Cancelled` (the condition did not hold) or `Unavailable`.

    The item is not read back, so it does not matter what else it holds.
    """
    key, sort_key = item._get_hash_range_key_serialized_values()
    try:
        item._get_connection().update_item(key, range_key=sort_key, actions=list(actions), condition=condition)
    except (PynamoDBException, BotoCoreError) as error:
        raise translated(error) from None


def delete(item: Model, condition: Condition | None = None) -> None:
    """Remove the item with this key; raises `Cancelled` when the condition does not hold, or `Unavailable`."""
    key, sort_key = item._get_hash_range_key_serialized_values()
    try:
        item._get_connection().delete_item(key, range_key=sort_key, condition=condition)
    except (PynamoDBException, BotoCoreError) as error:
        raise translated(error) from None


def save(item: Model, condition: Condition | None = None) -> None:
    """Write the whole item; raises `Cancelled` when the condition does not hold, or `Unavailable`."""
    try:
        item.save(condition=condition)
    except (PynamoDBException, BotoCoreError) as error:
        raise translated(error) from None


class Transaction:
    """Up to 100 writes, all or none; each has a label by which a refusal can be told.

    `commit` sends the writes in the order checks, deletes, puts, updates, which is the order of DynamoDB's reasons.
    """

    def __init__(self) -> None:
        self._checks: list[tuple[str, type[Model], tuple[str, str], Condition]] = []
        self._deletes: list[tuple[str, Model, Condition | None]] = []
        self._puts: list[tuple[str, Model, Condition | None, bool]] = []
        self._updates: list[tuple[str, Model, Sequence[UpdateAction], Condition | None, bool]] = []

    def __len__(self) -> int:
        return len(self._checks) + len(self._deletes) + len(self._puts) + len(self._updates)

    def check(self, label: str, model: type[Model], key: tuple[str, str], condition: Condition) -> None:
        """Write nothing, but only go through if `condition` holds on the item."""
        self._checks.append((label, model, key, condition))

    def delete(self, label: str, item: Model, condition: Condition | None = None) -> None:
        """Remove the item."""
        self._deletes.append((label, item, condition))

    def put(self, label: str, item: Model, condition: Condition | None = None, *, old: bool = False) -> None:
        """Write the whole item; with `old`, a refusal brings what stood there."""
        self._puts.append((label, item, condition, old))

    def update(
        self,
        label: str,
        item: Model,
        actions: Sequence[UpdateAction],
        condition: Condition | None = None,
        *,
        old: bool = False,
    ) -> None:
        """Change attributes of the item with this key; with `old`, a refusal brings what stood there."""
        self._updates.append((label, item, actions, condition, old))

    def commit(self) -> None:
        """Send it. Raises `Cancelled` (a condition did not hold, or another write was in the way), `Unavailable`, or
        plain `CloudError`: it is too large, or one of its writes is not possible.

        The request carries a token of its own, so that a repetition by the client after a lost answer does nothing
        twice.
        """
        if len(self) > MAX_TRANSACTION_ITEMS:
            raise CloudError(f"{len(self)} writes in one transaction")
        try:
            with TransactWrite(connection=connection(), client_request_token=uuid.uuid4().hex) as write:
                for _, model, key, condition in self._checks:
                    write.condition_check(model, *key, condition=condition)
                for _, item, optional in self._deletes:
                    write.delete(item, optional)
                for _, item, optional, old in self._puts:
                    write.save(item, optional, return_values=RETURN_OLD if old else None)
                for _, item, actions, optional, old in self._updates:
                    write.update(item, list(actions), optional, return_values=RETURN_OLD if old else None)
        except TransactWriteError as error:
            raise self._translated(error) from None
        except (PynamoDBException, BotoCoreError) as error:
            raise translated(error) from None

    def _translated(self, error: TransactWriteError) -> CloudError:
        if not error.cancellation_reasons:  # asking for the code of a lost connection would itself fail
            return translated(error)
        labels = [write[0] for writes in (self._checks, self._deletes, self._puts, self._updates) for write in writes]
        found = [
            (label, reason)
            for label, reason in zip(labels, error.cancellation_reasons, strict=True)
            if reason is not None
        ]
        for _, reason in found:
            if reason.code not in CONTENTION and reason.code != CONDITION_FAILED:
                return CloudError(reason.code)  # a write that can never go through, such as one that is too large
        return Cancelled(
            {label: reason.code for label, reason in found},
            {label: reason.raw_item for label, reason in found if reason.raw_item},
        )


def translated(error: Exception) -> CloudError:
    """A failure of PynamoDB or botocore in our own words: `Unavailable` when trying again is right, else
    `CloudError`.
    """
    cause = getattr(error, "cause", error)
    if isinstance(cause, VerboseClientError):
        code = cause.response["Error"].get("Code", "unknown")
        if code in RETRYABLE:
            return Unavailable(code)
        if code == "ConditionalCheckFailedException":
            return Cancelled({"item": CONDITION_FAILED}, {})
        return CloudError(code)
    if isinstance(cause, BotoCoreError):
        return Unavailable(type(cause).__name__)
    return CloudError(type(cause).__name__)
