"""What every test finds: no network in unit tests, no way to a real account, one emulator for a session."""

import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.harness.calls import forget_clients
from tools.emulator import REGION, Emulator
from tools.emulator import emulator as start_emulator

UNIT = Path(__file__).parent / "unit"

if "PROCA_API_URL" not in os.environ:  # a deployed stack is tested with the caller's own credentials
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION=REGION,
        AWS_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
    )


class OneStack(LoadFileScheduling):
    """Gives whole files to workers, and all of tests/e2e to one of them, so that the stack is deployed once."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "tests/e2e" if file.startswith("tests/e2e/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack | None:
    return OneStack(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if UNIT in request.path.parents:

        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise AssertionError("a unit test opens no connection")

        for name in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, name, refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """AWS on this machine, started once and empty at first; every client of this process talks to it from then on."""
    with ExitStack() as stack:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it keeps the process by its number, not by its object
            started = stack.enter_context(start_emulator())
        before = dict(os.environ)
        os.environ.update(started.environ())
        forget_clients()
        yield started
        forget_clients()
        os.environ.clear()
        os.environ.update(before)
