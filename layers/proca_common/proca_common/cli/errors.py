"""What the command can fail with. Each class has the exit status that tells scripts of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_ALLOWED, NOT_FOUND, CONFLICT, TRY_LATER = 3, 4, 5, 6
STATUSES = {
    401: NOT_ALLOWED,
    403: NOT_ALLOWED,
    404: NOT_FOUND,
    409: CONFLICT,
    410: NOT_FOUND,
    412: CONFLICT,
    429: TRY_LATER,
}


class Failed(Exception):
    """It cannot be done; the text says why, in as many lines as there are reasons. `hint`: what to do about it."""

    exit_status = 1
    hint = ""


class Misused(Failed):
    """The command line asks for something that makes no sense."""

    exit_status = 2


class NotThere(Failed):
    """Nothing has this name."""

    exit_status = NOT_FOUND


class Unreachable(Failed):
    """The API did not answer."""

    exit_status = TRY_LATER


class Refusal(Failed):
    """The API answered with an error (RFC 9457): every failed rule with its JSON Pointer."""

    def __init__(self, status: int, details: Mapping[str, Any], retry_after_s: int | None = None) -> None:
        self.status, self.details, self.retry_after_s = status, details, retry_after_s
        self.exit_status = TRY_LATER if status >= 500 else STATUSES.get(status, 1)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        title = str(self.details.get("title", "The API answered"))
        said = f"{title} ({self.status})"
        if detail := self.details.get("detail"):
            said += f": {detail}"
        if self.retry_after_s is not None:
            said += f"; try again in {self.retry_after_s} s"
        rules = [each for each in self.details.get("errors", []) if isinstance(each, dict)]
        return [said, *(f"  {each.get('pointer') or '/'}: {each.get('message')}" for each in rules)]
