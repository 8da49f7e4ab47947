"""The end of campaigns: of those whose last day is over, every day, and of those that nobody signs any more, when an
operator says so (domain 11.5). And the end of mails to targets that could not go out before it.

What is closed takes actions still, which carry `late` (design 7). Other states than `live` are somebody's choice and
stay. Each change is one of the campaign's own: its lead org hears of it, and the audit trail has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from proca_common.actions import store
from proca_common.actions.store import ActionItem
from proca_common.aws import clock
from proca_common.aws.dynamo import ByCampaign, index_keys
from proca_common.aws.logs import log_fault
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignStatus
from proca_common.errors import NotFound, Outdated
from proca_common.ids import created_at
from proca_common.management import audit
from proca_common.management.audit import OPERATOR, Change
from proca_common.months import months_before
from proca_common.mtt import ended as messages
from proca_common.mtt.ended import HasTime
from proca_common.orgs import store as orgs

ORGS_AT_ONCE = 100
CAMPAIGNS_AT_ONCE = 100
ENOUGH_MS = 10_000
BACKFILL_AFTER_MONTHS = 1


@dataclass(slots=True)
class Ended:
    """The names of campaigns that were closed, and what kept others from it. `complete`: all were looked at."""

    closed: list[str] = field(default_factory=list)
    fault: Exception | None = None
    complete: bool = True


@dataclass(slots=True)
class Idle:
    """The names of campaigns that were closed, or would be: those that once were signed, and those that never were."""

    with_actions: list[str] = field(default_factory=list)
    without_actions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Expired:
    """How many mails were given up, and what kept those of a campaign from it."""

    mails: int = 0
    fault: Exception | None = None


def is_over(campaign: Campaign, today: date) -> bool:
    """Whether a live campaign's last day, `end`, is past."""
    return campaign.status is CampaignStatus.LIVE and campaign.end is not None and campaign.end < today


def close_ended(today: date, deadline_ms: int) -> Ended:
    """Close every campaign that is over, or as many as fit before `deadline_ms` (ms since 1970). Safe to repeat. One
    that fails does not keep the others open.
    """
    ended = Ended()
    for campaign in every_campaign():
        if deadline_ms - clock.now_ms() < ENOUGH_MS:
            ended.complete = False
            break
        try:
            if is_over(campaign, today) and _close_over(campaign.id, today):
                ended.closed.append(campaign.name)
        except Exception as error:  # noqa: BLE001 - the caller tells, when the others are closed
            log_fault("campaign cannot be closed", error, campaign=campaign.id)
            ended.fault = error
    return ended


def expire_messages(has_time: HasTime) -> Expired:
    """Give up the mails to targets that wait in campaigns which are over for long enough (`mtt.ended`), as far as there
    is time. Safe to repeat. A campaign that fails does not hold up the others.
    """
    expired = Expired()
    for campaign in every_campaign():
        if not has_time():
            break
        try:
            expired.mails += messages.expire(campaign, has_time)
        except Exception as error:  # noqa: BLE001 - the caller tells, when the others are done
            log_fault("mails of a campaign cannot be given up", error, campaign=campaign.id)
            expired.fault = error
    return expired


def close_idle(months: int, today: date, *, dry_run: bool) -> Idle:
    """Close live campaigns whose latest action that is no test is older than so many months, with the dates of their
    first and last one where they have none; and those that never had one and were made before that. Safe to repeat.

    One whose age nobody knows stays. Raises `Unavailable`.
    """
    idle, before = Idle(), months_before(today, months)
    for campaign in every_campaign():
        if campaign.status is not CampaignStatus.LIVE:
            continue
        last = _outermost(campaign.id, newest=True)
        if last is None:
            made_ms = campaigns.created_ms(campaign.id)
            is_idle = made_ms is not None and clock.date_of(made_ms) < before
        else:
            is_idle = created_at(last).date() < before
        if not is_idle:
            continue
        (idle.without_actions if last is None else idle.with_actions).append(campaign.name)
        if not dry_run:
            dated = campaign if last is None else _dated(campaign, last)
            _store(campaign, dated.model_copy(update={"status": CampaignStatus.CLOSED}))
    return idle


