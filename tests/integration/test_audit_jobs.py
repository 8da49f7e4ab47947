"""Audits as they are asked for, by the API, the schedule and the operator: worked on by a function, told as metrics."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.admin.__main__ import main
from proca_common.management.campaign_life import every_campaign
from proca_common.management.count_audits import ask_for_all
from proca_common.monitors import audits
from proca_common.stages import audit_later
from proca_common.users.permissions import Role
from tests.audits import Signed, spoiled, stored_audit
from tests.desks import Desk, desk
from tests.harness.calls import Calls, calls
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed, crash_after, faults, throttle
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import World, function

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none


@pytest.fixture
def signed(world: World, time: SimulatedTime) -> Signed:
    return Signed(world, time)


@pytest.fixture
def ida(signed: Signed) -> Desk:
    return desk("ida@example.org", lead=Role.CAMPAIGNER)


@pytest.fixture
def path(signed: Signed) -> str:
    return f"/v1/orgs/lead/campaigns/{signed.petition.campaign.name}/audits"


@pytest.fixture
def made() -> Iterator[Calls]:
    """All calls of the test."""
    with calls() as recorded:
        yield recorded


def orders(made: Calls) -> list[tuple[str, int]]:
    """What was put into the audit queue: bodies, and the seconds that they wait."""
    sent = [call.params for call in made.of("SendMessage") if "audit" in call.params["QueueUrl"]]
    return [(params["MessageBody"], params["DelaySeconds"]) for params in sent]


def work(body: str, remaining_ms: int = 300_000) -> dict[str, Any]:
    """One call of the function with an order."""
    event = {"Records": [{"messageId": "1", "body": body}]}
    context = LambdaContext("AuditCountsFunction", 300, remaining_ms=remaining_ms)
    return function("AuditCountsFunction")(event, context)  # type: ignore[no-any-return]


def metrics(printed: str) -> dict[str, Any]:
    """What was told as metrics, by name."""
    told: dict[str, Any] = {}
    for line in printed.splitlines():
        found = json.loads(line)
        told |= {name: value for name, value in found.items() if isinstance(value, list) and "_aws" in found}
    return told


def test_a_campaign_is_counted_again_when_its_lead_asks(
    signed: Signed, ida: Desk, path: str, made: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled(signed)

    answer = ida.post(path, {"repair": True})

    assert (answer.status, answer.body["state"], answer.body["repair"]) == (202, "waiting", True)
    assert answer.headers["Location"] == f"{path}/{answer.body['id']}"
    assert ida.get(path).body["items"] == [answer.body]
    assert ida.post(path).status == 409, "it is at work"
    [(order, delay_s)] = orders(made)
    assert json.loads(order) == {"campaign": signed.campaign, "audit": answer.body["id"]}
    assert delay_s == audit_later.DELAY_S
    capsys.readouterr()
    assert work(order) == {"batchItemFailures": []}

    told = metrics(capsys.readouterr().out)
    assert (told["CountsDifference"], told["CountsUnsettled"], told["AuditsFinished"]) == ([4], [0], [1])
    done = ida.get(f"{path}/{answer.body['id']}").body
    assert (done["state"], done["differing"], done["difference"], done["memberships"]) == ("finished", 3, 3, 1)
    assert (done["hours"], done["actions"], done["unsettled"]) == (2, 13, [])
    assert {"hour": None, "number": "org:99", "stored": 1, "counted": 0} in done["findings"]
    assert_sound(signed.world, signed.campaign)
    [entry] = ida.everything("/v1/orgs/lead/audit")
    assert (entry["action"], entry["after"]) == ("campaign.audit", {"id": done["id"], "repair": True})
    assert ida.post(path).status == 202, "it is done"


def test_what_is_no_request_and_what_is_not_there_is_refused(signed: Signed, ida: Desk, path: str) -> None:
    assert ida.post(path, {"repair": "perhaps", "all": True}).codes == [
        ("/repair", "invalid"),
        ("/all", "unknown_field"),
    ]
    assert ida.get(f"{path}/17").status == 404
    assert ida.get(f"{path}/x").status == 404
    assert ida.post(path.replace("petition", "no-petition")).status == 404
    partner = desk("ola@example.org", partner=Role.OWNER)
    of_partner = path.replace("/lead/", "/partner/")
    assert (partner.post(of_partner).status, partner.get(of_partner).status) == (403, 403)
    assert (partner.post(path).status, partner.get(f"{path}/17").status) == (403, 403)


def test_an_order_that_was_not_taken_leaves_no_record(signed: Signed, ida: Desk, path: str) -> None:
    with faults(throttle("SendMessage", nth=None)):
        assert ida.post(path).status == 503
    assert ida.get(path).body["items"] == []
    assert ida.post(path).status == 202


def test_a_record_that_was_never_stored_is_no_work(signed: Signed, made: Calls) -> None:
    body = json.dumps({"campaign": signed.campaign, "audit": 17})
    assert work(body) == {"batchItemFailures": []}
    assert orders(made) == []


def test_what_there_is_no_time_for_goes_into_another_order(
    signed: Signed, made: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled(signed)
    stored_audit(signed, 1)
    first = json.dumps({"campaign": signed.campaign, "audit": 1})
    capsys.readouterr()

    assert work(first, remaining_ms=59_000) == {"batchItemFailures": []}

    assert metrics(capsys.readouterr().out)["AuditsFinished"] == [0]
    assert orders(made) == [(first, 0)]
    work(first)
    found = audits.find(signed.campaign, 1)
    assert found is not None
    assert (found.state, found.differing) == ("finished", 3)
    capsys.readouterr()
    work(first)
    assert metrics(capsys.readouterr().out)["CountsDifference"] == [4], "who asks again is told again"


def test_a_function_that_is_killed_or_fails_is_followed_by_one_that_goes_on(signed: Signed, made: Calls) -> None:
    spoiled(signed)
    stored_audit(signed, 1)
    order = json.dumps({"campaign": signed.campaign, "audit": 1})
    with faults(crash_after("TransactWriteItems", nth=2)), pytest.raises(Killed):
        work(order)
    with faults(throttle("Query", nth=None)):
        assert work(order) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert work(order) == {"batchItemFailures": []}
    found = audits.find(signed.campaign, 1)
    assert found is not None
    assert (found.state, found.differing, found.memberships) == ("finished", 3, 1)
    assert_sound(signed.world, signed.campaign)


def test_once_a_week_all_live_campaigns_are_counted_and_repaired(signed: Signed, made: Calls) -> None:
    signed.world.campaign(signed.lead, "closed", status="closed")
    birds = signed.world.campaign(signed.lead, "birds")
    context = LambdaContext("AuditCountsFunction", 300)

    assert function("AuditCountsFunction")({}, context) == {"audits": 2}

    found = [json.loads(body) for body, _ in orders(made)]
    assert {order["campaign"] for order in found} == {signed.campaign, birds.id}
    assert all(audit.repair for order in found for audit in audits.newest(order["campaign"]))
    assert function("AuditCountsFunction")({}, context) == {"audits": 0}, "they are at work"
    signed.time.forward(hours=25)
    assert ask_for_all(every_campaign(), os.environ["AUDIT_QUEUE_URL"]) == 2, "they were given up"


class TestOperator:
    @pytest.fixture
    def name(self, signed: Signed, monkeypatch: pytest.MonkeyPatch) -> str:
        for variable, table in signed.world.tables.environment.items():
            monkeypatch.setenv(variable, table)
        return signed.petition.campaign.name

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
        capsys.readouterr()
        assert main(["--json", "counts", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    def test_compares_repairs_and_lists(self, signed: Signed, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        spoiled(signed)
        dry = self.run(capsys, "audit", name, "--dry-run")
        assert (dry["state"], dry["differing"], dry["memberships"]) == ("finished", 3, 1)
        assert self.run(capsys, "audits", name) == []
        compared = self.run(capsys, "audit", name)
        assert (compared["differing"], compared["repair"]) == (3, False)
        repaired = self.run(capsys, "audit", name, "--repair")
        assert (repaired["differing"], repaired["repair"]) == (3, True)
        assert_sound(signed.world, signed.campaign)
        assert self.run(capsys, "audit", name)["differing"] == 0
        assert [audit["difference"] for audit in self.run(capsys, "audits", name)] == [0, 3, 3]

    def test_goes_on_with_one_that_was_interrupted(
        self, signed: Signed, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        spoiled(signed)
        with faults(crash_after("TransactWriteItems", nth=2)), pytest.raises(Killed):
            main(["--json", "counts", "audit", name, "--repair"])
        [begun] = self.run(capsys, "audits", name)
        assert begun["state"] == "running"
        done = self.run(capsys, "audit", name, "--id", str(begun["id"]))
        assert (done["id"], done["differing"], done["memberships"]) == (begun["id"], 3, 1)
        assert_sound(signed.world, signed.campaign)
