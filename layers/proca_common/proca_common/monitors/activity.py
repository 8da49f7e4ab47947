"""When something was last done on a page, and where (domain 11.4): `page#<id>`, `activity` in the Stats table.

The stream functions write it, never the transaction of a signature, and once a minute for each page and environment at
most. So actions without a supporter, which no stream function works on, are not seen.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from proca_common.actions.source import stripped
from proca_common.actions.store import ActionItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import StatsItem, translated
from proca_common.aws.errors import Cancelled, CloudError
from proca_common.aws.logs import log_fault
from proca_common.ids import created_ms

SK: Final = "activity"
EVERY_MS: Final = 60_000
DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS
MAX_ENTRIES: Final = 2_000


class PageStatus(StrEnum):
    """What is going on on a page."""

    STANDBY = "standby"
    ACTIVE = "active"
    STALLED = "stalled"


@dataclass(frozen=True, slots=True)
class Activity:
    """`seen_ms`: when the newest action was done (ms since 1970). `location`: where the last one was that told,
    without query and fragment, which may say who somebody is.
    """

    seen_ms: int
    location: str | None = None


class ActivityItem(StatsItem):
    """See `Activity`."""

    seen = NumberAttribute()
    location = UnicodeAttribute(null=True)


_written: dict[int, tuple[int, int]] = {}
"""When this environment wrote the activity of a page, and when its location (ms), by the page's id."""


def forget() -> None:
    """Start anew, as another environment (tests)."""
    _written.clear()


def status(known: Activity | None, now_ms: int) -> PageStatus:
    """Domain 11.4: active for as many days as this month has; nothing is known after a year."""
    if known is None or now_ms - known.seen_ms > YEAR_MS:
        return PageStatus.STANDBY
    today = clock.date_of(now_ms)
    days = calendar.monthrange(today.year, today.month)[1]
    return PageStatus.ACTIVE if now_ms - known.seen_ms < days * DAY_MS else PageStatus.STALLED


def note(actions: Iterable[ActionItem]) -> None:
    """These actions were done: at most one call for each of their pages.

    Nothing is raised: it is told to people beside what is exact.
    """
    now_ms = clock.now_ms()
    for page, activity in _newest(actions).items():
        seen_ms, located_ms = _written.get(page, (0, 0))
        tells_where = activity.location is not None and now_ms - located_ms >= EVERY_MS
        if now_ms - seen_ms < EVERY_MS and not tells_where:
            continue
        try:
            _write(page, activity)
        except CloudError as error:
            log_fault("activity of a page is not written", error, page=page)
            continue
        if len(_written) >= MAX_ENTRIES:
            _written.pop(next(iter(_written)))
        _written[page] = now_ms, now_ms if activity.location is not None else located_ms


def read(page: int) -> Activity | None:
    """The activity of one page. Raises `Unavailable`."""
    try:
        return _activity(ActivityItem.get(*_key(page)))
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise translated(error) from None


def read_many(pages: Iterable[int]) -> dict[int, Activity]:
    """The activity of each of these pages that ever had any. Raises `Unavailable`."""
    keys = [_key(page) for page in pages]
    try:
        found = list(ActivityItem.batch_get(keys)) if keys else []
    except PynamoDBException as error:
        raise translated(error) from None
    return {int(item.pk.removeprefix("page#")): _activity(item) for item in found}


def _activity(item: ActivityItem) -> Activity:
    return Activity(int(item.seen), item.location)


def _newest(actions: Iterable[ActionItem]) -> dict[int, Activity]:
    """For each page its newest action, and the location of the newest one that has any."""
    newest: dict[int, Activity] = {}
    for action in sorted(actions, key=lambda action: int(action.id)):
        page = int(action.page)
        location = stripped(str((action.source or {}).get("location") or ""))
        if location is None and page in newest:
            location = newest[page].location
        newest[page] = Activity(created_ms(int(action.id)), location)
    return newest


def _write(page: int, activity: Activity) -> None:
    changes = [ActivityItem.seen.set(activity.seen_ms)]
    if activity.location is not None:
        changes.append(ActivityItem.location.set(activity.location))
    newer = ActivityItem.seen.does_not_exist() | (ActivityItem.seen < activity.seen_ms)
    with suppress(Cancelled):  # another environment knows of a newer one
        dynamo.update(ActivityItem(*_key(page)), changes, newer)


def _key(page: int) -> tuple[str, str]:
    return f"page#{page}", SK
