"""Faults of AWS and of the network, injected into the botocore clients of this process.

    with faults(throttle(on="TransactWriteItems"), crash_after(on="SendMessageBatch", nth=2)) as recorded:
        handler(event, context)

A plan says *which* calls (`on`: an operation, a service, "service:Operation" or a predicate over the call; `nth`: the
n-th of those, counted from 1, or None for each of them) and *what* happens. botocore's own retries run as on AWS,
with their real number and without their waits (pass `sleep=True` for these).
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.endpoint
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.harness.calls import Answer, Attempt, Call, Calls, Hook, hooked

_LEGACY_CODES = {"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue"}
"""SQS sends the codes of its old protocol; botocore chooses the exception's class by the new one."""

Which = str | Callable[[Call], bool] | None


class Killed(BaseException):
    """The process was killed here. Not an Exception, so no `except Exception` of the code under test survives it.
    Unlike a real kill it runs `finally` blocks and leaves the memory of the process as it is."""


class Plan(Hook):
    """One fault. `fired` counts how often it struck."""

    def __init__(self, on: Which = None, *, nth: int | None = 1, attempts: float = math.inf) -> None:
        self.on, self.nth, self.attempts = on, nth, attempts
        self.fired = 0
        self._seen: dict[int, int] = {}  # number of a matching call -> the how-manieth it is

    def strikes(self, call: Call) -> bool:
        """Whether this attempt of this call is hit: only the first `attempts` attempts of the n-th matching call."""
        if not _matches(self.on, call):
            return False
        ordinal = self._seen.setdefault(call.number, len(self._seen) + 1)
        if self.nth not in (None, ordinal) or call.attempts > self.attempts:
            return False
        self.fired += 1
        return True


class _Disturb(Plan):
    """A plan that acts on attempts."""

    def __init__(self, act: Callable[[Call, Callable[[], Attempt]], Attempt], on: Which, **which: Any) -> None:
        super().__init__(on, **which)
        self._act = act

    def around_attempt(self, call: Call, send: Callable[[], Attempt]) -> Attempt:
        return self._act(call, send) if self.strikes(call) else send()


def refuse(
    code: str,
    on: Which = None,
    *,
    message: str = "",
    status: int = 400,
    nth: int | None = 1,
    attempts: float = math.inf,
) -> Plan:
    """AWS refuses the request with this error code; nothing is executed. SQS: `refuse("QueueDoesNotExist", on="sqs")`
    is a queue that is gone, `refuse("AccessDenied", on="sqs", status=403)` one whose policy forbids."""

    def act(call: Call, send: Callable[[], Attempt]) -> Attempt:
        return _error(code, message, status)

    return _Disturb(act, on, nth=nth, attempts=attempts)


def throttle(
    on: Which = None, *, code: str = "ThrottlingException", nth: int | None = 1, attempts: float = math.inf
) -> Plan:
    """AWS throttles: nothing is executed. With `attempts=1` only the first attempt, so a retry of botocore succeeds.
    DynamoDB throttles as `ThrottlingException` and as `ProvisionedThroughputExceededException`."""
    return refuse(code, on, message="Rate exceeded", nth=nth, attempts=attempts)


