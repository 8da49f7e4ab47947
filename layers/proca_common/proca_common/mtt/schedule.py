"""Every two minutes: which mails to targets are to go out now (domain 9.3, 9.4).

`mtt.plan` says how many go and when; here is read what it needs, and each mail that is due is ordered. Nothing is
remembered of an order: the next run plans anew from what is stored, and orders again what did not go out. So two runs
may overlap, an order may get lost or come twice, and no mail goes out twice: whoever sends it claims it first.

Hourly pacing plans a whole hour of a target at once. That plan is stored with the target's numbers, by whoever comes
first; all others hand out what it says, so no hour gets more than its cap.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from proca_common.actions import store as actions
from proca_common.aws import clock, dynamo
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import log_fault, logger
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import claims, plan, store
from proca_common.mtt.plan import Pace, Progress, Window
from proca_common.mtt.settings import Mtt, mtt_of
from proca_common.mtt.store import MailId, MailItem, MailStatus, NumbersItem
from proca_common.orgs import store as orgs
from proca_common.pipes.orders import TargetMailOrder
from proca_common.pipes.publish import send
from proca_common.targets import store as targets
from proca_common.targets.target import good_address

BATCH: Final = 100
CYCLE_MS: Final = plan.CYCLE // timedelta(milliseconds=1)
EVERY_MS: Final = 2 * 60_000
"""Between two runs, as the template says: one falls into the last cycle of each day, also when it comes late. With as
many minutes as a cycle has it could miss that, and then what is left of a campaign would never go out.
"""
MOST: Final = plan.MAX_PER_CYCLE * EVERY_MS // CYCLE_MS
DRIP_ORDERS_MS: Final = 2 * CYCLE_MS
"""How long an order of the drip engine is good for: the run after the next has long ordered it again."""
ENOUGH_MS: Final = 15_000


class Counted(StrEnum):
    """What is counted of a run (metrics)."""

    ORDERED = "TargetMailsOrdered"
    UNCERTAIN = "TargetMailsUncertain"
    FAILED = "TargetMailCampaignsFailed"


class Due(NamedTuple):
    """A mail, when it is to go, and before when its order is of use (ms since 1970)."""

    mail: MailId
    at_ms: int
    before_ms: int


class Waiting(NamedTuple):
    """How many mails of a campaign wait; `unreachable`: those of them whose target has no good address."""

    mails: int
    unreachable: int


@dataclass(slots=True)
class Run:
    """What one run did. `fault`: what kept a campaign from being worked on."""

    counts: Counter[Counted] = field(default_factory=Counter)
    fault: Exception | None = None


def schedule(queue_url: str, deadline_ms: int) -> Run:
    """Order what is due, for all campaigns, in no order: none always comes last where time is short."""
    run = Run()
    numbers = campaigns.with_mtt()
    random.shuffle(numbers)
    for number in numbers:
        if deadline_ms - clock.now_ms() < ENOUGH_MS:
            logger.warning("no time left for all campaigns", extra={"campaigns": len(numbers)})
            break
        try:
            _campaign(number, queue_url, deadline_ms, run.counts)
        except Exception as error:  # noqa: BLE001 - one campaign must not hold up the others
            log_fault("mails of a campaign cannot be planned", error, campaign=number)
            run.counts[Counted.FAILED] += 1
            run.fault = error
    return run


def _campaign(number: int, queue_url: str, deadline_ms: int, counts: Counter[Counted]) -> None:
    campaign = campaigns.get(number)
    settings = mtt_of(campaign)
    if settings is None:
        return
    now_ms = clock.now_ms()
    for keys in store.overdue_claims(number, now_ms):
        given_up = sum(claims.give_up(key, settings.keep_messages, now_ms) for key in keys)
        if given_up:
            logger.warning("mails to targets are uncertain", extra={"campaign": number, "mails": given_up})
        counts[Counted.UNCERTAIN] += given_up
    if settings.paused:
        return
    if orgs.get(campaign.org).email_backend is None:
        logger.error("the lead org of a campaign sends no mails", extra={"campaign": number})
        return
    due = [*upcoming(campaign, settings, now_ms, decide=True)]
    orders = (
        TargetMailOrder(
            org=campaign.org,
            campaign=number,
            target=each.mail.target,
            action=each.mail.action,
            before=each.before_ms,
        ).outgoing(max(0, each.at_ms - now_ms) // 1000)
        for each in due
    )
    refused = send(queue_url, orders, deadline_ms)
    counts[Counted.ORDERED] += len(due) - len(refused)


def upcoming(campaign: Campaign, settings: Mtt, now_ms: int, *, decide: bool = False) -> Iterator[Due]:
    """What goes out in this cycle, or where it does not drip in this hour, as far as it waits still.

    `decide`: a plan of an hour is stored, so that it holds for whoever asks later, and only what goes in this cycle is
    looked at. Raises `Unavailable`.
    """
    now, window = _moment(now_ms), Window(settings.start_at, settings.end_at)
    if settings.drip_delivery:
        if plan.is_open(now, window):
            yield from _dripping(campaign.id, now_ms, window)
    elif plan.is_day_of(now, window):
        pace = Pace(settings.max_emails_per_hour, settings.timezone)
        yield from _paced(campaign.id, now_ms, pace, decide=decide)


def waiting(campaign: int) -> Waiting:
    """What of the campaign waits, whenever it is due. Raises `Unavailable`."""
    known = {target.id: good_address(target) for target in targets.listed(campaign)}
    left = {target: int(item.total) - int(item.taken) for target, item in _numbers(campaign, known).items()}
    return Waiting(sum(left.values()), sum(number for target, number in left.items() if known[target] is None))


def _dripping(campaign: int, now_ms: int, window: Window) -> Iterator[Due]:
    """First which mails wait, then how many may go: whatever is taken meanwhile is missing here, and comes next."""
    now = _moment(now_ms)
    reachable = _reachable(campaign)
    likely = plan.drip(now, window, _progress(_numbers(campaign, reachable)), most=MOST)
    waiting = {target: store.waiting_for(campaign, target, share) for target, share in likely.items()}
    shares = plan.drip(now, window, _progress(_numbers(campaign, waiting)), most=MOST)
    for target, share in shares.items():
        for action in waiting[target][:share]:
            yield Due(MailId(campaign, target, action), now_ms, now_ms + DRIP_ORDERS_MS)


def _paced(campaign: int, now_ms: int, pace: Pace, *, decide: bool) -> Iterator[Due]:
    now = _moment(now_ms)
    hour_ms, closes_ms = (_ms(moment) for moment in (plan.hour_of(now), plan.hour_closes(now)))
    until_ms = now_ms + CYCLE_MS if decide else closes_ms
    mails: dict[MailId, int] = {}
    for target, numbers in _numbers(campaign, _reachable(campaign)).items():
        if numbers.total <= numbers.taken:
            continue  # nothing waits
        if numbers.hour == hour_ms:
            planned = _planned(numbers)
        else:
            planned = _plan_hour(campaign, target, numbers, now_ms, pace, decide=decide)
        mails |= {MailId(campaign, target, action): at_ms for at_ms, action in planned if at_ms < until_ms}
    for mail in _still_waiting(mails):
        yield Due(mail, mails[mail], closes_ms)


def _plan_hour(
    campaign: int, target: str, numbers: NumbersItem, now_ms: int, pace: Pace, *, decide: bool
) -> list[tuple[int, int]]:
    """The plan of a target for this hour: times (ms since 1970) and actions. Nothing where another run made it."""
    now = _moment(now_ms)
    waiting = store.waiting_for(campaign, target, plan.hourly_cap(now, pace))
    planned = [(now_ms + offset, action) for offset, action in plan.hourly(now, pace, waiting)]
    if not planned or not decide:
        return planned
    changes = [
        NumbersItem.hour.set(_ms(plan.hour_of(now))),
        NumbersItem.planned.set([number for pair in planned for number in pair]),
    ]
    as_read = NumbersItem.hour.does_not_exist() if numbers.hour is None else NumbersItem.hour == numbers.hour
    try:
        dynamo.update(NumbersItem(*store.numbers_key(campaign, target)), changes, NumbersItem.total.exists() & as_read)
    except Cancelled:
        return []
    return planned


def _planned(numbers: NumbersItem) -> list[tuple[int, int]]:
    stored = [int(number) for number in numbers.planned or ()]
    return [*zip(stored[::2], stored[1::2], strict=True)]


def _still_waiting(mails: Mapping[MailId, int]) -> list[MailId]:
    """Those that wait, the first to go first."""
    keys = {store.mail_key(mail): mail for mail in mails}
    found = actions.read_many(keys) if keys else {}
    return sorted(
        (keys[key] for key, item in found.items() if isinstance(item, MailItem) and item.status == MailStatus.UNSENT),
        key=lambda mail: (mails[mail], mail.action),
    )


def _reachable(campaign: int) -> list[str]:
    """The targets of the campaign that have a good address."""
    return [target.id for target in targets.listed(campaign) if good_address(target) is not None]


def _numbers(campaign: int, wanted: Iterable[str]) -> dict[str, NumbersItem]:
    """The numbers of those of the targets that have any mail."""
    each = list(wanted)
    batches = (each[start : start + BATCH] for start in range(0, len(each), BATCH))
    found = {name: item for batch in batches for name, item in store.numbers_of(campaign, batch).items()}
    return {target: found[target] for target in each if found[target].total}


def _progress(numbers: Mapping[str, NumbersItem]) -> dict[str, Progress]:
    return {target: Progress(int(item.total), int(item.taken)) for target, item in numbers.items()}


def _moment(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
