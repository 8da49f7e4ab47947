"""Reads an org's queue over HTTPS, without AWS: prints each action decrypted, a line of JSON each, then acknowledges.

    pip install pynacl
    export PROCA_TOKEN=API-…
    python pull.py https://api.example.org/prod riverwatch --keys org.keys >> actions.ndjson

The token is that of a user who may export the org's contacts. The private keys are in base64url, one a line.

A message is acknowledged after its line was written, so nothing is lost; whoever stops the program in between gets a
line twice, with the same `messageId` (and `replay`, where it was sent again on purpose): drop what you have seen. What
cannot be decrypted stays in the queue and is named on standard error; after five tries it is in the dead-letter queue.
Events are lines too, as they came: at `supporter.erased` with `dataErased` delete what you keep under its `actionIds`.

Exit status: 0 all was read, 1 broken off, 3 messages were left in the queue.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

Json = dict[str, Any]
TOKEN_VARIABLE = "PROCA_TOKEN"  # noqa: S105 - its name
LOOPBACK = {"localhost", "127.0.0.1"}
PASSING = {429, 500, 502, 503, 504}
WAIT_S, LEASE_S, LONGEST_PAUSE_S = 20, 300, 60


class Queue:
    """A queue of an org, as the API gives it out."""

    def __init__(self, api: str, org: str, queue: str, token: str) -> None:
        parts = urlsplit(api)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise SystemExit("the API must be called by https")
        self._url = f"{api.rstrip('/')}/v1/orgs/{quote(org, safe='')}/queues/{quote(queue, safe='')}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def take(self, wait_s: int) -> list[Json]:
        """Up to ten messages, for which there is time until their lease ends."""
        query = urlencode({"limit": 10, "wait": wait_s, "lease": LEASE_S})
        return self._call(Request(f"{self._url}/messages?{query}", headers=self._headers))  # noqa: S310 - see above

    def acknowledge(self, receipts: list[str]) -> None:
        """Remove messages for good."""
        body = json.dumps({"receipts": receipts}).encode()
        self._call(Request(f"{self._url}/acknowledgements", body, self._headers))  # noqa: S310 - see above

    def _call(self, request: Request) -> list[Json]:
        """The items of the answer; waits and tries again while the service is busy or not reached."""
        for usual_s in pauses():
            pause_s = usual_s
            try:
                with urlopen(request, timeout=WAIT_S + 20) as answer:  # noqa: S310 - see above
                    items: list[Json] = json.load(answer)["items"]
                    return items
            except HTTPError as error:
                if error.code not in PASSING:
                    raise SystemExit(f"{error.code}: {error.read().decode(errors='replace')}") from None
                reason, asked = str(error.code), error.headers.get("Retry-After", "")
                pause_s = max(usual_s, int(asked) if asked.isdigit() else 0)
            except (URLError, TimeoutError, ConnectionError) as error:
                reason = type(error).__name__
            say(f"{reason}: trying again in {pause_s} s")
            time.sleep(pause_s)
        raise AssertionError("there is always another pause")


def pauses() -> Iterator[int]:
    """Seconds to wait, longer each time."""
    pause_s = 1
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class PrivateKeys:
    """The org's private keys, found by their public parts, because an org may have changed its key."""

    def __init__(self, text: str) -> None:
        keys = [PrivateKey(from_base64url(line.strip())) for line in text.splitlines() if line.strip()]
        self._keys = {bytes(key.public_key): key for key in keys}

    def open(self, personal: Json) -> Json:
        """What `personalInfo` has. Raises KeyError, CryptoError, ValueError."""
        private = self._keys[from_base64url(personal["encryptKey"]["public"])]
        box = Box(private, PublicKey(from_base64url(personal["signKey"]["public"])))
        opened: Json = json.loads(box.decrypt(from_base64url(personal["payload"]), from_base64url(personal["nonce"])))
        return opened


def from_base64url(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def line_of(taken: Json, keys: PrivateKeys) -> str:
    """A message as one line of JSON, with everything that came encrypted in its place. Raises as `PrivateKeys.open`."""
    message = taken["body"]
    personal = message.pop("personalInfo", None)
    if personal is not None:
        message["contact"] |= keys.open(personal)
        fields, payload = message["contact"].pop("fields", {}), message["contact"].pop("donation", {})
        if message["privacy"]["withConsent"]:  # a further action brings the contact of the signature
            message["action"]["customFields"] |= fields
            if "donation" in message["action"]:
                message["action"]["donation"]["payload"] |= payload
    line = {"messageId": taken["messageId"], "replay": taken["attributes"].get("Replay"), **message}
    return json.dumps(line, ensure_ascii=False)


def read(queue: Queue, keys: PrivateKeys, *, until_empty: bool) -> int:
    """Print what comes; how many messages were left in the queue."""
    left = 0
    while True:
        taken, done = queue.take(1 if until_empty else WAIT_S), []
        if until_empty and not taken:
            return left
        for message in taken:
            try:
                print(line_of(message, keys), flush=True)
            except (KeyError, CryptoError, ValueError) as error:
                left += 1
                say(f"{message['messageId']} is left in the queue: {type(error).__name__}")
            else:
                done.append(message["receipt"])
        if done:
            queue.acknowledge(done)


def say(what: str) -> None:
    """Tell the person who runs this."""
    print(what, file=sys.stderr, flush=True)


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("api", help="where the API is, with its stage")
    parser.add_argument("org", help="name of the org")
    parser.add_argument("--queue", default="deliver", help="deliver, event, or deliver-dlq")
    parser.add_argument("--keys", type=Path, help="file with the private keys; none for an org that has no key")
    parser.add_argument("--until-empty", action="store_true", help="end when nothing is left")
    args = parser.parse_args()
    token = os.environ.get(TOKEN_VARIABLE) or parser.error(f"set {TOKEN_VARIABLE}")
    keys = PrivateKeys("" if args.keys is None else args.keys.read_text())
    return 3 if read(Queue(args.api, args.org, args.queue, token), keys, until_empty=args.until_empty) else 0


if __name__ == "__main__":
    sys.exit(main())
