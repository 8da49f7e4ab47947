"""What the code of a Confirm does (domain 7.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from proca_common.approvals.operations import OPERATIONS, Operation, Outcome
from proca_common.approvals.second import Second
from proca_common.aws import clock
from proca_common.catalog.entity import Entity
from proca_common.confirms import store
from proca_common.confirms.confirm import Confirm
from proca_common.errors import Ended, NotFound, Outdated
from proca_common.users.user import MAX_EMAIL

NOBODY = Second()
TRIES = 4


class Told(Entity):
    """What is told with a code: the address or the object that it must be for. Staff who have it from the list of their
    org need not tell.
    """

    email: Annotated[str, Field(max_length=MAX_EMAIL)] | None = None
    object_id: Annotated[int, Field(ge=0, lt=2**53)] | None = None


NOTHING = Told()


def accept(code: str, told: Told, second: Second = NOBODY, *, guess: Callable[[], None] = lambda: None) -> Outcome:
    """Somebody agrees: do the operation and take a charge.

    `guess`: called before any other code than one in the list of the org that is acted for is even compared; it may
    raise `TooMany`. Raises `NotFound` after one read, whether the code is unknown, for somebody else or of an
    operation that is not known; `Ended`; and what the operation raises.
    """

    def decide(confirm: Confirm, operation: Operation) -> Outcome:
        if confirm.charges <= 0:
            raise Ended
        return operation.accept(confirm, second)

    return _decide(code, told, second, guess, decide)


def reject(code: str, told: Told, second: Second = NOBODY, *, guess: Callable[[], None] = lambda: None) -> Outcome:
    """Somebody refuses: nobody can accept any more, even if that was done before. Raises as `accept`."""
    return _decide(code, told, second, guess, lambda confirm, operation: operation.reject(confirm, second))


def _decide(
    code: str,
    told: Told,
    second: Second,
    guess: Callable[[], None],
    decide: Callable[[Confirm, Operation], Outcome],
) -> Outcome:
    for _ in range(TRIES):
        confirm, operation = _find(code, told, second, guess)
        try:
            return decide(confirm, operation)
        except Outdated:
            guess = _nothing  # somebody was quicker: see what that left; the code was no guess
    raise Outdated


def _nothing() -> None:
    pass


def _find(code: str, told: Told, second: Second, guess: Callable[[], None]) -> tuple[Confirm, Operation]:
    confirm = store.find(code)
    operation = None if confirm is None else OPERATIONS.get(confirm.operation)
    is_listed = confirm is not None and operation is not None and _is_listed(confirm, operation, second)
    if not is_listed:
        guess()
    is_met = confirm is not None and confirm.is_met_by(told.email, told.object_id)
    if confirm is None or operation is None or not (is_met or (is_listed and told == NOTHING)):
        raise NotFound("code")
    if confirm.has_ended(clock.now_ms()):
        raise Ended
    return confirm, operation


def _is_listed(confirm: Confirm, operation: Operation, second: Second) -> bool:
    """Whether the second person sees the code in the list of the org that is acted for, so that it is no guess."""
    return operation.decided_by_org and second.org is not None and confirm.org == second.org
