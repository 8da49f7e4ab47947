"""Which URLs may be called for an org (webhooks, detail services), so that none leads into our own network.

An org names the URL and our functions call it: nobody may reach through them what the functions can reach. The rules:

- https, to port 443 or 8443; no user or password in the URL, no fragment;
- a host name of at least two labels; no IP address in any notation, because a certificate is checked for the name;
- every address that the name resolves to is a public unicast one, else the call is not made;
- the connection goes to an address that was checked (`pipes.calling` pins it), so that a second answer of the name
  server changes nothing; redirects are never followed.

On a developer's machine (setting PRIVATE_TARGETS=allow) the machine itself may be called too, with http and on any
port; other private addresses never.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, NamedTuple

PORTS = frozenset({443, 8443})
DEFAULT_PORTS = {"https": 443, "http": 80}
MAX_URL = 2000
MAX_LOOKUPS = 8
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})

# No white space, control characters, back slashes or non-ASCII anywhere: parsers differ about them.
_URL = re.compile(
    r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?([/?][!$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])", re.ASCII)

# `is_global` differs between versions of Python, so what it may miss is listed. IPv6: only global unicast is left, less
# what carries an IPv4 address inside (6to4, Teredo and other translation), documentation and segment routing.
_NOT_PUBLIC_V4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = [
    IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
]

Address = IPv4Address | IPv6Address
Resolver = Callable[..., Sequence[Any]]


class Forbidden(Exception):
    """The URL may not be called. The text says which rule it breaks and repeats nothing of it."""


class Unresolved(Exception):
    """The host has no address, or the name server does not say in time: trying again later is right."""


class Target(NamedTuple):
    """A URL that has an allowed form. `path`: with its query, as it stands in the request."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The value of the header Host."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"


def target_of(url: str, *, this_machine: bool = False) -> Target:
    """The parts of a URL, if it has an allowed form; `this_machine`: whether that may be called too.

    Raises `Forbidden`.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if match is None:
        raise Forbidden("not a plain URL: https://<host name>/<path>")
    scheme, host, port_text, path = match[1].lower(), match[2].lower(), match[3], match[4] or "/"
    port = int(port_text) if port_text else DEFAULT_PORTS[scheme]
    target = Target(scheme, host, port, path if path.startswith("/") else f"/{path}")
    if this_machine and host in THIS_MACHINE and 0 < port < 65536:
        return target
    if scheme != "https":
        raise Forbidden("not https")
    if not _NAME.fullmatch(host):
        raise Forbidden("the host is not a full host name")
    if port not in PORTS:
        raise Forbidden("the port is neither 443 nor 8443")
    return target


def is_public(address: Address) -> bool:
    """Whether the address is one of a machine on the internet: public, unicast, and with no other address inside."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)
    plain = address.scope_id is None and address in _PUBLIC_V6 and address.is_global
    return plain and not any(address in network for network in _NOT_PUBLIC_V6)


def addresses_of(
    target: Target, *, this_machine: bool = False, timeout_s: float = 2, resolve: Resolver | None = None
) -> list[str]:
    """The addresses to which a connection for this target may go, IPv4 first (a function has no other network).

    Raises `Forbidden` if any of what its name resolves to is not public, `Unresolved`.
    """
    host = target.host.strip("[]")
    future = _lookups().submit(resolve or socket.getaddrinfo, host, target.port, type=socket.SOCK_STREAM)
    try:
        found = [ip_address(entry[4][0]) for entry in future.result(timeout_s)]
    except (OSError, UnicodeError):  # a TimeoutError is an OSError
        raise Unresolved("the host has no address") from None
    except ValueError:
        raise Forbidden("the host has an address that is none") from None
    if not found:
        raise Unresolved("the host has no address")
    may_be_own = this_machine and target.host in THIS_MACHINE
    if not all(is_public(address) or (may_be_own and address.is_loopback) for address in found):
        raise Forbidden("the host has an address that is not public")
    return [str(address) for address in sorted(dict.fromkeys(found), key=lambda address: address.version)]


@cache
def _lookups() -> Executor:
    """Where names are looked up, because the system's resolver cannot be told when to give up."""
    return ThreadPoolExecutor(MAX_LOOKUPS, thread_name_prefix="resolve")
