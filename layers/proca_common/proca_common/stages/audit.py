"""Counting a campaign again from its actions, hour by hour, while people sign (what is compared: `monitors.audit`).

For an hour the shards are read, the hour's actions are counted, and the shards are read again: when none was written
meanwhile, both must be the same. The index of a campaign's actions may be late, and actions may move: so only a
difference that is found twice is believed. It is added to one shard by a transaction that holds only if still no shard
of the hour was written. An hour that is written again and again comes once more in the next round. At last the totals
of each shard are compared with the sums of its hours.

Whatever is repaired is reported by the same transaction. So an audit may be killed at any point, and goes on from its
record; two that work on the same record do not harm each other, and one of them gives up.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from proca_common.actions import store
from proca_common.actions.store import Key
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem, ByCampaign, Transaction, index_keys
from proca_common.aws.errors import Cancelled, CloudError, Unavailable
from proca_common.aws.logs import log_fault
from proca_common.aws.pace import Pace
from proca_common.aws.retry import pauses
from proca_common.ids import first_id_at, hour_ms, hour_of, padded
from proca_common.monitors import audits, shards
from proca_common.monitors.audit import Audit, Count, differences, of_hour
from proca_common.monitors.store import SHARDS, bounded
from proca_common.stages import recount
from proca_common.stages.memberships import put_membership

HOUR_MS: Final = 3_600_000
KEYS_AT_ONCE: Final = 80
"""All their persons' memberships and the record fit in one transaction."""
ROUNDS: Final = 4
ROUND_PAUSE_S: Final = 300
CONFIRM_MS: Final = 2_000
MOST_TRIES: Final = 6
KEEP_MS: Final = 20_000
SEEKING: Final = 2 * store.CAMPAIGN_BUCKETS


class SupersededError(Exception):
    """Somebody else works on this audit."""


@dataclass(slots=True)
class _Run:
    """An audit at work. `doubted`: persons whose memberships were found wrong. `kept_ms`: when it was last stored."""

    audit: Audit
    pace: Pace
    has_time: Callable[[], bool]
    doubted: set[Key] = field(default_factory=set)
    kept_ms: int = field(default_factory=clock.now_ms)

    def spend(self, reads: int) -> None:
        self.audit.reads += reads
        self.pace.spend(reads)

    def commit(self, transaction: Transaction, changed: Audit) -> None:
        """Store the changed audit with what it did. Raises `SupersededError`, `Cancelled`, `Unavailable`."""
        stored = audits.put(transaction, changed) if changed.id else changed
        try:
            if len(transaction):
                transaction.commit()
        except Cancelled as cancelled:
            if cancelled.refused(audits.LABEL):
                raise SupersededError from None
            raise
        self.audit, self.kept_ms = stored, clock.now_ms()

    def keep(self) -> None:
        """Store how far it is. Raises `SupersededError`, `Unavailable`."""
        try:
            self.commit(Transaction(), self.audit)
        except Cancelled:
            raise Unavailable("other writes were in the way") from None


def work(audit: Audit, pace: Pace, has_time: Callable[[], bool]) -> tuple[Audit, int | None]:
    """Go on with an audit until it is finished or there is no more time: the audit as it is then, and the seconds after
    which to go on, None when it is finished. An audit with the id 0 is kept by nobody.

    Raises `SupersededError` and `Unavailable`.
    """
    run = _Run(audit, pace, has_time)
    while run.audit.finished_ms is None:
        if not has_time():
            run.keep()
            return run.audit, 0
        if run.audit.hours_done:
            _compare_totals(run)
        elif run.audit.count is not None or _begin_hour(run):
            _count_hour(run)
        elif run.audit.next_round(ROUNDS):
            run.keep()
            return run.audit, ROUND_PAUSE_S
    run.keep()
    return run.audit, None


# --- hours


def _begin_hour(run: _Run) -> bool:
    """Begin with the next hour; False when all are done in this round."""
    audit = run.audit
    if audit.round:
        found = audit.again[0] if audit.again else None
    else:
        run.spend(SEEKING)
        hours = (shards.next_hour(audit.campaign, audit.reached), _next_with_actions(audit.campaign, audit.reached))
        found = min((hour for hour in hours if hour is not None and hour < audit.until), default=None)
    if found is not None:
        audit.count = Count(hour=found)
    return found is not None


def _next_with_actions(campaign: int, after: str) -> str | None:
    """The first hour after this one (any, after an empty text) that has actions."""
    later = ActionsItem.sk >= f"A#{padded(first_id_at(hour_ms(after) + HOUR_MS) if after else 0)}"
    firsts = [
        int(keys[0][1].removeprefix("A#"))
        for bucket in range(store.CAMPAIGN_BUCKETS)
        for keys in islice(index_keys(ByCampaign, store.campaign_bucket(campaign, bucket), later, page_size=1), 1)
    ]
    return hour_of(min(firsts)) if firsts else None


