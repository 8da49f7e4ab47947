"""Blocked patterns: signatures that are refused, or held until somebody looked at them. Pure.

A pattern is a text, or a text with `*` for any characters: no regular expressions, so that no pattern can take long.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from proca_common.catalog.entity import Entity, Id

MAX_PATTERNS = 500
Kind = Literal["address", "domain", "name", "network"]


class Pattern(Entity):
    """One rule. `address`: the whole e-mail address; `domain`: what stands behind its `@`; `name`: first and last name
    with a space between; `network`: the client's address, in this network (`192.0.2.0/24`, `2001:db8::/32`).

    Case of letters and compatibility forms (full-width letters) make no difference.
    """

    id: Id
    kind: Kind
    pattern: Annotated[str, Field(min_length=1, max_length=255)]
    action: Literal["refuse", "hold"]

    @model_validator(mode="after")
    def _is_network(self) -> Self:
        if self.kind == "network":
            try:
                _network(self.pattern)
            except ValueError:
                raise ValueError("is no network such as 192.0.2.0/24") from None
        return self


@dataclass(frozen=True, slots=True)
class Signer:
    """What patterns look at, in the form in which it is compared (`plain`); `client` is the address that the request
    came from. All of it is personal data.
    """

    email: str = field(repr=False)
    name: str = field(repr=False)
    client: str | None = field(repr=False)


def first_match(patterns: Iterable[Pattern], signer: Signer) -> Pattern | None:
    """The pattern that decides: the first that refuses, else the first that holds."""
    found = [pattern for pattern in patterns if _MATCHES[pattern.kind](pattern.pattern, signer)]
    return next((pattern for pattern in found if pattern.action == "refuse"), found[0] if found else None)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole plain text is as the pattern says; takes len(text) steps for each `*` at most."""
    first, *others = _parts(pattern)
    if not others:
        return text == first
    *middle, last = others
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


@lru_cache(MAX_PATTERNS)
def _parts(pattern: str) -> list[str]:
    return plain(pattern).split("*")


def plain(text: str) -> str:
    """The text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _by_address(pattern: str, signer: Signer) -> bool:
    return matches(pattern, signer.email)


def _by_domain(pattern: str, signer: Signer) -> bool:
    return matches(pattern, signer.email.rpartition("@")[2])


def _by_name(pattern: str, signer: Signer) -> bool:
    return matches(pattern, signer.name)


def _by_network(pattern: str, signer: Signer) -> bool:
    try:
        return signer.client is not None and ip_address(signer.client) in _network(pattern)
    except ValueError:
        return False


@lru_cache(MAX_PATTERNS)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


_MATCHES: dict[Kind, Callable[[str, Signer], bool]] = {
    "address": _by_address,
    "domain": _by_domain,
    "name": _by_name,
    "network": _by_network,
}
