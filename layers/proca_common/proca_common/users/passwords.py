"""Passwords: the rules for new ones, and argon2id hashes (domain 12.5; design 7.6).

A hash costs time and memory on purpose. What was verified is remembered in warm memory for a minute, as an HMAC with a
key of this environment, because Basic authentication sends the password with each request.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
from functools import cache

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from proca_common.aws import clock
from proca_common.failures import Failure

MIN_LENGTH, MAX_LENGTH = 12, 80
MAX_BYTES = 4 * MAX_LENGTH
REMEMBERED_MS = 60_000
MAX_REMEMBERED = 1_000
OPERATIONS, MEMORY_BYTES = 2, 19 * 1024 * 1024
"""At least what the OWASP password storage cheat sheet asks of argon2id: 19 MiB, two passes."""

_RULES = (
    (re.compile(r"[a-z]"), Failure("", "lower_case", "at least one lower case character")),
    (re.compile(r"[A-Z]"), Failure("", "upper_case", "at least one upper case character")),
    (
        re.compile(r"[!?@#$%^&*_0-9]"),
        Failure("", "digit_or_punctuation", "at least one digit or punctuation character"),
    ),
)
_here = secrets.token_bytes(32)
_verified: dict[bytes, int] = {}


def password_failures(password: str, pointer: str = "/password") -> list[Failure]:
    """Every rule that a new password breaks."""
    failures = []
    if len(password) < MIN_LENGTH:
        failures.append(Failure(pointer, "too_short", f"should be at least {MIN_LENGTH} character(s)"))
    if len(password) > MAX_LENGTH:
        failures.append(Failure.too_long(pointer, MAX_LENGTH))
    return failures + [failure.below(pointer) for form, failure in _RULES if not form.search(password)]


def hashed(password: str) -> str:
    """The argon2id hash, with its own salt and parameters in it."""
    return argon2id.str(password.encode(), opslimit=OPERATIONS, memlimit=MEMORY_BYTES).decode()


def was_verified(password: str, known: str) -> bool:
    """Whether this very password was found to have this hash within the last minute."""
    return clock.now_ms() - _verified.get(_seen(password, known), -REMEMBERED_MS) < REMEMBERED_MS


def is_password(password: str, known: str | None) -> bool:
    """Whether the password has this hash. Without one (no such user) the work is the same, and the answer no."""
    given = password.encode()
    if len(given) > MAX_BYTES:
        given, known = b"", None
    if known is not None and was_verified(password, known):
        return True
    try:
        argon2id.verify((known or _nobodys()).encode(), given)
    except InvalidkeyError:
        return False
    if known is None:
        return False
    if len(_verified) >= MAX_REMEMBERED:
        del _verified[next(iter(_verified))]
    _verified[_seen(password, known)] = clock.now_ms()
    return True


def generated() -> str:
    """A password for whoever needs none of the own choosing: 16 letters, 4 digits, 2 symbols (domain 12.5)."""
    letters = [secrets.choice(string.ascii_letters) for _ in range(14)]
    letters += [secrets.choice(string.ascii_lowercase), secrets.choice(string.ascii_uppercase)]
    others = [secrets.choice(string.digits) for _ in range(4)] + [secrets.choice("!?@#$%^&*_") for _ in range(2)]
    signs = letters + others
    secrets.SystemRandom().shuffle(signs)
    return "".join(signs)


def _seen(password: str, known: str) -> bytes:
    return hmac.digest(_here, password.encode() + b"\0" + known.encode(), "sha256")


@cache
def _nobodys() -> str:
    return hashed(secrets.token_hex(16))
