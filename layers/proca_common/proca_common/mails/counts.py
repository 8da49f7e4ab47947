"""What is counted of an org's mails, in one item of the Stats table: `org#<org>`, `mails`.

`transactional`: mails counted for the budget since the last reset. `possibly_twice`: mails that were sent although they
may have gone out before.
"""

from __future__ import annotations

from typing import Final

from pynamodb.attributes import NumberAttribute

from proca_common.aws import dynamo
from proca_common.aws.dynamo import StatsItem, Transaction

TRANSACTIONAL: Final = "transactional"
POSSIBLY_TWICE: Final = "possibly_twice"
SK: Final = "mails"


def read(org: int) -> dict[str, int]:
    """Both numbers as last written. Raises `Unavailable`."""
    [numbers] = dynamo.read_numbers(StatsItem, [_key(org)]) or [{}]
    return {name: numbers.get(name, 0) for name in (TRANSACTIONAL, POSSIBLY_TWICE)}


def charge(org: int, mails: int) -> int:
    """Count mails for the budget, or take them back; how many are counted then. Raises `Unavailable`."""
    pk, sk = _key(org)
    return dynamo.add_numbers(StatsItem, {"pk": pk, "sk": sk}, {TRANSACTIONAL: mails})[TRANSACTIONAL]


def reset_budget(org: int) -> None:
    """Begin to count anew (domain 8.7: meant for a nightly job). Raises `Unavailable`."""
    pk, sk = _key(org)
    dynamo.add_numbers(StatsItem, {"pk": pk, "sk": sk}, {"resets": 1}, remove=[TRANSACTIONAL])


def add_possibly_twice(transaction: Transaction, org: int) -> None:
    """Count a mail within the transaction that claims it once more."""
    twice: NumberAttribute = NumberAttribute(attr_name=POSSIBLY_TWICE)
    transaction.update("count", StatsItem(*_key(org)), [twice.add(1)])


def _key(org: int) -> tuple[str, str]:
    return f"org#{org}", SK
