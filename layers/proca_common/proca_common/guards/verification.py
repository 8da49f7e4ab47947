"""Whoever signs shows that it is no machine: the interface of all ways to do so, and their refusals (domain 3.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from proca_common.failures import Failure, Refused

POINTER = "/captcha"
MAX_SOLUTION = 8192
EXPIRED = "captcha: challenge expired"
INVALID = "captcha: challenge solution invalid"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A solved challenge, which is used up by the signature it came with. `expires_s`: in seconds since 1970."""

    nonce: str
    expires_s: int


class Verifier(Protocol):
    """One way to verify a solution."""

    def verify(self, solution: str, page: int, now_ms: int) -> Challenge | None:
        """The challenge that this solution uses up; None where somebody else sees to it. Raises `Refused`."""


def bad_captcha(message: str) -> Refused:
    """The refusal of a solution."""
    return Refused([Failure(POINTER, "bad_captcha", message)])


def missing() -> Refused:
    """The refusal of a request without a solution."""
    return Refused([Failure(POINTER, "unauthorized", "Captcha code is required for this API call")])


def not_enabled() -> Refused:
    """The refusal of a solution of a service that the campaign does not take."""
    return Refused([Failure("/captchaService", "bad_arg", "not enabled")])
