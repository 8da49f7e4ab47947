"""A world for each test (see tests.world)."""

from collections.abc import Iterator

import pytest

from tests.world import World, set_environment
from tools.emulator import Emulator


@pytest.fixture(scope="session")
def environment(emulator: Emulator) -> None:
    """What the functions read at import."""
    set_environment(emulator.endpoint)


@pytest.fixture
def world(environment: None) -> Iterator[World]:
    """Tables, streams and queues of its own."""
    made = World()
    yield made
    made.close()
