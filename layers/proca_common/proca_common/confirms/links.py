"""The addresses of links (domain 7.1, design 7.4). Pure.

/link/s/{action}/{accept|reject}/{token}    a supporter accepts or takes back the signature
/link/d/{action}/{token}                    double opt-in of the address
/link/u/{action}/{token}                    unsubscribes the address; also one-click by RFC 8058
/link/{accept|reject}/{code}                a second person agrees or refuses
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from proca_common.confirms.confirm import Confirm
from proca_common.confirms.tokens import LinkKeys, Purpose, link_token


class Links(NamedTuple):
    """The links of one action, absolute; parameters may be appended with `?`."""

    accept: str
    reject: str
    double_opt_in: str
    unsubscribe: str


def links(base_url: str, keys: LinkKeys, ref: str, action: int) -> Links:
    """The links of an action of the supporter with this ref; `base_url` is where the API is."""
    base = base_url.rstrip("/")

    def token(purpose: Purpose) -> str:
        return link_token(keys, ref, action, purpose)

    return Links(
        accept=f"{base}/link/s/{action}/accept/{token(Purpose.ACCEPT)}",
        reject=f"{base}/link/s/{action}/reject/{token(Purpose.REJECT)}",
        double_opt_in=f"{base}/link/d/{action}/{token(Purpose.DOUBLE_OPT_IN)}",
        unsubscribe=f"{base}/link/u/{action}/{token(Purpose.UNSUBSCRIBE)}",
    )


class CodeLinks(NamedTuple):
    """The links of a Confirm, absolute."""

    accept: str
    reject: str


def code_links(base_url: str, confirm: Confirm) -> CodeLinks:
    """The links of whoever is to agree: they tell the address or the object that the code is for (domain 7.4)."""
    base = base_url.rstrip("/")
    told: dict[str, object] = {}
    if confirm.email is not None:
        told = {"email": confirm.email}
    elif confirm.object is not None:
        told = {"id": confirm.object}
    query = f"?{urlencode(told)}" if told else ""
    return CodeLinks(*(f"{base}/link/{verb}/{confirm.code}{query}" for verb in ("accept", "reject")))
