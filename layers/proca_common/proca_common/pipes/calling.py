"""Calls to URLs that orgs name: to a checked address, with limits of time and size, and never anywhere else.

What urllib3's pools do by themselves (redirects, retries, proxies of the environment, decompression) is not wanted
here, so its connections are used directly. The certificate is checked for the host's name, wherever its address is.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from proca_common.pipes.address_rules import Forbidden, Target, Unresolved, addresses_of, target_of

CONNECT_S = 2.0
READ_S = 5.0
CALL_S = 8.0
MAX_ANSWER = 64 * 1024
MAX_ADDRESSES = 2


class NoCall(Exception):
    """There was no answer. `reason`: a word or two for the log, never anything of the request or of an answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `body`: None if it is longer than was wanted. `retry_after`: the header of that name as it came."""

    status: int
    body: bytes | None
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Any 2xx (decision 9 of domain 15)."""
        return 200 <= self.status < 300


class Caller:
    """Calls one URL, as often as wanted, over one connection if the server keeps it; closed by `with`.

    The name is resolved and checked when a connection is made, not when the URL was stored.
    """

    def __init__(self, url: str, *, this_machine: bool = False) -> None:
        self._url = url
        self._this_machine = this_machine
        self._connection: HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def post(
        self, body: bytes, headers: Mapping[str, str], *, limit: int = MAX_ANSWER, call_s: float = CALL_S
    ) -> Answer:
        """POST to the URL and read at most `limit` bytes of the answer, all within `call_s` seconds once connected.

        Raises `NoCall`; whether the server has got the request is not known then.
        """
        try:
            target = target_of(self._url, this_machine=self._this_machine)
            connection = self._connected(target)
            with _cut_off(connection, call_s):
                return self._answer(connection, target, body, headers, limit)
        except Forbidden as forbidden:
            raise NoCall(f"not allowed: {forbidden}") from None
        except Unresolved as unresolved:
            raise NoCall(str(unresolved)) from None
        except ssl.SSLCertVerificationError:
            raise self._lost("certificate") from None
        except TimeoutError:
            raise self._lost("too slow") from None
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            raise self._lost(_name(error)) from None

    def _lost(self, reason: str) -> NoCall:
        self.close()
        return NoCall(reason)

    def _connected(self, target: Target) -> HTTPConnection:
        if self._connection is not None and self._connection.is_connected:
            return self._connection
        self.close()
        addresses = addresses_of(target, this_machine=self._this_machine, timeout_s=CONNECT_S)[:MAX_ADDRESSES]
        for address in addresses:
            connection = _connection(target, address)
            try:
                connection.connect()
            except (HTTPError, OSError):
                connection.close()
                if address == addresses[-1]:
                    raise
            else:
                connection.timeout = READ_S
                self._connection = connection
                return connection
        raise NoCall("no address")

    def _answer(
        self, connection: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str], limit: int
    ) -> Answer:
        connection.request(
            "POST",
            target.path,
            body=body,
            headers={"Host": target.host_header, "User-Agent": "proca", **headers},
            preload_content=False,
            decode_content=False,
        )
        response = connection.getresponse()
        read = response.read(limit + 1)
        if len(read) > limit or not response.closed:
            self.close()
        return Answer(response.status, read if len(read) <= limit else None, response.headers.get("Retry-After"))


def _connection(target: Target, address: str) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=CONNECT_S)
    host = target.host.strip("[]")
    return HTTPSConnection(address, target.port, timeout=CONNECT_S, server_hostname=host, ssl_context=_tls())


@cache
def _tls() -> ssl.SSLContext:
    """TLS 1.2 or later, with the certificate authorities of the system."""
    return ssl.create_default_context()


@contextmanager
def _cut_off(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """End the connection after so many seconds, however slowly the server keeps on sending; raises TimeoutError."""
    was_cut = threading.Event()
    sock = connection.sock

    def cut() -> None:
        was_cut.set()
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not the TLS one, which is for the thread that reads

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if was_cut.is_set():
            raise TimeoutError


def _name(error: Exception) -> str:
    """What kind of failure it was, as a few of the types that libraries have for it."""
    cause = error.__cause__ or error
    return type(cause).__name__
