"""One backend's part of a batch: sending in order until it fails, and how long it is left alone then.

See `pipes.push` for what this makes of the push queue as a whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from proca_common.aws import clock
from proca_common.aws.logs import log_fault
from proca_common.pipes.backends import Found
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.sending import Failed, Outcome, Refused, Taken

LONGEST_PAUSE_S = 900
SUSPICIOUS_AFTER = 5
ENOUGH_MS = 20_000
"""What one call may take, at most: resolving, two tries to connect, the call (see `pipes.calling`)."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record of the push queue. `receives`: how often it came, this time included. `message`: None if unreadable."""

    record: Mapping[str, Any]
    message: PushOrder | None

    @property
    def id(self) -> str:
        """SQS's id of it."""
        return str(self.record["messageId"])

    @property
    def receives(self) -> int:
        """How often it was received, this time included."""
        return int(self.record["attributes"]["ApproximateReceiveCount"])

    @property
    def group(self) -> str:
        """The backend's group."""
        return str(self.record["attributes"]["MessageGroupId"])


@dataclass(slots=True)
class Result:
    """What became of the parcels of one group. `held`: to come again, in order, after `pause_s` seconds."""

    kind: str = ""
    taken: list[Parcel] = field(default_factory=list)
    dropped: list[Parcel] = field(default_factory=list)
    unwanted: list[Parcel] = field(default_factory=list)
    held: list[Parcel] = field(default_factory=list)
    reason: str = ""
    failed: bool = False
    pause_s: int = 0

    @property
    def has_opened(self) -> bool:
        """Whether the circuit was closed until now."""
        return self.failed and (bool(self.taken) or self.held[0].receives == 1)

    @property
    def has_closed(self) -> bool:
        """Whether the circuit was open until now."""
        return bool(self.taken) and not self.failed and self.taken[0].receives > 1


def push_group(parcels: Sequence[Parcel], found: Found, deadline_ms: int) -> Result:
    """Send the parcels of one group to its backend; nothing is raised."""
    result = Result(found.kind)
    readable = [(parcel, parcel.message) for parcel in parcels if parcel.message is not None]
    result.unwanted = [parcel for parcel in parcels if parcel.message is None]
    if found.is_off:
        result.dropped = [parcel for parcel, _ in readable]
        result.reason = found.reason
        return result
    if found.backend is None:
        _hold(result, [parcel for parcel, _ in readable], Failed(found.reason))
        return result
    sent = found.backend.send([message for _, message in readable])
    with closing(sent):
        if found.backend.sends_together:
            _take_together(result, [parcel for parcel, _ in readable], sent)
        else:
            _take_in_order(result, [parcel for parcel, _ in readable], sent, deadline_ms)
    return result


def _take_together(result: Result, parcels: list[Parcel], sent: Iterator[Outcome]) -> None:
    """What became of parcels that were sent with one call: each has an outcome of its own."""
    outcomes = [(parcel, _next(sent)) for parcel in parcels]
    result.taken = [parcel for parcel, outcome in outcomes if isinstance(outcome, Taken)]
    others = [(parcel, outcome) for parcel, outcome in outcomes if not isinstance(outcome, Taken)]
    result.unwanted += [
        parcel
        for parcel, outcome in others
        if isinstance(outcome, Refused) and result.taken and parcel.receives >= SUSPICIOUS_AFTER
    ]
    left = [(parcel, outcome) for parcel, outcome in others if parcel not in result.unwanted]
    if left:
        _hold(result, [parcel for parcel, _ in left], Failed(left[0][1].reason))


def _take_in_order(result: Result, waiting: list[Parcel], sent: Iterator[Outcome], deadline_ms: int) -> None:
    """Send one parcel after the other, until one fails."""
    refused: list[Parcel] = []
    while waiting:
        if deadline_ms - clock.now_ms() < ENOUGH_MS:
            result.held, result.reason = [*refused, *waiting], "no time left"
            return
        outcome = _next(sent)
        if isinstance(outcome, Taken):
            result.taken.append(waiting.pop(0))
            result.unwanted += refused
            refused = []
            continue
        may_go_on = isinstance(outcome, Refused) and waiting[0].receives >= SUSPICIOUS_AFTER and not refused
        if not (may_go_on and len(waiting) > 1):
            _hold(result, [*refused, *waiting], outcome)
            return
        refused.append(waiting.pop(0))


def _next(sent: Iterator[Outcome]) -> Outcome:
    try:
        return next(sent)
    except Exception as error:  # noqa: BLE001 - one org's backend must not hold up the others
        log_fault("backend of an org broke", error)
        return Failed(type(error).__name__)


def _hold(result: Result, parcels: list[Parcel], outcome: Failed | Refused) -> None:
    if parcels:
        asked_s = outcome.retry_after_s if isinstance(outcome, Failed) else 0
        result.held, result.reason, result.failed = parcels, outcome.reason, True
        result.pause_s = max(pause_s(parcels[0].receives), asked_s)


def pause_s(receives: int) -> int:
    """Seconds until a backend is tried again after this many tries: 1, 2, 4 … up to 15 min, up to a tenth less at
    random so that not all come back at once.
    """
    longest = min(1 << min(receives - 1, 20), LONGEST_PAUSE_S)
    return ceil(longest * random.uniform(0.9, 1))
