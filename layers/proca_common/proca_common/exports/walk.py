"""Walks through an org's actions in the order of their ids: the partitions of the index are merged as they are read."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition

from proca_common.action_pages import store as pages
from proca_common.action_pages.context import page_context
from proca_common.actions import store
from proca_common.actions.store import ActionItem, ContactItem, Key, SupporterItem
from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem, ByCampaign
from proca_common.campaigns import store as campaigns
from proca_common.errors import NotFound
from proca_common.exports.rows import Filters, Row, is_wanted, may_be_wanted, row
from proca_common.failures import Failure, Refused
from proca_common.ids import padded

READ_AT_ONCE = 100
LEAST_AT_ONCE = 25
MOST_AHEAD = 16_000
"""Keys that are held at once, of all partitions together: some 4 MB."""
LEAST_AHEAD = 10
MOST_CAMPAIGNS = 50


@dataclass(frozen=True, slots=True)
class Span:
    """Whose actions, of which campaigns, and from which id to which (both included)."""

    org: int
    campaigns: Collection[int]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """Some actions further: `ids` of those that were looked at, and the rows of those that are wanted."""

    ids: Sequence[int]
    rows: Sequence[Row]


def campaigns_of(org: int) -> set[int]:
    """The campaigns that the org leads or has pages of. Raises `Refused` when they are too many to be merged."""
    found = {*campaigns.led_by(org), *(int(entry.campaign) for entry in pages.of_org(org))}
    if len(found) > MOST_CAMPAIGNS:
        text = f"is needed: the org takes part in more than {MOST_CAMPAIGNS} campaigns"
        raise Refused([Failure("/campaign", "blank", text)])
    return found


def walk(span: Span, filters: Filters, wanted: int = MOST_AHEAD) -> Iterator[Step]:
    """All actions of the span, in the order of ids, as they are when they are read.

    `wanted`: about how many the caller has use for; so many keys are read before they are needed, and no more actions
    in a step. Raises `Unavailable`.
    """
    keys = _keys(span, min(2 * wanted, MOST_AHEAD))
    while some := tuple(itertools.islice(keys, min(READ_AT_ONCE, max(LEAST_AT_ONCE, wanted)))):
        yield Step([_id(key) for key in some], _rows(some, span.org, filters))


def of_person(ref: str, org: int, filters: Filters, after: int = 0) -> Iterator[Step]:
    """The same of all actions of a person, in whatever campaign, with an id above `after`."""
    actions = [action for action in store.actions_of(ref) if int(action.id) > after]
    for start in range(0, len(actions), READ_AT_ONCE):
        some = actions[start : start + READ_AT_ONCE]
        yield Step([int(action.id) for action in some], _rows_of(some, org, filters))


def last_id(span: Span) -> int:
    """The id of the span's last action; 0 if there is none."""
    newest = (
        next(dynamo.index_keys(ByCampaign, partition, _within(span), 1, newest_first=True), [])
        for partition in _partitions(span)
    )
    return max((_id(key) for keys in newest for key in keys), default=0)


def _keys(span: Span, ahead: int) -> Iterator[Key]:
    if span.first > span.last:
        return
    partitions = _partitions(span)
    page_size = max(LEAST_AHEAD, ahead // max(1, len(partitions)))
    streams = [
        itertools.chain.from_iterable(dynamo.index_keys(ByCampaign, partition, _within(span), page_size))
        for partition in partitions
    ]
    yield from heapq.merge(*streams, key=lambda key: key[1])


def _partitions(span: Span) -> list[str]:
    return [
        store.campaign_bucket(campaign, bucket)
        for campaign in span.campaigns
        for bucket in range(store.CAMPAIGN_BUCKETS)
    ]


def _within(span: Span) -> Condition:
    return ActionsItem.sk.between(f"A#{padded(span.first)}", f"A#{padded(span.last)}")


def _rows(keys: Iterable[Key], org: int, filters: Filters) -> list[Row]:
    found = store.read_many(keys)
    return _rows_of([item for item in found.values() if isinstance(item, ActionItem)], org, filters)


def _rows_of(actions: Iterable[ActionItem], org: int, filters: Filters) -> list[Row]:
    candidates = [action for action in actions if may_be_wanted(action, org, filters)]
    found = store.read_many(key for action in candidates for key in (_supporter_key(action), _contact_key(action, org)))
    rows = []
    for action in sorted(candidates, key=lambda action: int(action.id)):
        supporter, contact = found.get(_supporter_key(action)), found.get(_contact_key(action, org))
        if not isinstance(supporter, SupporterItem) or not isinstance(contact, ContactItem):
            continue
        if is_wanted(supporter, contact, filters):
            try:
                rows.append(row(action, supporter, contact, page_context(int(action.page))))
            except NotFound:
                continue  # a page goes together with what was only tested on it
    return rows


def _supporter_key(action: ActionItem) -> Key:
    return store.supporter_key(action.ref, int(action.org), int(action.supporter))


def _contact_key(action: ActionItem, org: int) -> Key:
    return store.contact_key(action.ref, int(action.supporter), org)


def _id(key: Key) -> int:
    return int(key[1].removeprefix("A#"))
