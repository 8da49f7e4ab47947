"""Inputs of GraphQL as the layer takes them from JSON. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any


def plain(value: Any) -> Any:
    """The value with moments and days as text, as JSON has them."""
    match value:
        case dict():
            return {name: plain(found) for name, found in value.items()}
        case list():
            return [plain(found) for found in value]
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case _:
            return value


def without(given: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """What is given besides these."""
    return {name: value for name, value in given.items() if name not in names}


def as_seen(_version: int) -> None:
    """Clients of GraphQL change what is there, whichever version they saw."""
