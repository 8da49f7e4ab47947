"""Changing what campaigners edit: versions, so that nobody overwrites what was not seen, and what is written besides.

Each record has a version, which every change raises by one on condition that it is as it was read. Whatever belongs to
the change (its audit entry, its event) is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items
from proca_common.errors import Outdated, Taken

UNIQUE = ("name", "email", "external_id")
Along = Callable[[Transaction], None]


def nothing(_: Transaction) -> None:
    """Nothing else is written with a change."""


def commit(transaction: Transaction) -> None:
    """Commit a change. Raises `Taken` (which unique value), `Outdated` (not as it was read), `Unavailable`."""
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        for label in UNIQUE:
            if cancelled.refused(label):
                raise Taken(label) from None
        raise Outdated from None
