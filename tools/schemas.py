"""Writes the JSON Schemas of the messages from the models that build them: python -m tools.schemas [--check]."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from proca_common.stages import messages

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


def generated() -> dict[str, str]:
    """File name to content of everything under schemas/."""
    return {"proca-action-2.json": json.dumps(messages.json_schema(), indent=2, ensure_ascii=False) + "\n"}


def outdated() -> list[str]:
    """Names of files that differ from what the models say."""
    return [
        name
        for name, content in generated().items()
        if not (SCHEMAS / name).exists() or (SCHEMAS / name).read_text() != content
    ]


def main() -> None:
    """Write them, or with --check only compare."""
    if "--check" in sys.argv:
        if outdated():
            sys.exit(f"outdated, run `make schemas`: {', '.join(outdated())}")
        return
    for name, content in generated().items():
        (SCHEMAS / name).write_text(content)
        print(f"schemas/{name}")


if __name__ == "__main__":
    main()
