"""Everything that can happen to an operation at each of its AWS calls."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.harness import faults
from tests.harness.calls import Call, Calls
from tests.harness.faults import Plan

WRITES = ("TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem")
EFFECTS = (*WRITES, "SendMessageBatch")
"""Only these leave something behind: to be killed after another call is to be killed before the next."""


def kills(recorded: Calls) -> Iterator[tuple[str, Plan]]:
    """The process is killed before each call and after each effect, with a name for each."""
    for nth, call in enumerate(recorded, 1):
        yield f"killed before {nth}. {call.operation}", faults.crash_before(nth=nth)
        if call.operation in EFFECTS:
            yield f"killed after {nth}. {call.operation}", faults.crash_after(nth=nth)


def mishaps(recorded: Calls) -> Iterator[tuple[str, Plan]]:
    """AWS or the network lets a call down, which the process survives, with a name for each."""
    for nth, call in enumerate(recorded, 1):
        for name, plan in _mishaps_of(call, nth):
            yield f"{name} at {nth}. {call.operation}", plan


def _mishaps_of(call: Call, nth: int) -> Iterator[tuple[str, Plan]]:
    yield "throttled", faults.throttle(nth=nth)
    if call.operation in EFFECTS:
        yield "no answer", faults.lose_answer(nth=nth)
        yield "first answer lost", faults.lose_answer(nth=nth, attempts=1)
    if call.operation in WRITES:
        yield "conflict", faults.conflict(None, nth=nth)
    if call.operation == "TransactWriteItems":
        yield "conflict on the last item", faults.conflict(None, items=(-1,), nth=nth)
    if call.operation == "BatchGetItem":
        yield "keys unprocessed", faults.leave_unprocessed(1, None, nth=nth)
    if call.operation == "SendMessageBatch":
        yield "all entries failed", faults.fail_entries(on=None, nth=nth)
        yield "entries failed", faults.fail_entries(_odd, None, nth=nth)


def any_disaster(chance: Random) -> Plan:
    """One of all these at one of the next calls."""
    nth = chance.randint(1, 8)
    return chance.choice(
        [
            faults.crash_before(nth=nth),
            faults.crash_after(nth=nth),
            faults.crash_after("SendMessageBatch"),
            faults.crash_before("TransactWriteItems"),
            faults.crash_after("TransactWriteItems"),
            faults.throttle(nth=nth),
            faults.throttle("TransactWriteItems", nth=None),
            faults.throttle("sqs", nth=None),
            faults.lose_answer(nth=nth),
            faults.lose_answer("TransactWriteItems"),
            faults.lose_answer("TransactWriteItems", attempts=1),
            faults.conflict(),
            faults.conflict(items=(-1,)),
            faults.conflict(nth=None),
            faults.leave_unprocessed(1),
            faults.fail_entries(),
            faults.fail_entries(_odd),
        ]
    )


def _odd(entry: dict[str, Any]) -> bool:
    return int(entry["Id"]) % 2 == 1
