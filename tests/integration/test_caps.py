"""Caps of client networks, from the connection's address to 429 with Retry-After (design 7, 8)."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.aws.logs import logger
from proca_common.guards import caps
from proca_common.guards.caps import Caps
from tests.harness.calls import calls
from tests.harness.faults import faults, throttle
from tests.world import Answer, World, api_event, call, signature

CAP = {"network_cap": {"burst": 100, "sustained": 100}}
TIGHT = {"network_cap": {"burst": 2, "sustained": 100}}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    caps.forget()
    yield
    caps.forget()


def page_of(world: World, guards: dict[str, Any]) -> ActionPage:
    org = world.org("ngo")
    made = world.page(org, world.campaign(org, guards=guards))
    world.get(f"/v1/pages/{made.id}")
    return made


def sign_from(page: ActionPage, client: str, email: str = "ida.holm@example.org") -> Answer:
    """A signature from this address."""
    return _sent("AddActionContactFunction", f"/v1/pages/{page.id}/actions", client, signature(email=email))


def share_from(page: ActionPage, client: str, contact_ref: str) -> Answer:
    path = f"/v1/pages/{page.id}/contacts/{contact_ref}/actions"
    return _sent("AddActionFunction", path, client, {"action": {"actionType": "share"}})


def _sent(function: str, path: str, client: str, body: Any) -> Answer:
    event = api_event("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    event["requestContext"]["identity"]["sourceIp"] = client
    return call(function, event)


def test_ten_thousand_signatures_of_one_network_meet_the_cap_and_others_notice_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(world, CAP)
    chance, environments = random.Random(7), [Caps() for _ in range(12)]
    begun = clock.now_ms() // 86_400_000 * 86_400_000 + 3_600_000
    loud, calm = Counter[int](), Counter[int]()
    with calls() as recorded:
        for number in range(10_000):
            monkeypatch.setattr(clock, "now_ms", lambda number=number: begun + number * 6)
            monkeypatch.setattr(caps, "_here", chance.choice(environments))
            client = f"192.0.2.{chance.randrange(256)}"
            loud[sign_from(page, client, f"{number}@example.org").status] += 1
            if number % 500 == 0:
                client = f"198.51.{number // 500}.7"
                calm[sign_from(page, client, f"calm{number}@example.org").status] += 1
    counted = Counter(recorded.operations)
    figures = f"{dict(loud)}, of others {dict(calm)}; calls {dict(counted)}"
    print(f"\n10,000 signatures of one network in 60 s, cap 100: {figures}")  # noqa: T201 - shown by `pytest -s`
    assert 90 <= loud[201] <= 110
    assert loud.keys() == {201, 429}
    assert calm == {201: 20}
    assert counted["TransactWriteItems"] == loud[201] + calm[201]
    assert counted["UpdateItem"] <= 100 + 20 + 5 * len(environments)


def test_a_signature_too_many_is_told_when_to_come_again(world: World) -> None:
    page = page_of(world, TIGHT)
    assert [sign_from(page, "192.0.2.1").status for _ in range(3)] == [201, 201, 429]

    answer = sign_from(page, "192.0.2.200")

    assert answer.body["type"] == "urn:proca:problem:too-many"
    assert 10 <= int(answer.headers["Retry-After"]) <= 12
    world.ahead_ms += int(answer.headers["Retry-After"]) * 1000
    assert sign_from(page, "192.0.2.200").status == 201


def test_networks_campaigns_and_headers_are_told_apart(world: World) -> None:
    page = page_of(world, TIGHT)
    org = world.org("other")
    other = world.page(org, world.campaign(org, "birds", guards=TIGHT))
    for _ in range(3):
        sign_from(page, "192.0.2.1")

    assert sign_from(page, "192.0.3.1").status == 201
    assert sign_from(page, "2001:db8::1").status == 201
    assert sign_from(other, "192.0.2.1").status == 201
    assert world.sign(page, headers={"X-Forwarded-For": "203.0.113.9"}).status == 429


def test_further_actions_are_counted_too(world: World) -> None:
    page = page_of(world, TIGHT)
    signed = sign_from(page, "192.0.2.1")

    assert share_from(page, "192.0.2.1", signed.contact_ref).status == 201
    assert share_from(page, "192.0.2.1", signed.contact_ref).status == 429


def test_asking_for_links_is_counted_too(world: World) -> None:
    page = page_of(world, TIGHT)
    path = f"/v1/pages/{page.id}/contacts/{sign_from(page, '192.0.2.1').contact_ref}/links"
    asked = {"linkRefs": ["bm90X3lldF9rbm93bg"]}

    assert _sent("LinkActionsFunction", path, "192.0.2.2", asked).status == 202
    assert _sent("LinkActionsFunction", path, "192.0.2.3", asked).status == 429
    assert _sent("LinkActionsFunction", path, "198.51.100.1", asked).status == 202


def test_it_is_one_more_call_at_most_and_none_once_refused(world: World) -> None:
    page = page_of(world, TIGHT)
    made = []
    for _ in range(4):
        with calls() as recorded:
            sign_from(page, "192.0.2.1")
        made.append([name for name in recorded.operations if name != "GetSecretValue"])
    one = ["UpdateItem", "TransactWriteItems"]
    assert made[:2] == [one, one]
    assert made[2] in ([], ["UpdateItem"])
    assert made[3] == []


def test_what_is_kept_tells_nothing_and_goes_after_two_days(world: World) -> None:
    sign_from(page_of(world, TIGHT), "192.0.2.1")

    [item] = world.items("cap")
    numbers = {name for name in item if name[1:].isdigit()}
    assert item.keys() - numbers == {"ref", "sk", "kind", "expires"}
    assert "192" not in str({name: value for name, value in item.items() if name not in numbers | {"ref", "expires"}})
    assert abs(int(item["expires"]) - clock.now_ms() // 1000 - 2 * 86_400) <= 5


def test_known_and_unknown_people_are_counted_alike(world: World) -> None:
    page = page_of(world, CAP)
    sign_from(page, "192.0.2.1")
    caps.forget()
    seen = []
    for email in ("ida.holm@example.org", "new@example.org"):
        with calls() as recorded:
            answer = sign_from(page, "198.51.100.1" if email[0] == "i" else "203.0.113.1", email)
        seen.append((answer.status, sorted(answer.body), recorded.operations))
    assert seen[0] == seen[1]


def test_a_store_that_does_not_count_refuses_nobody(world: World) -> None:
    page = page_of(world, CAP)
    sign_from(page, "198.51.100.1")
    with faults(throttle("UpdateItem", nth=None)):
        assert sign_from(page, "192.0.2.1").status == 201


def test_without_caps_nothing_is_written(world: World) -> None:
    page = page_of(world, {})
    for _ in range(3):
        sign_from(page, "192.0.2.1")
    assert not world.items("cap")


def test_no_log_line_has_an_address_or_network(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    page = page_of(world, TIGHT)
    with faults(throttle("UpdateItem", nth=1)):
        for _ in range(4):
            sign_from(page, "192.0.2.1")
    [item] = world.items("cap")
    logged = " ".join(str(vars(record)) for record in caplog.records if record.name == logger.name)
    assert "too-many" in logged
    for secret in ("192.0.2", item["ref"].removeprefix("cap#")):
        assert secret not in logged
