"""What the code of a Confirm does (domain 7.4)."""

from __future__ import annotations

from proca_common.approvals.operations import OPERATIONS, Operation
from proca_common.aws import clock
from proca_common.confirms import store
from proca_common.confirms.confirm import Confirm
from proca_common.confirms.errors import Ended
from proca_common.errors import NotFound


def accept(code: str, email: str | None, object_id: int | None) -> bool:
    """Somebody agrees: do the operation, then take a charge. False when nothing changed.

    Raises `NotFound` after one read, whether the code is unknown, for somebody else or of an operation that is not
    known; `Ended`; and what the operation raises.
    """
    confirm, operation = _find(code, email, object_id)
    if confirm.charges <= 0:
        raise Ended
    changed = operation.accept(confirm)
    store.use(confirm)
    return changed


def reject(code: str, email: str | None, object_id: int | None) -> bool:
    """Somebody refuses: nobody can accept any more, even if that was done before. Raises as `accept`."""
    confirm, operation = _find(code, email, object_id)
    changed = operation.reject(confirm)
    store.end(confirm)
    return changed


def _find(code: str, email: str | None, object_id: int | None) -> tuple[Confirm, Operation]:
    confirm = store.find(code)
    operation = None if confirm is None else OPERATIONS.get(confirm.operation)
    if confirm is None or operation is None or not confirm.is_met_by(email, object_id):
        raise NotFound("code")
    if confirm.has_ended(clock.now_ms()):
        raise Ended
    return confirm, operation
