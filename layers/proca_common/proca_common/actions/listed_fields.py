"""The legacy list of fields, `[{key, value, transient}]` (domain 3.5.2): `customFields` is what widgets should send."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from proca_common.contacts.input import Input

MAX_LISTED = 1000


class ListedField(Input):
    """One value of a field. `transient` is read and ignored: the campaign says what is (domain 1.3)."""

    key: str
    value: str
    transient: bool | None = None


def by_key(listed: list[ListedField]) -> dict[str, str | list[str]]:
    """The fields as a map; a repeated key has a list of its values, newest first."""
    fields: dict[str, str | list[str]] = {}
    for field in listed:
        earlier = fields.get(field.key)
        if earlier is None:
            fields[field.key] = field.value
        else:
            fields[field.key] = [field.value, *(earlier if isinstance(earlier, list) else [earlier])]
    return fields


ListedFields = Annotated[list[ListedField], Field(max_length=MAX_LISTED), AfterValidator(by_key)]
