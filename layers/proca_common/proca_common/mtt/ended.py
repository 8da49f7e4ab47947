"""The end of mails that could not go out before their campaign was over (design 7.1).

What supporters wrote is kept only as long as a mail may come of it. After the last day of sending, the campaign's lead
has 30 days to give it more time, or addresses to targets that have none. Then what still waits is `expired`, and with
the last mail of a message goes what was written, as the campaign's `keep_messages` says. Where a campaign takes no
messages any more, that is at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from proca_common.aws import clock
from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import claims, store
from proca_common.mtt.settings import KeepMessages, Mtt, mtt_of
from proca_common.mtt.store import MailId
from proca_common.targets import store as targets

UNSENT_DAYS: Final = 30
BATCH: Final = 100

HasTime = Callable[[], bool]


def expires_at(settings: Mtt) -> datetime:
    """When what is still unsent is given up. Pure."""
    return settings.end_at + timedelta(days=UNSENT_DAYS)


def expire(campaign: Campaign, has_time: HasTime) -> int:
    """Give up what waits in a campaign that is over for long enough, as far as there is time; how many mails.

    Safe to repeat: what is left is for the next time. Raises `Unavailable`.
    """
    settings, now_ms = mtt_of(campaign), clock.now_ms()
    if settings is not None and now_ms < expires_at(settings).timestamp() * 1000:
        return 0
    keep = KeepMessages.NONE if settings is None else settings.keep_messages
    for keys in store.overdue_claims(campaign.id, now_ms):  # nobody looks for them where it takes no messages
        for key in keys:
            claims.give_up(key, keep, now_ms)
    expired = 0
    for mail in _waiting(campaign.id):
        if not has_time():
            break
        expired += claims.expire(mail, keep)
    return expired


def _waiting(campaign: int) -> Iterator[MailId]:
    each = [*targets.ids(campaign).values()]
    for start in range(0, len(each), BATCH):
        for target, numbers in store.numbers_of(campaign, each[start : start + BATCH]).items():
            left = int(numbers.total) - int(numbers.taken)
            for action in store.waiting_for(campaign, target, left):
                yield MailId(campaign, target, action)
