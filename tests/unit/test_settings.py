"""Settings: read once at import; a missing variable fails the start and is named (style 6)."""

from __future__ import annotations

import gc
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proca_common.aws.settings import Settings, SettingsError, TableSettings, read
from proca_common.aws.settings.stages import ConfirmSettings, DeliverSettings, SweepSettings
from proca_common.aws.settings.widgets import (
    IntakeSettings,
    LinkSettings,
    PageSettings,
    PaymentSettings,
    PublicSettings,
)

FUNCTIONS = Path(__file__).parents[2] / "functions"
VARIABLES = {
    "ACTIONS_TABLE": "prod-actions",
    "CATALOG_TABLE": "prod-catalog",
    "STATS_TABLE": "prod-stats",
    "QUEUE_URL_PREFIX": "https://sqs.eu-central-1.amazonaws.com/123456789012/prod-org-",
    "FINGERPRINT_SEED_SECRET": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod-seed",
    "LINK_KEYS_SECRET": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod-links",
    "SEALING_KEY_SECRET": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod-sealing",
}
REQUIRED = {
    IntakeSettings: {"ACTIONS_TABLE", "CATALOG_TABLE", "FINGERPRINT_SEED_SECRET"},
    LinkSettings: {"ACTIONS_TABLE", "CATALOG_TABLE"},
    PaymentSettings: {"ACTIONS_TABLE", "CATALOG_TABLE"},
    PageSettings: {"CATALOG_TABLE"},
    PublicSettings: {"CATALOG_TABLE", "STATS_TABLE"},
    SweepSettings: {"ACTIONS_TABLE"},
    ConfirmSettings: {"ACTIONS_TABLE", "CATALOG_TABLE", "STATS_TABLE", "QUEUE_URL_PREFIX"},
    DeliverSettings: {"ACTIONS_TABLE", "CATALOG_TABLE", "STATS_TABLE", "QUEUE_URL_PREFIX"},
}
WITH_SETTINGS = sorted(app.parent.name for app in FUNCTIONS.glob("*/app.py") if "aws.settings" in app.read_text())
CASES = [(model, name) for model, names in REQUIRED.items() for name in sorted(names)]


def environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name in {*VARIABLES, *os.environ} - {"PATH", "PYTEST_CURRENT_TEST"}:
        if name.endswith(("_TABLE", "_SECRET", "_PREFIX", "_URL")):
            monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("model", REQUIRED)
def test_with_all_variables_the_settings_are_what_they_say(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings]
) -> None:
    environment(monkeypatch, VARIABLES | {f"{name}": "x" for name in required(model) - VARIABLES.keys()})
    found = read(model)
    for name in REQUIRED[model]:
        assert getattr(found, name.lower()) == VARIABLES[name]


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize(("model", "missing"), CASES)
def test_a_missing_or_empty_variable_is_named_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings], missing: str, *, empty: bool
) -> None:
    variables = VARIABLES | dict.fromkeys(required(model) - VARIABLES.keys(), "x")
    environment(monkeypatch, {name: value for name, value in variables.items() if name != missing})
    if empty:
        monkeypatch.setenv(missing, "")
    with pytest.raises(SettingsError) as error:
        read(model)
    assert str(error.value) == f"missing or empty environment variables: {missing}"
    assert error.value.__cause__ is None


def required(model: type[Settings]) -> set[str]:
    return {name.upper() for name, field in model.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("model", REQUIRED)
def test_everything_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch, model: type[Settings]) -> None:
    environment(monkeypatch, {})
    with pytest.raises(SettingsError) as error:
        read(model)
    assert required(model) >= REQUIRED[model]
    assert all(name in str(error.value) for name in required(model))


def test_a_function_that_lacks_a_table_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, {"CATALOG_TABLE": "prod-catalog"})
    assert read(TableSettings) == TableSettings(catalog_table="prod-catalog")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        TableSettings().actions_table = "other"  # type: ignore[misc]


@pytest.fixture
def _collecting_again() -> Iterator[None]:
    """A start that fails leaves the garbage collection off."""
    yield
    gc.enable()


@pytest.mark.usefixtures("_collecting_again")
@pytest.mark.parametrize("folder", WITH_SETTINGS)
def test_a_function_does_not_start_without_its_variables(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    environment(monkeypatch, {})
    spec = importlib.util.spec_from_file_location(f"unstarted_{folder}", FUNCTIONS / folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(SettingsError, match="_TABLE"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
