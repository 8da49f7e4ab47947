"""Shapes of answers about the system: for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict


class Health(TypedDict):
    """Whether the system can do its work, and what keeps it from it."""

    status: Literal["ok", "error"]
    message: NotRequired[str]
