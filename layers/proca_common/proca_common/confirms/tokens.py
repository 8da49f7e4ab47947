"""Tokens of supporters' links: 128 bits of HMAC over key version, contact ref, action and purpose (design 7.4). Pure.

A contact ref is in every message and answer, so it proves nothing; only whoever got the link by mail has its token.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from enum import StrEnum

from proca_common.ids import created_ms
from proca_common.orgs.encryption import to_text

TOKEN_BYTES = 16
DAY_MS = 86_400_000
VALID_DAYS = 180


class Purpose(StrEnum):
    """What a link is for; a token of one purpose is none of another."""

    ACCEPT = "accept"
    REJECT = "reject"
    DOUBLE_OPT_IN = "doi"
    UNSUBSCRIBE = "unsub"


ENDING = frozenset({Purpose.ACCEPT, Purpose.DOUBLE_OPT_IN})


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """The keys by version, the newest first: it alone signs, all verify."""

    versions: tuple[tuple[int, bytes], ...]


def link_keys(secret: bytes) -> LinkKeys:
    """The keys of the secret entry: a JSON object of texts by version, `{"1": "…", "2": "…"}`; any other text is the
    key of version 1, so that a first rotation keeps it.

    Raises ValueError, which repeats nothing of the secret, for an object of another form.
    """
    try:
        entry = json.loads(secret)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return LinkKeys(((1, _key(secret)),))
    texts = {int(name): text for name, text in entry.items() if _is_version(name) and isinstance(text, str) and text}
    if not texts or len(texts) != len(entry):
        raise ValueError("link keys must be texts by version, 1 and up")
    return LinkKeys(tuple((version, _key(texts[version].encode())) for version in sorted(texts, reverse=True)))


def link_token(keys: LinkKeys, ref: str, action: int, purpose: Purpose) -> str:
    """The token of a link: 22 characters of base64url."""
    version, key = keys.versions[0]
    return _token(version, key, ref, action, purpose)


def is_link_token(keys: LinkKeys, ref: str, action: int, purpose: Purpose, token: str) -> bool:
    """Whether the token was made for this; the work is the same for every token, right or wrong."""
    given = token.encode(errors="replace")
    found = False
    for version, key in keys.versions:
        found |= hmac.compare_digest(_token(version, key, ref, action, purpose).encode(), given)
    return found


def has_ended(action: int, purpose: Purpose, now_ms: int, valid_days: int = VALID_DAYS) -> bool:
    """Whether a link of this purpose for the action is too old; what takes back or unsubscribes never is."""
    return purpose in ENDING and now_ms >= created_ms(action) + valid_days * DAY_MS


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdigit() and not name.startswith("0")


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"link", "sha256")


def _token(version: int, key: bytes, ref: str, action: int, purpose: Purpose) -> str:
    signed = f"{version}\0{ref}\0{action}\0{purpose}"  # no part holds a zero
    return to_text(hmac.digest(key, signed.encode(), "sha256")[:TOKEN_BYTES])
