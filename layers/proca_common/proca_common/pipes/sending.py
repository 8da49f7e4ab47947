"""What is pushed to an org's backend, and what may become of it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from proca_common.pipes.orders import PushOrder


def known_as(order: PushOrder) -> str:
    """What a backend that drops repetitions must know a message by: its MessageId, and the job that asked for it once
    more, if one did.
    """
    replay = order.attributes.get("Replay")
    return f"{order.id}.{replay}" if replay else order.id


@dataclass(frozen=True, slots=True)
class Taken:
    """The backend has it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The backend answers, but does not want this message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The backend did not take it, nor would it have taken another. `retry_after_s`: 0 where it does not say."""

    reason: str
    retry_after_s: int = 0


Outcome = Taken | Refused | Failed


class Backend(Protocol):
    """Where the messages of an org go. `sends_together`: one that fails says nothing about those that follow it."""

    sends_together: bool

    def send(self, messages: Sequence[PushOrder]) -> Generator[Outcome, None, None]:
        """The outcome of each message, in their order. Whoever asks for no more outcomes wants no more sent."""
