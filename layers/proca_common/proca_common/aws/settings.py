"""Settings: what a function reads from its environment, once, at import (style 6)."""

from __future__ import annotations

import os
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(RuntimeError):
    """The environment lacks a setting, so the function must not start. Names settings, never values."""


class Settings(BaseModel):
    """Base of a function's settings: a field `actions_table` is read from the variable `ACTIONS_TABLE`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class TableSettings(Settings):
    """Names of the tables a function may touch; a function that lacks one has no right to it."""

    actions_table: str | None = None
    catalog_table: str | None = None
    stats_table: str | None = None


class IntakeSettings(TableSettings):
    """Settings of the two functions that take actions in. The guards' secret is read when a guard is first needed."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    fingerprint_seed_secret: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)


class LinkSettings(TableSettings):
    """Settings of the function that links earlier actions: it reads no secret."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)


class PageSettings(TableSettings):
    """Settings of functions that only read the catalogue."""

    catalog_table: str = Field(min_length=1)


class PublicSettings(PageSettings):
    """Settings of the function that shows pages and their numbers."""

    stats_table: str = Field(min_length=1)


class ChallengeSettings(PageSettings):
    """Settings of the function that makes challenges."""

    guard_key_secret: str = Field(min_length=1)


class SweepSettings(TableSettings):
    """Settings of the sweep."""

    actions_table: str = Field(min_length=1)


class ConfirmSettings(TableSettings):
    """Settings of the stream function of the confirm stages."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)


class DeliverSettings(ConfirmSettings):
    """Settings of the stream function that delivers and counts."""

    stats_table: str = Field(min_length=1)


AnySettings = TypeVar("AnySettings", bound=Settings)


def read(model: type[AnySettings]) -> AnySettings:
    """The settings of `model` from the environment; raises `SettingsError` that names every missing variable."""
    values = {name: os.environ[name.upper()] for name in model.model_fields if os.environ.get(name.upper())}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        missing = ", ".join(sorted(str(failed["loc"][0]).upper() for failed in error.errors(include_input=False)))
        raise SettingsError(f"missing or empty environment variables: {missing}") from None
