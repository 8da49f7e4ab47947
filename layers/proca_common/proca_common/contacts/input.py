"""The shape of a contact in a request body (domain 2.1): types only, the rules are in `rules` and per schema."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Input(BaseModel):
    """Part of a request body: camelCase keys, no other keys, no conversion between JSON types; null is absent."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", strict=True, frozen=True, hide_input_in_errors=True
    )


def _iso_date(value: object) -> date | None:
    """A text YYYY-MM-DD of the calendar; "" is no date, while for the other texts it is absence (domain 2.1)."""
    if value is None:
        return None
    if isinstance(value, str) and ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("invalid_date", "not a date")


class AddressInput(Input):
    """Where somebody lives."""

    country: str | None = None
    postcode: str | None = None
    region: str | None = None
    locality: str | None = None
    street: str | None = None
    street_number: str | None = None


class NationalityInput(Input):
    """Citizenship and the document that proves it."""

    country: str | None = None
    document_type: str | None = None
    document_number: str | None = None


class ContactInput(Input):
    """Personal data as typed by a supporter; which of it is required, kept or dropped depends on the schema."""

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    birth_date: Annotated[date | None, BeforeValidator(_iso_date)] = None
    address: AddressInput | None = None
    nationality: NationalityInput | None = None
