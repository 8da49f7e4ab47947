"""The public feed: actions that anybody may see, such as the signatures of an open letter (domain 11.3).

pk                          sk                          attributes
<campaign>#feed#<bucket>    <type>#<action, padded>     area, fields

An action stands in the feed from the transaction that makes it count for its type until the one that takes it back, or
erases it. It is written with the custom fields that its campaign shows at that moment; shown are those of them that the
campaign still shows when somebody asks.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws.dynamo import StatsItem, Transaction, translated
from proca_common.ids import padded

BUCKETS: Final = 8
PAGE_SIZE: Final = 25
"""How many items one query reads: of the newest 100, a bucket hardly ever has more."""


class FeedItem(StatsItem):
    """An action in the feed."""

    area = UnicodeAttribute(null=True)
    fields = JSONAttribute(null=True)


@dataclass(frozen=True, slots=True)
class PublicAction:
    """What is public of an action. `fields`: its custom fields that were public when it was counted."""

    id: int
    area: str | None
    fields: Mapping[str, Any]


def public_types(public_actions: Collection[str]) -> list[str]:
    """The action types that a campaign shows, in the order of its setting `public_actions` (`actionType:key`)."""
    return list(dict.fromkeys(entry.partition(":")[0] for entry in public_actions))


def public_fields(public_actions: Collection[str], action_type: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an action of this type that the campaign shows (domain 11.3)."""
    return {key: value for key, value in fields.items() if f"{action_type}:{key}" in public_actions}


def put(transaction: Transaction, campaign: int, action_type: str, action: PublicAction) -> None:
    """Put the action into the campaign's feed in the transaction that makes it count."""
    item = _item(campaign, action_type, action.id)
    item.area, item.fields = action.area, dict(action.fields) or None
    transaction.put(f"feed {action.id}", item)


def remove(transaction: Transaction, campaign: int, action_type: str, action: int) -> None:
    """Take the action out of the feed in the transaction that takes it back; whether it is in there does not matter."""
    transaction.delete(f"feed {action}", _item(campaign, action_type, action))


def newest(campaign: int, action_type: str, before: int | None, limit: int) -> list[PublicAction]:
    """The `limit` newest actions of this type in the feed, or those below the id `before`: one query per bucket, and
    one more for each further 25 that a bucket has among them. Raises `Unavailable`.
    """
    buckets = [_of_bucket(campaign, action_type, before, bucket) for bucket in range(BUCKETS)]
    try:
        return list(islice(heapq.merge(*buckets, key=lambda action: action.id, reverse=True), limit))
    except PynamoDBException as error:
        raise translated(error) from None


def _of_bucket(campaign: int, action_type: str, before: int | None, bucket: int) -> Iterator[PublicAction]:
    of_type = f"{action_type}#"
    until = of_type + ("~" if before is None else padded(before - 1))
    condition = FeedItem.sk.between(of_type, until)
    found = FeedItem.query(_partition(campaign, bucket), condition, scan_index_forward=False, page_size=PAGE_SIZE)
    for item in found:
        yield PublicAction(int(item.sk.removeprefix(of_type)), item.area, item.fields or {})


def _item(campaign: int, action_type: str, action: int) -> FeedItem:
    return FeedItem(pk=_partition(campaign, action % BUCKETS), sk=f"{action_type}#{padded(action)}")


def _partition(campaign: int, bucket: int) -> str:
    return f"{campaign}#feed#{bucket}"
