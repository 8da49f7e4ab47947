"""The base of what campaigners edit: validated at input, stored as one JSON document, read back as the same type."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel


class Entity(BaseModel):
    """An immutable record with camelCase JSON. Unknown fields are refused; errors hide the input."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    def document(self) -> str:
        """The JSON text that is stored, without what the record stores beside it."""
        return self.model_dump_json(exclude=self.beside())

    @classmethod
    def beside(cls) -> set[str]:
        """Fields that have attributes of their own in the table, because conditions or counters need them."""
        return {"id"}

    @classmethod
    def load(cls, document: str, **beside: object) -> Self:
        """The record of a stored document and the attributes beside it."""
        return cls.model_validate({**json.loads(document), **beside})


class ContactSchema(StrEnum):
    """Which rules the personal data of a campaign follows (domain 2)."""

    BASIC = "basic"
    POPULAR_INITIATIVE = "popular_initiative"
    ECI = "eci"
    IT_CI = "it_ci"


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC, which it is in already where no zone is said. Raises ValueError where the calendar ends."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("should be in the years 1 to 9999 (UTC)") from None


Id = Annotated[int, Field(gt=0)]
Moment = Annotated[datetime, AfterValidator(in_utc)]
Title = Annotated[str, Field(min_length=1, max_length=255)]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?(@[a-z]+)?$", max_length=50)]
TemplateName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_ -]+$", max_length=255)]
Config = dict[str, JsonValue]
