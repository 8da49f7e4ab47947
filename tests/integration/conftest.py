"""A world for each test (see tests.world)."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from proca_common.actions import store
from proca_common.aws import clock
from proca_common.mails.backends import smtp
from tests.harness.template import project_template
from tests.mail_server import MailServer
from tests.mail_server import mail_server as start_mail_server
from tests.post import PostOffice
from tests.simulated import SimulatedTime
from tests.world import World, function, set_environment
from tools.emulator import Emulator


@pytest.fixture(scope="session")
def environment(emulator: Emulator) -> None:
    """What the functions read at import."""
    set_environment(emulator.endpoint)
    os.environ["PRIVATE_TARGETS"] = "allow"  # mail servers are on this machine
    for name, settings in project_template().resources("AWS::Serverless::Function").items():
        if any(event["Type"] == "SQS" for event in settings.get("Events", {}).values()):
            function(name)  # before the first world binds the tables


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


@pytest.fixture
def office(world: World) -> PostOffice:
    """The world's mail queue, and the function that works on it."""
    return PostOffice(world)


@pytest.fixture
def mail_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server with STARTTLS, whose certificate the layer trusts."""
    with start_mail_server(tmp_path) as server:
        trusted = ssl.create_default_context(cafile=tmp_path / "tls.crt")
        monkeypatch.setattr(smtp, "tls_context", lambda: trusted)
        yield server
