"""Where a browser may be sent once a link has done its work (domain 7.1.3, design 7.4). Pure.

Only to the host in the page's name and to hosts that the org has named, over https: a link that seems to be the org's
must not lead to somebody else's site.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from urllib.parse import parse_qsl, quote, urlencode

LOOPBACK = frozenset({"localhost", "127.0.0.1"})
MAX_LENGTH = 2_000

# White space, control characters, backslashes (a slash to browsers) and lone surrogates stand in no address.
_NEVER = r"\s\x00-\x1f\x7f-\x9f\\\ud800-\udfff"
_URL = re.compile(
    rf"(?ai:(https?)://([a-z0-9.-]+)(?::([0-9]{{1,5}}))?)(/[^?#{_NEVER}]*)"
    rf"(?:\?((?: |[^#{_NEVER}])*))?(?:#([^{_NEVER}]*))?"
)
_LOCAL = re.compile(rf"/(?![/\\])[^{_NEVER}]*")
_KEPT = "%/:@!$&'()*+,;=~-._"


def page_hosts(page_name: str, redirect_hosts: Sequence[str]) -> frozenset[str]:
    """The hosts that links of this page may lead to: the domain that its name begins with, and those the org named."""
    domain = page_name.partition("/")[0].lower()
    return frozenset({*redirect_hosts, domain} if "." in domain else redirect_hosts)


def allowed(url: str, hosts: AbstractSet[str], parameters: Sequence[tuple[str, str]]) -> str | None:
    """The address with these parameters before its own (domain 7.1.3), in ASCII; None if nobody may be sent there.

    It needs a path, a host that is allowed letter by letter, and https on its own port. A loopback host, which must be
    allowed too, may have http and any port.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_LENGTH else None
    if match is None:
        return None
    scheme, host, port, path, query, fragment = match.groups()
    scheme, host = scheme.lower(), host.lower()
    if host not in hosts or (host not in LOOPBACK and (scheme != "https" or port not in {None, "443"})):
        return None
    given = urlencode([*parameters, *parse_qsl(query or "", keep_blank_values=True)])
    place = f"{scheme}://{host}" + (f":{port}" if port else "") + quote(path, safe=_KEPT)
    return place + (f"?{given}" if given else "") + (f"#{quote(fragment, safe=_KEPT + '?')}" if fragment else "")


def local_path(path: str) -> str | None:
    """A path on the API's own host, in ASCII; None for anything that a browser might take for another host."""
    if len(path) > MAX_LENGTH or _LOCAL.fullmatch(path) is None:
        return None
    return quote(path, safe=_KEPT + "?#")
