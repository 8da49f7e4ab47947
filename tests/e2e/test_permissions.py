"""Every endpoint of the management API, asked by every role in the own org, in others, and by nobody at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from proca_common.users.permissions import ADMIN, Role
from tests.api import endpoints_of_template
from tests.e2e.people import people
from tests.e2e.permissions import NOT_THERE, OF_ACCOUNT, OF_ORG, Account
from tests.e2e.site import RUN, Site
from tools.client import Client

MANAGED = ("/v1/orgs", "/v1/users", "/v1/account")
ALLOWED, UNKNOWN, REFUSED = "allowed", 401, 403
NO_STAFF, ROOT, NOBODY = "no staff", "owner of the instance", "nobody"
OWN, OTHER, PARTNER, INSTANCE, MISSING = "own", "other", "partner", "instance", "missing"
AT_ONCE = 2
"""More would only start more of the same function."""


@dataclass(frozen=True)
class Scene:
    """The orgs' names by whose they are, and the tokens of those who ask; None for nobody."""

    client: Client
    orgs: Mapping[str, str]
    tokens: Mapping[str, str | None]

    def ask(self, endpoint: str, who: str, org: str = "") -> str | int:
        """The status of the answer; `ALLOWED` for any that is neither 401 nor 403. Nothing that is sent would change
        anything: there is no such thing, no such version, and the body says nothing.
        """
        method, _, path = endpoint.partition(" ")
        headers = {"If-Match": '"v0"'}
        if self.tokens[who] is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        body = None if method == "GET" else json.dumps({}).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        asked = re.sub(r"\{(\w+)\}", lambda name: {"org": org, **NOT_THERE}[name[1]], path)
        status = self.client.call(method, asked, body, headers).status
        assert status < 500, f"{who} asks {endpoint}: {status}"
        return status if status in {UNKNOWN, REFUSED} else ALLOWED


@pytest.fixture(scope="module")
def scene(client: Client) -> Scene:
    """A partner is who has a page in a campaign of the own org, which has one in a campaign of the partner's."""
    site = Site(client)
    own, other, partner = (site.org(key=False, encryption="clear") for _ in range(3))
    led, joined = site.page(own), site.page(partner)
    site.page(partner, campaign=led.campaign)
    site.page(own, campaign=joined.campaign)
    orgs = {OWN: own.name, OTHER: other.name, PARTNER: partner.name, INSTANCE: "instance", MISSING: "no-such-org"}
    tokens: dict[str, str | None] = {NOBODY: None}
    with people(client) as meet:
        for role in Role:
            tokens[role] = meet(f"{role}-{RUN}@example.org", {own.name: role}).token
        tokens[NO_STAFF] = meet(f"none-{RUN}@example.org").token
        tokens[ROOT] = meet(f"root-{RUN}@example.org", perms=int(ADMIN)).token
    return Scene(client, orgs, tokens)


def test_every_route_of_the_template_is_in_the_table_and_no_other() -> None:
    routes = {f"{method} {path}" for method, path in endpoints_of_template() if path.startswith(MANAGED)}
    assert routes == {*OF_ORG, *OF_ACCOUNT}


@pytest.mark.parametrize("endpoint", OF_ORG)
def test_what_is_an_orgs(scene: Scene, endpoint: str) -> None:
    cells = [(who, whose) for who in scene.tokens for whose in scene.orgs]

    def expected(who: str, whose: str) -> str | int:
        if who == NOBODY:
            return UNKNOWN
        if who == ROOT or (whose == OWN and who in OF_ORG[endpoint]):
            return ALLOWED
        return REFUSED

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda cell: scene.ask(endpoint, cell[0], scene.orgs[cell[1]]), cells)

    assert dict(zip(cells, answers, strict=True)) == {cell: expected(*cell) for cell in cells}


@pytest.mark.parametrize("endpoint", OF_ACCOUNT)
def test_what_is_of_no_org(scene: Scene, endpoint: str) -> None:
    kind = OF_ACCOUNT[endpoint]
    table: dict[str, str | int] = {
        NOBODY: ALLOWED if kind is Account.ANYBODY else UNKNOWN,
        NO_STAFF: REFUSED if kind is Account.MANAGER else ALLOWED,
        Role.OWNER: REFUSED if kind is Account.MANAGER else ALLOWED,
        ROOT: ALLOWED,
    }

    assert {who: scene.ask(endpoint, who) for who in table} == table
