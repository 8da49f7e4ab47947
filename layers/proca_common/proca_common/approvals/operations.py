"""The operations that need a second person (domain 7.4): the one place that says what each does.

Each may be done twice, because the code is used up only after it was done: whoever dies between, tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proca_common.confirms.confirm import Confirm
from proca_common.stages import decide

CONFIRM_ACTION = "confirm_action"


@dataclass(frozen=True, slots=True)
class Operation:
    """What accepting and rejecting do. Both return whether anything changed, and may raise `NotFound`, `NotAllowed`,
    `Unavailable`.
    """

    accept: Callable[[Confirm], bool]
    reject: Callable[[Confirm], bool]


OPERATIONS: Mapping[str, Operation] = {
    CONFIRM_ACTION: Operation(
        accept=lambda confirm: decide.accept_action(confirm.subject),
        reject=lambda confirm: decide.reject_action(confirm.subject),
    ),
}
"""Anybody who has the code may accept or reject an action that waits for a moderator."""