def _count_hour(run: _Run) -> None:
    """Count the hour, or as much of it as there is time for, and compare."""
    count = run.audit.count
    if count is None:
        return
    if not count.writes:
        run.spend(SHARDS)
        count.writes = shards.read_hour(run.audit.campaign, count.hour).writes
    try:
        if not _walk(run, count):
            return
    except recount.MovingError:
        run.audit.hour_moved()
        return
    except (CloudError, SupersededError):
        raise
    except Exception as error:  # noqa: BLE001 - an action that cannot be read must not hold up all other hours
        log_fault("hour cannot be counted", error, campaign=run.audit.campaign, hour=count.hour)
        run.audit.hour_moved()
        return
    run.spend(SHARDS)
    found = shards.read_hour(run.audit.campaign, count.hour)
    difference = differences(found.numbers, count.counted)
    if found.writes != count.writes:
        run.audit.hour_moved()
    elif count.mended or (difference and difference != count.seen):
        _count_again(run, count, difference)
    elif difference:
        _mend_hour(run, count, found)
    else:
        run.audit.hour_done()


def _count_again(run: _Run, count: Count, difference: dict[str, int]) -> None:
    """Count the hour once more, after a while in which the index may catch up; not for ever."""
    if count.tries >= MOST_TRIES:
        run.audit.hour_moved()
        return
    clock.sleep_ms(CONFIRM_MS)
    run.audit.count = count.again(None if count.mended else difference)


def _walk(run: _Run, count: Count) -> bool:
    """Count the actions of the hour from where it is; False when there is no more time. Raises `MovingError`."""
    for bucket, keys in _keys_of_hour(run.audit.campaign, count):
        found = recount.count(keys, run.doubted, run.spend)
        _mend_memberships(run, count, found.wrong)
        of_it = Counter({label: number for label, number in found.numbers.items() if label.hour == count.hour})
        count.add(of_hour(bounded(of_it, register=run.audit.repair)))
        count.actions += found.actions
        count.bucket, count.after = bucket, int(keys[-1][1].removeprefix("A#"))
        if clock.now_ms() - run.kept_ms > KEEP_MS:
            run.keep()
        if not run.has_time():
            return False
    return True


def _keys_of_hour(campaign: int, count: Count) -> Iterator[tuple[int, list[Key]]]:
    """The keys of the hour's actions after those that are counted, in batches, each with its bucket."""
    first, end = first_id_at(hour_ms(count.hour)), first_id_at(hour_ms(count.hour) + HOUR_MS)
    for bucket in range(count.bucket, store.CAMPAIGN_BUCKETS):
        start = max(first, count.after + 1) if bucket == count.bucket else first
        if start < end:
            within = ActionsItem.sk.between(f"A#{padded(start)}", f"A#{padded(end - 1)}")
            for keys in index_keys(ByCampaign, store.campaign_bucket(campaign, bucket), within, KEYS_AT_ONCE):
                yield bucket, keys


def _mend_memberships(run: _Run, count: Count, wrong: Mapping[Key, recount.Verified]) -> None:
    """Report the wrong memberships that are not reported yet, and repair them if that is wanted; what was counted
    before may have relied on them, so that the hour is counted again.
    """
    if not run.audit.repair:
        new = wrong.keys() - run.doubted if count.tries == 1 else set()
        count.mended |= bool(new)
        run.audit.memberships += len(new)
        run.doubted |= wrong.keys()
        return
    if not wrong:
        return
    count.mended = True
    changed, transaction = run.audit.model_copy(), Transaction()
    changed.memberships += len(wrong)
    for number, (person, found) in enumerate(wrong.items()):
        put_membership(transaction, f"membership {number}", person, found.truth)
    try:
        run.commit(transaction, changed)
    except Cancelled:
        return  # one of them moved: the next count finds the others


def _mend_hour(run: _Run, count: Count, found: shards.Reading) -> None:
    """Report what differs in an hour, and repair it if that is wanted; unless it is written just now."""
    audit = run.audit
    for pause in pauses():
        changed, transaction = audit.model_copy(deep=True), Transaction()
        changed.note(count.hour, found.numbers, count.counted)
        changed.hour_done()
        if audit.repair:
            difference = differences(found.numbers, count.counted)
            shard = random.randrange(SHARDS)
            shards.mend_hour(transaction, audit.campaign, count.hour, difference, found.writes, shard)
        try:
            run.commit(transaction, changed)
        except Cancelled as cancelled:
            if cancelled.any_condition:
                break
            clock.sleep_ms(pause)
        else:
            return
    audit.hour_moved()


# --- totals


def _compare_totals(run: _Run) -> None:
    """Compare the totals of the next shard with the sums of its hours, and repair them if that is wanted."""
    if run.audit.shard == SHARDS:
        run.audit.finished_ms = clock.now_ms()
        return
    seen: dict[str, int] | None = None
    for _ in range(MOST_TRIES):
        found = shards.read_total(run.audit.campaign, run.audit.shard)
        if found is not None:
            run.spend(found.hours + 2)
            difference = differences(found.numbers, found.of_hours)
            if not difference:
                run.audit.shard += 1
                return
            if difference == seen and _mend_total(run, found):
                return
            seen = difference
        clock.sleep_ms(CONFIRM_MS)
    run.audit.unsettled.append(f"total#{run.audit.shard}")
    run.audit.shard += 1


def _mend_total(run: _Run, found: shards.Total) -> bool:
    """Report what differs in a shard's totals, and repair it; False when they were written meanwhile."""
    changed, transaction = run.audit.model_copy(deep=True), Transaction()
    changed.note(None, found.numbers, found.of_hours)
    changed.shard += 1
    if changed.repair:
        difference = differences(found.numbers, found.of_hours)
        shards.mend_total(transaction, changed.campaign, run.audit.shard, difference, found.writes)
    try:
        run.commit(transaction, changed)
    except Cancelled:
        return False
    return True
