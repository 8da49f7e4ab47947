"""The scalars of the schema in their wire forms: JSON as text, moments with and without zone, days, 53-bit integers.
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    ValueNode,
)

from proca_common.catalog.entity import in_utc
from proca_common.documents import json_object
from proca_common.failures import Malformed

MAX_INT = 2**53 - 1


def complete(schema: GraphQLSchema) -> None:
    """Give a schema that was built from its text our scalars, and its enums the values that are stored: in small
    letters.
    """
    for name, coerce in SCALARS.items():
        known = schema.type_map.get(name)
        if isinstance(known, GraphQLScalarType):
            known.coerce_output_value = coerce.shown
            known.coerce_input_value = coerce.read
            known.coerce_input_literal = coerce.read_literal
    for known in schema.type_map.values():
        if isinstance(known, GraphQLEnumType) and not known.name.startswith("__"):
            _in_small_letters(known)


def _in_small_letters(enum: GraphQLEnumType) -> None:
    for name, value in enum.values.items():
        value.value = name.lower()
    enum.__dict__.pop("_value_lookup", None)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"{what} is text")
    return value


def _read_json(value: Any) -> dict[str, Any]:
    try:
        return json_object(_text(value, "Json").encode())
    except Malformed:
        raise GraphQLError("Json is the text of a JSON object") from None


def _shown_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _read_moment(value: Any) -> datetime:
    try:
        return in_utc(datetime.fromisoformat(_text(value, "DateTime")))
    except ValueError:
        raise GraphQLError("DateTime is a moment in ISO 8601") from None


def _shown_moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown_naive(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _read_date(value: Any) -> date:
    try:
        return date.fromisoformat(_text(value, "Date"))
    except ValueError:
        raise GraphQLError("Date is a day in ISO 8601") from None


def _read_int(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INT:
        raise GraphQLError("Int is an integer of 53 bits")
    return value


def _read_int_literal(node: ValueNode) -> int:
    if not isinstance(node, IntValueNode) or len(node.value) > len(str(MAX_INT)) + 1:
        raise GraphQLError("Int is an integer of 53 bits")
    return _read_int(int(node.value))


def _literal(read: Callable[[Any], object]) -> Callable[[ValueNode], object]:
    def read_literal(node: ValueNode) -> object:
        if isinstance(node, StringValueNode):
            return read(node.value)
        raise GraphQLError("is text")

    return read_literal


@dataclass(frozen=True, slots=True)
class Coercion:
    """How values of a scalar are shown, and read from variables and from the text of a query."""

    shown: Callable[[Any], object]
    read: Callable[[Any], object]
    read_literal: Callable[[ValueNode], object]


SCALARS = {
    "Json": Coercion(_shown_json, _read_json, _literal(_read_json)),
    "DateTime": Coercion(_shown_moment, _read_moment, _literal(_read_moment)),
    "NaiveDateTime": Coercion(_shown_naive, _read_moment, _literal(_read_moment)),
    "Date": Coercion(date.isoformat, _read_date, _literal(_read_date)),
    "Int": Coercion(_read_int, _read_int, _read_int_literal),
}
"""Int is the library's own type, of which there is one in a process: it takes 53 bits instead of 32."""
