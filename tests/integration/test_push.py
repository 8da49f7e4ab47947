"""Pushing to webhooks of orgs: in order, each endpoint by itself, whatever it answers, and nothing is ever lost.

The queue is the harness's, in simulated time; the endpoints are real servers, the catalogue is in real tables.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import itertools
import json
import time as real_time
from collections import Counter
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from proca_common.aws import clock
from proca_common.aws.logs import logger
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.orgs import instance as instances
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.encryption import passwords_key
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.pipes import calling
from proca_common.pipes.circuit import SUSPICIOUS_AFTER, pause_s
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.push import Queues, push
from tests.endpoints import Endpoint, Request, Said, endpoint
from tests.harness.calls import Answer, Call, Hook, hooked
from tests.harness.faults import Killed
from tests.harness.fifo import FifoQueue, QueueMapping
from tests.simulated import SimulatedTime
from tests.world import PASSWORDS_SECRET, World

SECRET = "whsec_" + base64.b64encode(b"a secret between two of us, long").decode()
MAX_RECEIVES = 150
HOUR_S = 3600
STEP_S = 10


class Gate(Hook):
    """Stands before the queues; a test may put a hook into it."""

    hook = Hook()

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        return self.hook.around_call(call, proceed)

    @contextmanager
    def holding(self, hook: Hook) -> Iterator[None]:
        self.hook = hook
        try:
            yield
        finally:
            self.hook = Hook()


@dataclass
class PostOffice:
    """The push queue, the queue of failures, and the function between them and the endpoints."""

    world: World
    time: SimulatedTime
    queue: FifoQueue = field(init=False)
    failures: FifoQueue = field(init=False)
    mapping: QueueMapping = field(init=False)
    gate: Gate = field(init=False)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.gate = Gate()
        self.failures = FifoQueue("https://sqs.example.org/failures.fifo", self.now_s)
        self.queue = FifoQueue(
            "https://sqs.example.org/push.fifo", self.now_s, max_receives=MAX_RECEIVES, dead=self.failures
        )
        self.mapping = QueueMapping("PushFunction", self.queue, self._handler)
        self._numbers = itertools.count(1)

    def now_s(self) -> float:
        return self.time.now_ms / 1000

    def _handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        queues = Queues(self.queue.url, self.failures.url)
        pushing = push(event["Records"], queues, PASSWORDS_SECRET, deadline_ms(context), this_machine=True)
        self.counts += pushing.counts
        return batch_answer(pushing.again)

    def org(self, name: str, url: str, password: str = SECRET, user: str = "", **settings: Any) -> Org:
        """An org with a webhook."""
        org = self.world.org(name, key=False, custom_action_deliver=False, **{"push_backend": "webhook", **settings})
        services.add(org.id, ServiceInput(name=ServiceName.WEBHOOK, host=url, user=user), password)
        return org

    def send(self, org: Org, number: int = 1, *, backend: str = "push", **attributes: str) -> list[str]:
        """So many messages for the org's backend; their ids."""
        ids = [f"{next(self._numbers)}.deliver.{org.id}" for _ in range(number)]
        for each in ids:
            body = json.dumps({"schema": "proca:action:2", "id": each})
            order = PushOrder.model_validate(
                {"org": org.id, "backend": backend, "id": each, "attributes": attributes, "body": body}
            )
            self.queue.send(order.model_dump_json(), f"{org.id}.{backend}", each)
        return ids

    def let_pass(self, seconds: float) -> None:
        """Time goes on, and whatever comes is worked on."""
        until = self.time.now_ms + round(1000 * seconds)
        self.mapping.run()
        while (following := self.queue.next_s()) is not None and following * 1000 <= until:
            self.time.now_ms = round(following * 1000)
            self.mapping.run()
        self.time.now_ms = until


@pytest.fixture
def office(world: World, time: SimulatedTime) -> Iterator[PostOffice]:
    made = PostOffice(world, time)
    with hooked(made.gate, made.queue, made.failures):
        yield made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    for handler in logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written


def ids_of(requests: list[Request]) -> list[str]:
    return [request.id for request in requests]


def first_times(requests: list[Request]) -> list[str]:
    """The ids in the order in which they came for the first time."""
    return list(dict.fromkeys(ids_of(requests)))


