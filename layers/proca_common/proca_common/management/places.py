"""How far a reader is, as a cursor that stays good while more comes in: two numbers in base64url."""

from __future__ import annotations

import re

from proca_common.failures import Failure, Refused
from proca_common.orgs.encryption import from_text, to_text

_PLACE = re.compile(r"(\d{1,16})\.(\d{1,16})")


def cursor_of(done: int, until: int) -> str:
    """The cursor of these two numbers; what they say is the reader's own."""
    return to_text(f"{done}.{until}".encode())


def place_of(cursor: str) -> tuple[int, int]:
    """The two numbers. Raises `Refused` for what is no cursor."""
    try:
        match = _PLACE.fullmatch(from_text(cursor).decode())
    except ValueError:
        match = None
    if match is None:
        raise Refused([Failure.bad_format("/cursor")])
    return int(match[1]), int(match[2])
