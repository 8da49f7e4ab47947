"""Where an action came from: the widget's tracking values and the Referer become its source (domain 1.8, 3.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proca_common.actions.fields import UNSENDABLE
from proca_common.actions.input import TrackingInput

MAX_LENGTH = 255
UNKNOWN = "unknown"
DEFAULT_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443"}

# White space, control characters, lone surrogates: no browser sends one, so they make an address malformed.
_NEVER = r"\s\x00-\x1f\x7f\ud800-\udfff"
# Scheme, host, port and path are kept; user, query and fragment are not.
_URL = re.compile(
    rf"((?ai:https?|wss?))://(?:[^/?#{_NEVER}]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:{_NEVER}]+)(?::([0-9]*))?"
    rf"(/[^?#{_NEVER}]*)(?:[?#][^{_NEVER}]*)?"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Tracking of one action; every value has at most 255 code points."""

    source: str = UNKNOWN
    medium: str = UNKNOWN
    campaign: str = UNKNOWN
    content: str = ""
    location: str = ""


def source_of(tracking: TrackingInput | None, referer: str | None) -> Source | None:
    """The source of an action, or None; bad tracking never refuses an action.

    An empty value takes its default. A source, medium or campaign that is null or only blanks makes the whole source
    invalid: the action has none then (domain 0.3.5, 3.4).
    """
    if tracking is None:
        return None if referer is None else Source(location=_stored(location_of(None, referer)))
    source, medium, campaign = tracking.source, tracking.medium, tracking.campaign
    if source is None or medium is None or campaign is None:
        return None
    source, medium, campaign = _stored(source) or UNKNOWN, _stored(medium) or UNKNOWN, _stored(campaign) or UNKNOWN
    if not (source.strip() and medium.strip() and campaign.strip()):
        return None
    location = location_of(tracking.location, referer)
    return Source(source, medium, campaign, _stored(tracking.content or ""), _stored(location))


def location_of(location: str | None, referer: str | None) -> str:
    """The page's address as far as the Referer proves it: a widget can point below the Referer, never elsewhere.

    Without a well-formed Referer it is "". Without a location of the widget it is the Referer as it is, query and all.
    """
    proven = None if referer is None else stripped(referer)
    if referer is None or proven is None:
        return ""
    if location is None:
        return referer
    claimed = stripped(location)
    return claimed if claimed is not None and claimed.startswith(proven) else proven


def stripped(url: str) -> str | None:
    """scheme://host[:port]/path without user, query, fragment and default port; None if the address is malformed.

    Well-formed is http, https, ws or wss, a host and a path, so `https://example.org` without its last slash is not.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return None
    scheme, host, port, path = match.groups()
    scheme = scheme.lower()
    if port and port != DEFAULT_PORTS[scheme]:
        host = f"{host}:{port}"
    return f"{scheme}://{host}{path}"


def _stored(text: str) -> str:
    """The text as it is stored: without characters that no message can carry, cut to 255 code points."""
    return UNSENDABLE.sub("", text[:MAX_LENGTH])
