"""Writes what is told of the models: schemas/ of messages and API, and a part of docs/embedding.md.

python -m tools.schemas [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from proca_common.events import messages as catalog_messages
from proca_common.stages import event_messages, messages
from tools import openapi
from tools.openapi.problems import tables

ROOT = Path(__file__).resolve().parent.parent
EMBEDDING = "docs/embedding.md"
BEGIN, END = "<!-- made by make schemas -->\n", "<!-- end -->\n"


def generated() -> dict[str, str]:
    """Path, from the project's root, to content of everything that is generated."""
    action = json.dumps(messages.json_schema(), indent=2, ensure_ascii=False) + "\n"
    event = json.dumps(event_messages.json_schema(), indent=2, ensure_ascii=False) + "\n"
    return {
        "schemas/proca-action-2.json": action,
        "schemas/proca-event-2-email_status.json": event,
        **{
            f"schemas/{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
            for name, schema in catalog_messages.json_schemas().items()
        },
        "schemas/openapi.json": openapi.text(),
        EMBEDDING: with_tables((ROOT / EMBEDDING).read_text()),
    }


def with_tables(text: str) -> str:
    """The text with the tables of problems between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{EMBEDDING} has no place for its tables")
    return before + BEGIN + tables() + END + after


def outdated() -> list[str]:
    """Paths of files that differ from what the models say."""
    return [
        path
        for path, content in generated().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text() != content
    ]


def main() -> None:
    """Write them, or with --check only compare."""
    if "--check" in sys.argv:
        if outdated():
            sys.exit(f"outdated, run `make schemas`: {', '.join(outdated())}")
        return
    for path, content in generated().items():
        (ROOT / path).write_text(content)
        print(path)


if __name__ == "__main__":
    main()
