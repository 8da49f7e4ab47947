"""The examples for whoever receives webhooks: they take what we send, and nothing else."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from examples.webhook.receive import NotGenuine, verify
from proca_common.pipes.calling import Caller, NoCall
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.sending import Failed, Taken
from proca_common.pipes.webhook import Webhook, credentials, headers

EXAMPLES = Path(__file__).parents[2] / "examples" / "webhook"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of thirty two by.").decode()
ID, TIME, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNED = {
    "webhook-id": ID,
    "webhook-timestamp": str(TIME),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
ENOUGH_S = 20


def node() -> str:
    """The Node that comes with the browsers of other tests."""
    return compute_driver_executable()[0]


@pytest.fixture(params=["python", "node"])
def receiver(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a running example."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = {
        "python": [sys.executable, str(EXAMPLES / "receive.py")],
        "node": [node(), str(EXAMPLES / "receive.mjs")],
    }
    environment = {**os.environ, "WEBHOOK_SECRET": f"{OTHER} {SECRET}"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*program[request.param], str(port)], env=environment, stdout=quiet, stderr=quiet) as running:
        until = time.monotonic() + ENOUGH_S
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/in"
        running.terminate()


def order(number: int) -> PushOrder:
    body = '{"schema": "proca:action:2", "stage": "deliver", "name": "Zoë"}'
    return PushOrder(org=1, backend="push", id=f"{number}.deliver.1", attributes={}, body=body)


def test_it_takes_what_we_send_and_nothing_else(receiver: str) -> None:
    ours = Webhook(receiver, credentials("", SECRET), this_machine=True)
    assert [*ours.send([order(1), order(2), order(1)])] == [Taken()] * 3
    stranger = Webhook(receiver, credentials("", "whsec_" + base64.b64encode(b"x" * 32).decode()), this_machine=True)
    assert [*stranger.send([order(1)])] == [Failed("status 401")]
    unsigned = Webhook(receiver, credentials("", ""), this_machine=True)
    assert [*unsigned.send([order(1)])] == [Failed("status 401")]


def test_it_takes_no_message_that_was_changed_or_is_old(receiver: str) -> None:
    known, now_s = credentials("", SECRET), int(time.time())
    with Caller(receiver, this_machine=True) as caller:
        assert caller.post(b"{}", headers(known, "1", now_s, b"{ }")).status == 401
        assert caller.post(b"{}", headers(known, "1", now_s - 301, b"{}")).status == 401
        assert caller.post(b"{}", {**headers(known, "1", now_s, b"{}"), "webhook-id": "2"}).status == 401
        body = b'{"schema": "x"}'
        assert caller.post(body, headers(known, "1", now_s - 200, body)).status == 204


def test_it_reads_no_more_than_a_megabyte(receiver: str) -> None:
    with Caller(receiver, this_machine=True) as caller, suppress(NoCall):  # it may hang up before it has read all
        assert caller.post(b"x" * 1_000_001, {}).status == 413


def test_the_vector_of_the_specification() -> None:
    assert verify(SIGNED, BODY, [OTHER, SECRET], TIME + 10) == ID


@pytest.mark.parametrize(
    ("changed", "body", "now_s"),
    [
        ({}, b'{"test": 2432232315}', TIME),
        ({}, BODY, TIME + 301),
        ({}, BODY, TIME - 301),
        ({"webhook-id": "msg_other"}, BODY, TIME),
        ({"webhook-id": ""}, BODY, TIME),
        ({"webhook-timestamp": str(TIME + 1)}, BODY, TIME),
        ({"webhook-timestamp": "soon"}, BODY, TIME),
        ({"webhook-signature": ""}, BODY, TIME),
        ({"webhook-signature": "v2," + SIGNED["webhook-signature"][3:]}, BODY, TIME),
        ({"webhook-signature": "v1,é"}, BODY, TIME),
    ],
)
def test_what_is_not_genuine(changed: dict[str, str], body: bytes, now_s: float) -> None:
    with pytest.raises(NotGenuine):
        verify({**SIGNED, **changed}, body, [SECRET], now_s)


def test_one_of_two_signatures_is_enough_while_a_secret_is_replaced() -> None:
    both = {**SIGNED, "webhook-signature": f"v1,AAAA {SIGNED['webhook-signature']}"}
    assert verify(both, BODY, [SECRET], TIME) == ID
