"""Settings: what a function reads from its environment, once, at import (style 6).

Models are beside each other by who needs them, so that no function makes those of all others at its start.
"""

from __future__ import annotations

import os
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsError(RuntimeError):
    """The environment lacks a setting, so the function must not start. Names settings, never values."""


class Settings(BaseModel):
    """Base of a function's settings: a field `actions_table` is read from the variable `ACTIONS_TABLE`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class TableSettings(Settings):
    """Names of the tables a function may touch; a function that lacks one has no right to it."""

    actions_table: str | None = None
    catalog_table: str | None = None
    stats_table: str | None = None
    erasures_table: str | None = None


AnySettings = TypeVar("AnySettings", bound=Settings)


def read(model: type[AnySettings]) -> AnySettings:
    """The settings of `model` from the environment; raises `SettingsError` that names every missing variable."""
    values = {name: os.environ[name.upper()] for name in model.model_fields if os.environ.get(name.upper())}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        missing = ", ".join(sorted(str(failed["loc"][0]).upper() for failed in error.errors(include_input=False)))
        raise SettingsError(f"missing or empty environment variables: {missing}") from None
