"""From the widget to the org's queue on the deployed stack: how long it takes under load, and that nothing is lost or
wrong.

A signature comes at its time whether or not the earlier ones are answered, as those of people do, over as many
connections as there may be. The delay is that of the stream's one hop: from the moment in the action's id, which the
intake takes just before it writes, to the queue's own SentTimestamp.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from urllib3.exceptions import HTTPError

from tools.bench import signature
from tools.bench.inbox import Inbox
from tools.bench.instance import Instance
from tools.bench.processes import cpu_seconds
from tools.client import Client
from tools.emulator import Emulator

CONNECTIONS = 8
WARM_UP = 3 * CONNECTIONS
ID_EPOCH_MS = 1_704_067_200_000
ID_RANDOM_BITS = 12
SETTLE_S = 150
"""How long is waited for what has not arrived: the sweep wakes after a minute what was not served, once a minute."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A signature that was posted, what the answer took and when it came; without an answer of 201 there is no action,
    but why it was `refused`."""

    number: int
    took_s: float
    ended_s: float
    action: int | None = None
    contact_ref: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of the load. Delays and answers in ms; `rate` in signatures a second as reached; `cpu_ms` is CPU per
    signature of the emulator and of the functions. `faults` says what is lost or wrong, `repeated` counts what came
    more than once, which a consumer drops."""

    wanted_rate: float
    rate: float
    signatures: int
    refused: list[str]
    delays_ms: list[float] = field(repr=False)
    answers_ms: list[float] = field(repr=False)
    repeated: int
    faults: list[str]
    cpu_ms: Mapping[str, float]


class Load:
    """An instance on the stack, with functions that have been started."""

    def __init__(self, client: Client, aws: Emulator) -> None:
        self._client, self._aws = client, aws
        self._instance = Instance(client)
        self._inbox = Inbox(client, self._instance)
        self._next = 1
        self._signed: dict[int, Sent] = {}
        self._sign(WARM_UP, WARM_UP / 3)

    def measure(self, rate: float, seconds: float) -> Delivery:
        """Sign at this rate for so long, then take everything out of the queue and compare."""
        before = cpu_seconds(self._aws)
        started = time.monotonic()
        sent = self._sign(round(rate * seconds), rate)
        used = cpu_seconds(self._aws)
        took = max(one.ended_s for one in sent) - started
        answered = [one for one in sent if one.action is not None]
        signed = {action: (signature.email_of(one.number), one.contact_ref) for action, one in self._signed.items()}
        arrived = self._inbox.sent_ms
        return Delivery(
            wanted_rate=rate,
            rate=len(answered) / took,
            signatures=len(answered),
            refused=[one.refused for one in sent if one.refused],
            delays_ms=sorted(arrived[a] - moment_ms(a) for a in (one.action for one in answered) if a in arrived),
            answers_ms=sorted(one.took_s * 1000 for one in answered),
            repeated=self._inbox.repeated,
            faults=self._inbox.faults(signed) + self._wrong_numbers(),
            cpu_ms={name: (used[name] - before[name]) * 1000 / max(1, len(answered)) for name in used},
        )

    def _sign(self, count: int, rate: float) -> list[Sent]:
        """So many people sign, and their messages are taken out of the queue."""
        numbers = range(self._next, self._next + count)
        self._next = numbers.stop
        sent = _drive(self._client, self._instance.page, numbers, rate)
        answered = {one.action: one for one in sent if one.action is not None}
        self._signed |= answered
        self._inbox.take(answered, SETTLE_S)
        return sent

    def _wrong_numbers(self) -> list[str]:
        """What differs in the numbers of the campaign, on whose one page each person signed once."""
        names = ("persons:total", f"org:{self._instance.org}", "area:PL", "type:petition")
        return self._instance.wrong_numbers(dict.fromkeys(names, len(self._signed)), SETTLE_S)


def moment_ms(action: int | None) -> int:
    """When the action was taken in, ms since 1970: the high bits of its id (design 3)."""
    return ((action or 0) >> ID_RANDOM_BITS) + ID_EPOCH_MS


def percentile(ordered: Sequence[float], part: float) -> float:
    """The smallest value that so large a part of all does not exceed (nearest rank); NaN of nothing."""
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)] if ordered else float("nan")


def _drive(client: Client, page: int, numbers: range, rate: float) -> list[Sent]:
    """Each number signs at its time; late where all connections are busy."""
    start = time.monotonic() + 0.1

    def sign(number: int) -> Sent:
        time.sleep(max(0, start + (number - numbers.start) / rate - time.monotonic()))
        began = time.monotonic()
        try:
            answer = client.post(f"/v1/pages/{page}/actions", signature.body_of(number), signature.HEADERS)
        except HTTPError as error:
            ended = time.monotonic()
            return Sent(number, ended - began, ended, refused=type(error).__name__)
        ended = time.monotonic()
        if answer.status != 201:
            return Sent(number, ended - began, ended, refused=str(answer.status))
        return Sent(number, ended - began, ended, answer.json["actionId"], answer.json["contactRef"])

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(sign, numbers))
