"""Why a body is refused, in our words: only a body that failed is looked at a second time (design 8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proca_common.contacts import ContactInput, check
from proca_common.failures import Failure

MAX_UNBOUNDED = 20

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_NAMES = {"/contact/name", "/contact/firstName"}
Path = tuple[str | int, ...]


def failures_of(error: ValidationError, document: dict[str, Any]) -> list[Failure]:
    """What pydantic found in this document, in our words: its own messages and the values it saw stay behind.

    Of the failures that a body may have without bound, unknown fields and those within lists, the first 20 are named.
    """
    failures: dict[Failure, None] = {}
    unbounded = 0
    for detail in _details(error):
        for failure in _translated(detail, document):
            if failure.code == "unknown_field" or any(isinstance(name, int) for name in detail["loc"]):
                unbounded += failure not in failures
                if unbounded > MAX_UNBOUNDED:
                    continue
            failures[failure] = None
    return list(failures)


def contact_failures(
    error: ValidationError, document: dict[str, Any], found: Sequence[Failure], schema: str, today: date
) -> list[Failure]:
    """What the contact schema says of the part of the contact that has the right shape.

    Left out is what only follows from a wrong shape: the whole name and the first name are made of each other. The
    document loses what is wrong with its contact.
    """
    contact = document.get("contact")
    if not isinstance(contact, dict):
        return []
    for path in (detail["loc"] for detail in _details(error)):
        if path[0] == "contact":
            # The same path comes twice when a key does.
            cast(dict[str | int, Any], _at(document, path[:-1])).pop(path[-1], None)
    checked = check(schema, ContactInput.model_validate(contact), today)
    if not isinstance(checked, list):
        return []
    hidden = {failure.pointer for failure in found}
    if hidden & _NAMES:
        hidden |= _NAMES
    return [failure for failure in (failure.below("/contact") for failure in checked) if failure.pointer not in hidden]


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def _pointer(path: Path) -> str:
    return "".join(f"/{name}" for name in path)


def _translated(detail: ErrorDetails, document: dict[str, Any]) -> list[Failure]:
    path = detail["loc"]
    pointer = _pointer(path)
    if detail["type"] == "rule":
        return [failure.below(pointer) for failure in detail["ctx"]["failures"]]
    if detail["type"] == "extra_forbidden":
        # A name that cannot be a misspelt field may be anything, a person's address too: then only its place is told.
        return [Failure.unknown_field(pointer if _FIELD_NAME.fullmatch(str(path[-1])) else _pointer(path[:-1]))]
    if detail["type"] == "missing" or _at(document, path) is None:
        return [Failure.blank(pointer)]
    return [Failure.invalid(pointer)]


def _at(document: Any, path: Path) -> object:
    for name in path:
        document = document[name]
    return document
