"""schemas/ is what the models generate, byte by byte, and says what domain 5.1 says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tools import schemas

ACTION = "schemas/proca-action-2.json"


def test_nothing_is_outdated() -> None:
    assert schemas.outdated() == []


def test_every_committed_schema_is_generated_and_has_the_very_bytes() -> None:
    committed = {f"schemas/{path.name}": path.read_bytes() for path in (schemas.ROOT / "schemas").iterdir()}
    generated = {path: content.encode() for path, content in schemas.generated().items() if path.startswith("schemas")}
    assert generated == committed


def test_a_file_that_differs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = schemas.generated()
    for path in content:
        (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / schemas.EMBEDDING).write_text(f"# Embedding\n{schemas.BEGIN}old\n{schemas.END}The rest.\n")
    monkeypatch.setattr(schemas, "ROOT", tmp_path)
    assert set(schemas.outdated()) == set(content)
    for path, text in schemas.generated().items():
        (tmp_path / path).write_text(text)
    assert schemas.outdated() == []
    assert (tmp_path / schemas.EMBEDDING).read_text().endswith(f"|\n{schemas.END}The rest.\n")
    (tmp_path / ACTION).write_text("{}")
    assert schemas.outdated() == [ACTION]


def test_the_action_message_has_a_json_schema_of_2020_12() -> None:
    schema = json.loads(schemas.generated()[ACTION])
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


MAY_BE_LEFT_OUT = {"ActionMessage": {"links"}, "ActionPart": {"late", "donation"}}
"""Keys that are there only where they say something; all others are there always, with null where there is nothing."""


def test_every_key_of_an_action_message_is_there_always_but_a_few() -> None:
    schema = json.loads(schemas.generated()[ACTION])
    objects = {name: part for name, part in schema["$defs"].items() if part.get("type") == "object"}
    objects["ActionMessage"] = schema
    for name in (
        "ActionMessage",
        "ActionPart",
        "ContactPart",
        "LinksPart",
        "PersonalInfoPart",
        "PrivacyPart",
        "TrackingPart",
    ):
        optional = set(objects[name]["properties"]) - set(objects[name]["required"])
        assert optional <= MAY_BE_LEFT_OUT.get(name, set()), name
