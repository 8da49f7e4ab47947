"""Settings as they are typed, `key=value`, and what is typed when the command asks."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from proca_common.cli.errors import Misused

ASKED = "@-"
HELP = (
    'settings as key=value. A value is JSON, else text: supporterConfirm=true, title="Clean rivers", end=null; '
    "@FILE is what the file has, as text, @- is asked for. A dot goes into an object: config.goal=5000"
)


def settings(typed: Iterable[str], body: Path | None = None) -> dict[str, Any]:
    """The JSON object of settings, on top of what the file `body` has (- is standard input). Raises `Misused`."""
    found = _object(body) if body is not None else {}
    for text in typed:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise Misused(f"{text!r} is no setting: write key=value")
        *path, last = key.split(".")
        place = found
        for name in path:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise Misused(f"{key}: {name} is no object")
        place[last] = asked_secret(key) if value == ASKED else _value(value)
    return found


def table(file: Path) -> bytes:
    """A table, as it is in the file (- is standard input). Raises `Misused`."""
    return (sys.stdin.read() if str(file) == "-" else _text(file)).encode()


def asked(question: str, usual: str | None = None) -> str:
    """What is typed, without blanks around it; nothing is `usual`. Without anything to read: `Misused`."""
    while True:
        print(f"{question}{f' [{usual}]' if usual else ''}: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline()
        if not typed:
            raise Misused(f"nobody answers: {question}")
        answer = typed.strip() or usual
        if answer is not None:
            return answer


def asked_secret(question: str) -> str:
    """The same, unseen where somebody types; blanks are part of it."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{question}: ")
    typed = sys.stdin.readline()
    if not typed:
        raise Misused(f"nobody answers: {question}")
    return typed.rstrip("\r\n")


def agreed(question: str, *, usual: bool = False) -> bool:
    """Whether the person says yes."""
    return asked(f"{question} (y/n)", "y" if usual else "n").lower().startswith("y")


def _value(text: str) -> Any:
    if text.startswith("@"):
        return _text(Path(text[1:]))
    try:
        return json.loads(text)
    except ValueError:
        return text


def _object(body: Path) -> dict[str, Any]:
    try:
        found = json.loads(sys.stdin.read() if str(body) == "-" else _text(body))
    except ValueError as error:
        raise Misused(f"{body} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Misused(f"{body} is no object")
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"{file}: {getattr(error, 'strerror', None) or 'no text'}") from None
