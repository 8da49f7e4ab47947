"""An action page, as rules and messages see it (domain 1.4)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from proca_common.catalog.entity import Config, Entity, Id, Locale, TemplateName

MAX_NAME = 255
PAGE_NAME = re.compile(r"(?:[A-Za-z0-9_-]+|[A-Za-z0-9-]+\.[A-Za-z0-9.-]+)(?:/[A-Za-z0-9_-]+)+")


def may_be_name(name: str) -> bool:
    """Whether a page can have this name: words or a domain, then more words behind slashes, 255 characters at most."""
    return len(name) <= MAX_NAME and PAGE_NAME.fullmatch(name) is not None


def _is_page_name(name: str) -> str:
    if not may_be_name(name):
        raise ValueError("has invalid format")
    return name


class ActionPageSettings(Entity):
    """What an org decides about its page. `delivery`: it keeps contacts even without opt-in."""

    name: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_is_page_name)]
    locale: Locale
    delivery: bool = True
    extra_supporters: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    thank_you_template: TemplateName | None = None
    supporter_confirm_template: TemplateName | None = None
    duplicate_template: TemplateName | None = None
    config: Config = Field(default_factory=dict)


class ActionPageInput(ActionPageSettings):
    """What can be set of a page. `live`: whether the lead org let it into the campaign."""

    org: Id
    campaign: Id
    live: bool = False


class ActionPage(ActionPageInput):
    """A stored page."""

    id: Id
    version: int = 1

    @classmethod
    def beside(cls) -> set[str]:
        """The version is what changes are conditional on."""
        return {"id", "version"}