def backfill_dates(today: date, *, dry_run: bool) -> list[str]:
    """Give campaigns of any state that have no `start` that of their first action that is no test, and those without
    `end` that of the last one, if that is older than a month. The names of those that get one. Raises `Unavailable`.
    """
    changed, before = [], months_before(today, BACKFILL_AFTER_MONTHS)
    for campaign in every_campaign():
        if campaign.start is not None and campaign.end is not None:
            continue
        last = _outermost(campaign.id, newest=True)
        if last is None:
            continue
        dated = _dated(campaign, last if created_at(last).date() < before else None)
        if dated == campaign:
            continue
        changed.append(campaign.name)
        if not dry_run:
            _store(campaign, dated)
    return changed


def every_campaign() -> Iterator[Campaign]:
    """All campaigns, org by org in the order of their ids, without a scan of the catalogue. Raises `Unavailable`."""
    after = 0
    while some := orgs.listed(after, ORGS_AT_ONCE):
        after = some[-1].id
        for org in some:
            numbers = campaigns.led_by(org.id)
            for start in range(0, len(numbers), CAMPAIGNS_AT_ONCE):
                found = campaigns.get_many(numbers[start : start + CAMPAIGNS_AT_ONCE])
                yield from (found[number] for number in sorted(found))


def _close_over(campaign: int, today: date) -> bool:
    """Close it as it stands now; whoever changed it meanwhile may have given it more time."""
    try:
        known = campaigns.get(campaign)
    except NotFound:
        return False
    return is_over(known, today) and _store(known, known.model_copy(update={"status": CampaignStatus.CLOSED}))


def _store(known: Campaign, changed: Campaign) -> bool:
    """False when somebody else changed or ended the campaign meanwhile: that stands, and the next run looks again."""
    names = [name for name in Campaign.model_fields if getattr(known, name) != getattr(changed, name)]
    before, after = (found.model_dump(mode="json", by_alias=True, include={*names}) for found in (known, changed))
    entry = Change(OPERATOR, known.org, "campaign.update", f"campaign#{known.id}", before, after)
    try:
        campaigns.replace(changed, lambda transaction: audit.record(transaction, entry))
    except (NotFound, Outdated):
        return False
    return True


def _dated(campaign: Campaign, last: int | None) -> Campaign:
    """With the dates it lacks: from the first action, to the one with the id `last`. A campaign ends after it starts,
    so one that was signed on a single day gets no end.
    """
    found = campaign
    if found.start is None:
        first = _outermost(campaign.id, newest=False)
        day = None if first is None else created_at(first).date()
        if day is not None and (found.end is None or day < found.end):
            found = found.model_copy(update={"start": day})
    if found.end is None and last is not None:
        day = created_at(last).date()
        if found.start is None or found.start < day:
            found = found.model_copy(update={"end": day})
    return found


def _outermost(campaign: int, *, newest: bool) -> int | None:
    """The id of the campaign's newest (else oldest) action that is no test; None if it has none."""
    found = [
        identifier
        for bucket in range(store.CAMPAIGN_BUCKETS)
        if (identifier := _outermost_in(f"{campaign}#{bucket}", newest=newest)) is not None
    ]
    return (max if newest else min)(found, default=None)


def _outermost_in(bucket: str, *, newest: bool) -> int | None:
    for keys in index_keys(ByCampaign, bucket, newest_first=newest, page_size=10):
        actions = [action for action in store.read_many(keys).values() if isinstance(action, ActionItem)]
        numbers = [int(action.id) for action in actions if not action.testing]
        if numbers:
            return max(numbers) if newest else min(numbers)
    return None
