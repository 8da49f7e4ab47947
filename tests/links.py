"""People and programs that follow links of mails: GET and POST to the real function, answers as a browser gets them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from proca_common.confirms.links import Links, links
from proca_common.confirms.tokens import link_keys
from tests.harness.context import LambdaContext
from tests.world import LINK_SECRET, Answer, World, api_event, function

FUNCTION = "ConfirmLinkFunction"
API = "https://api.example.org"
KEYS = link_keys(LINK_SECRET.encode())
PEOPLE, PROGRAMS = "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"


@dataclass(frozen=True)
class Shown:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body of an answer for programs."""
        return json.loads(self.text)

    @property
    def location(self) -> str:
        """Where the browser was sent."""
        assert self.status == 303, self.status
        return self.headers["Location"]


def links_of(signature: Answer) -> Links:
    """The links that a mail about this signature has."""
    return links(API, KEYS, signature.contact_ref, signature.action)


def look(link: str, **how: Any) -> Shown:
    """GET: what happens when somebody, or a scanner, opens the link."""
    return request("GET", link, **how)


def press(link: str, **how: Any) -> Shown:
    """POST: what happens when somebody presses the button."""
    return request("POST", link, **how)


def request(
    method: str,
    link: str,
    *,
    accept: str = PEOPLE,
    language: str | None = None,
    network: str = "192.0.2.1",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    name: str = FUNCTION,
    **query: str,
) -> Shown:
    """Call the function with this name; `query` is added to that of the link."""
    parts = urlsplit(link)
    headers = {"Accept": accept, **(headers or {})}
    if language is not None:
        headers["Accept-Language"] = language
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    event = api_event(method, parts.path, body, headers, {**dict(parse_qsl(parts.query)), **query})
    event["requestContext"]["identity"]["sourceIp"] = network
    answer = function(name)(event, LambdaContext(name, 28))
    found = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    return Shown(answer["statusCode"], answer["body"], found)


def with_query(link: str, **query: str) -> str:
    """The link with these parameters."""
    return f"{link}?{urlencode(query)}"


def everything(world: World) -> list[dict[str, Any]]:
    """All items of all tables."""
    names = ("ActionsTable", "CatalogTable", "StatsTable")
    return [item for name in names for item in sorted(world.tables.all_items(name), key=repr)]