class Outage:
    """An endpoint that gives a bad answer while it is down; which messages it took, and when."""

    def __init__(self, office: PostOffice, server: Endpoint, bad: Said) -> None:
        self.office, self.bad = office, bad
        self.down = False
        self.tries: list[float] = []
        self.took: list[tuple[str, float]] = []
        server.answer = self

    def __call__(self, request: Request) -> Said:
        if self.down:
            self.tries.append(self.office.now_s())
            return self.bad
        self.took.append((request.id, self.office.now_s()))
        return Said(204, b"")


def test_a_message_arrives_signed_and_as_it_is(office: PostOffice) -> None:
    with endpoint() as server:
        org = office.org("ngo", server.url + "?from=us", f"Bearer abc {SECRET}")
        [sent] = office.send(org)
        office.mapping.run()

    [request] = server.requests
    assert request.path == "/in?from=us"
    assert json.loads(request.body) == {"schema": "proca:action:2", "id": sent}
    assert request.headers["webhook-id"] == sent
    assert request.headers["authorization"] == "Bearer abc"
    assert request.headers["content-type"] == "application/json"
    timestamp = request.headers["webhook-timestamp"]
    assert int(timestamp) == clock.now_ms() // 1000
    signed = f"{sent}.{timestamp}.".encode() + request.body
    mac = hmac.new(b"a secret between two of us, long", signed, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
    assert not office.queue.messages
    assert office.counts == {("Sent", "webhook"): 1}


def test_messages_of_a_batch_come_in_order_over_one_connection(office: PostOffice) -> None:
    with endpoint() as server:
        sent = office.send(office.org("ngo", server.url), 30)
        office.mapping.run()

    assert ids_of(server.requests) == sent
    assert server.connections == 3


def test_a_repetition_that_was_asked_for_is_another_message(office: PostOffice) -> None:
    with endpoint() as server:
        [sent] = office.send(office.org("ngo", server.url), Replay="job-7")
        office.mapping.run()

    assert ids_of(server.requests) == [f"{sent}.job-7"]


@pytest.mark.parametrize(
    "bad",
    [
        Said(500),
        Said(503, headers={"Retry-After": "60"}),
        Said(400),
        Said(raw=b""),
    ],
    ids=["500", "503 retry after", "400", "hangs up"],
)
def test_an_endpoint_that_fails_for_an_hour(office: PostOffice, bad: Said) -> None:
    """Everything arrives afterwards, in order of age; few requests were made; the other endpoint notices nothing."""
    with endpoint() as failing, endpoint() as healthy:
        outage, other = Outage(office, failing, bad), Outage(office, healthy, bad)
        org, neighbour = office.org("ngo", failing.url), office.org("other", healthy.url)
        sent: list[str] = []
        sent_to_neighbour: dict[str, float] = {}

        def a_minute() -> None:
            for _ in range(60 // STEP_S):
                sent.extend(office.send(org))
                sent_to_neighbour.update(dict.fromkeys(office.send(neighbour), office.now_s()))
                office.let_pass(STEP_S)

        a_minute()
        outage.down = True
        started = office.now_s()
        for _ in range(60):
            a_minute()
        outage.down = False
        assert len(sent) - len(outage.took) >= HOUR_S // STEP_S
        tries_in_an_hour = len(outage.tries)
        office.let_pass(901)

    assert office.now_s() - started < HOUR_S + 902
    assert [each for each, _ in outage.took] == sent
    assert [each for each, _ in other.took] == [*sent_to_neighbour]
    assert all(when == sent_to_neighbour[each] for each, when in other.took)
    # 1, 2, 4 … 512 s and 15 min each; where a message may be the cause, the next one is tried too
    assert tries_in_an_hour <= (30 if bad.status == 400 else 15)
    pauses = [after - before for before, after in itertools.pairwise(outage.tries) if after > before]
    assert pauses[-1] >= 800
    assert max(pauses) <= 900
    assert not office.queue.messages
    assert not office.failures.messages
    assert office.counts["Opened", "webhook"] == office.counts["Closed", "webhook"] == 1
    assert office.counts["Sent", "webhook"] == len(sent) + len(sent_to_neighbour)


def test_state_changes_of_the_circuit_are_logged_once(office: PostOffice, log: io.StringIO) -> None:
    with endpoint() as server:
        outage = Outage(office, server, Said(500))
        org = office.org("ngo", server.url)
        outage.down = True
        office.send(org, 25)
        office.let_pass(100)
        outage.down = False
        office.let_pass(100)

    told = [json.loads(line) for line in log.getvalue().splitlines()]
    changes = [(line["message"], line["group"]) for line in told if line["message"].startswith("circuit")]
    assert changes == [("circuit opened", f"{org.id}.push"), ("circuit closed", f"{org.id}.push")]
    assert office.counts["Opened", "webhook"] == office.counts["Closed", "webhook"] == 1


def test_a_day_without_the_endpoint_is_survived_and_redrive_brings_back_what_was_given_up(office: PostOffice) -> None:
    with endpoint() as server:
        outage = Outage(office, server, Said(500))
        org = office.org("ngo", server.url)
        outage.down = True
        sent = office.send(org, 12)
        for _ in range(24):
            office.let_pass(HOUR_S)
        assert len(office.queue.messages) == 12
        assert not office.failures.messages
        for _ in range(48):
            office.let_pass(HOUR_S)
        assert office.failures.messages
        outage.down = False
        for message in [*office.failures.messages]:
            office.queue.send(message.body, message.group, f"redriven {message.deduplication}")
        office.let_pass(901)

    assert sorted(first_times(server.requests)) == sorted(sent)
    assert sorted(each for each, _ in outage.took) == sorted(sent)


def test_a_message_that_the_endpoint_does_not_want_is_set_aside(office: PostOffice, log: io.StringIO) -> None:
    with endpoint() as server:
        org = office.org("ngo", server.url)
        sent = office.send(org, 25)
        poison = sent[3]
        server.answer = lambda request: Said(422 if request.id == poison else 200)
        office.let_pass(60)

    took = [each for each in ids_of(server.requests) if each != poison]
    assert took == [each for each in sent if each != poison]
    assert ids_of(server.requests).count(poison) == SUSPICIOUS_AFTER
    [kept] = office.failures.messages
    assert json.loads(kept.body)["id"] == poison
    assert not office.queue.messages
    assert office.counts["SetAside", "webhook"] == 1
    assert poison in log.getvalue()


def test_a_message_that_nobody_follows_is_kept_until_the_endpoint_wants_it(office: PostOffice) -> None:
    with endpoint() as server:
        org = office.org("ngo", server.url)
        [first] = office.send(org)
        server.answer = lambda _: Said(400)
        office.let_pass(2 * HOUR_S)
        assert [json.loads(message.body)["id"] for message in office.queue.messages] == [first]
        server.answer = lambda _: Said(200)
        office.let_pass(901)

    assert not office.queue.messages
    assert not office.failures.messages


def test_what_cannot_be_set_aside_stays(office: PostOffice) -> None:
    class Full(Hook):
        def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
            if call.operation == "SendMessage":
                raise EndpointConnectionError(endpoint_url="sqs")
            return proceed()

    org = office.org("ngo", "https://crm.example.org/in")
    office.queue.send("not an order", f"{org.id}.push", "1")
    with office.gate.holding(Full()):
        office.let_pass(10)
    assert len(office.queue.messages) == 1
    office.let_pass(60)
    assert not office.queue.messages
    assert [message.body for message in office.failures.messages] == ["not an order"]


def test_messages_that_cannot_be_read_hold_nobody_up(office: PostOffice) -> None:
    with endpoint() as server:
        org = office.org("ngo", server.url)
        first = office.send(org)
        for number, body in enumerate(("", "null", "{}", '{"org": "x"}', "\u20ac")):
            office.queue.send(body, f"{org.id}.push", f"bad {number}")
        last = office.send(org)
        office.let_pass(1)

    assert ids_of(server.requests) == first + last
    assert len(office.failures.messages) == 5
    assert not office.queue.messages


@pytest.mark.parametrize("change", ["off", "other", "gone"])
def test_what_was_meant_for_a_backend_that_is_switched_off_is_dropped(
    office: PostOffice, log: io.StringIO, change: str
) -> None:
    with endpoint() as server:
        org = office.org("ngo", server.url)
        server.answer = lambda _: Said(500)
        [sent] = office.send(org)
        office.let_pass(1)
        if change == "gone":
            orgs.delete(org)
        else:
            backend = None if change == "off" else "sqs"
            orgs.replace(org.model_copy(update={"push_backend": backend}))
        tried = len(server.requests)
        office.let_pass(60)

    assert len(server.requests) == tried
    if change == "other":  # which is not usable yet, so the message waits
        assert len(office.queue.messages) == 1
        assert "no such service" in log.getvalue()
    else:
        assert not office.queue.messages
        assert not office.failures.messages
        assert "dropped" in log.getvalue()
        assert sent in log.getvalue()


def test_actions_and_events_have_a_backend_each(office: PostOffice) -> None:
    with endpoint() as server:
        org = office.org("ngo", server.url, event_backend=None)
        [action], _ = office.send(org), office.send(org, backend="event")
        office.let_pass(1)
        assert ids_of(server.requests) == [action]
        org = office.org("both", server.url, push_backend=None, event_backend="webhook")
        _, [event] = office.send(org), office.send(org, backend="event")
        office.let_pass(1)

    assert ids_of(server.requests) == [action, event]


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("https://10.0.0.1/in", ""),
        ("https://169.254.169.254/latest/meta-data/", ""),
        ("https://no-such-host.invalid/in", ""),
        ("https://crm.example.org:22/in", ""),
        ("https://crm.example.org/in", "whsec_short"),
    ],
)
def test_a_service_that_cannot_be_used_holds_its_messages_until_it_is_mended(
    office: PostOffice, url: str, password: str, log: io.StringIO
) -> None:
    org = office.org("ngo", url, password)
    sent = office.send(org, 3)
    office.let_pass(10)
    assert len(office.queue.messages) == 3
    assert password == "" or password not in log.getvalue()

    with endpoint() as server:
        services.add(org.id, ServiceInput(name=ServiceName.WEBHOOK, host=server.url))
        office.let_pass(60)
    assert ids_of(server.requests) == sent


