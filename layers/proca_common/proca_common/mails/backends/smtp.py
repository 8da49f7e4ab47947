"""A mail server by SMTP, always over TLS but for one on this machine (domain 8.8).

The server is named by an org and called by us, so the rules for addresses hold as for webhooks. What of smtplib's
inside is leaned on is `_get_socket`: it opens the connection to an address that was checked.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import SplitResult, urlsplit

from proca_common.aws.clients import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from proca_common.mails.backends import Broken, Busy, NotSent, Unanswered, Undeliverable
from proca_common.mails.letter import Letter
from proca_common.pipes.address_rules import Forbidden, Target, Unresolved, addresses_of

if TYPE_CHECKING:
    from socket import socket

MAIL_PORTS: Final = frozenset({25, 465, 587, 2525})
PORTS: Final = {"ssl": 465, "smtps": 465, "tls": 25, "smtp": 25}
IMPLICIT_TLS: Final = ("ssl", "smtps")
NO_SUCH_RECIPIENT: Final = frozenset({550, 551, 553})
_STATUS: Final = re.compile(rb"\s*([245])\.(\d{1,3})\.\d{1,3}\b")


class Smtp:
    """One connection for a batch, opened with the first mail and anew after it broke.

    `url`: `ssl://` or `smtps://` (TLS from the first byte, port 465), `tls://` (STARTTLS, port 25), `smtp://` (no TLS,
    which `orgs.services` allows on this machine only). The server's certificate is checked. `this_machine`: see
    `pipes.address_rules`.
    """

    def __init__(
        self, url: str, user: str, password: str, rate: float | None = None, *, this_machine: bool = False
    ) -> None:
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = _port_of(parts)
        self._user, self._password, self._rate = user, password, rate
        self._this_machine = this_machine
        self._connection: smtplib.SMTP | None = None

    def rate(self) -> float | None:
        """As the service says."""
        return self._rate

    def send(self, letter: Letter) -> None:
        """See `Backend`. Until the server was told where the mail ends, it cannot have taken it."""
        try:
            connection = self._envelope(letter)
        except NotSent:
            self._reset()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            raise Busy(type(error).__name__) from None
        try:
            reply = connection.data(letter.raw)
        except smtplib.SMTPDataError as error:  # the server did not let it begin
            self._reset()
            raise _refusal(error.smtp_code, _bytes(error.smtp_error)) from None
        except (smtplib.SMTPException, OSError) as error:
            self._close()
            raise Unanswered(type(error).__name__) from None
        if reply[0] != 250:
            self._reset()
            raise _refusal(*reply)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
            self._close()

    def _envelope(self, letter: Letter) -> smtplib.SMTP:
        """Say who it is from and to; once more on a new connection where the server had closed the old one."""
        if self._connection is not None:
            with suppress(smtplib.SMTPServerDisconnected):
                return _announce(self._connection, letter)
            self._close()
        return _announce(self._connect(), letter)

    def _connect(self) -> smtplib.SMTP:
        at = self._address()
        try:
            if self._scheme in IMPLICIT_TLS:
                connection: smtplib.SMTP = _PinnedTls(at, self._host, self._port, context=tls_context())
            else:
                connection = _Pinned(at, self._host, self._port)
        except (smtplib.SMTPException, OSError) as error:
            raise Broken(type(error).__name__) from None
        try:
            if connection.sock is not None:
                connection.sock.settimeout(READ_TIMEOUT_S)
            if self._scheme == "tls":
                connection.starttls(context=tls_context())
            if self._user:
                connection.login(self._user, self._password)
            connection.ehlo_or_helo_if_needed()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            connection.close()
            raise Broken(type(error).__name__) from None
        self._connection = connection
        return connection

    def _address(self) -> str:
        if self._port not in MAIL_PORTS and not self._this_machine:
            raise Broken("not a port of mail servers")
        try:
            target = Target(self._scheme, self._host, self._port, "")
            return addresses_of(target, this_machine=self._this_machine, timeout_s=CONNECT_TIMEOUT_S)[0]
        except (Forbidden, Unresolved) as error:
            raise Broken(str(error)) from None

    def _reset(self) -> None:
        """Begin anew with the next mail, on this connection if it bears it."""
        if self._connection is not None:
            try:
                self._connection.rset()
            except (smtplib.SMTPException, OSError):
                self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class _Pinned(smtplib.SMTP):
    """Connects to an address that was checked; names and certificates are those of the host."""

    def __init__(self, at: str, host: str, port: int, **how: Any) -> None:
        self._at = at
        super().__init__(host, port, timeout=CONNECT_TIMEOUT_S, **how)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket:  # noqa: ARG002
        found: socket = super()._get_socket(self._at, port, timeout)  # type: ignore[misc]
        return found


class _PinnedTls(_Pinned, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""


def tls_context() -> ssl.SSLContext:
    """Checks certificates against the authorities of the system."""
    return ssl.create_default_context()


def _port_of(parts: SplitResult) -> int:
    """The port of a server's address; -1, to which nobody connects, where it names one beyond all ports."""
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError:
        return -1


def _announce(connection: smtplib.SMTP, letter: Letter) -> smtplib.SMTP:
    code, said = connection.mail(letter.sender)
    if code != 250:
        raise _refusal(code, said)
    code, said = connection.rcpt(letter.recipient)
    if code not in (250, 251):
        raise _refusal(code, said, recipient=True)
    for other in letter.cc:
        connection.rcpt(other)  # whom the server does not take gets no copy, which is no reason against the mail
    return connection


def _refusal(code: int, said: bytes, *, recipient: bool = False) -> NotSent:
    """What a reply means (RFC 5321 4.2, RFC 3463): 5.1 and 5.2 are about the recipient's address and mailbox."""
    status = _STATUS.match(said)
    about_address = status is None or (status[1] == b"5" and status[2] in (b"1", b"2"))
    if recipient and code in NO_SUCH_RECIPIENT and about_address:
        return Undeliverable(str(code))
    if 400 <= code < 500:
        return Busy(str(code))
    return NotSent(str(code))


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode(errors="replace")
