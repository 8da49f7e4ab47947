"""Shapes of answers about the system: for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


class Health(TypedDict):
    """Whether the system can do its work, and what keeps it from it."""

    status: Literal["ok", "error"]
    message: NotRequired[str]


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicNumbers(TypedDict):
    """What is counted of a campaign, over all its pages."""

    supporterCount: int
    """People who signed, each counted once."""
    actionCount: dict[str, int]
    """Actions by their types."""
