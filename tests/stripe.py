"""A stub of Stripe on this machine: real HTTP, which keeps to what Stripe's API says about forms, keys and repetitions.

It creates objects without knowing their rules; `fail` says what goes wrong with the next requests.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

KEY = "sk_test_51ExampleKeyOfTheTests"
PREFIXES = {"customers": "cus", "prices": "price", "payment_intents": "pi", "subscriptions": "sub"}
CARD_DECLINED = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
ENOUGH_S = 10


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    form: dict[str, str]
    headers: dict[str, str]

    @property
    def kind(self) -> str:
        """`customers`, `payment_intents` …"""
        return self.path.rpartition("/")[2]

    @property
    def idempotency_key(self) -> str:
        """Its key."""
        return self.headers["Idempotency-Key"]


@dataclass(frozen=True)
class Failure:
    """What goes wrong once: an answer of this status, after a pause, or none at all (`drop`).

    `late`: the object is created all the same, only whoever asked does not learn of it.
    """

    status: int = 500
    error: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    pause_s: float = 0
    drop: bool = False
    late: bool = False


@dataclass
class StripeStub:
    """See the module. `made`: all objects that were created, in their order."""

    url: str = ""
    key: str = KEY
    asked: list[Asked] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    failures: deque[Failure] = field(default_factory=deque)
    _answers: dict[str, tuple[Asked, dict[str, Any]]] = field(default_factory=dict)

    def fail(self, *failures: Failure) -> None:
        """These go wrong, one with each of the next requests."""
        self.failures.extend(failures)

    def answer(self, asked: Asked) -> tuple[int, dict[str, Any], dict[str, str]]:
        """What Stripe says: status, body, headers."""
        if asked.headers.get("Authorization") != f"Bearer {self.key}":
            return 401, refused("invalid_request_error", f"Invalid API Key provided: {self.key[:12]}****"), {}
        if asked.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return 400, refused("invalid_request_error", "not a form"), {}
        known = self._answers.get(asked.idempotency_key)
        if known is None:
            made = self._made(asked)
            self._answers[asked.idempotency_key] = asked, made
            return 200, made, {}
        first, made = known
        if (first.path, first.form) != (asked.path, asked.form):
            return 400, refused("idempotency_error", "Keys for idempotent requests can only be used with the same"), {}
        return 200, made, {"Idempotent-Replayed": "true"}

    def _made(self, asked: Asked) -> dict[str, Any]:
        kind = asked.kind
        identifier = f"{PREFIXES[kind]}_{len(self.made) + 1}"
        made: dict[str, Any] = {
            "id": identifier,
            "object": kind.removesuffix("s"),
            "livemode": False,
            "created": 1790000000,
            "metadata": {},
        }
        if kind == "payment_intents":
            made |= {"amount": int(asked.form["amount"]), "currency": asked.form["currency"]}
            made |= {"status": "requires_payment_method", "client_secret": f"{identifier}_secret_x"}
        if kind == "prices":
            made |= {"unit_amount": int(asked.form["unit_amount"]), "currency": asked.form["currency"]}
        if kind == "customers":
            made |= {"email": asked.form.get("email"), "name": asked.form.get("name")}
        if kind == "subscriptions":
            payment = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method"}
            payment["client_secret"] = "pi_1_secret_x"
            invoice = {"id": "in_1", "object": "invoice", "status": "open", "customer_email": "ida@example.org"}
            made |= {"status": "incomplete", "latest_invoice": {**invoice, "payment_intent": payment}}
        if "customer" in asked.form:
            made["customer"] = asked.form["customer"]
        self.made.append(made)
        return made

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What was created of a kind."""
        return [made for made in self.made if made["object"] == kind]


def refused(kind: str, message: str, **more: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"type": kind, "message": message, **more}}


@contextmanager
def stripe_stub() -> Iterator[StripeStub]:
    """A stub on a free port."""
    stub, lock = StripeStub(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = Asked(self.path, dict(parse_qsl(body, keep_blank_values=True)), dict(self.headers))
            with lock:
                stub.asked.append(asked)
                failure = stub.failures.popleft() if stub.failures else None
                if failure is None or failure.late:
                    status, said, headers = stub.answer(asked)
            if failure is not None:
                time.sleep(failure.pause_s)
                if failure.drop:
                    self.close_connection = True
                    return
                status, headers = failure.status, failure.headers
                said = {"error": failure.error} if failure.error else {}
            text = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(text)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Whoever gave up waiting is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join(ENOUGH_S)
        server.server_close()
