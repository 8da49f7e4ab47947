"""Entries of the trail that are written in one go have keys of their own."""

from __future__ import annotations

import pytest

from proca_common.aws import clock
from proca_common.management import audit
from proca_common.management.audit import Change


class Written:
    """A transaction that only remembers the labels of its writes."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def put(self, label: str, *_: object) -> None:
        self.labels.append(label)


def test_many_entries_of_one_millisecond_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: 1_800_000_000_000)
    written = Written()
    for number in range(300):
        audit.record(written, Change(1, 1, "page.create", f"page#{number}", {}, {}))  # type: ignore[arg-type]
    assert len(set(written.labels)) == 300
