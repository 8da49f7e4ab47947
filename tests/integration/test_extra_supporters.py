"""Extra supporters of pages: counted with every change of a page, shown with the numbers (domain 10.2)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.monitors import extra
from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests.desks import Desk, desk
from tests.recount import assert_sound
from tests.world import World

PAGES, CAMPAIGNS = "/v1/orgs/bees/pages", "/v1/orgs/bees/campaigns"


@pytest.fixture
def org(world: World) -> Org:
    made = world.org("bees")
    world.campaign(made, "save_bees")
    return made


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.CAMPAIGNER)


def shown(world: World, org: Org, campaign: int = 1) -> tuple[int, int]:
    """The total and the org's number; everything must be sound."""
    assert_sound(world, campaign)
    numbers = extra.read_shown(campaign)
    return numbers.get("persons:total", 0), numbers.get(f"org:{org.id}", 0)


def added(ida: Desk, name: str, extra_supporters: int) -> int:
    page = {"name": name, "locale": "en", "campaign": "save_bees", "extraSupporters": extra_supporters}
    answer = ida.post(PAGES, page)
    assert answer.status == 201, answer.body
    return int(answer.body["id"])


def test_they_follow_every_change_of_a_page(world: World, org: Org, ida: Desk) -> None:
    first = added(ida, "bees/en", 40)
    second = added(ida, "bees/de", 2)
    added(ida, "bees/fr", 0)
    assert shown(world, org) == (42, 42)
    assert ida.patch(f"{PAGES}/{first}", {"extraSupporters": 10}).status == 200
    assert shown(world, org) == (12, 12)
    assert ida.patch(f"{PAGES}/{first}", {"name": "bees/other"}).status == 200
    assert shown(world, org) == (12, 12)
    assert ida.delete(f"{PAGES}/{second}").status == 204
    assert shown(world, org) == (10, 10)


def test_they_stand_beside_those_who_signed_and_in_no_area(world: World, org: Org, ida: Desk) -> None:
    page = added(ida, "bees/en", 40)
    trees = world.org("trees")
    ola = desk("ola@example.org", trees=Role.CAMPAIGNER)
    wanted = {"name": "trees/en", "locale": "en", "campaign": "save_bees", "extraSupporters": 7}
    assert ola.post("/v1/orgs/trees/pages", wanted).status == 201
    world.post(f"/v1/pages/{page}/actions", _signature())
    world.run()
    assert shown(world, org) == (48, 41)
    assert extra.read_shown(1) == {
        "area:DK": 1,
        f"org:{org.id}": 41,
        f"org:{trees.id}": 7,
        "persons:total": 48,
        "type:register": 1,
    }


def test_pages_that_are_changed_together(world: World, org: Org, ida: Desk) -> None:
    pages: list[dict[str, Any]] = [
        {"name": f"bees/{number}", "locale": "en", "extraSupporters": number} for number in range(15)
    ]
    assert ida.put(f"{CAMPAIGNS}/forests", {"title": "Forests", "actionPages": pages}).status == 201
    assert shown(world, org, 2) == (105, 105)
    changed = [{**page, "extraSupporters": 1} for page in pages[:5]]
    assert ida.put(f"{CAMPAIGNS}/forests", {"actionPages": changed}).status == 200
    assert shown(world, org, 2) == (100, 100)
    assert ida.delete(f"{CAMPAIGNS}/forests").status == 204
    assert extra.read_shown(2) == {}


def test_a_change_that_is_refused_counts_nothing(world: World, org: Org, ida: Desk) -> None:
    added(ida, "bees/en", 40)
    taken = {"name": "bees/en", "locale": "en", "campaign": "save_bees", "extraSupporters": 5}
    assert ida.post(PAGES, taken).status == 409
    assert shown(world, org) == (40, 40)


def _signature() -> dict[str, Any]:
    contact = {"firstName": "Per", "email": "per@example.org", "address": {"country": "DK"}}
    return {"action": {"actionType": "register"}, "contact": contact, "privacy": {"optIn": True}}
