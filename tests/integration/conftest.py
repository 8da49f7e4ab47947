"""A world for each test (see tests.world)."""

from collections.abc import Iterator

import pytest

from proca_common.actions import store
from proca_common.aws import clock
from tests.simulated import SimulatedTime
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


@pytest.fixture
def time(world: World, monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    """The world's time stands still unless moved. All that is pending stands in one partition: a sweep is quick, and
    makes the same calls each time.
    """
    monkeypatch.setattr(store, "PENDING_BUCKETS", 1)
    return SimulatedTime(world, monkeypatch)
