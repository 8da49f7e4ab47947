"""Why a link or code that was good does nothing any more."""

from __future__ import annotations

from proca_common.errors import DomainError


class Ended(DomainError):
    """It is too old, or was used as often as it may be."""

    def __init__(self) -> None:
        super().__init__("expired")
