"""Shapes of what anybody may see (domain 11.2): for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from proca_common.campaigns.shapes import PublicCampaign, PublicOrg
from proca_common.monitors.shapes import ShownAction


@with_config(ConfigDict(use_attribute_docstrings=True))
class PublicPage(TypedDict):
    """What anybody may see of an action page."""

    id: int
    name: str
    locale: str
    """Language and region, such as `pt_BR`."""
    live: bool
    thankYouTemplate: str | None
    config: dict[str, Any]
    """The page's own settings for its widget."""
    captchaServices: list[str]
    """What shows that whoever signs is no machine: a signature needs a `captcha` of one of these, and names it as
    `captchaService` if it is not the first. `altcha` is a solution of `GET /v1/challenge`. Empty: none is asked for.
    """
    org: PublicOrg
    """The page's org."""
    campaign: PublicCampaign


@with_config(ConfigDict(use_attribute_docstrings=True))
class StaticPage(PublicPage):
    """Everything that a widget shows, for orgs that host it themselves."""

    actions: dict[str, list[ShownAction]]
    """The newest public actions by their types."""
