"""Custom fields of an action: a flat map of JSON, at most 5,120 bytes (domain 3.5, design 8)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from proca_common.failures import INVALID, Failure

MAX_BYTES = 5120
MAX_NUMBER = sys.float_info.max
NOT_FLAT = "must be a map of string to values of strings or numbers, or lists of them"

# What no SQS message body can carry (XML 1.0), and what consumers' databases choke on (NUL).
UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def as_json(fields: Mapping[str, object]) -> bytes:
    """The fields as compact UTF-8 JSON: how they are measured, and how they are stored."""
    return to_json(fields)


def field_failures(fields: dict[str, Any]) -> list[Failure]:
    """Every rule that the map of custom fields breaks, with pointers into the map.

    A value is a text, a finite number, a boolean, a list of texts only or a list of numbers only. A number that no
    double can hold is not finite for most consumers, so 400 digits are refused like 1e400.
    """
    if not all(_is_flat(value) for value in fields.values()):
        return [Failure("", "not_flat", NOT_FLAT)]
    failures = []
    if not is_sendable(fields):
        failures.append(Failure.invalid(""))
    if len(as_json(fields)) > MAX_BYTES:
        failures.append(Failure("", "too_large", INVALID))
    return failures


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flat(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value) or all(map(_is_number, value))
    return isinstance(value, str | int | float)


def is_sendable(value: object) -> bool:
    """Whether all texts of the JSON value can stand in a message, and its numbers are finite as doubles."""
    if isinstance(value, str):
        return not UNSENDABLE.search(value)
    if isinstance(value, list):
        return all(map(is_sendable, value))
    if isinstance(value, dict):
        return all(is_sendable(key) and is_sendable(item) for key, item in value.items())
    return value is None or (isinstance(value, int | float) and abs(value) <= MAX_NUMBER)
