"""Verification by another service: what it is asked, and what becomes of each of its answers (domain 3.8)."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.admin import __main__ as admin
from proca_common.admin.environment import connect
from proca_common.aws.logs import logger
from proca_common.campaigns import store as campaigns
from proca_common.cli.arguments import parsed
from proca_common.guards.external import _pool
from tests.harness.calls import calls
from tests.world import World, signature

SECRET = "0x-a-secret-of-the-service"
ENOUGH_S = 10


@dataclass
class Service:
    """A stub of the service, on this machine."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"success": true}'
    pause_s: float = 0
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            made.headers.append(dict(self.headers))
            time.sleep(made.pause_s)
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            self.wfile.write(made.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/siteverify"
    yield made
    server.shutdown()
    thread.join(ENOUGH_S)
    server.server_close()
    _pool().clear()


def page_of(world: World, service: Service, name: str = "hcaptcha", **more: Any) -> ActionPage:
    org = world.org("ngo")
    captcha = {"service": name, "url": service.url, **more}
    return world.page(org, world.campaign(org, guards={"captcha": captcha}))


def message_of(world: World, page: ActionPage, captcha: str = "a-solution") -> str:
    answer = world.sign(page, captcha=captcha)
    assert answer.status == 422
    [failed] = answer.body["errors"]
    assert (failed["pointer"], failed["code"]) == ("/captcha", "bad_captcha")
    return str(failed["message"])


def test_a_good_solution_lets_a_signature_in(world: World, service: Service) -> None:
    page = page_of(world, service)
    world.sign(page, email="warm@example.org", captcha="x")
    with calls() as recorded:
        assert world.sign(page, captcha="a-solution", captchaService="hcaptcha").status == 201
    assert recorded.operations == ["TransactWriteItems"]
    assert not world.items("challenge")


def test_the_service_learns_nothing_but_the_solution(world: World, service: Service) -> None:
    world.sign(page_of(world, service), captcha="a-solution")

    assert service.asked == [{"response": ["a-solution"]}]
    assert "192.0.2.1" not in str(service.headers)


def test_no_solution_and_other_services_are_refused_without_asking(world: World, service: Service) -> None:
    page = page_of(world, service)

    assert world.sign(page).codes == [("/captcha", "unauthorized")]
    for other in ("procaptcha", "altcha", "x"):
        assert world.sign(page, captcha="a", captchaService=other).codes == [("/captchaService", "bad_arg")]
    assert not service.asked


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("hcaptcha", {"success": False, "error-codes": ["a-code", "b-code"]}, "Captcha code invalid (a-code, b-code)"),
        ("hcaptcha", {"success": False}, "Captcha code invalid ()"),
        ("hcaptcha", {"success": "yes"}, "Captcha code invalid ()"),
        ("hcaptcha", {"error-codes": ["<script>", 1, "ok"]}, "Captcha code invalid (ok)"),
        ("procaptcha", {"success": False, "reason": "challenge expired"}, "captcha: challenge expired"),
        ("procaptcha", {"success": False, "reason": "challenge already solved"}, "captcha: challenge already solved"),
        (
            "procaptcha",
            {"success": False, "reason": "challenge solution invalid"},
            "captcha: challenge solution invalid",
        ),
        ("procaptcha", {"success": False, "reason": "?"}, "captcha: challenge solution validation error"),
        ("procaptcha", {"success": False, "reason": 1}, "captcha: challenge solution validation error"),
        ("procaptcha", {}, "captcha: challenge solution validation error"),
    ],
)
def test_what_the_service_refuses_is_refused_even_where_it_may_fail(
    world: World, service: Service, name: str, said: dict[str, Any], message: str
) -> None:
    service.body = json.dumps(said).encode()

    assert message_of(world, page_of(world, service, name, fail_open=True)) == message
    assert not world.items()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"{}", "Procaptcha returned status 500"),
        (302, b"", "Procaptcha returned status 302"),
        (200, b"no JSON", "Procaptcha HTTP error"),
        (200, b"[]", "Procaptcha HTTP error"),
    ],
)
def test_a_service_in_trouble_fails_closed_or_open_as_set(
    world: World, service: Service, status: int, body: bytes, message: str
) -> None:
    service.status, service.body = status, body
    closed = page_of(world, service, "procaptcha")
    assert message_of(world, closed) == message

    org = world.org("other")
    captcha = {"service": "procaptcha", "url": service.url, "fail_open": True}
    opened = world.page(org, world.campaign(org, "birds", guards={"captcha": captcha}))
    assert world.sign(opened, captcha="a-solution").status == 201


