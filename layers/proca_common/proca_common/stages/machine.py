"""The state machine: from the states of an action and its supporter to the next ones and the stage to emit (domain
4.2).
"""

from __future__ import annotations

from typing import NamedTuple

from proca_common.action_pages.switches import Switches
from proca_common.actions.status import ActionStatus as A
from proca_common.actions.status import Stage
from proca_common.actions.status import SupporterStatus as S
from proca_common.errors import NotAllowed


class Transition(NamedTuple):
    """The next states; `stage` is what is emitted on the way, None when the change is silent."""

    action: A
    supporter: S
    stage: Stage | None


def transition(  # noqa: PLR0911 - a row of the table, a return
    action: A, supporter: S | None, *, with_consent: bool, effective: Switches
) -> Transition | None:
    """The row of table 4.2 for these states; None where nothing happens.

    Two rows differ from the table's letter: an action without consent of a new supporter waits for the signature
    (decision 1 of domain 15), and any open action of a rejected supporter is rejected silently (design 5: it is never
    emitted).
    """
    match action, supporter:
        case (A.NEW, S.NEW) if not with_consent:
            return None
        case (A.NEW, S.NEW) if effective.supporter_confirm:
            return Transition(A.NEW, S.CONFIRMING, Stage.SUPPORTER_CONFIRM)
        case (A.NEW, S.NEW) if effective.action_confirm:
            return Transition(A.CONFIRMING, S.ACCEPTED, Stage.ACTION_CONFIRM)
        case (A.NEW, S.ACCEPTED) if with_consent and effective.action_confirm:
            return Transition(A.CONFIRMING, S.ACCEPTED, Stage.ACTION_CONFIRM)
        case (A.NEW, S.NEW | S.ACCEPTED) | (A.ACCEPTED, S.ACCEPTED):
            return Transition(A.DELIVERED, S.ACCEPTED, Stage.DELIVER)
        case (A.NEW | A.CONFIRMING | A.ACCEPTED | A.REJECTED, S.REJECTED):
            return Transition(A.REJECTED, S.REJECTED, None)
        case _:
            return None


def stored(move: Transition) -> A:
    """The action's state to store before the stage was served: on its way to `delivered` it is `accepted`."""
    return A.ACCEPTED if move.stage is Stage.DELIVER else move.action


def confirm_supporter(status: S) -> S:
    """Supporter confirm of domain 4.9; accepting again changes nothing."""
    match status:
        case S.CONFIRMING | S.ACCEPTED:
            return S.ACCEPTED
        case S.REJECTED:
            raise NotAllowed("supporter data already rejected")
        case _:
            raise NotAllowed("not allowed")


def confirm_action(status: A) -> A:
    """Action confirm of domain 4.9: only a waiting action moves; what went further stays as it is."""
    match status:
        case A.CONFIRMING:
            return A.ACCEPTED
        case A.REJECTED:
            raise NotAllowed("data already rejected")
        case A.NEW:
            raise NotAllowed("not allowed")
        case _:
            return status


def reject_action(status: A) -> A:
    """Action reject of domain 4.9: from any state but `new`, which waits for its supporter."""
    if status is A.NEW:
        raise NotAllowed("not allowed")
    return A.REJECTED
