"""What every mail is sent with, whoever it is for, and what may become of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from nacl.public import PrivateKey

from proca_common.actions.store import SupporterItem
from proca_common.aws import clock
from proca_common.aws.errors import CloudError
from proca_common.aws.logs import log_fault, logger
from proca_common.confirms.tokens import LinkKeys
from proca_common.mails import counts as budget
from proca_common.mails import ways_out
from proca_common.mails.backends import Broken, Busy, NotSent, Unanswered, Undeliverable
from proca_common.mails.letter import Letter
from proca_common.mails.ways_out import Way, WaysOut
from proca_common.orgs.org import Org

ENOUGH_MS = 12_000
LEASE_MARGIN_MS = 30_000


class Counted(StrEnum):
    """What is counted of mails (metrics)."""

    SENT = "MailsSent"
    DROPPED = "MailsDropped"
    POSSIBLY_TWICE = "MailsPossiblyTwice"
    FAILED = "MailsFailed"


Counts = Counter[Counted]


class Dropped(Exception):
    """The mail is not to go out; the text says why. `forget`: nor is any other to this supporter."""

    def __init__(self, reason: str, *, forget: SupporterItem | None = None) -> None:
        super().__init__(reason)
        self.supporter = forget


class Later(Exception):
    """The mail cannot go out now; the text says why. `after_ms`: when to try again, None: after a growing pause."""

    def __init__(self, reason: str, after_ms: int | None = None) -> None:
        super().__init__(reason)
        self.after_ms = after_ms


@dataclass(frozen=True, slots=True)
class Office:
    """What one environment sends with. `guard_secret` is read when a cap is first needed."""

    link_base_url: str
    link_keys: LinkKeys
    sealing_key: PrivateKey
    guard_secret: Callable[[], bytes]
    ways: WaysOut


def find_way(org: Org, instance_org: int, *, transactional: bool) -> Way:
    """The way out of a mail of the org. Raises `Later`, `Unavailable`."""
    try:
        return ways_out.way(org, instance_org, transactional=transactional)
    except NotSent as error:
        raise Later(str(error)) from None


def wait_for_turn(way: Way, ways: WaysOut, deadline_ms: int) -> None:
    """Wait until the mail may go. Raises `Later` where that is too late for this batch."""
    try:
        in_time = ways.wait_for_turn(way.service, deadline_ms - ENOUGH_MS)
    except NotSent as error:
        raise Later(str(error)) from None
    if not in_time or deadline_ms - clock.now_ms() < ENOUGH_MS:
        raise Later("no time left in this batch")


class Held(Protocol):
    """A mail that we alone may send, until then (ms since 1970)."""

    @property
    def until_ms(self) -> int:
        """Until when nobody else sends it."""

    def give_back(self) -> None:
        """It certainly did not go out: whoever comes next may send it at once. Raises `Unavailable`."""


def hand_over(written: Letter, held: Held, way: Way, ways: WaysOut, **facts: object) -> bool:
    """Hand a claimed mail to the provider; False when it is refused for good. Recording that is the caller's.

    Raises `Later`, `Unavailable`; then the claim was given back, or nobody knows and it stays. `facts` are for the log.
    """
    try:
        ways.backend(way.service).send(written)
    except Undeliverable as error:
        logger.warning("mail refused for good", extra={"code": str(error), **facts})
        return False
    except NotSent as error:
        if isinstance(error, Busy | Broken):
            ways.give_up(way.service)
        held.give_back()
        raise Later(f"{type(error).__name__}: {error}") from None
    except Unanswered as error:
        ways.did_answer(way.service, answered=False)
        raise Later(f"Unanswered: {error}", held.until_ms + 1_000) from None
    ways.did_answer(way.service, answered=True)
    return True


def take_back(way: Way, org: int) -> None:
    """The mail that was counted for the org's budget did not go out."""
    if not way.counted:
        return
    try:
        budget.charge(org, -1)
    except CloudError as error:
        log_fault("a mail stays counted for the budget", error, org=org)
