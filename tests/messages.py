"""Validates messages against the committed JSON Schemas, as a consumer would."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parent.parent / "schemas"


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / name).read_text()))


def valid_action(message: dict[str, Any]) -> dict[str, Any]:
    """The message, if it is a valid `proca:action:2`; raises jsonschema's ValidationError."""
    _validator("proca-action-2.json").validate(message)
    return message


def valid_message(message: dict[str, Any]) -> dict[str, Any]:
    """The message, if it is a valid action or event; raises jsonschema's ValidationError."""
    _validator(_schema_of(message)).validate(message)
    return message


def _schema_of(message: dict[str, Any]) -> str:
    if message["schema"] == "proca:event:2":
        return f"proca-event-2-{message['eventType']}.json"
    if message["stage"] == "system":
        return "proca-action-2-system.json"
    return "proca-action-2.json"
