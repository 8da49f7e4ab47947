"""What was read lately, kept in warm memory for a while."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from proca_common.aws import clock
from proca_common.aws.errors import Unavailable

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Fresh(Generic[Key, Value]):
    """Values that are at most `fresh_ms` old; of more than `entries` the oldest go. What raises is not kept.

    `unknown_ms`: how old None may be, which says that there is no such thing.
    """

    def __init__(self, fresh_ms: int, entries: int = 500, unknown_ms: int | None = None) -> None:
        self._fresh_ms, self._entries = fresh_ms, entries
        self._unknown_ms = fresh_ms if unknown_ms is None else unknown_ms
        self._known: dict[Key, tuple[Value, int]] = {}

    def get(self, key: Key, fetch: Callable[[], Value]) -> Value:
        """The value of this key, fetched if it is not fresh."""
        if self.has(key):
            return self._known[key][0]
        now = clock.now_ms()
        value = fetch()
        self._known.pop(key, None)
        if len(self._known) >= self._entries:
            del self._known[next(iter(self._known))]
        self._known[key] = value, now
        return value

    def has(self, key: Key) -> bool:
        """Whether the value of this key is fresh."""
        known = self._known.get(key)
        return known is not None and clock.now_ms() - known[1] < self._time(known[0])

    def _time(self, value: Value) -> int:
        return self._unknown_ms if value is None else self._fresh_ms

    def forget(self) -> None:
        """Empty it (tests)."""
        self._known.clear()


class FreshOrKnown(Fresh[Key, Value]):
    """The same, for what may rather be old than missing: while the store does not answer, what is known is used on, and
    the store is asked again when something fresh would be asked for again.
    """

    def get(self, key: Key, fetch: Callable[[], Value]) -> Value:
        """The value of this key, fetched if it is not fresh. Raises `Unavailable` where none is known."""
        try:
            return super().get(key, fetch)
        except Unavailable:
            if key not in self._known:
                raise
            value, _ = self._known[key]
            self._known[key] = value, clock.now_ms()
            return value
