"""Runs two operations at the same time, in an order that the test chooses: they take turns at AWS calls.

An operation is any callable. Each runs in a thread of its own and stops before each of its AWS calls until it has
the baton; so only one of them ever runs, and what happens depends on the schedule alone. A schedule is a word over
the letters A and B: each letter lets that operation make one call and run on to just before its next.

    for schedule in schedules(len(probe(confirm)), len(probe(sweep)), preemptions=2):
        result = run(confirm, sweep, schedule)

Threads that an operation starts itself are not held up: their calls run freely.
"""

import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.calls import Answer, Call, Calls, Hook, calls, hooked

Operation = Callable[[], Any]


class StuckError(Exception):
    """An operation neither ended nor came to its next AWS call in time: it waits for something the other one holds."""


class _Abandoned(BaseException):
    """Ends the threads of a run that is given up."""


@dataclass
class Result:
    """What an operation returned or raised, and the calls that it made."""

    value: Any = None
    error: BaseException | None = None
    calls: list[Call] = field(default_factory=list)


@dataclass
class Run:
    """One interleaving. `trace` has every call in the order made, for the message of a failing test."""

    schedule: str
    results: dict[str, Result]
    trace: list[str] = field(default_factory=list)

    @property
    def a(self) -> Result:
        return self.results["A"]

    @property
    def b(self) -> Result:
        return self.results["B"]

    def __str__(self) -> str:
        return f"schedule {self.schedule or '(empty)'}:\n" + "\n".join(self.trace)


def probe(operation: Operation) -> Calls:
    """Runs an operation alone and returns its calls: `len(probe(op))` is their number."""
    with calls() as recorded:
        operation()
    return recorded


def schedules(a_calls: int, b_calls: int, preemptions: int | None = None) -> Iterator[str]:
    """Every order of a's and b's calls, or those that leave an unfinished operation at most `preemptions` times.

    All are (a+b)! / (a! b!): 924 for six calls each. Most faults of concurrency show with one or two preemptions.
    """

    def extend(done: str, a: int, b: int, left: int | None) -> Iterator[str]:
        if not a and not b:
            yield done
            return
        last = done[-1:]
        for letter, count in (("A", a), ("B", b)):
            if not count:
                continue
            unfinished = a if last == "A" else b
            preempts = bool(last) and letter != last and unfinished > 0
            if preempts and left == 0:
                continue
            remaining = left - 1 if preempts and left is not None else left
            yield from extend(done + letter, a - (letter == "A"), b - (letter == "B"), remaining)

    return extend("", a_calls, b_calls, preemptions)


def run(op_a: Operation, op_b: Operation, schedule: str, *, timeout: float = 30) -> Run:
    """Runs both operations as the schedule says and returns both results; an error of an operation is part of its
    result. Turns of an operation that has ended are skipped; when the schedule is used up, what is left of A runs to
    its end, then what is left of B. Raises `StuckError` when a turn takes more than `timeout` seconds."""
    return run_all({"A": op_a, "B": op_b}, schedule, timeout=timeout)


def run_all(operations: Mapping[str, Operation], schedule: str, *, timeout: float = 30) -> Run:
    """`run` for any number of operations, each named by one letter."""
    outcome = Run(schedule, {name: Result() for name in operations})
    baton = _Baton(outcome, timeout)
    threads = {
        name: threading.Thread(target=baton.work, args=(name, op), daemon=True) for name, op in operations.items()
    }
    with hooked(baton):
        try:
            for name, thread in threads.items():  # up to its first call, one after the other
                baton.start(name, thread)
            for name in schedule:
                baton.give(name)
            for name in operations:
                while not baton.ended(name):
                    baton.give(name)
        finally:
            baton.abandon()
            for thread in threads.values():
                thread.join(timeout=1)
    return outcome


class _Baton(Hook):
    def __init__(self, outcome: Run, timeout: float) -> None:
        self._outcome, self._timeout = outcome, timeout
        self._changed = threading.Condition()
        self._state: dict[str, str] = {}  # name -> "running", "waiting" (before a call) or "ended"
        self._names: dict[int, str] = {}  # thread id -> name
        self._threads: dict[str, threading.Thread] = {}
        self._given_up = False

    def start(self, name: str, thread: threading.Thread) -> None:
        self._threads[name] = thread
        self._let_run(name, thread.start)

    def give(self, name: str) -> None:
        if not self.ended(name):
            self._let_run(name, lambda: None)

    def ended(self, name: str) -> bool:
        return self._state[name] == "ended"

    def abandon(self) -> None:
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    def work(self, name: str, operation: Operation) -> None:
        """The body of an operation's thread."""
        result = self._outcome.results[name]
        self._names[threading.get_ident()] = name
        try:
            result.value = operation()
        except BaseException as error:  # noqa: BLE001  Killed too: what it raises is what it has to say
            result.error = error
        finally:
            self._set(name, "ended")

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        name = self._names.get(threading.get_ident())
        if name is None:
            return proceed()
        self._set(name, "waiting")
        with self._changed:
            self._changed.wait_for(lambda: self._given_up or self._state[name] == "running")
            if self._given_up:
                raise _Abandoned
        self._outcome.results[name].calls.append(call)
        self._outcome.trace.append(f"{name} {call}")
        return proceed()

    def _set(self, name: str, state: str) -> None:
        with self._changed:
            self._state[name] = state
            self._changed.notify_all()

    def _let_run(self, name: str, begin: Callable[[], None]) -> None:
        self._set(name, "running")
        begin()
        with self._changed:
            stopped = self._changed.wait_for(lambda: self._state[name] != "running", self._timeout)
        if not stopped:
            raise StuckError(f"{name} did not stop within {self._timeout} s. {self._outcome}\n{self._where(name)}")

    def _where(self, name: str) -> str:
        frame = sys._current_frames().get(self._threads[name].ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""
