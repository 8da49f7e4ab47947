"""What was read lately, kept in warm memory for a while."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from proca_common.aws import clock

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Fresh(Generic[Key, Value]):
    """Values that are at most `fresh_ms` old; of more than `entries` the oldest go. What raises is not kept."""

    def __init__(self, fresh_ms: int, entries: int = 500) -> None:
        self._fresh_ms, self._entries = fresh_ms, entries
        self._known: dict[Key, tuple[Value, int]] = {}

    def get(self, key: Key, fetch: Callable[[], Value]) -> Value:
        """The value of this key, fetched if it is not fresh."""
        now = clock.now_ms()
        known = self._known.get(key)
        if known is not None and now - known[1] < self._fresh_ms:
            return known[0]
        value = fetch()
        self._known.pop(key, None)
        if len(self._known) >= self._entries:
            del self._known[next(iter(self._known))]
        self._known[key] = value, now
        return value

    def forget(self) -> None:
        """Empty it (tests)."""
        self._known.clear()
