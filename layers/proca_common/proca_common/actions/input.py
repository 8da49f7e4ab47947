"""Bodies of the two intake endpoints: from bytes to checked input, or to every failed rule (domain 3.1, design 8).

A sound body is validated once, from its bytes. Only a body that is refused is looked at a second time, to name all that
is wrong with it in one answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, from_json

from proca_common.actions.fields import field_failures
from proca_common.contacts import Contact, ContactInput, check
from proca_common.contacts.input import Input
from proca_common.failures import Failure, Malformed, Refused

MAX_ACTION_TYPE = 40
MAX_CONTACT_REF = 64
MAX_DEPTH = 8
MAX_UNKNOWN_FIELDS = 20
UNDECODABLE = "Cannot decode from Base64url"

_ACTION_TYPE = re.compile(r"[A-Za-z0-9_-]+")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_NAMES = {"/contact/name", "/contact/firstName"}

T = TypeVar("T")


def action_type_failures(action_type: str) -> list[Failure]:
    """An action type is 1 to 40 of `[A-Za-z0-9_-]` (domain 3.5.1, design 4)."""
    if not action_type:
        return [Failure.blank("")]
    failures = []
    if not _ACTION_TYPE.fullmatch(action_type):
        failures.append(Failure.bad_format(""))
    if len(action_type) > MAX_ACTION_TYPE:
        failures.append(Failure.too_long("", MAX_ACTION_TYPE))
    return failures


def contact_ref_failures(contact_ref: str) -> list[Failure]:
    """A contact ref is base64url without padding, at most 64 characters (domain 0.3.3, design 4)."""
    decodable = _BASE64URL.fullmatch(contact_ref) and len(contact_ref) <= MAX_CONTACT_REF and len(contact_ref) % 4 != 1
    return [] if decodable else [Failure("", "base64url", UNDECODABLE)]


def _rule(failures_of: Callable[[T], Sequence[Failure]]) -> AfterValidator:
    """A rule of ours as a pydantic validator, so that pydantic collects what fails anywhere in the body."""

    def apply(value: T) -> T:
        failures = failures_of(value)
        if failures:
            raise PydanticCustomError("rule", "broken rule", {"failures": failures})
        return value

    return AfterValidator(apply)


def _absent(*values: object, default: Callable[[], object] = lambda: None) -> BeforeValidator:
    """These values mean the same as leaving the field away."""
    return BeforeValidator(lambda value: default() if value in values else value)


class ActionInput(Input):
    """What somebody did."""

    action_type: Annotated[str, _rule(action_type_failures)]
    custom_fields: Annotated[dict[str, Any], _rule(field_failures), _absent(None, default=dict)] = Field(
        default_factory=dict
    )
    testing: Annotated[bool, _absent(None, default=bool)] = False


class ConsentInput(Input):
    """Whether the page org and the lead org may write to the supporter; None is not asked."""

    opt_in: bool | None = None
    lead_opt_in: bool | None = None


class TrackingInput(Input):
    """Tracking of the widget. "" is an absent value; an explicit null is not (domain 3.4)."""

    source: str | None = ""
    medium: str | None = ""
    campaign: str | None = ""
    content: str | None = ""
    location: str | None = None


class AddActionInput(Input):
    """Body of POST /v1/pages/{page}/contacts/{contactRef}/actions."""

    action: ActionInput
    tracking: TrackingInput | None = None


class AddActionContactInput(AddActionInput):
    """Body of POST /v1/pages/{page}/actions; `contact_ref` is the ref of earlier actions to be linked.

    `captcha` is the solution of a challenge, of the service `captcha_service` (domain 3.8).
    """

    contact: ContactInput
    privacy: ConsentInput
    contact_ref: Annotated[Annotated[str, _rule(contact_ref_failures)] | None, _absent("")] = None
    captcha: Annotated[str | None, _absent("")] = None
    captcha_service: Annotated[str | None, _absent("")] = None


def parse_action_contact(body: bytes, schema: str, today: date) -> tuple[AddActionContactInput, Contact]:
    """The checked body of a signature, and its contact as the campaign's contact schema stores it on this day (UTC).

    Raises Malformed (400), Refused with every failed rule (422), UnsupportedSchema.
    """
    try:
        request = AddActionContactInput.model_validate_json(body)
    except ValidationError as error:
        document = _document(body)
        details = _details(error)
        failures = _failures(details, document)
        raise Refused(failures + _contact_failures(details, document, failures, schema, today)) from None
    contact = check(schema, request.contact, today)
    if isinstance(contact, list):
        raise Refused([failure.below("/contact") for failure in contact])
    return request, contact


def parse_action(body: bytes, contact_ref: str) -> AddActionInput:
    """The checked body of a further action of the contact ref in the path (whose failure has the pointer /contactRef).

    Raises Malformed (400), Refused with every failed rule (422).
    """
    failures = [failure.below("/contactRef") for failure in contact_ref_failures(contact_ref)]
    try:
        request = AddActionInput.model_validate_json(body)
    except ValidationError as error:
        raise Refused(failures + _failures(_details(error), _document(body))) from None
    if failures:
        raise Refused(failures)
    return request


def _document(body: bytes) -> dict[str, Any]:
    """The body as plain JSON. Raises Malformed for what is no JSON object of bounded depth in UTF-8."""
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Malformed("The body is not JSON") from None
    if not isinstance(document, dict):
        raise Malformed("The body is not a JSON object")
    if _is_deeper(document, MAX_DEPTH):
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels")
    return document


def _is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists are nested in more than this many levels."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def _path(detail: ErrorDetails) -> tuple[str, ...]:
    return tuple(map(str, detail["loc"]))


def _pointer(path: tuple[str, ...]) -> str:
    return "".join(f"/{name}" for name in path)


def _failures(details: list[ErrorDetails], document: dict[str, Any]) -> list[Failure]:
    """What pydantic found, in our words: its own messages and the values it saw stay behind.

    Of the unknown fields the first 20 are named: a hostile body has thousands.
    """
    failures: dict[Failure, None] = {}
    unknown = 0
    for detail in details:
        for failure in _translated(detail, document):
            unknown += failure.code == "unknown_field" and failure not in failures
            if failure.code != "unknown_field" or unknown <= MAX_UNKNOWN_FIELDS:
                failures[failure] = None
    return list(failures)


def _translated(detail: ErrorDetails, document: dict[str, Any]) -> list[Failure]:
    path = _path(detail)
    pointer = _pointer(path)
    if detail["type"] == "rule":
        return [failure.below(pointer) for failure in detail["ctx"]["failures"]]
    if detail["type"] == "extra_forbidden":
        # A name that cannot be a misspelt field may be anything, a person's address too: then only its place is told.
        return [Failure.unknown_field(pointer if _FIELD_NAME.fullmatch(path[-1]) else _pointer(path[:-1]))]
    if detail["type"] == "missing" or _at(document, path) is None:
        return [Failure.blank(pointer)]
    return [Failure.invalid(pointer)]


def _at(document: Any, path: tuple[str, ...]) -> object:
    for name in path:
        document = document[name]
    return document


def _contact_failures(
    details: list[ErrorDetails], document: dict[str, Any], found: Sequence[Failure], schema: str, today: date
) -> list[Failure]:
    """What the contact schema says of the part of the contact that has the right shape.

    Left out is what only follows from a wrong shape: the whole name and the first name are made of each other.
    """
    contact = document.get("contact")
    if not isinstance(contact, dict):
        return []
    for path in map(_path, details):
        if path[0] == "contact":
            # The same path comes twice when a key does.
            cast(dict[str, Any], _at(document, path[:-1])).pop(path[-1], None)
    checked = check(schema, ContactInput.model_validate(contact), today)
    if not isinstance(checked, list):
        return []
    hidden = {failure.pointer for failure in found}
    if hidden & _NAMES:
        hidden |= _NAMES
    return [failure for failure in (failure.below("/contact") for failure in checked) if failure.pointer not in hidden]