def conflict(on: Which = "TransactWriteItems", *, items: Sequence[int] = (0,), nth: int | None = 1) -> Plan:
    """Another transaction is at work on the same items, nothing is executed: a transaction is cancelled with the
    reason TransactionConflict at the given positions, a single write is refused with TransactionConflictException."""

    def act(call: Call, send: Callable[[], Attempt]) -> Attempt:
        if "TransactItems" not in call.params:
            return _error("TransactionConflictException", "Transaction is ongoing for the item")
        reasons: list[dict[str, str]] = [{"Code": "None"} for _ in call.params["TransactItems"]]
        for position in items:
            reasons[position] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
        codes = ", ".join(reason["Code"] for reason in reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        return _error("TransactionCanceledException", message, CancellationReasons=reasons)

    return _Disturb(act, on, nth=nth)


def lose_request(on: Which = None, *, nth: int | None = 1, attempts: float = math.inf) -> Plan:
    """The request never reaches AWS: no connection."""

    def act(call: Call, send: Callable[[], Attempt]) -> Attempt:
        return None, EndpointConnectionError(endpoint_url=call.service, error="lost by the test")

    return _Disturb(act, on, nth=nth, attempts=attempts)


def lose_answer(on: Which = None, *, nth: int | None = 1, attempts: float = math.inf) -> Plan:
    """AWS executes the request, but its answer never comes: a read timeout. botocore sends it again, so with the
    default every attempt is executed and none is answered; with `attempts=1` the second answer arrives."""

    def act(call: Call, send: Callable[[], Attempt]) -> Attempt:
        send()
        return None, ReadTimeoutError(endpoint_url=call.service, error="lost by the test")

    return _Disturb(act, on, nth=nth, attempts=attempts)


def crash_before(on: Which = None, *, nth: int | None = 1) -> Plan:
    """The process is killed just before the request leaves."""

    def act(call: Call, send: Callable[[], Attempt]) -> Attempt:
        raise Killed(f"before {call}")

    return _Disturb(act, on, nth=nth)


def crash_after(on: Which = None, *, nth: int | None = 1) -> Plan:
    """The process is killed after AWS executed the request, before the program sees the answer."""

    def act(call: Call, send: Callable[[], Attempt]) -> Attempt:
        send()
        raise Killed(f"after {call}")

    return _Disturb(act, on, nth=nth)


def _every(entry: dict[str, Any]) -> bool:
    return True


class _FailEntries(Plan):
    def __init__(self, failing: Callable[[dict[str, Any]], bool], code: str, on: Which, **which: Any) -> None:
        super().__init__(on, **which)
        self._failing, self._code = failing, code

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if not self.strikes(call):
            return proceed()
        entries = call.params["Entries"]
        failed = [entry for entry in entries if self._failing(entry)]
        call.params["Entries"] = [entry for entry in entries if entry not in failed]
        answer = proceed() if call.params["Entries"] else {}
        refused = [{"Id": entry["Id"], "SenderFault": False, "Code": self._code} for entry in failed]
        return {"Successful": [], **answer, "Failed": [*answer.get("Failed", []), *refused]}


def fail_entries(
    failing: Callable[[dict[str, Any]], bool] = _every,
    on: Which = "SendMessageBatch",
    *,
    code: str = "InternalError",
    nth: int | None = 1,
) -> Plan:
    """SQS takes a batch but reports the entries that satisfy `failing`, by default all, as `Failed`, and stores the
    others only."""
    return _FailEntries(failing, code, on, nth=nth)


class _Unprocessed(Plan):
    def __init__(self, take: int, on: Which, **which: Any) -> None:
        super().__init__(on, **which)
        self._take = take

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if not self.strikes(call):
            return proceed()
        left: dict[str, Any] = {}
        taken: dict[str, Any] = {}
        room = self._take
        for table, asked in call.params["RequestItems"].items():
            keys = asked["Keys"]
            if keys[:room]:
                taken[table] = {**asked, "Keys": keys[:room]}
            if keys[room:]:
                left[table] = {**asked, "Keys": keys[room:]}
            room = max(0, room - len(keys))
        call.params["RequestItems"] = taken
        answer = proceed() if taken else {"Responses": {}}
        return {**answer, "UnprocessedKeys": {**answer.get("UnprocessedKeys", {}), **left}}


def leave_unprocessed(take: int, on: Which = "BatchGetItem", *, nth: int | None = 1) -> Plan:
    """BatchGetItem answers only the first `take` keys and returns the others as `UnprocessedKeys`."""
    return _Unprocessed(take, on, nth=nth)


@contextmanager
def faults(*plans: Plan, sleep: bool = False, must_fire: bool = True, capacity: bool = False) -> Iterator[Calls]:
    """Installs plans for every client of the process, old and new, and records all calls.

    A test whose fault never struck shows nothing, so that is an AssertionError unless `must_fire=False`. The first
    plan given stands nearest to the program. `capacity`: see `calls.calls`.
    """
    recorder = Calls(capacity=capacity)
    waits = SimpleNamespace(sleep=time.sleep if sleep else _no_wait)
    with patch.object(botocore.endpoint, "time", waits), hooked(recorder, *plans):
        yield recorder
    if must_fire:
        idle = [plan for plan in plans if not plan.fired]
        assert not idle, f"{len(idle)} of {len(plans)} faults never struck; the calls were: {recorder.operations}"


def crash_points(recorded: Calls) -> Iterator[Plan]:
    """A kill before and after each of the recorded calls of an operation: `for plan in crash_points(probe(op)): …`."""
    for nth in range(1, len(recorded) + 1):
        yield crash_before(nth=nth)
        yield crash_after(nth=nth)


def _no_wait(seconds: float) -> None:
    pass


def _matches(on: Which, call: Call) -> bool:
    if on is None:
        return True
    if callable(on):
        return on(call)
    return on in (call.operation, call.service, f"{call.service}:{call.operation}")


def _error(code: str, message: str, status: int = 400, **fields: Any) -> Attempt:
    response = AWSResponse("", status, HTTPHeaders(), _Body())
    metadata = {"RequestId": "injected", "HTTPStatusCode": status, "HTTPHeaders": {}}
    error = {"Code": code, "Message": message}
    if code in _LEGACY_CODES:
        error |= {"Code": _LEGACY_CODES[code], "QueryErrorCode": code}
    return (response, {"Error": error, "ResponseMetadata": metadata, **fields}), None


class _Body:
    """The empty body of an injected answer, in the form in which botocore reads one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        return iter(())