def test_a_password_of_another_secret_holds_the_messages(office: PostOffice, log: io.StringIO) -> None:
    other = bytes(passwords_key(b"another secret").public_key)
    instances.put(replace(office.world.instance, passwords_public=other))
    org = office.org("ngo", "https://crm.example.org/in")
    office.send(org)
    office.let_pass(10)

    assert len(office.queue.messages) == 1
    assert "set it again" in log.getvalue()


def test_an_endpoint_may_ask_for_more_time(office: PostOffice) -> None:
    with endpoint() as server:
        outage = Outage(office, server, Said(429, headers={"Retry-After": "90"}))
        outage.down = True
        office.send(office.org("ngo", server.url))
        office.let_pass(300)
        assert [round(after - outage.tries[0]) for after in outage.tries] == [0, 90, 180, 270]
        outage.bad = Said(503, headers={"Retry-After": "1000000"})
        office.let_pass(HOUR_S + 200)
        assert outage.tries[-1] - outage.tries[-2] == pytest.approx(HOUR_S, abs=1)


def test_a_slow_endpoint_does_not_hold_up_others_of_its_batch(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "READ_S", 0.5)
    deleted: list[float] = []
    with endpoint() as slow, endpoint() as healthy:
        slow.answer = lambda _: Said(pause_s=1)
        office.send(office.org("slow", slow.url), 4)
        office.send(office.org("healthy", healthy.url), 4)
        delete = office.queue.delete
        monkeypatch.setattr(office.queue, "delete", lambda h: deleted.append(real_time.monotonic()) or delete(h))
        started = real_time.monotonic()
        batch = office.mapping.step()

    assert len({message.group for message in batch}) == 2
    assert len(healthy.requests) == 4
    assert len(slow.requests) == 1
    assert deleted[3] - started < 0.45  # the group is free again long before the slow one is given up
    assert len(office.queue.messages) == 4


