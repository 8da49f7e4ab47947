"""schemas/ is what the models generate, byte by byte, and says what domain 5.1 says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tools import schemas


def test_nothing_is_outdated() -> None:
    assert schemas.outdated() == []


def test_every_committed_file_is_generated_and_has_the_very_bytes() -> None:
    committed = {path.name: path.read_bytes() for path in schemas.SCHEMAS.iterdir()}
    assert {name: content.encode() for name, content in schemas.generated().items()} == committed


def test_a_file_that_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "SCHEMAS", tmp_path)
    names = set(schemas.generated())
    assert set(schemas.outdated()) == names
    for name, content in schemas.generated().items():
        (tmp_path / name).write_text(content)
    (tmp_path / "proca-action-2.json").write_text("{}")
    assert schemas.outdated() == ["proca-action-2.json"]


@pytest.mark.parametrize("name", schemas.generated())
def test_each_is_a_json_schema_of_2020_12(name: str) -> None:
    schema = json.loads(schemas.generated()[name])
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


MAY_BE_LEFT_OUT = {"ActionPart": {"late", "donation"}}
"""Keys that are there only where they say something; all others are there always, with null where there is nothing."""


def test_every_key_of_an_action_message_is_there_always_but_a_few() -> None:
    schema = json.loads(schemas.generated()["proca-action-2.json"])
    assert set(schema["required"]) == set(schema["properties"])
    objects = {name: part for name, part in schema["$defs"].items() if part.get("type") == "object"}
    for name in ("ActionPart", "ContactPart", "PersonalInfoPart", "PrivacyPart", "TrackingPart"):
        optional = set(objects[name]["properties"]) - set(objects[name]["required"])
        assert optional <= MAY_BE_LEFT_OUT.get(name, set()), name
