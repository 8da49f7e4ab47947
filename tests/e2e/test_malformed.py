"""Whatever a hostile network sends: a problem of the kind 4xx, and nothing stored."""

import json
from typing import Any

import pytest

from tests.e2e.site import Page, Site
from tests.world import signature
from tools.client import Client

JSON = "application/json"


def with_value(*path: str, value: Any) -> bytes:
    """A signature that has this value in one place."""
    body: dict[str, Any] = signature(fields={"comment": "x"})
    place = body
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return json.dumps(body).encode()


def nulls(value: Any) -> Any:
    return {key: nulls(entry) for key, entry in value.items()} if isinstance(value, dict) else None


SOUND = json.dumps(signature()).encode()
BODIES: dict[str, tuple[bytes | None, int]] = {
    "no body": (None, 400),
    "an empty body": (b"", 400),
    "half of a body": (SOUND[:40], 400),
    "a body and more": (SOUND + b"}", 400),
    "no JSON": (b"hello", 400),
    "a list": (b"[]", 400),
    "a number": (b"1", 400),
    "null": (b"null", 400),
    "100 kB of [": (b"[" * 100_000, 413),
    "60 kB of [": (b"[" * 60_000, 400),
    "60 kB of {": (b'{"a":' * 12_000, 400),
    "1 MB": (with_value("action", "customFields", "comment", value="x" * 1_000_000), 413),
    "nested too deep": (with_value("action", "customFields", value=json.loads("[" * 9 + "]" * 9)), 400),
    "NaN": (SOUND.replace(b'"register"', b"NaN"), 400),
    "Infinity": (SOUND.replace(b'"register"', b"-Infinity"), 400),
    "a number without end": (with_value("action", "customFields", "n", value=0).replace(b": 0", b": 1e999"), 422),
    "a lone surrogate": (SOUND.replace(b'"Holm"', b'"\\ud800"'), 400),
    "no UTF-8, where the gateway puts replacement characters": (SOUND.replace(b'"Holm"', b'"\xff\xfe"'), 422),
    "a zero character": (SOUND.replace(b'"Holm"', b'"a\\u0000b"'), 422),
    "an empty object": (b"{}", 422),
    "null everywhere": (json.dumps(nulls(signature(fields={}))).encode(), 422),
    "null in each part": (b'{"action": null, "contact": null, "privacy": null, "tracking": null}', 422),
    "an unknown field": (with_value("novelty", value=1), 422),
    "an unknown field of the contact": (with_value("contact", "novelty", value=1), 422),
    "an unknown field of the address": (with_value("contact", "address", "novelty", value=1), 422),
    "an unknown field of the action": (with_value("action", "novelty", value=1), 422),
    "an unknown field of the privacy": (with_value("privacy", "novelty", value=1), 422),
    "a list for a text": (with_value("contact", "email", value=["ida@example.org"]), 422),
    "a number for a text": (with_value("contact", "firstName", value=1), 422),
    "a text for a switch": (with_value("privacy", "optIn", value="yes"), 422),
    "an object for a list": (with_value("contact", value=[]), 422),
    "a ref that is none": (with_value("contactRef", value="%%%"), 422),
    "a field that is nested": (with_value("action", "customFields", "a", value={"b": 1}), 422),
    "fields that are too much": (with_value("action", "customFields", "comment", value="x" * 6_000), 422),
    "a type that is too long": (with_value("action", "actionType", value="x" * 41), 422),
}


@pytest.fixture(scope="module")
def page(client: Client) -> Page:
    site = Site(client)
    return site.page(site.org())


def stored(client: Client) -> int:
    """How many items there are."""
    pages = client.stack.client("dynamodb").get_paginator("scan")
    asked = {"TableName": client.stack.environ["ACTIONS_TABLE"], "Select": "COUNT", "ConsistentRead": True}
    return sum(found["Count"] for found in pages.paginate(**asked))


@pytest.mark.parametrize("what", BODIES)
def test_a_malformed_signature_is_refused(client: Client, page: Page, what: str) -> None:
    body, status = BODIES[what]
    before = stored(client)

    answer = client.call("POST", page.path, body, {"Content-Type": JSON, "Origin": "https://campaign.example.org"})

    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json["status"] == status
    assert "Holm" not in answer.text
    assert stored(client) == before


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "a/b/c"])
def test_another_content_type_is_refused(client: Client, page: Page, kind: str) -> None:
    before = stored(client)

    answer = client.call("POST", page.path, SOUND, {"Content-Type": kind})

    assert answer.status == 415, answer.text
    assert stored(client) == before


@pytest.mark.parametrize("key", ["", "x" * 65, "with space", "ümlaut".encode().decode("latin-1"), "a/b"])
def test_an_idempotency_key_that_is_none_is_refused(client: Client, page: Page, key: str) -> None:
    before = stored(client)

    answer = client.call("POST", page.path, SOUND, {"Content-Type": JSON, "Idempotency-Key": key})

    assert answer.status == 422, answer.text
    assert stored(client) == before


@pytest.mark.parametrize(
    ("ref", "status"),
    [("x" * 65, 422), ("a.b", 422), ("a+b", 422), ("a", 422), ("%00", 404), ("%F0%9F%90%9D", 404)],
)
def test_a_contact_ref_that_is_none_is_refused(client: Client, page: Page, ref: str, status: int) -> None:
    before = stored(client)

    answer = client.post(f"/v1/pages/{page.id}/contacts/{ref}/actions", {"action": {"actionType": "share"}})

    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored(client) == before
