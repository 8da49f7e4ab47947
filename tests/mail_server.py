"""A mail server on this machine, which takes mails or answers what a test wants."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USER, PASSWORD = "poster", "letters and stamps"


def read(raw: bytes) -> EmailMessage:
    """A mail as its reader has it."""
    return cast(EmailMessage, message_from_bytes(raw, policy=default))


@dataclass
class Taken:
    """A mail that the server took: its envelope, and its bytes."""

    sender: str
    recipients: list[str]
    raw: bytes
    over_tls: bool

    @property
    def mail(self) -> EmailMessage:
        """As its reader has it."""
        return read(self.raw)


@dataclass
class MailServer:
    """What a server took, and what it is to answer instead: replies by command, used up one by one."""

    port: int
    scheme: str
    taken: list[Taken] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)
    on_data: Callable[[], None] | None = None
    logins: int = 0

    @property
    def url(self) -> str:
        """As the host of a service has it."""
        return f"{self.scheme}://localhost:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """What it took, as readers have it."""
        return [taken.mail for taken in self.taken]

    def reply(self, command: str) -> str | None:
        """The next reply to a command that is not the usual one."""
        waiting = self.replies.get(command)
        return waiting.pop(0) if waiting else None


class _Answers:
    """What aiosmtpd asks at each command. It looks at every attribute for each connection, so there are no others."""

    def __init__(self, mail_server: MailServer) -> None:
        self._mail_server = mail_server

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refused = self._mail_server.reply("MAIL")
        if refused is not None:
            return refused
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refused = self._mail_server.reply("RCPT")
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        refused = self._mail_server.reply("DATA")
        if refused is not None:
            return refused
        over_tls = session.ssl is not None or self._mail_server.scheme in {"ssl", "smtps"}
        raw = bytes(envelope.original_content or b"")
        self._mail_server.taken.append(Taken(str(envelope.mail_from), envelope.rcpt_tos, raw, over_tls))
        if self._mail_server.reply("AFTER DATA") is not None and server.transport is not None:
            server.transport.abort()  # it was taken, and nobody learns of it
        if self._mail_server.on_data is not None:
            self._mail_server.on_data()
        return "250 OK"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
        """Only the one user."""
        self._mail_server.logins += 1
        known = isinstance(given, LoginPassword) and (given.login, given.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=known)


@contextmanager
def mail_server(folder: Path, scheme: str = "tls") -> Iterator[MailServer]:
    """A mail server on this machine: `tls` with STARTTLS, `ssl` with TLS from the first byte, `smtp` with none.

    It takes mails of its user only. `folder` gets `tls.crt`, which vouches for itself.
    """
    server = MailServer(0, scheme)
    answers = _Answers(server)
    context = server_context(folder)
    options: dict[str, Any] = {
        "hostname": "127.0.0.1",
        "port": 0,
        "authenticator": answers.authenticate,
        "auth_required": True,
        "auth_require_tls": scheme == "tls",
        "require_starttls": scheme == "tls",
        "tls_context": context if scheme == "tls" else None,
        "ssl_context": context if scheme == "ssl" else None,
    }
    controller = _FreePort(answers, **options)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


class _FreePort(Controller):
    """Listens where the system lets it."""

    def _create_server(self) -> Any:
        creating = super()._create_server()

        async def created() -> Any:
            listening = await creating
            self.port = listening.sockets[0].getsockname()[1]
            return listening

        return created()


def server_context(folder: Path) -> ssl.SSLContext:
    """A certificate for localhost, made here, in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context
