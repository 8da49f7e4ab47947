"""Each stage tells what it did: a person at a dashboard sees what happens to signatures."""

from __future__ import annotations

import json

import pytest

from proca_common.aws import metrics
from proca_common.failures import Failure
from proca_common.http.problems import Problem
from proca_common.http.resolver import codes_of
from proca_common.pipes import topology
from proca_common.stages import decide
from tests.coalition import Coalition, lose_records
from tests.harness.context import LambdaContext
from tests.harness.faults import crash_before, faults
from tests.metrics import counted, told
from tests.simulated import SimulatedTime
from tests.world import World, function
from tools.emulator import ROOT

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _namespace(environment: None) -> None:
    """As a function has it."""
    metrics._settings.cache_clear()


def test_a_line_is_what_cloudwatch_reads(capsys: Captured) -> None:
    metrics.emit({"Lag": [1, 2.5], "Things": 3}, "Milliseconds", stage="deliver")
    [line] = capsys.readouterr().out.splitlines()
    [found] = told(line)
    [about] = found["_aws"]["CloudWatchMetrics"]
    assert about["Dimensions"] == [["service", "stage"]]
    assert about["Metrics"] == [{"Name": name, "Unit": "Milliseconds"} for name in ("Lag", "Things")]
    assert (found["Lag"], found["Things"], found["stage"]) == ([1, 2.5], 3, "deliver")


def test_no_more_values_are_told_than_are_taken(capsys: Captured) -> None:
    metrics.emit({"Lag": list(range(150))})
    assert len(json.loads(capsys.readouterr().out)["Lag"]) == 100


def test_a_shell_of_an_operator_is_told_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    metrics._settings.cache_clear()
    metrics.emit({"Things": 3})
    metrics._settings.cache_clear()
    assert capsys.readouterr().out == ""


def test_a_refusal_is_counted_by_the_rules_that_failed() -> None:
    failures = [Failure("/a", "required", ""), Failure("/b", "required", ""), Failure("/c", "too_long", "")]
    assert codes_of(Problem(422, "invalid-input", failures)) == {"required", "too_long"}
    assert codes_of(Problem(413, "too-large")) == {"too-large"}


def test_what_is_taken_in_and_what_is_refused(world: World, capsys: Captured) -> None:
    page = world.page(world.org("bees"))
    capsys.readouterr()
    ref = world.sign(page, headers={"Idempotency-Key": "once"}).contact_ref
    world.sign(page, headers={"Idempotency-Key": "once"})
    world.act(page, ref)
    assert counted(capsys) == {"SignaturesTaken": 1, "ActionsTaken": 1}

    world.sign(page, email="no address")
    world.post(f"/v1/pages/{page.id}/actions", "{")
    world.sign(page.model_copy(update={"id": 404}))
    world.link(page, ref, "not/text")
    refused = counted(capsys)
    assert refused.pop("Refusals malformed") == 1
    assert refused.pop("Refusals not-found") == 1
    assert sum(refused.values()) == 2
    assert all(name.startswith("Refusals ") for name in refused)


def test_what_becomes_of_actions_and_how_long_it_took(world: World, time: SimulatedTime, capsys: Captured) -> None:
    petition = Coalition(world).petition()
    signed = petition.sign("ida")
    petition.sign("ida")
    petition.share(signed)
    time.forward(seconds=3)
    capsys.readouterr()
    world.run()
    counts = counted(capsys)
    assert counts["ActionsDelivered"] == 2
    assert counts["ActionsRepeated"] == 1
    assert counts["StageLag deliver"] == 3 * 3_000

    decide.reject_supporter(signed.action)
    decide.reject_supporter(signed.action)
    assert counted(capsys) == {"Rejections": 1}


def test_a_stage_that_was_only_half_done_is_counted_once(world: World, time: SimulatedTime, capsys: Captured) -> None:
    petition = Coalition(world).petition()
    petition.sign("ida")
    capsys.readouterr()
    with faults(crash_before("TransactWriteItems")):
        world.run()
    time.recover()
    assert counted(capsys)["ActionsDelivered"] == 1


def test_a_stage_that_waits_for_a_person_has_a_lag_of_its_own(
    world: World, time: SimulatedTime, capsys: Captured
) -> None:
    page = world.page(world.org("bees", custom_supporter_confirm=True))
    action = world.sign(page).action
    time.forward(seconds=2)
    world.run()
    assert counted(capsys)["StageLag supporter_confirm"] == 2_000
    time.forward(hours=50)
    decide.accept_supporter(action)
    time.forward(seconds=1)
    world.run()
    assert counted(capsys)["StageLag deliver"] == 1_000, "since it was accepted"


def test_what_a_mail_provider_tells(world: World, capsys: Captured) -> None:
    event = json.loads((ROOT / "events" / "mail_events.json").read_text())
    capsys.readouterr()
    function("MailEventsFunction")(event, LambdaContext("MailEventsFunction", 28))
    assert counted(capsys) == {"MailReports complained": 1}


def test_what_is_overdue(world: World, time: SimulatedTime, capsys: Captured) -> None:
    petition = Coalition(world).petition()
    for name in ("ida", "per"):
        petition.sign(name)
    lose_records(world)
    ages = []
    capsys.readouterr()
    for _ in range(7):
        time.forward(seconds=70)
        world.sweep()
        lose_records(world)
        counts = counted(capsys)
        assert counts["OverdueActions"] == 2
        ages.append(counts["OldestOverdue"])
    assert ages == sorted(ages), "it grows although each time it is woken"
    assert (ages[0], ages[-1] > 5 * 60) == (70, True)

    world.run()
    time.recover()
    capsys.readouterr()
    world.sweep()
    counts = counted(capsys)
    assert (counts["OverdueActions"], counts["OldestOverdue"]) == (0, 0)


def test_an_org_whose_queue_is_gone_ages_nothing_of_ours(world: World, time: SimulatedTime, capsys: Captured) -> None:
    org = world.org("bees")
    world.sign(world.page(org))
    topology.remove(world.prefix, org.id)
    world.run()
    time.forward(hours=7)
    capsys.readouterr()
    world.sweep()
    counts = counted(capsys)
    assert (counts["OverdueActions"], counts["OldestOverdue"]) == (1, 0)
