"""When an org last read each of its queues over HTTPS: `org#<id>`, `reading#<queue>` in the Catalog table.

Written at most once a minute for each queue, because readers ask every few seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute

from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import CatalogItem
from proca_common.aws.errors import Cancelled, CloudError
from proca_common.aws.logs import log_fault
from proca_common.catalog import items
from proca_common.orgs.store import org_key

EVERY_MS = 60_000


class ReadingItem(CatalogItem, discriminator="reading"):
    """`at`: when something was received or acknowledged; `oldest`: when the oldest of what was received then had been
    sent. Both in ms since 1970.
    """

    at = NumberAttribute()
    oldest = NumberAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """See `ReadingItem`."""

    at_ms: int
    oldest_ms: int | None


_written: dict[str, int] = {}
"""When this environment wrote the reading of a queue (ms), by the queue's name."""


def note(org: int, queue: str, sent_ms: Iterable[int] = ()) -> None:
    """The queue was read now, and brought messages that were sent at these moments. At most one call.

    Nothing is raised: whoever reads has the messages already.
    """
    now_ms, name = clock.now_ms(), f"{org}-{queue}"
    if now_ms - _written.get(name, 0) < EVERY_MS:
        return
    item = ReadingItem(*_key(org, queue), at=now_ms, oldest=min(sent_ms, default=None))
    try:
        dynamo.save(item, ReadingItem.at.does_not_exist() | (ReadingItem.at <= now_ms - EVERY_MS))
    except Cancelled:
        pass  # another environment wrote it
    except CloudError as error:
        log_fault("reading of a queue is not written", error, queue=name)
        return
    _written[name] = now_ms


def last(org: int, queues: Iterable[str]) -> dict[str, Reading]:
    """The last reading of each of these queues that was ever read. Raises `Unavailable`."""
    found = items.read_many(_key(org, queue) for queue in queues)
    return {
        item.sk.removeprefix("reading#"): Reading(int(item.at), None if item.oldest is None else int(item.oldest))
        for item in found.values()
        if isinstance(item, ReadingItem)
    }


def forget() -> None:
    """Start anew, as another environment (tests)."""
    _written.clear()


def _key(org: int, queue: str) -> tuple[str, str]:
    return org_key(org)[0], f"reading#{queue}"
