"""A world for each test (see tests.world)."""

from collections.abc import Iterator

import pytest

from proca_common.aws import clock
from tests.world import World, set_environment
from tools.emulator import Emulator


@pytest.fixture(scope="session")
def environment(emulator: Emulator) -> None:
    """What the functions read at import."""
    set_environment(emulator.endpoint)


@pytest.fixture
def world(environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Tables, streams and queues of its own, and a clock that can be put forward."""
    made = World()
    monkeypatch.setattr(clock, "now_ms", made.now_ms)
    yield made
    made.close()
