"""Servers on this machine that stand for an org's own: webhooks, detail services; they answer as a test wants."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ENOUGH_S = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id that Standard Webhooks gives it."""
        return self.headers["webhook-id"]


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered. `raw`: instead of everything else. `drip_s`: seconds between two bytes of it."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_s: float = 0
    raw: bytes | None = None
    drip_s: float = 0


@dataclass
class Endpoint:
    """A server; `answer` decides about each request, `requests` has them all, `connections` says how many came."""

    url: str = ""
    answer: Callable[[Request], Said] = lambda _: Said()
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.split(":")[2].split("/")[0])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    endpoint: Endpoint

    def setup(self) -> None:
        self.endpoint.connections += 1
        super().setup()

    def handle(self) -> None:
        with suppress(OSError):  # whoever called has hung up
            super().handle()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.endpoint.requests.append(request)
        said = self.endpoint.answer(request)
        time.sleep(said.pause_s)
        if said.raw is not None:
            self._drip(said.raw, said.drip_s)
            self.close_connection = True
            return
        self.send_response(said.status)
        for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    def _drip(self, raw: bytes, pause_s: float) -> None:
        if not pause_s:
            self.wfile.write(raw)
            return
        for byte in raw:
            self.wfile.write(bytes([byte]))
            time.sleep(pause_s)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def endpoint(tls: ssl.SSLContext | None = None, address: str = "127.0.0.1", port: int = 0) -> Iterator[Endpoint]:
    """A server on this machine, with TLS if a context is given."""
    made = Endpoint()
    server = _Server((address, port), type("Handler", (_Handler,), {"endpoint": made}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    scheme, host = ("http", address) if tls is None else ("https", "localhost")
    made.url = f"{scheme}://{host}:{server.server_port}/in"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join(ENOUGH_S)
        server.server_close()


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        yield server.getsockname()[1]


class Authority:
    """A certificate authority that only the clients of a test trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed("Test authority", self._key.public_key(), [], ca=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._pem(self._certificate))

    def client(self) -> ssl.SSLContext:
        """What a client that trusts this authority uses."""
        return ssl.create_default_context(cafile=str(self.path))

    def server(self, *names: str) -> ssl.SSLContext:
        """What a server with these host names uses."""

        key = ec.generate_private_key(ec.SECP256R1())
        path = self._folder / f"{names[0]}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + self._pem(self._signed(names[0], key.public_key(), [*names])))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    @staticmethod
    def _pem(certificate: Any) -> bytes:

        return certificate.public_bytes(serialization.Encoding.PEM)

    def _signed(self, name: str, public: Any, names: list[str], *, ca: bool = False) -> Any:

        now = dt.datetime.now(dt.UTC)
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())
