"""The audit trail: who changed what of an org, when, from what to what. Never a secret, never data of supporters.

Entries are written in the transaction of their change, stand under `audit#<org>` in the order of time, and stay.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws import clock
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.ids import RANDOM_BITS, created_at, new_id, padded

MAX_SHOWN = 100
OPERATOR = 0
"""Stands for whoever has the keys of the instance itself."""


class AuditItem(CatalogItem, discriminator="audit"):
    """An entry. `who` is a user; `before` and `after` are JSON objects with nothing but what changed."""

    who = NumberAttribute()
    action = UnicodeAttribute()
    object = UnicodeAttribute()
    before = UnicodeAttribute()
    after = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody does: `action` such as `campaign.update`, `object` such as `campaign#7`; `org` whose it is."""

    who: int
    org: int
    action: str
    object: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


_numbers = itertools.count(secrets.randbits(RANDOM_BITS))
"""The lower bits of ids: one after the other, because a change of a campaign with its pages writes many in a
millisecond. Random ones would meet in 3 of 100 of those.
"""


def record(transaction: Transaction, change: Change) -> None:
    """Write the change down in its own transaction."""
    names = [
        name
        for name in dict.fromkeys([*change.before, *change.after])
        if change.before.get(name, ...) != change.after.get(name, ...)
    ]
    entry = padded(new_id(clock.now_ms(), next(_numbers)))
    item = AuditItem(
        pk=f"audit#{change.org}",
        sk=entry,
        who=change.who,
        action=change.action,
        object=change.object,
        before=_part(change.before, names),
        after=_part(change.after, names),
    )
    transaction.put(f"audit {entry}", item, CatalogItem.pk.does_not_exist())


def trail(org: int, before: str | None = None, limit: int = MAX_SHOWN) -> list[dict[str, Any]]:
    """The newest entries of an org, or the newest before the one with this id. Raises `Unavailable`."""
    condition = None if before is None else AuditItem.sk < before
    try:
        found = AuditItem.query(f"audit#{org}", condition, scan_index_forward=False, limit=limit, consistent_read=True)
        return [_shown(item) for item in found]
    except PynamoDBException as error:
        raise translated(error) from None


def _part(values: Mapping[str, Any], names: list[str]) -> str:
    return json.dumps({name: values[name] for name in names if name in values}, ensure_ascii=False)


def _shown(item: AuditItem) -> dict[str, Any]:
    return {
        "id": item.sk,
        "at": created_at(int(item.sk)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": int(item.who),
        "action": item.action,
        "object": item.object,
        "before": json.loads(item.before),
        "after": json.loads(item.after),
    }
