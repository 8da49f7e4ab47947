"""A failed validation rule, and the wording of the standard ones (domain 0.4).

A check returns every failed rule at once, so that a widget can show each message beside its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BLANK = "can't be blank"
BAD_FORMAT = "has invalid format"
INVALID = "is invalid"
UNKNOWN_FIELD = "is not a known field"


def too_long(limit: int) -> str:
    """Message of a text with more than `limit` characters; a character is a grapheme (domain 0.3.6)."""
    return f"should be at most {limit} character(s)"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed rule.

    `pointer` is an RFC 6901 JSON Pointer into the request body, `code` is stable and for programs, `message` is for
    people. None of them repeats the value that failed (design 7.9).
    """

    pointer: str
    code: str
    message: str

    def below(self, parent: str) -> Failure:
        """The same failure, seen from a document that holds this one at `parent`."""
        return Failure(parent + self.pointer, self.code, self.message)

    @classmethod
    def blank(cls, pointer: str) -> Failure:
        """Something required is absent, null, empty or only blanks."""
        return cls(pointer, "blank", BLANK)

    @classmethod
    def bad_format(cls, pointer: str) -> Failure:
        """A text does not have the form it must have."""
        return cls(pointer, "format", BAD_FORMAT)

    @classmethod
    def too_long(cls, pointer: str, limit: int) -> Failure:
        """A text has more than `limit` characters."""
        return cls(pointer, "too_long", too_long(limit))

    @classmethod
    def invalid(cls, pointer: str) -> Failure:
        """A value is of the wrong type, or none of the possible ones."""
        return cls(pointer, "invalid", INVALID)

    @classmethod
    def unknown_field(cls, pointer: str) -> Failure:
        """An object has a field that is not known there."""
        return cls(pointer, "unknown_field", UNKNOWN_FIELD)


class Malformed(Exception):
    """The body is no JSON object of the kind that is spoken here (400). Its text is for people and repeats no input."""


class Refused(Exception):
    """The input broke rules (422); `failures` has every one of them.

    `provider_code`: the code of another service, where the rule is its own.
    """

    def __init__(self, failures: Sequence[Failure], provider_code: str | None = None) -> None:
        super().__init__(f"{len(failures)} failed rule(s)")
        self.failures = tuple(failures)
        self.provider_code = provider_code
