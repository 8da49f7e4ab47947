"""Signatures that are held until somebody looked at them: listed here, decided in `stages.decide`."""

from __future__ import annotations

from collections.abc import Iterator

from proca_common.actions import store
from proca_common.actions.store import ActionItem
from proca_common.aws.dynamo import Pending, index_keys


def held_signatures() -> Iterator[ActionItem]:
    """All that is held, by bucket, in each the oldest first. Raises `Unavailable`."""
    for bucket in range(store.PENDING_BUCKETS):
        for keys in index_keys(Pending, f"review#{bucket}"):
            found = store.read_many(keys)
            for key in keys:
                item = found.get(key)
                if isinstance(item, ActionItem) and item.held is not None:
                    yield item
