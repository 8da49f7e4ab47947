"""What somebody gave to make or change a record: checked, each failed rule in our words (domain 0.4; design 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proca_common import documents
from proca_common.catalog.entity import Entity
from proca_common.failures import Failure, Refused

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
Record = TypeVar("Record", bound=Entity)


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object of bounded depth; an empty body is an empty one. Raises `Malformed`."""
    return documents.json_object(body or b"{}")


def checked(model: type[Record], given: Mapping[str, Any]) -> Record:
    """The record of what was given. Raises `Refused` with every failed rule."""
    try:
        return model.model_validate(given, by_alias=True, by_name=False)
    except ValidationError as error:
        raise Refused(failures_of(error)) from None


def patched(record: Record, model: type[Entity], patch: Mapping[str, Any]) -> Record:
    """The record with a merge patch (RFC 7396) over what of it `model` can be given: null takes a value back, so that
    the default is there again. Raises `Refused` with every failed rule.
    """
    known = record.model_dump(by_alias=True, mode="json", include=set(model.model_fields))
    unknown = {name: True for name, value in patch.items() if value is None and name not in known}
    wanted = checked(model, {**merge(known, patch), **unknown})
    return record.model_copy(update={name: getattr(wanted, name) for name in model.model_fields})


def merge(known: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch: objects are merged, null removes, all else replaces."""
    merged = dict(known)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            below = merged.get(name)
            merged[name] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged


def failures_of(error: ValidationError) -> list[Failure]:
    """What pydantic found: its codes in our words, what our own rules say as they say it; never a value."""
    return [_failure(detail) for detail in error.errors(include_url=False, include_input=False)]


def _failure(detail: ErrorDetails) -> Failure:  # noqa: PLR0911 - a kind of error, a return
    path = detail["loc"]
    pointer = "".join(f"/{name}" for name in path if not str(name).startswith("function-"))
    limit = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return Failure.blank(pointer)
        case "extra_forbidden":
            known = path and _FIELD_NAME.fullmatch(str(path[-1]))
            return Failure.unknown_field(pointer if known else "".join(f"/{name}" for name in path[:-1]))
        case "string_pattern_mismatch":
            return Failure.bad_format(pointer)
        case "string_too_long":
            return Failure.too_long(pointer, int(limit["max_length"]))
        case "string_too_short":
            return Failure.blank(pointer)
        case "value_error":
            return Failure(pointer, "invalid", str(limit["error"]))
        case _:
            return Failure.invalid(pointer)
