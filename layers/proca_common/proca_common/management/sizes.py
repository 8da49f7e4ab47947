"""How large a record may become: it and two copies in the audit trail have to fit into DynamoDB's items of 400 KB."""

from __future__ import annotations

from proca_common.catalog.entity import Entity
from proca_common.failures import Failure, Refused

MAX_BYTES = 128 * 1024


def check_size(record: Entity, pointer: str = "") -> None:
    """Raise `Refused` for a record that is larger than it may be, which only a config can make it."""
    if len(record.document().encode()) > MAX_BYTES:
        raise Refused([Failure(pointer, "too_large", f"has more than {MAX_BYTES} bytes with what is there already")])
