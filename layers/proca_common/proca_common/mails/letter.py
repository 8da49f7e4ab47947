"""The mail itself: headers and parts (domain 8.6, RFC 5322, 2369, 8058, 3834). Pure, but for the arguments it is given.

No text gets out of its header: line breaks are taken out of what campaigners write, and addresses that could hold any
are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
_TARGET_MAIL = re.compile(r"mtt:([A-Za-z0-9_-]{1,100})|<?mtt\.([A-Za-z0-9_-]{1,100})\.[A-Za-z0-9_-]+@[^@>]+>?")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_ENDING = re.compile(r"[a-z0-9]{1,10}")
_SUBTYPES = {"jpg": "jpeg", "svg": "svg+xml"}
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.]")


class _Wire(EmailPolicy):
    """Lines end as on the wire. A header of ASCII is one line, because not every reader of List-Unsubscribe unfolds."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        line = f"{name}: {value}"
        return line.encode() + b"\r\n" if line.isascii() and len(line) <= 998 else super().fold_binary(name, value)


WIRE = _Wire(linesep="\r\n")


AUTO = "auto-generated"


class NotAnAddress(ValueError):
    """No mail can be sent to or from it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a mail, an image as a rule (domain 9.6.7)."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """`image/` and the ending of its name; one that has no ending is nothing to show."""
        ending = self.name.rpartition(".")[2].lower() if "." in self.name else ""
        return f"image/{_SUBTYPES.get(ending, ending)}" if _ENDING.fullmatch(ending) else "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready to go: `key` is its mail key, `raw` what goes over the wire; `action`: the signature that it
    is about, None for mails to staff and to targets; `target_mail`: which one to a target, as `mtt.store.MailId` has
    it. `cc`: who else gets it.
    """

    action: int | None
    key: str
    sender: str
    recipient: str
    raw: bytes
    cc: tuple[str, ...] = ()
    target_mail: str | None = None


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
    origin = address(sender, one_line(title))
    mail = _mail(rendered, origin, address(recipient), message_id(action, key, random_part, origin.domain), now_ms)
    mail["Auto-Submitted"] = AUTO
    mail["List-Unsubscribe"] = f"<{one_line(unsubscribe)}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail[CUSTOM_ID] = custom_id(action)
    return Letter(action, key, origin.addr_spec, recipient, mail.as_bytes())


def staff_letter(
    rendered: Rendered, *, key: str, title: str, sender: str, recipient: str, random_part: str, now_ms: int
) -> Letter:
    """A mail to somebody who works with the instance; it leads back to no signature. Raises `NotAnAddress`."""
    origin = address(sender, one_line(title))
    mail = _mail(rendered, origin, address(recipient), f"<staff.{random_part}@{origin.domain}>", now_ms)
    mail["Auto-Submitted"] = AUTO
    return Letter(None, key, origin.addr_spec, recipient, mail.as_bytes())


def target_letter(
    rendered: Rendered,
    *,
    target_mail: str,
    sender: Address,
    reply_to: str | None,
    recipient: Address,
    cc: Sequence[str],
    files: Sequence[File],
    random_part: str,
    now_ms: int,
) -> Letter:
    """What a supporter writes to a target, so it is not marked as made by a machine. Raises `NotAnAddress`.

    `files` stand in the mail as images with the content ids `file1`, `file2` and so on, beside the HTML if that shows
    them, else after it (domain 9.6.7).
    """
    mail = _mail(rendered, sender, recipient, f"<mtt.{target_mail}.{random_part}@{sender.domain}>", now_ms)
    if reply_to is not None:
        mail["Reply-To"] = address(reply_to)
    if cc:
        mail["Cc"] = tuple(address(each) for each in cc)
    mail[CUSTOM_ID] = target_custom_id(target_mail)
    _attach(mail, files, rendered.html)
    return Letter(None, "mtt", sender.addr_spec, recipient.addr_spec, mail.as_bytes(), tuple(cc), target_mail)


def _attach(mail: EmailMessage, files: Sequence[File], html: str) -> None:
    """Files that the HTML shows belong to it; the others stand after the texts."""
    written = mail.get_body(("html",))
    shown = [f"cid:file{number}" in html for number in range(1, len(files) + 1)]
    for number in sorted(range(len(files)), key=lambda index: not shown[index]):
        file = files[number]
        attach = written.add_related if shown[number] and written is not None else mail.add_attachment
        maintype, _, subtype = file.media_type.partition("/")
        attach(
            file.content,
            maintype,
            subtype,
            cid=f"<file{number + 1}>",
            disposition="inline",
            filename=one_line(file.name),
        )


def _mail(rendered: Rendered, origin: Address, recipient: Address, identifier: str, now_ms: int) -> EmailMessage:
    mail = EmailMessage(policy=WIRE)
    mail["From"] = origin
    mail["To"] = recipient
    mail["Subject"] = one_line(rendered.subject)
    mail["Date"] = datetime.fromtimestamp(now_ms // 1000, UTC)
    mail["Message-ID"] = identifier
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


def target_custom_id(target_mail: str) -> str:
    """What ties a provider's report to a mail to a target (domain 9.6.8)."""
    return f"mtt:{target_mail}"


def target_mail_of(identifier: str) -> str | None:
    """The mail to a target that a custom id or a Message-ID leads back to; None when it is none."""
    found = _TARGET_MAIL.fullmatch(identifier.strip())
    return (found[1] or found[2]) if found else None


def is_address(spec: str) -> bool:
    """Whether a mail can go to or come from it: ASCII, `local@domain` without quotes, labels of RFC 1035."""
    try:
        address(spec)
    except NotAnAddress:
        return False
    return True


def address(spec: str, name: str = "") -> Address:
    """An address as a header has it; `name` is shown beside it. Raises `NotAnAddress`."""
    if not spec.isascii() or _BREAKS.search(spec):
        raise NotAnAddress("not an address")
    try:
        found = Address(display_name=name, addr_spec=spec)
    except (HeaderParseError, ValueError, IndexError, AttributeError):
        raise NotAnAddress("not an address") from None
    if found.addr_spec != spec or not found.username or not _DOMAIN.fullmatch(found.domain):
        raise NotAnAddress("not an address")
    return found


def one_line(text: str) -> str:
    """The text without anything that could end its line."""
    return _BREAKS.sub(" ", text).strip()