def test_nothing_is_begun_when_too_little_time_is_left(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint() as server:
        sent = office.send(office.org("ngo", server.url), 5)

        def answer(_: Request) -> Said:
            office.time.forward(seconds=15)
            return Said()

        server.answer = answer
        office.mapping.step()
        assert ids_of(server.requests) == sent[:3]
        office.mapping.run()
        assert ids_of(server.requests) == sent
        assert ("Failed", "webhook") not in office.counts


class Foreign(Hook):
    """A queue in an org's own account that refuses some ids, and fails with others."""

    def __init__(self, refused: Container[str] = (), failing: Container[str] = ()) -> None:
        self.refused, self.failing = refused, failing
        self.tried: Counter[str] = Counter()
        self.took: list[str] = []

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.operation != "SendMessageBatch":
            return proceed()
        failed: list[dict[str, Any]] = []
        for entry in call.params["Entries"]:
            known = json.loads(entry["MessageBody"])["id"]
            self.tried[known] += 1
            if known in self.refused or known in self.failing:
                failed.append({"Id": entry["Id"], "SenderFault": known in self.refused, "Code": "No"})
            else:
                self.took.append(known)
        return {"Failed": failed}


def test_a_queue_in_an_account_of_the_org(office: PostOffice) -> None:
    """Of a batch only what failed comes again; what the queue never wants is set aside once it took something else."""
    org = office.world.org("ngo", key=False, push_backend="sqs")
    service = ServiceInput(
        name=ServiceName.SQS, host="eu-west-1", user="AKIA", path="https://sqs.eu-west-1.amazonaws.com/123456789012/q"
    )
    services.add(org.id, service, "a secret key")
    sent = office.send(org, 12)
    foreign = Foreign(refused={sent[2]}, failing={sent[5]})
    with office.gate.holding(foreign):
        office.let_pass(5)
        assert sorted(foreign.took) == sorted({*sent} - {sent[2], sent[5]})
        foreign.failing = ()
        office.let_pass(30)
        office.send(org, 1)
        office.let_pass(60)

    assert sent[5] in foreign.took
    assert max(Counter(foreign.took).values()) == 1
    assert [json.loads(message.body)["id"] for message in office.failures.messages] == [sent[2]]
    assert not office.queue.messages


class KilledAt(Hook):
    """The process ends at the nth call to AWS, before it or after it."""

    def __init__(self, nth: int, *, after: bool) -> None:
        self.nth, self.after = nth, after
        self.calls = 0

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        self.calls += 1
        if self.calls != self.nth:
            return proceed()
        if self.after:
            proceed()
        raise Killed(str(call))


def test_killed_at_every_call_nothing_is_lost(office: PostOffice) -> None:
    """A batch of two backends, one of which fails, with an unreadable message: killed at each call in turn."""
    nth = 0
    finished = False
    while not finished:
        nth += 1
        for after in (False, True):
            with endpoint() as server, endpoint() as failing:
                outage = Outage(office, failing, Said(500))
                outage.down = True
                org, other = (office.org(f"{name}-{nth}-{after}", each.url) for name, each in two(server, failing))
                sent, late = office.send(org, 3), office.send(other, 3)
                office.queue.send("unreadable", f"{org.id}.push", f"bad {nth} {after}")
                killed = KilledAt(nth, after=after)
                with office.gate.holding(killed):
                    office.mapping.step()
                finished = killed.calls < nth
                outage.down = False
                office.let_pass(1000)
            assert first_times(server.requests) == sent
            assert [each for each, _ in outage.took] == late
            assert not office.queue.messages
            assert "unreadable" in {message.body for message in office.failures.messages}
            office.failures.messages.clear()
    assert nth > 4
    assert office.mapping.broken


def two(first: Endpoint, second: Endpoint) -> list[tuple[str, Endpoint]]:
    return [("ngo", first), ("other", second)]


def test_nothing_of_a_message_or_an_answer_is_logged(office: PostOffice, log: io.StringIO) -> None:
    with endpoint() as server:
        server.answer = lambda _: Said(500, b"ida.holm@example.org is not welcome")
        org = office.org("ngo", server.url, f"Bearer sesame {SECRET}")
        order = PushOrder(org=org.id, backend="push", id="1", attributes={}, body='{"email": "ida.holm@example.org"}')
        office.queue.send(order.model_dump_json(), f"{org.id}.push", "1")
        office.queue.send('{"email": "ida.holm@example.org"}', f"{org.id}.push", "2")
        office.let_pass(10)

    for secret in ("ida.holm", "sesame", "whsec_", server.url, "welcome"):
        assert secret not in log.getvalue()
    assert "status 500" in log.getvalue()


def test_pauses_grow_from_a_second_to_a_quarter_of_an_hour() -> None:
    assert [pause_s(1) for _ in range(50)] == [1] * 50
    for receives, longest in ((2, 2), (5, 16), (10, 512), (11, 900), (150, 900), (1000, 900)):
        assert all(0.9 * longest <= pause_s(receives) <= longest for _ in range(50))
