"""The mail itself: headers and parts (domain 8.6, RFC 5322, 2369, 8058, 3834). Pure, but for the arguments it is given.

No text gets out of its header: line breaks are taken out of what campaigners write, and addresses that could hold any
are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from proca_common.mails.render import Rendered

CUSTOM_ID = "X-Proca-Custom-Id"
_MESSAGE_ID = re.compile(r"<?action\.(\d{1,16})\.[A-Za-z0-9_.-]+@[^@>]+>?")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.]")


class _Wire(EmailPolicy):
    """Lines end as on the wire. A header of ASCII is one line, because not every reader of List-Unsubscribe unfolds."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        line = f"{name}: {value}"
        return line.encode() + b"\r\n" if line.isascii() and len(line) <= 998 else super().fold_binary(name, value)


WIRE = _Wire(linesep="\r\n")


class NotAnAddress(ValueError):
    """No mail can be sent to or from it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to go: `key` is its mail key, `raw` what goes over the wire; `action`: the signature that it
    is about, None for mails to staff.
    """

    action: int | None
    key: str
    sender: str
    recipient: str
    raw: bytes


def letter(
    rendered: Rendered,
    *,
    action: int,
    key: str,
    title: str,
    sender: str,
    recipient: str,
    unsubscribe: str,
    random_part: str,
    now_ms: int,
) -> Letter:
    """The mail for the supporter of an action. `title`: the org's, the name that is shown beside `sender`.

    `unsubscribe`: the link of RFC 8058. `random_part`: what makes the Message-ID unique among repetitions. Raises
    `NotAnAddress`.
    """
    origin = _address(sender, _one_line(title))
    mail = _mail(rendered, origin, recipient, message_id(action, key, random_part, origin.domain), now_ms)
    mail["List-Unsubscribe"] = f"<{_one_line(unsubscribe)}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail[CUSTOM_ID] = custom_id(action)
    return Letter(action, key, origin.addr_spec, recipient, mail.as_bytes())


def staff_letter(
    rendered: Rendered, *, key: str, title: str, sender: str, recipient: str, random_part: str, now_ms: int
) -> Letter:
    """A mail to somebody who works with the instance; it leads back to no signature. Raises `NotAnAddress`."""
    origin = _address(sender, _one_line(title))
    mail = _mail(rendered, origin, recipient, f"<staff.{random_part}@{origin.domain}>", now_ms)
    return Letter(None, key, origin.addr_spec, recipient, mail.as_bytes())


def _mail(rendered: Rendered, origin: Address, recipient: str, identifier: str, now_ms: int) -> EmailMessage:
    mail = EmailMessage(policy=WIRE)
    mail["From"] = origin
    mail["To"] = _address(recipient)
    mail["Subject"] = _one_line(rendered.subject)
    mail["Date"] = datetime.fromtimestamp(now_ms // 1000, UTC)
    mail["Message-ID"] = identifier
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return mail


def message_id(action: int, key: str, random_part: str, domain: str) -> str:
    """`<action.ID.KEY.random@domain>`, which leads back to the action."""
    return f"<action.{action}.{_NOT_IN_ID.sub('-', key)}.{random_part}@{domain}>"


def custom_id(action: int) -> str:
    """What ties a provider's report to the action (domain 8.1)."""
    return f"action:{action}"


def action_of(identifier: str) -> int | None:
    """The action that a custom id or a Message-ID leads back to; None when it is none of ours."""
    prefix, _, number = identifier.partition(":")
    if prefix == "action" and number.isascii() and number.isdigit() and len(number) <= 16:
        return int(number)
    found = _MESSAGE_ID.fullmatch(identifier.strip())
    return int(found[1]) if found else None


def is_address(spec: str) -> bool:
    """Whether a mail can go to or come from it: ASCII, `local@domain` without quotes, labels of RFC 1035."""
    try:
        _address(spec)
    except NotAnAddress:
        return False
    return True


def _address(spec: str, name: str = "") -> Address:
    if not spec.isascii() or _BREAKS.search(spec):
        raise NotAnAddress("not an address")
    try:
        found = Address(display_name=name, addr_spec=spec)
    except (HeaderParseError, ValueError, IndexError, AttributeError):
        raise NotAnAddress("not an address") from None
    if found.addr_spec != spec or not found.username or not _DOMAIN.fullmatch(found.domain):
        raise NotAnAddress("not an address")
    return found


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()
