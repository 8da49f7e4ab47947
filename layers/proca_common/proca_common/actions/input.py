"""Bodies of the intake endpoints: from bytes to checked input, or to every failed rule (domain 3.1, design 8).

A sound body is validated once, from its bytes. What few bodies have (a donation, a message to targets, why it is
refused) is in modules of its own, imported by the first body that needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from proca_common.actions.fields import field_failures
from proca_common.contacts import Contact, ContactInput, check
from proca_common.contacts.input import Input
from proca_common.failures import Failure, Refused

if TYPE_CHECKING:
    from proca_common.actions.donation import DonationInput
    from proca_common.actions.mtt import MttInput
else:
    DonationInput = MttInput = Any  # `Later` brings them

MAX_ACTION_TYPE = 40
MAX_CONTACT_REF = 64
UNDECODABLE = "Cannot decode from Base64url"

_ACTION_TYPE = re.compile(r"[A-Za-z0-9_-]+")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")

T = TypeVar("T")
Body = TypeVar("Body", bound=Input)


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


def keep_or_raise(value: T, failures: Sequence[Failure]) -> T:
    """The value, or its failures as an error that pydantic collects with those of the rest of the body."""
    if failures:
        raise PydanticCustomError("rule", "broken rule", {"failures": failures})
    return value


def rule(failures_of: Callable[[T], Sequence[Failure]]) -> AfterValidator:
    """A rule of ours as a pydantic validator."""
    return AfterValidator(lambda value: keep_or_raise(value, failures_of(value)))


def absent(*values: object, default: Callable[[], object] = lambda: None) -> BeforeValidator:
    """These values mean the same as leaving the field away."""
    return BeforeValidator(lambda value: default() if value in values else value)


class Later:
    """A field whose type `name` of `module` is imported by the first body that has the field; null is absent."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(getattr(import_module(self._module), self._name))

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validated)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self._adapter.core_schema)

    def _validated(self, value: object) -> object:
        return None if value is None else self._adapter.validate_python(value)


def _over_listed(listed: Any, info: ValidationInfo) -> dict[str, Any] | None:
    """The fields of the legacy list with the custom fields merged over them (domain 3.5.2)."""
    if listed is None:
        return None
    fields = {**listed, **info.data.get("custom_fields", {})}
    return keep_or_raise(fields, field_failures(fields))


class ActionInput(Input):
    """What somebody did. `fields` is the legacy list as it is sent, all fields of the action once it is read."""

    action_type: Annotated[str, rule(action_type_failures)]
    custom_fields: Annotated[dict[str, Any], rule(field_failures), absent(None, default=dict)] = Field(
        default_factory=dict
    )
    fields: Annotated[
        Any, Later("proca_common.actions.listed_fields", "ListedFields"), AfterValidator(_over_listed)
    ] = None
    donation: Annotated[DonationInput | None, Later("proca_common.actions.donation", "DonationInput")] = None
    mtt: Annotated[MttInput | None, Later("proca_common.actions.mtt", "MttInput")] = None
    testing: Annotated[bool, absent(None, default=bool)] = False

    @property
    def all_fields(self) -> dict[str, Any]:
        """The custom fields, with those of the legacy list."""
        return self.custom_fields if self.fields is None else self.fields


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
    contact_ref: Annotated[Annotated[str, rule(contact_ref_failures)] | None, absent("")] = None
    captcha: Annotated[str | None, absent("")] = None
    captcha_service: Annotated[str | None, absent("")] = None


def parse_action_contact(body: bytes, schema: str, today: date) -> tuple[AddActionContactInput, Contact]:
    """The checked body of a signature, and its contact as the campaign's contact schema stores it on this day (UTC).

    Raises Malformed (400), Refused with every failed rule (422), UnsupportedSchema.
    """
    try:
        request = AddActionContactInput.model_validate_json(body)
    except ValidationError as error:
        from proca_common.actions import refusals  # noqa: PLC0415
        from proca_common.documents import json_object  # noqa: PLC0415

        document = json_object(body)
        failures = refusals.failures_of(error, document)
        failures += refusals.contact_failures(error, document, failures, schema, today)
        raise Refused(failures) from None
    contact = check(schema, request.contact, today)
    if isinstance(contact, list):
        raise Refused([failure.below("/contact") for failure in contact])
    return request, contact


def parse_action(body: bytes, contact_ref: str) -> AddActionInput:
    """The checked body of a further action of the contact ref in the path. Raises Malformed and Refused."""
    return parse_about(AddActionInput, body, contact_ref)


def parse_about(model: type[Body], body: bytes, contact_ref: str) -> Body:
    """The checked body of a request about the contact ref in the path (whose failure has the pointer /contactRef).

    Raises Malformed (400), Refused with every failed rule (422).
    """
    failures = [failure.below("/contactRef") for failure in contact_ref_failures(contact_ref)]
    try:
        request = model.model_validate_json(body)
    except ValidationError as error:
        from proca_common.actions import refusals  # noqa: PLC0415
        from proca_common.documents import json_object  # noqa: PLC0415

        raise Refused(failures + refusals.failures_of(error, json_object(body))) from None
    if failures:
        raise Refused(failures)
    return request
