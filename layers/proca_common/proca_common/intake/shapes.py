"""Shapes of the answers of intake: for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class ActionTaken(TypedDict):
    """An action that was stored, now or when this Idempotency-Key was first used."""

    actionId: int
    """The action's id, exact in JavaScript."""
    contactRef: str
    """Whoever did it: further actions of the same person go there."""
    firstName: str | None
    """The first name of this very request; null where it has none."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class LinksAsked(TypedDict):
    """Earlier actions that will be linked, if there are any."""

    contactRef: str
    """The ref that was sent."""
    firstName: None
    """Always null, so that nothing is told of anybody."""
