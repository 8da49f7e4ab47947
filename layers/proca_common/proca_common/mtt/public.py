"""What anybody may see of the mails of a campaign to its targets, kept in warm memory so that many may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proca_common.campaigns.public import campaign_context
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.mtt.numbers import sent_in
from proca_common.targets import store
from proca_common.targets.public import MAX_AGE_S, MAX_CAMPAIGNS

if TYPE_CHECKING:
    from proca_common.targets.shapes import MessageNumbers

_numbers: FreshOrKnown[int, MessageNumbers] = FreshOrKnown(MAX_AGE_S * 1000, MAX_CAMPAIGNS)


def message_numbers(campaign: int) -> MessageNumbers:
    """How many messages the campaign sent to how many targets; at most 30 s old, older while the store does not answer.
    Raises `NotFound`, `Unavailable`.
    """
    campaign_context(campaign)
    return _numbers.get(campaign, lambda: {"targets": len(store.ids(campaign)), "sent": sent_in(campaign)})


def forget() -> None:
    """Empty it (tests)."""
    _numbers.forget()
