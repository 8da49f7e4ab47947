"""Reading a queue over HTTPS, for orgs without AWS: take messages with a lease, acknowledge them, keep them longer.

The caller's membership is asked first, then the receipt: nothing reaches SQS that is not of the org's own queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import NotFound
from proca_common.failures import Failure, Refused
from proca_common.management.access import org_of
from proca_common.pipes import leases, readings
from proca_common.pipes.leases import MAX_LEASE_S, MAX_MESSAGES, MAX_WAIT_S, MIN_LEASE_S, USUAL_LEASE_S, Outcome
from proca_common.pipes.receipts import handle_of, receipt
from proca_common.pipes.topology import NAMES
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

USUAL_WAIT_S = 1
"""Long enough that SQS asks all its servers, so that nothing there is overlooked."""
RANGES = {
    "limit": (MAX_MESSAGES, 1, MAX_MESSAGES),
    "wait": (USUAL_WAIT_S, 0, MAX_WAIT_S),
    "lease": (USUAL_LEASE_S, MIN_LEASE_S, MAX_LEASE_S),
}
"""What may be asked for: the usual, the least and the most of each."""
MAX_DIGITS = 5


class ReceiptsInput(Entity):
    """Receipts of messages that are done: as many as one reading brings."""

    receipts: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_MESSAGES)]


class LeasesInput(ReceiptsInput):
    """Receipts of messages that are to be kept for so many seconds from now."""

    lease: Annotated[int, Field(ge=MIN_LEASE_S, le=MAX_LEASE_S)] = USUAL_LEASE_S


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads a queue of an org (`queue`: one of NAMES); `key` is that of the receipts."""

    org: int
    queue: str
    url: str
    key: bytes

    @property
    def name(self) -> str:
        """What receipts are bound to."""
        return f"{self.org}-{self.queue}"


def reader(caller: Caller, name: str, queue: str, prefix: str, key: bytes) -> Reader:
    """The caller as reader of this queue. Raises `NotAllowed`, `NotFound`."""
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    if queue not in NAMES:
        raise NotFound("queue")
    return Reader(org.id, queue, f"{prefix}{org.id}-{queue}", key)


def take(who: Reader, given: Mapping[str, str]) -> list[dict[str, object]]:
    """Messages, each with the receipt to acknowledge it by; `given`: limit, wait and lease as they were asked for.

    Raises `Refused`, `NotFound`, `Unavailable`.
    """
    numbers = _numbers(given)
    found = leases.take(who.url, numbers["limit"], numbers["wait"], numbers["lease"])
    readings.note(who.org, who.queue, [message.sent_ms for message in found])
    return [
        {
            "receipt": receipt(who.key, who.name, message.handle),
            "messageId": message.id,
            "attributes": message.attributes,
            "body": message.body,
            "receiveCount": message.receive_count,
        }
        for message in found
    ]


def acknowledge(who: Reader, given: Mapping[str, Any]) -> list[dict[str, object]]:
    """Remove messages for good, and say of each receipt whether that is done. Raises as `take`."""
    receipts = checked(ReceiptsInput, given).receipts
    found = leases.acknowledge(who.url, _handles(who, receipts))
    readings.note(who.org, who.queue)
    return _results(receipts, found)


def extend(who: Reader, given: Mapping[str, Any]) -> list[dict[str, object]]:
    """Keep messages longer, and say of each receipt whether that is done. Raises as `take`."""
    wanted = checked(LeasesInput, given)
    return _results(wanted.receipts, leases.extend(who.url, _handles(who, wanted.receipts), wanted.lease))


def _handles(who: Reader, receipts: Sequence[str]) -> list[str]:
    """SQS's handles; raises `Refused`, and then nothing is done, for what is no receipt of this very queue."""
    found = [handle_of(who.key, who.name, text) for text in receipts]
    wrong = [Failure.invalid(f"/receipts/{number}") for number, handle in enumerate(found) if handle is None]
    if wrong:
        raise Refused(wrong)
    return [handle for handle in found if handle is not None]


def _results(receipts: Sequence[str], outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    return [{"receipt": text, "result": outcome} for text, outcome in zip(receipts, outcomes, strict=True)]


def _numbers(given: Mapping[str, str]) -> dict[str, int]:
    found, failures = {}, []
    for name, (usual, least, most) in RANGES.items():
        text = given.get(name, str(usual))
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else -1
        if not least <= number <= most:
            failures.append(Failure(f"/{name}", "invalid", f"should be a number from {least} to {most}"))
        found[name] = number
    if failures:
        raise Refused(failures)
    return found
