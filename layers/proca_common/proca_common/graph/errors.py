"""What clients are told when something is refused: one error for each failed rule, with the path that they show it at
(domain 0.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError

from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault
from proca_common.casing import camel_case
from proca_common.errors import (
    DomainError,
    Ended,
    LacksPermission,
    NotAllowed,
    NotFound,
    NotKnown,
    NotMember,
    PaymentRefused,
    Taken,
    TooMany,
)
from proca_common.failures import Failure, Malformed, Refused

Told = dict[str, Any]
RECORDS = ("/contact/", "/action/", "/input/")
"""What is checked as a record of its own, so its name is not in the paths of its errors."""
ENTITY = "Entity not found"
MISSING = {
    "user": "User does not exist",
    "role": "No such role",
    "staffer": "User is not a member of this org",
    "Public key": "Public key not found",
}
"""What is said of things that are not there, by their kind, where it is not just that."""
ONE_IDENTIFIER = "Provide exactly one identifier argument"


class BadArgument(DomainError):
    """The arguments do not fit together."""

    def __init__(self, text: str = ONE_IDENTIFIER) -> None:
        super().__init__(text)


def one_of(**given: Any) -> tuple[str, Any]:
    """The one identifier that is given; null is none. Raises `BadArgument`."""
    named = [(name, value) for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise BadArgument
    return named[0]


class Named(DomainError):
    """What stands in the reference's own words: `<argument>: <text>`, without a code."""


def told(error: GraphQLError) -> Iterator[Told]:
    """What is said of an error, as often as it has to be; a fault of ours is logged, without its text."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        yield _said(error, error.message)
    elif isinstance(cause, Refused):
        for failure in cause.failures:
            yield _said(error, _message(failure), path=_path(failure.pointer), code=_code(failure, cause))
    elif isinstance(cause, Taken):
        yield _said(error, "has already been taken", path=[camel_case(name) for name in cause.field.split("/")])
    elif isinstance(cause, DomainError):
        yield _of_rules(error, cause)
    elif isinstance(cause, Malformed):
        yield _said(error, str(cause), code="bad_arg")
    elif isinstance(cause, Unavailable):
        log_fault("store unavailable", cause)
        yield _said(error, "Temporarily unavailable", code="unavailable")
    else:
        log_fault("unexpected fault", cause)
        yield _said(error, "Internal error", code="internal")


def _of_rules(error: GraphQLError, cause: DomainError) -> Told:  # noqa: PLR0911 - a kind of error, a return
    match cause:
        case NotFound():
            return _said(error, MISSING.get(cause.kind, ENTITY), code="not_found")
        case BadArgument():
            return _said(error, str(cause), code="bad_arg")
        case LacksPermission():
            more: dict[str, object] = {"required": cause.required, "provided": cause.provided}
            if cause.org is not None:
                more["org_id"] = cause.org
            return _said(error, "You do not have the required permission", code="permission_denied", more=more)
        case NotMember() | NotKnown():
            return _said(error, str(cause), code="unauthorized")
        case NotAllowed():
            return _said(error, str(cause), code="permission_denied")
        case Ended():
            return _said(error, str(cause), code="expired")
        case TooMany():
            return _said(error, str(cause), code="too_many")
        case PaymentRefused():
            return _said(error, str(cause), code=cause.code)
        case _:
            return _said(error, str(cause))


def _said(
    error: GraphQLError,
    message: str,
    *,
    path: list[str | int] | list[str] | None = None,
    code: str | None = None,
    more: dict[str, object] | None = None,
) -> Told:
    said: Told = {"message": message}
    if error.path is not None:
        said["path"] = [*error.path, *(path or ())]
    if error.locations:
        said["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if code is not None:
        said["extensions"] = {"code": code, **(more or {})}
    return said


def _message(failure: Failure) -> str:
    return f"contact_ref: {failure.message}" if failure.pointer == "/contactRef" else failure.message


def _path(pointer: str) -> list[str | int]:
    """The pointer within its record, as a path."""
    if pointer == "/contactRef":
        return []
    for record in RECORDS:
        if pointer.startswith(record):
            pointer = pointer.removeprefix(record.rstrip("/"))
    return [int(name) if name.isdigit() else name for name in pointer.split("/")[1:]]


def _code(failure: Failure, refused: Refused) -> str | None:
    return refused.provider_code or ("bad_captcha" if failure.code == "bad_captcha" else None)