def test_a_slow_service_is_not_waited_for(world: World, service: Service) -> None:
    page = page_of(world, service, timeout_ms=200)
    service.pause_s = 5
    begun = time.monotonic()

    assert message_of(world, page) == "Hcaptcha HTTP error"
    assert time.monotonic() - begun < 4


def test_a_service_that_is_not_there_is_an_error_of_its_own(world: World) -> None:
    assert message_of(world, page_of(world, Service(url="http://127.0.0.1:9/"))) == "Hcaptcha HTTP error"


def test_a_repeated_request_gets_its_answer_though_the_solution_is_used(world: World, service: Service) -> None:
    page = page_of(world, service)
    path, body, headers = f"/v1/pages/{page.id}/actions", signature(captcha="once"), {"Idempotency-Key": "once"}
    first = world.post(path, body, headers)
    service.body = b'{"success": false, "error-codes": ["already-seen-response"]}'

    assert world.post(path, body, headers).body == first.body
    assert world.post(path, body).status == 422


def test_proof_of_work_and_a_service_may_stand_side_by_side(world: World, service: Service) -> None:
    org = world.org("ngo")
    guards = {"proof_of_work": True, "captcha": {"service": "hcaptcha", "url": service.url}}
    page = world.page(org, world.campaign(org, guards=guards))

    assert world.sign(page, captcha="x", captchaService="hcaptcha").status == 201
    assert world.sign(page, captcha="x", captchaService="altcha").codes == [("/captcha", "bad_captcha")]
    assert world.sign(page, captcha="x").codes == [("/captcha", "bad_captcha")]
    assert len(service.asked) == 1


def test_an_operator_sets_it_up_and_the_secret_is_nowhere_in_clear(
    world: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = world.org("ngo")
    page = world.page(org, world.campaign(org))
    for variable, name in world.tables.environment.items():
        monkeypatch.setenv(variable, name)
    monkeypatch.setenv("SEALING_KEY_SECRET", "not used")
    monkeypatch.setenv("SERVICE_PASSWORDS_SECRET", "not used")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    args = parsed(admin.parser(), ["captcha", "set", "hcaptcha", service.url, "--campaign", "bees"])

    assert SECRET not in str(args.command(args, connect(None)))

    assert SECRET not in str(world.tables.all_items("CatalogTable"))
    assert SECRET not in str(campaigns.find("bees"))
    assert world.sign(page, captcha="a-solution").status == 201
    assert service.asked == [{"response": ["a-solution"], "secret": [SECRET]}]


def test_a_secret_that_cannot_be_read_is_not_sent(world: World, service: Service) -> None:
    assert message_of(world, page_of(world, service, secret="c3RvbGVu")) == "Hcaptcha HTTP error"
    assert not service.asked


def test_known_and_unknown_people_are_verified_alike(world: World, service: Service) -> None:
    page = page_of(world, service)
    world.sign(page, captcha="x")
    seen = []
    for email in ("ida.holm@example.org", "new@example.org"):
        with calls() as recorded:
            answer = world.sign(page, email=email, captcha="x")
        seen.append((answer.status, sorted(answer.body), recorded.operations, len(service.asked)))
    assert seen[0][:3] == seen[1][:3]
    assert seen[1][3] - seen[0][3] == 1


def test_no_log_line_has_a_solution(world: World, service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger=logger.name)
    service.status = 500
    message_of(world, page_of(world, service), "a-secret-solution")

    logged = " ".join(str(vars(record)) for record in caplog.records if record.name == logger.name)
    assert "captcha service does not answer" in logged
    assert "a-secret-solution" not in logged
