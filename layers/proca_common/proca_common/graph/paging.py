"""Rows of exports for clients that go on from the last id, or ask for what is new since a moment (domain 13.6).

A row is listed a minute after its action was made (`management.exports`). So whoever goes on from the last id misses
nothing. Whoever asks again with the moment of the last asking would miss that minute each time: for them an answer
begins a minute before `after`. It does not where that minute alone fills the answer, since who goes on from the moment
of the last row would never get beyond it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from proca_common.errors import DomainError
from proca_common.exports.rows import Kind, Row
from proca_common.graph.given import plain
from proca_common.management import exports
from proca_common.users.user import Caller

MOST = 1_000
"""Rows in one answer: what is beyond them begins at the last id + 1."""
USUAL = 100
MOST_BYTES = 2_500_000
"""Of the rows of an answer, which is escaped twice on its way and may have 6 MB then."""
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing is older."""
SETTLED = timedelta(milliseconds=exports.SETTLED_MS)


class NotFinished(DomainError):
    """No row was found as long as an answer may take, and there may be some: an empty list would say that it ends."""

    def __init__(self) -> None:
        super().__init__("Nothing found in time: ask for one campaign, or from a later start")


def rows(caller: Caller, org: str, kind: Kind, given: dict[str, Any], has_time: Callable[[], bool]) -> list[Row]:
    """As many rows as `limit` says, the first ids first; fewer where they are too large for an answer or take too long.

    `given`: names of `FiltersInput` and `limit`. Raises `NotFinished` and what `exports.rows` does.
    """
    after: datetime | None = given.get("after")
    if after is not None and not given.get("start"):
        found = _rows(caller, org, kind, {**given, "after": max(after, FIRST) - SETTLED}, has_time)
        if len(found) < _limit(given) or datetime.fromisoformat(found[-1]["createdAt"]) > after:
            return found
    return _rows(caller, org, kind, given, has_time)


def _limit(given: dict[str, Any]) -> int:
    limit: int = given.get("limit", USUAL)
    return min(limit, MOST)


def _rows(caller: Caller, org: str, kind: Kind, given: dict[str, Any], has_time: Callable[[], bool]) -> list[Row]:
    wanted, asked, size = _limit(given), plain(given), 0
    found: list[Row] = []
    while len(found) < wanted:
        part: dict[str, Any] = exports.rows(caller, org, kind, {**asked, "limit": wanted - len(found)}, has_time)
        for row in part["items"]:
            size += len(json.dumps(row))
            if found and size > MOST_BYTES:
                return found
            found.append(row)
        if part["next"] is None:
            break
        if not has_time():
            if not found:
                raise NotFinished
            break
        asked["cursor"] = part["next"]
    return found
