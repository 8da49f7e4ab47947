"""Receives messages as webhooks and checks their signatures (docs/push.md). Python 3.11 or later, nothing to install.

    WEBHOOK_SECRET=whsec_… python receive.py 8080

Put it behind a server that speaks TLS. `verify` is all that another framework needs; give it the body as it came.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_S = 300
MAX_BYTES = 1_000_000


class NotGenuine(Exception):
    """The request is not signed with a secret of ours, or it is too old."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now_s: float) -> str:
    """The id of a genuine message, the same at every repetition; raises `NotGenuine`.

    `headers`: by lower-case name. `secrets`: `whsec_…`; several while one is replaced by another.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isascii() or not timestamp.isdigit():
        raise NotGenuine("headers are missing")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise NotGenuine("too old, or a clock is wrong")
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split() if part[:3] == "v1,"]
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        if any(hmac.compare_digest(expected.encode(), each.encode()) for each in given):
            return message_id
    raise NotGenuine("signature")


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 when the message is stored, 401 when it is not genuine; after anything else it comes again."""

    protocol_version = "HTTP/1.1"
    secrets: Sequence[str] = ()
    seen: set[str] = set()  # noqa: RUF012 - one for all requests; yours must outlive a restart

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        if size > MAX_BYTES:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(size)
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            message_id = verify(headers, body, self.secrets, time.time())
        except NotGenuine:
            return self.answer(401)
        if message_id not in self.seen:
            self.store(json.loads(body))
            self.seen.add(message_id)
        return self.answer(204)

    def store(self, message: dict[str, object]) -> None:
        """Yours: keep the message before it is answered. docs/consuming.md says how `personalInfo` is decrypted, and
        what to delete at the event `supporter.erased`.
        """
        print(message["schema"], message.get("stage") or message.get("eventType"))

    def answer(self, status: int) -> None:
        """An answer without a body."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    Receiver.secrets = os.environ["WEBHOOK_SECRET"].split()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()


if __name__ == "__main__":
    main()
