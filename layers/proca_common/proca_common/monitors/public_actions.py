"""Lists of a campaign's actions that anybody may see, such as who signed an open letter (domain 11.3), kept in warm
memory so that many may ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from proca_common.aws import clock
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.errors import TooMany
from proca_common.ids import created_at
from proca_common.monitors import feed
from proca_common.monitors.feed import PublicAction

if TYPE_CHECKING:
    from proca_common.monitors.shapes import ShownAction

FRESH_MS: Final = 30_000
MAX_AGE_S: Final = 30
MOST: Final = 100
USUAL: Final = 10
MAX_ENTRIES: Final = 100
OLDER: Final = 10
OLDER_MS: Final = 5_000

_Key = tuple[int, str, int | None, int]
_lists: FreshOrKnown[_Key, list[PublicAction]] = FreshOrKnown(FRESH_MS, MAX_ENTRIES)
_older: list[int] = []


def forget() -> None:
    """Empty the cache (tests)."""
    _lists.forget()
    _older.clear()


def public_actions(campaign: Campaign, action_type: str, before: int | None, limit: int) -> list[PublicAction]:
    """The `limit` (at most 101) newest public actions of this type, or those below the id `before`, newest first;
    at most 30 s old. None for types that the campaign does not show.

    The newest cost the same however many are asked for: they are read once for all. Of older ones, which anybody could
    ask for without end, a function instance reads 10 parts in 5 s at most. Raises `TooMany`, `Unavailable`.
    """
    if action_type not in feed.public_types(campaign.public_actions):
        return []
    wanted = MOST + 1 if before is None else limit

    def fetch() -> list[PublicAction]:
        if before is not None:
            _count_older()
        return feed.newest(campaign.id, action_type, before, wanted)

    return _lists.get((campaign.id, action_type, before, wanted), fetch)[:limit]


def shown(campaign: Campaign, action_type: str, some: Sequence[PublicAction]) -> list[ShownAction]:
    """Public actions with the fields that the campaign shows now: what it no longer lists is gone at once."""
    return [
        {
            "actionId": action.id,
            "actionType": action_type,
            "createdAt": f"{created_at(action.id):%Y-%m-%dT%H:%M:%SZ}",
            "area": action.area,
            "customFields": feed.public_fields(campaign.public_actions, action_type, action.fields),
        }
        for action in some
    ]


def _count_older() -> None:
    now = clock.now_ms()
    while _older and now - _older[0] >= OLDER_MS:
        del _older[0]
    if len(_older) >= OLDER:
        raise TooMany("Too many older parts of lists at once", OLDER_MS // 1000)
    _older.append(now)
