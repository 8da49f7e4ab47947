"""How names with underscores become camelCase in messages and mails (domain 0.3.4)."""

from __future__ import annotations

from typing import Any


def camel_case(name: str) -> str:
    """`street_number` is `streetNumber`; the first letter becomes small, `-` does not separate, `/` becomes `.`."""
    first, *words = name.split("_")
    joined = first + "".join(word[:1].upper() + word[1:] for word in words)
    return (joined[:1].lower() + joined[1:]).replace("/", ".")


def camel_keys(value: Any) -> Any:
    """The JSON value with all keys of its objects in camelCase."""
    if isinstance(value, dict):
        return {camel_case(name): camel_keys(found) for name, found in value.items()}
    if isinstance(value, list):
        return [camel_keys(found) for found in value]
    return value
