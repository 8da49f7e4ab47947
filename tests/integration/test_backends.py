"""The admin command says at once what is wrong with a backend or the service behind it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from proca_common.admin.__main__ import main
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from tests.world import World

Admin = Callable[..., Any]
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/crm"


@pytest.fixture
def org(world: World) -> Org:
    return world.org("ngo")


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], world: World) -> Admin:
    """Runs the admin command; what it printed, or the line of its error."""
    for variable, name in world.tables.environment.items():
        monkeypatch.setenv(variable, name)
    monkeypatch.setenv("SEALING_KEY_SECRET", "unused")

    def run(*arguments: str, said: str = "") -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(said + "\n"))
        code = main(["--json", *arguments])
        printed = capsys.readouterr()
        return json.loads(printed.out) if not code else printed.err.strip()

    return run


@pytest.mark.parametrize(
    ("setting", "backend"), [("push_backend", "webhook"), ("event_backend", "sqs"), ("detail_backend", "webhook")]
)
def test_a_backend_needs_its_service(admin: Admin, org: Org, setting: str, backend: str) -> None:
    said = admin("org", "set", "ngo", f"{setting}={backend}")
    assert f"{setting}: the org has no service {backend}" in said
    assert getattr(orgs.get(org.id), setting) is None
    assert "has no service" in admin("org", "create", "new", "--encryption", "clear", f"{setting}={backend}")

    if backend == "webhook":
        admin("service", "add", "ngo", "webhook", "--host", "https://crm.example.org/in")
    else:
        admin("service", "add", "ngo", "sqs", "--host", "eu-west-1", "--user", "AKIA", "--path", QUEUE, said="secret")
    admin("org", "set", "ngo", f"{setting}={backend}")
    assert getattr(orgs.get(org.id), setting) == backend
    admin("org", "set", "ngo", f"{setting}=null")
    assert getattr(orgs.get(org.id), setting) is None


def test_other_settings_do_not_ask_for_a_service(admin: Admin, org: Org) -> None:
    orgs.replace(org.model_copy(update={"push_backend": "webhook"}))
    assert admin("org", "set", "ngo", "title=River Watch")["title"] == "River Watch"


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("https://10.0.0.1/in", "not a full host name"),
        ("https://localhost.example.org:22/in", "port"),
        ("https://intranet/in", "not a full host name"),
        ("https://crm.example.org/in#top", "not a plain URL"),
    ],
)
def test_a_webhook_that_may_not_be_called_is_refused(admin: Admin, org: Org, host: str, said: str) -> None:
    assert said in admin("service", "add", "ngo", "webhook", "--host", host)
    assert admin("service", "list", "ngo") == []


def test_a_signing_secret_must_be_one(admin: Admin, org: Org) -> None:
    said = admin("service", "add", "ngo", "webhook", "--host", "https://crm.example.org/in", said="whsec_short")
    assert "whsec_ and base64" in said
    assert "short" not in said


@pytest.mark.parametrize(
    "path", ["", "https://sqs.eu-central-1.amazonaws.com/123456789012/crm", "https://example.org/"]
)
def test_a_queue_must_be_one_of_its_region(admin: Admin, org: Org, path: str) -> None:
    assert "path must be the URL of a queue" in admin(
        "service", "add", "ngo", "sqs", "--host", "eu-west-1", "--user", "AKIA", "--path", path, said="secret"
    )
