"""What every test finds: no network in unit tests, no way to a real account, one emulator for a session."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.harness.calls import forget_clients
from tests.harness.emulator import ENVIRONMENT, emulator as start_emulator

UNIT = Path(__file__).parent / "unit"

if "PROCA_API_URL" not in os.environ:  # a deployed stack is tested with the caller's own credentials
    os.environ.update(ENVIRONMENT)


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if UNIT in request.path.parents:

        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise AssertionError("a unit test opens no connection")

        for name in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, name, refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """AWS on this machine, started once: its endpoint, which `AWS_ENDPOINT_URL` names too."""
    with start_emulator() as endpoint:
        before = os.environ.get("AWS_ENDPOINT_URL")
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        forget_clients()
        try:
            yield endpoint
        finally:
            forget_clients()
            os.environ.pop("AWS_ENDPOINT_URL")
            if before is not None:
                os.environ["AWS_ENDPOINT_URL"] = before
