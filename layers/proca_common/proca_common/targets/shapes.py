"""Shapes of what anybody may see (domain 11.2): for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicTarget(TypedDict):
    """What anybody may see of a target: no address."""

    id: str
    """A UUID, to be sent with messages to it."""
    externalId: str
    """What the campaign calls it."""
    name: str
    locale: str | None
    """The language that it is written to in, such as `pt_BR`."""
    area: str
    """Whom it stands for, such as a country; empty where it is not said."""
    fields: dict[str, Any]
    """What else the campaign tells of it, for widgets and mails."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicTargets(TypedDict):
    """A part of the targets of a campaign."""

    items: list[PublicTarget]
    next: str | None
    """The `cursor` of the next part; null: this was the last."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class MessageNumbers(TypedDict):
    """How many messages a campaign sent."""

    targets: int
    """How many targets it has."""
    sent: int
    """How many messages went out to them, without tests."""
