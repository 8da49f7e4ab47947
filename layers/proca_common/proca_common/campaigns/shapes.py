"""Shapes of what anybody may see (domain 11.2): for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from proca_common.monitors.shapes import PublicNumbers


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicOrg(TypedDict):
    """What anybody may see of an org."""

    name: str
    title: str
    config: dict[str, Any]
    """The org's own settings for widgets."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicCampaign(TypedDict):
    """What anybody may see of a campaign."""

    id: int
    externalId: int | None
    name: str
    title: str
    status: str
    contactSchema: str
    """Which personal data its signatures have, and what holds for it."""
    config: dict[str, Any]
    """The campaign's own settings for widgets."""
    start: str | None
    """The first day, YYYY-MM-DD."""
    end: str | None
    """The last day, YYYY-MM-DD."""
    org: PublicOrg
    """The lead org."""
    numbers: PublicNumbers | None
    """What is counted, at most five seconds old; null while the store does not tell."""
