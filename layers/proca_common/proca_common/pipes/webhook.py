"""Messages as HTTP requests to an org's own endpoint (domain 5.9), signed as the Standard Webhooks specification says.

The password of a service `webhook` has up to two parts, separated by blanks: what authorizes us (domain 5.9: a
basic password if the service has a user, else the whole header), and one or two signing secrets, `whsec_` and base64
of 24 to 64 bytes. With two, as while one is replaced by another, a message carries a signature of each.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from proca_common.aws import clock
from proca_common.errors import NotAllowed
from proca_common.pipes.calling import Answer, Caller, NoCall
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.sending import Failed, Outcome, Refused, Taken, known_as

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
SECRET_BYTES = range(24, 65)
REFUSALS = frozenset({400, 413, 415, 422})
"""Answers that may be about this one message; all others are about the endpoint or about us."""

TRY_LATER = frozenset({429, 503})
MAX_RETRY_AFTER_S = 3600


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request to an endpoint carries: the value of its header Authorization, and the keys it is signed with."""

    authorization: str | None = None
    keys: tuple[bytes, ...] = field(default=(), repr=False)


def credentials(user: str, password: str) -> Credentials:
    """The credentials of a service; raises `NotAllowed` for what cannot be a signing secret or a header."""
    words = password.split()
    keys = tuple(_key(word) for word in words if word.startswith(SECRET_PREFIX))
    rest = " ".join(word for word in words if not word.startswith(SECRET_PREFIX))
    if not (rest.isascii() and rest.isprintable()):
        raise NotAllowed("the password of the service has characters that no header can carry")
    if not rest:
        return Credentials(None, keys)
    if not user:
        return Credentials(rest, keys)
    return Credentials("Basic " + base64.b64encode(f"{user}:{rest}".encode()).decode(), keys)


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        key = b""
    if len(key) not in SECRET_BYTES:
        raise NotAllowed("a signing secret is whsec_ and base64 of 24 to 64 bytes")
    return key


def signature(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """The header `webhook-signature`: for each key `v1,` and the HMAC-SHA256 of id, time and body."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)


def headers(known: Credentials, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers of a request with this body; `timestamp_s`: the time of this try."""
    made = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
    }
    if known.keys:
        made["webhook-signature"] = signature(known.keys, message_id, timestamp_s, body)
    if known.authorization is not None:
        made["Authorization"] = known.authorization
    return made


def outcome_of(answer: Answer) -> Outcome:
    """What an answer means for the message that was sent. Its body means nothing and is never looked at."""
    if answer.is_success:
        return Taken()
    reason = "status 404: not found" if answer.status == 404 else f"status {answer.status}"
    if answer.status in REFUSALS:
        return Refused(reason)
    return Failed(reason, retry_after_s(answer) if answer.status in TRY_LATER else 0)


def retry_after_s(answer: Answer) -> int:
    """Seconds that the endpoint asks us to wait, at most an hour; 0 where it says none. A date is not looked at."""
    text = (answer.retry_after or "").strip()
    return min(int(text), MAX_RETRY_AFTER_S) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class Webhook:
    """An endpoint of an org."""

    sends_together = False

    def __init__(self, url: str, known: Credentials, *, this_machine: bool = False) -> None:
        self._url = url
        self._known = known
        self._this_machine = this_machine

    def send(self, messages: Sequence[PushOrder]) -> Generator[Outcome, None, None]:
        """Post one message after the other, each when its outcome is asked for."""
        with Caller(self._url, this_machine=self._this_machine) as caller:
            for message in messages:
                body = message.body.encode()
                try:
                    now_s = clock.now_ms() // 1000
                    answer = caller.post(body, headers(self._known, known_as(message), now_s, body))
                except NoCall as silence:
                    yield Failed(silence.reason)
                else:
                    yield outcome_of(answer)
