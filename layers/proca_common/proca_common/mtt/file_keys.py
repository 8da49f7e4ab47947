"""Which files may go with mails to targets (domain 9.6.7). Pure.

Anybody can name files with a message, and whoever sends a test gets them. So they are taken from one folder only, which
the org names for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

MAX_FILES: Final = 10
_FOLDER: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[-0-9a-zA-Z!_.*'()]+)*")


def is_folder(path: str) -> bool:
    """Whether it is a bucket, or a folder in one, without a slash at its end."""
    return _FOLDER.fullmatch(path) is not None and not _climbs(path)


def allowed(keys: Sequence[str], folder: str) -> list[str]:
    """The first ten of the keys, `bucket/path`, that are in this folder, each once."""
    inside = (key for key in dict.fromkeys(keys) if key.startswith(f"{folder}/") and not _climbs(key))
    return [key for key, _ in zip(inside, range(MAX_FILES), strict=False)]


def _climbs(path: str) -> bool:
    """Whether a part of it is none, or leads elsewhere."""
    return any(part in {"", ".", ".."} for part in path.split("/"))
