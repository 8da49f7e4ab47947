"""Who a mail to a target comes from: the supporter, at an address that the provider may send for (domain 8.6). Pure.

A mail that says it comes from the supporter's own address would be refused, because that domain did not allow us to
send (SPF, DMARC). So the address is rewritten into our domain, in the form of the Sender Rewriting Scheme, and answers
go to the supporter by Reply-To.
"""

from __future__ import annotations

import hashlib
import hmac
from email.headerregistry import Address
from typing import Final, NamedTuple

from proca_common.mails.letter import address, is_address, one_line
from proca_common.mails.render import Person
from proca_common.orgs.org import Org

PREFIX: Final = "SRS0"
MAX_LOCAL: Final = 64
"""Characters before the `@` (RFC 5321, 4.5.3.1.1)."""
_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DAY_MS: Final = 86_400_000
_DAYS: Final = 1024


class Origin(NamedTuple):
    """From and Reply-To of a mail."""

    sender: Address
    reply_to: str | None


def origin(supporter: Person, org: Org, sending_from: str, key: bytes, now_ms: int) -> Origin:
    """What stands in the mail of a supporter that `org` sends, through a service that sends from `sending_from`.

    `key`: what addresses are signed with. An address that would be too long, or that no mail can come from, becomes the
    org's. Raises `NotAnAddress` where `sending_from` is none.
    """
    name = one_line(f"{supporter.first_name} {supporter.last_name}")
    domain = address(sending_from).domain
    if supporter.email.lower() == sending_from.lower():
        return Origin(address(sending_from, name), None)
    local = f"{org.name}"
    if org.sender_rewrite and is_address(supporter.email):
        rewritten = srs(supporter.email, key, now_ms)
        local = rewritten if len(rewritten) <= MAX_LOCAL else local
    reply_to = supporter.email if org.reply_enabled and is_address(supporter.email) else None
    return Origin(address(f"{local[:MAX_LOCAL]}@{domain}", name), reply_to)


def srs(sender: str, key: bytes, now_ms: int, prefix: str = PREFIX) -> str:
    """What stands before the `@` of the rewritten address: `prefix=hash=day=domain=local`.

    The day is that since 1970, modulo 1024, in base 32; the hash, four hexadecimal digits, makes it hard to have mails
    returned to strangers.
    """
    local, _, domain = sender.rpartition("@")
    day = _base_32(now_ms // _DAY_MS % _DAYS)
    signed = hmac.new(key, f"{day}{domain}{local}".encode(), hashlib.sha1).hexdigest()
    return f"{prefix}={signed[:4].upper()}={day}={domain}={local}"


def _base_32(number: int) -> str:
    """Without leading zeros, so zero is empty."""
    text = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text
