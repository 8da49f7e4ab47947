"""Shapes of answers about the system: for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


class Health(TypedDict):
    """Whether the system can do its work, and what keeps it from it."""

    status: Literal["ok", "error"]
    message: NotRequired[str]


class NamedOrg(TypedDict):
    """An org, as people know it."""

    name: str
    title: str


class OrgCount(TypedDict):
    """How many people an org brought."""

    org: NamedOrg
    count: int


class AreaCount(TypedDict):
    """How many people are of an area."""

    area: str
    count: int


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicNumbers(TypedDict):
    """What is counted of a campaign, over all its pages."""

    supporterCount: int
    """People who signed, each counted once, and those whom orgs counted elsewhere."""
    supporterCountByOrg: list[OrgCount]
    """The same by the org on whose page they signed first, the greatest numbers first."""
    supporterCountByArea: list[AreaCount]
    """People who signed and whose area is known, by area, the greatest numbers first."""
    actionCount: dict[str, int]
    """Actions by their types."""
    supporterCountByOthers: NotRequired[int]
    """The people of all orgs but the one that `others` names."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class ShownAction(TypedDict):
    """An action that anybody may see."""

    actionId: int
    actionType: str
    createdAt: str
    """When it was done, in UTC."""
    area: str | None
    """Where whoever did it lives."""
    customFields: dict[str, Any]
    """The fields that the campaign shows; nothing else of whoever did it."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicActions(TypedDict):
    """A part of a list of public actions, the newest first."""

    items: list[ShownAction]
    next: str | None
    """What to send as `cursor` for the following part; null after the last one."""
