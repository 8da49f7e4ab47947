"""A failed validation rule, and the wording of the standard ones (domain 0.4).

A check returns every failed rule at once, so that a widget can show each message beside its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BLANK = "can't be blank"
BAD_FORMAT = "has invalid format"
INVALID = "is invalid"


def too_long(limit: int) -> str:
    """Message of a text with more than `limit` characters (graphemes count as their code points after NFC)."""
    return f"should be at most {limit} character(s)"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed rule.

    `pointer` is an RFC 6901 JSON Pointer into the request body, `code` is stable and for programs, `message` is for people.
    Neither ever repeats the value that failed (design 7.9).
    """

    pointer: str
    code: str
    message: str

    def below(self, parent: str) -> Failure:
        """The same failure, seen from a document that holds this one at `parent`."""
        return Failure(parent + self.pointer, self.code, self.message)


class Malformed(Exception):
    """The body is no JSON object of the kind that is spoken here (400). Its text is for people and repeats no input."""


class Refused(Exception):
    """The input broke rules (422); `failures` has every one of them."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__(f"{len(failures)} failed rule(s)")
        self.failures = tuple(failures)
