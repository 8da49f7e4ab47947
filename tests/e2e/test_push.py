"""Messages that leave the stack by webhook, and details that come in, by functions under their own roles."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from examples.webhook.receive import verify
from tests.e2e.site import Ngo, Site
from tests.endpoints import Endpoint, Request, Said, endpoint
from tools.emulator import Emulator

SECRET = "whsec_" + base64.b64encode(b"a secret between two of us, long").decode()


def connected(site: Site, server: Endpoint, *settings: str) -> Ngo:
    """An org whose backends are this server."""
    org = site.org()
    site.client.admin("service", "add", org.name, "webhook", "--host", server.url, typed=f"Bearer sesame {SECRET}")
    site.client.admin("org", "set", org.name, *settings)
    return org


def test_a_webhook_gets_what_stands_in_the_queue(site: Site, local: Emulator) -> None:
    failed: list[Request] = []

    def not_at_first(request: Request) -> Said:
        if len(failed) < 2:
            failed.append(request)
            return Said(503)
        return Said(202)

    with endpoint() as server:
        server.answer = not_at_first
        org = connected(site, server, "push_backend=webhook")
        page = site.page(org)
        signed = [site.signed(page, email=f"p{number}@example.org") for number in range(3)]
        site.wait_for(lambda: len(server.requests) == 5)

    taken = server.requests[2:]
    for request in server.requests:
        assert verify(request.headers, request.body, [SECRET], time.time()) == request.id
        assert request.headers["authorization"] == "Bearer sesame"
    assert [request.id for request in failed] == [taken[0].id] * 2
    assert sorted(request.id for request in taken) == [f"{action}.deliver.{org.id}" for action in signed]
    site.client.wait_until_delivered()
    queued = {message["Body"] for message in site.received(org)}
    assert {request.body.decode() for request in taken} == queued


def test_an_org_is_asked_what_it_knows(site: Site, local: Emulator) -> None:
    known: dict[str, Any] = {
        "privacy": {"optIn": True, "givenAt": "2026-03-01T12:00:00Z"},
        "action": {"customFields": {"memberSince": 2019}},
    }
    with endpoint() as server:
        server.answer = lambda _: Said(body=json.dumps(known).encode())
        org = connected(site, server, "detail_backend=webhook")
        page = site.page(org)
        action = site.signed(page, email="ida.holm@example.org", opt_in=False)
        site.client.wait_until_delivered()

    [request] = server.requests
    assert request.id == f"{action}.detail"
    assert json.loads(request.body)["email"] == "ida.holm@example.org"
    [message] = site.messages(org)
    assert message["actionId"] == action
    assert (message["privacy"]["optIn"], message["privacy"]["givenAt"]) == (True, "2026-03-01T12:00:00Z")
    assert message["action"]["customFields"] == {"memberSince": 2019}
    assert site.numbers(page)["persons:total"] == 1
