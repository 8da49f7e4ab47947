"""How many mails a campaign sent to its targets, for everybody: one number in the Stats table.

pk                sk       attributes
mtt#<campaign>    total    sent

It is written with each mail that is sent, so no faster than providers take them. A target's own numbers stand with its
mails (`mtt.store`).
"""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute

from proca_common.aws.dynamo import StatsItem, Transaction, read_numbers

SENT = NumberAttribute(attr_name="sent")


def add_sent(transaction: Transaction, campaign: int) -> None:
    """Count a mail that was sent, in its transaction."""
    transaction.update("campaign", StatsItem(*_key(campaign)), [SENT.add(1)])


def sent_in(campaign: int) -> int:
    """How many mails the campaign sent, without tests. Raises `Unavailable`."""
    return sum(item.get("sent", 0) for item in read_numbers(StatsItem, [_key(campaign)]))


def _key(campaign: int) -> tuple[str, str]:
    return f"mtt#{campaign}", "total"
