"""Calls to URLs that orgs name, with real servers: to the checked address and the right name, with every limit."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from proca_common.pipes import address_rules, calling
from proca_common.pipes.calling import Caller, NoCall
from tests.endpoints import Authority, Endpoint, Said, endpoint, silent_server

HTTP = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


@pytest.fixture
def authority(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    context = made.client()
    monkeypatch.setattr(calling, "_tls", lambda: context)
    return made


def reason_of(url: str, **limits: Any) -> str:
    with Caller(url, this_machine=True) as caller, pytest.raises(NoCall) as silence:
        caller.post(b"{}", {}, **limits)
    return silence.value.reason


class Names:
    """A name server: what it says about a name changes with each question. Numbers it leaves alone."""

    def __init__(self, *answers: str) -> None:
        self.answers = [*answers]
        self.asked: list[str] = []
        self._real = socket.getaddrinfo

    def __call__(self, host: str, port: int, *args: Any, **more: Any) -> Any:
        try:
            ip_address(host)
        except ValueError:
            self.asked.append(host)
            host = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return self._real(host, port, *args, **more)


def test_a_request_and_its_answer(server: Endpoint) -> None:
    server.answer = lambda _: Said(503, b"later", {"Retry-After": "7"})
    with Caller(server.url + "?key=1", this_machine=True) as caller:
        answer = caller.post(b'{"a": 1}', {"X-Test": "yes"})

    assert (answer.status, answer.body, answer.retry_after, answer.is_success) == (503, b"later", "7", False)
    [request] = server.requests
    assert (request.path, request.body) == ("/in?key=1", b'{"a": 1}')
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["x-test"] == "yes"
    assert request.headers["accept-encoding"] == "identity"


def test_a_connection_is_kept_for_the_next_call_and_made_anew_when_the_server_ends_it(server: Endpoint) -> None:
    with Caller(server.url, this_machine=True) as caller:
        for _ in range(3):
            caller.post(b"{}", {})
        assert server.connections == 1
        server.answer = lambda _: Said(headers={"Connection": "close"})
        for _ in range(3):
            assert caller.post(b"{}", {}).is_success
    assert server.connections == 3


def test_nothing_of_this_machine_is_called_unless_it_is_a_developers(server: Endpoint) -> None:
    with Caller(server.url) as caller, pytest.raises(NoCall, match="not allowed"):
        caller.post(b"{}", {})
    assert not server.connections


def test_redirects_are_not_followed(server: Endpoint) -> None:
    with endpoint() as elsewhere:
        server.answer = lambda _: Said(307, headers={"Location": elsewhere.url})
        with Caller(server.url, this_machine=True) as caller:
            assert caller.post(b"{}", {}).status == 307
        assert not elsewhere.connections


def test_proxies_of_the_environment_are_not_used(server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with Caller(server.url, this_machine=True) as caller:
            assert caller.post(b"{}", {}).is_success
        assert not proxy.connections


def test_an_answer_that_is_too_long_is_not_read(server: Endpoint) -> None:
    with Caller(server.url, this_machine=True) as caller:
        server.answer = lambda _: Said(body=b"x" * 100)
        assert caller.post(b"{}", {}, limit=100).body == b"x" * 100
        server.answer = lambda _: Said(body=b"x" * 101)
        answer = caller.post(b"{}", {}, limit=100)
        assert (answer.status, answer.body) == (200, None)
        server.answer = lambda _: Said(body=b"x" * 5_000_000)
        assert caller.post(b"{}", {}, limit=100).body is None
        assert server.connections == 2


def test_a_compressed_answer_stays_compressed(server: Endpoint) -> None:
    bomb = b"\x1f\x8b" + b"x" * 50
    server.answer = lambda _: Said(body=bomb, headers={"Content-Encoding": "gzip"})
    with Caller(server.url, this_machine=True) as caller:
        assert caller.post(b"{}", {}).body == bomb


@pytest.mark.parametrize(
    "raw",
    [
        HTTP + b"X-Slow: " + b"x" * 10_000,
        HTTP + b"Content-Length: 10000\r\n\r\n" + b"x" * 10_000,
        HTTP + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 500,
    ],
    ids=["headers", "body", "chunks", "continue"],
)
def test_a_server_that_sends_slowly_is_cut_off(server: Endpoint, raw: bytes) -> None:
    server.answer = lambda _: Said(raw=raw, drip_s=0.01)
    started = time.monotonic()

    assert reason_of(server.url, call_s=0.3) == "too slow"
    assert time.monotonic() - started < 1


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "READ_S", 0.2)
    with silent_server() as port:
        assert reason_of(f"http://127.0.0.1:{port}/") == "too slow"


def test_a_handshake_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "CONNECT_S", 0.2)
    with silent_server() as port:
        assert reason_of(f"https://localhost:{port}/") == "too slow"


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense", b"HTTP/1.1 banana\r\n\r\n", HTTP + b"x" * 70_000],
    ids=["nothing", "nonsense", "status", "long header"],
)
def test_an_answer_that_is_none(server: Endpoint, raw: bytes) -> None:
    server.answer = lambda _: Said(raw=raw)

    assert reason_of(server.url)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert "Connection" in reason_of(f"http://127.0.0.1:{port}/")


def test_a_header_that_cannot_be_sent_is_no_call(server: Endpoint) -> None:
    with Caller(server.url, this_machine=True) as caller, pytest.raises(NoCall):
        caller.post(b"{}", {"X-Evil": "1\r\nX-More: 2"})
    assert not server.requests


def test_tls_with_a_certificate_for_the_name(authority: Authority) -> None:
    with endpoint(authority.server("localhost")) as server, Caller(server.url, this_machine=True) as caller:
        assert caller.post(b"{}", {}).is_success


def test_a_certificate_for_another_name_ends_the_call(authority: Authority) -> None:
    with endpoint(authority.server("crm.example.org")) as server:
        assert reason_of(server.url) == "certificate"
        assert not server.requests


def test_a_certificate_of_an_unknown_authority_ends_the_call(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_tls", ssl.create_default_context)
    with endpoint(authority.server("localhost")) as server:
        assert reason_of(server.url) == "certificate"
        assert not server.requests


def test_the_connection_goes_to_the_address_that_was_checked(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name server gives an allowed address when it is asked first, and one of an inner network ever after."""
    names = Names("127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(socket, "getaddrinfo", names)
    monkeypatch.setattr(address_rules, "is_public", lambda address: str(address) == "127.0.0.1")
    tls = authority.server("crm.example.org")
    with endpoint(tls) as server, endpoint(tls, "127.0.0.2", server.port) as inner:
        monkeypatch.setattr(address_rules, "PORTS", {server.port})
        with Caller(f"https://crm.example.org:{server.port}/in") as caller:
            assert caller.post(b"{}", {}).is_success
        assert names.asked == ["crm.example.org"]
        assert server.requests[0].headers["host"] == f"crm.example.org:{server.port}"
        with Caller(f"https://crm.example.org:{server.port}/in") as caller, pytest.raises(NoCall, match="not public"):
            caller.post(b"{}", {})
        assert not inner.connections


def test_a_name_with_one_address_that_is_not_public_is_not_called_at_all(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("127.0.0.1", "127.0.0.2")]

    with endpoint(authority.server("crm.example.org")) as server:
        monkeypatch.setattr(socket, "getaddrinfo", both)
        monkeypatch.setattr(address_rules, "is_public", lambda address: str(address) == "127.0.0.1")
        monkeypatch.setattr(address_rules, "PORTS", {server.port})
        with Caller(f"https://crm.example.org:{server.port}/in") as caller, pytest.raises(NoCall, match="not public"):
            caller.post(b"{}", {})
        assert not server.connections


def test_a_second_address_is_tried_when_the_first_does_not_answer(
    server: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ["127.0.0.9", "127.0.0.1"]
    monkeypatch.setattr(calling, "addresses_of", lambda *_, **__: addresses)
    with Caller(server.url, this_machine=True) as caller:
        assert caller.post(b"{}", {}).is_success
