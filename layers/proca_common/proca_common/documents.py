"""Bodies of requests as plain JSON, of bounded depth (design 8). Pure."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from proca_common.failures import Malformed

MAX_DEPTH = 8


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises Malformed for what is no JSON object of bounded depth in UTF-8."""
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Malformed("The body is not JSON") from None
    if not isinstance(document, dict):
        raise Malformed("The body is not a JSON object")
    if is_deeper(document, MAX_DEPTH):
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels")
    return document


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists are nested in more than this many levels."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(item, levels - 1) for item in items)
