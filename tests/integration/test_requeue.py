"""Sending again what an org lost, and what was given up (domain 4.8; design 6)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.admin import __main__ as admin
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from proca_common.pipes.topology import DLQ_SUFFIX, queue_url
from proca_common.stages import decide
from proca_common.stages.requeue import stage_of
from tests.harness.calls import unseen_client
from tests.simulated import SimulatedTime
from tests.world import World

Report = dict[str, Any]


@pytest.fixture(autouse=True)
def tables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the world's tables."""
    for variable, name in world.tables.environment.items():
        monkeypatch.setenv(variable, name)


@pytest.fixture
def org(world: World) -> Org:
    return world.org("ngo")


def requeue(
    capsys: pytest.CaptureFixture[str], org: Org, target: str = "custom_action_deliver", *chosen: object
) -> Report:
    """The answer of the command."""
    capsys.readouterr()
    assert admin.main(["--json", "requeue", org.name, target, *map(str, chosen)]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def attributes(world: World, org: Org, queue: Queue = Queue.DELIVER) -> list[dict[str, str]]:
    return [
        {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        for message in world.received(org, queue)
    ]


def signed(world: World, page: ActionPage, number: int = 3) -> list[int]:
    answers = [world.sign(page, email=f"ida{index}@example.org") for index in range(number)]
    world.run()
    return [answer.action for answer in answers]


class TestRequeue:
    def test_messages_come_again_as_they_were_with_the_job_beside(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ids = signed(world, world.page(org))
        first = {found["MessageId"]: found for found in attributes(world, org)}

        report = requeue(capsys, org, "custom_action_deliver", "--ids", *ids, "--job", "night")

        assert report == {"job": "night", "dryRun": False, "count": 3, "sent": 3, "failed": {}}
        again = {found["MessageId"]: found for found in attributes(world, org)}
        assert again == {name: found | {"Replay": "night"} for name, found in first.items()}

    def test_a_dry_run_sends_nothing_and_says_how_many(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ids = signed(world, world.page(org))
        world.received(org)

        report = requeue(capsys, org, "custom_action_deliver", "--ids", *ids, "--dry-run")

        assert (report["dryRun"], report["count"], report["sent"]) == (True, 3, 3)
        assert not world.received(org)

    def test_nothing_that_is_stored_changes(self, world: World, org: Org, capsys: pytest.CaptureFixture[str]) -> None:
        ids = signed(world, world.page(org))
        before, numbers = world.items(), world.numbers(1)

        requeue(capsys, org, "custom_action_deliver", "--ids", *ids)
        world.run()

        assert (world.items(), world.numbers(1)) == (before, numbers)

    def test_a_campaign_is_chosen_by_time_and_by_nothing_else(
        self, world: World, org: Org, time: SimulatedTime, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page, other = world.page(org), world.page(org, world.campaign(org, "rivers"))
        early = signed(world, page, 40)
        signed(world, other, 2)
        time.forward(hours=1)
        between = datetime.fromtimestamp(time.now_ms / 1000 - 1800, UTC).isoformat()
        late = signed(world, page, 5)
        world.received(org)

        everything = requeue(capsys, org, "custom_action_deliver", "--campaign", "bees")
        assert (everything["count"], everything["sent"]) == (45, 45)
        assert {body["actionId"] for body in world.bodies(org)} == {*early, *late}
        assert requeue(capsys, org, "custom_action_deliver", "--campaign", "bees", "--since", between)["sent"] == 5
        assert {body["actionId"] for body in world.bodies(org)} == {*late}
        assert requeue(capsys, org, "custom_action_deliver", "--campaign", "bees", "--until", between)["sent"] == 40
        assert {body["actionId"] for body in world.bodies(org)} == {*early}

    def test_repeats_are_sent_too(self, world: World, org: Org, capsys: pytest.CaptureFixture[str]) -> None:
        page = world.page(org)
        world.sign(page)
        world.run()
        repeat = world.sign(page).action
        world.run()
        world.received(org)
        assert world.action(repeat)["status"] == "repeat"

        assert requeue(capsys, org, "custom_action_deliver", "--ids", repeat)["sent"] == 1
        [message] = world.bodies(org)
        assert (message["actionId"], message["contact"]["dupeRank"]) == (repeat, 1)

    def test_the_lead_gets_its_own_contact_in_its_own_queue(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lead = world.org("lead")
        page = world.page(org, world.campaign(lead))
        answer = world.sign(page, lead_opt_in=True)
        world.run()
        for each in (org, lead):
            world.received(each)

        assert requeue(capsys, lead, "custom_action_deliver", "--ids", answer.action)["sent"] == 1
        [message] = world.messages(lead)
        assert message["contact"]["email"] == "ida.holm@example.org"
        assert not world.received(org)

    def test_actions_of_others_are_not_even_counted(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ids = signed(world, world.page(org))
        stranger = world.org("stranger")

        report = requeue(capsys, stranger, "custom_action_deliver", "--ids", *ids, 12345)

        assert (report["count"], report["sent"], report["failed"]) == (0, 0, {})
        assert not world.received(stranger)

    def test_who_is_to_confirm_is_sent_to_the_confirm_queue_with_links(
        self, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PROCA_API_URL", "https://api.example.org/v1")
        org = world.org("asking", custom_supporter_confirm=True)
        answer = world.sign(world.page(org))
        world.run()
        [before] = world.bodies(org, Queue.CONFIRM_SUPPORTER)

        assert requeue(capsys, org, "custom_action_deliver", "--ids", answer.action)["failed"] == {
            "bad_stage_destination": 1
        }
        assert requeue(capsys, org, "custom_supporter_confirm", "--ids", answer.action)["sent"] == 1
        [again] = world.bodies(org, Queue.CONFIRM_SUPPORTER)
        assert again == before

    def test_moderated_actions_go_to_the_moderators_and_rejected_ones_nowhere(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        org = world.org("careful", custom_action_confirm=True)
        page = world.page(org)
        waiting, rejected = (world.sign(page, email=f"{name}@example.org").action for name in ("ida", "ole"))
        world.run()
        decide.reject_supporter(rejected)
        world.received(org, Queue.CONFIRM_ACTION)

        report = requeue(capsys, org, "custom_action_confirm", "--ids", waiting, rejected)

        assert (report["count"], report["sent"], report["failed"]) == (2, 1, {"bad_stage_destination": 1})
        assert [body["actionId"] for body in world.bodies(org, Queue.CONFIRM_ACTION)] == [waiting]

    @pytest.mark.parametrize(
        ("target", "code"),
        [("email_supporter", "no_address"), ("sqs", "destination_off"), ("webhook", "destination_off")],
    )
    def test_what_is_off_or_gone_is_counted_as_failed(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str], target: str, code: str
    ) -> None:
        ids = signed(world, world.page(org), 1)
        assert requeue(capsys, org, target, "--ids", *ids)["failed"] == {code: 1}

    def test_a_queue_that_is_gone_is_counted_as_failed(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ids = signed(world, world.page(org), 2)
        unseen_client("sqs").delete_queue(QueueUrl=queue_url(world.prefix, org.id, Queue.DELIVER))

        report = requeue(capsys, org, "custom_action_deliver", "--ids", *ids)

        assert (report["sent"], report["failed"]) == (0, {"refused": 2})

    def test_a_push_backend_gets_its_orders_again_although_they_were_there_before(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        org = world.org("pushing", push_backend="webhook")
        ids = signed(world, world.page(org), 2)

        report = requeue(capsys, org, "webhook", "--ids", *ids, "--job", "night")

        assert (report["sent"], report["failed"]) == (2, {})
        orders = [order for order in world.orders("push") if order["org"] == org.id]
        assert sorted(order["id"] for order in orders) == sorted(2 * [f"{found}.deliver.{org.id}" for found in ids])
        assert [order["attributes"].get("Replay") for order in orders] == [None, None, "night", "night"]


class TestStages:
    @pytest.mark.parametrize(
        ("action", "supporter", "stage"),
        [
            ("delivered", "accepted", "deliver"),
            ("repeat", "accepted", "deliver"),
            ("accepted", "accepted", "deliver"),
            ("new", "confirming", "supporter_confirm"),
            ("confirming", "accepted", "action_confirm"),
            ("new", "new", None),
            ("new", "accepted", None),
            ("rejected", "accepted", None),
            ("rejected", "rejected", None),
            ("delivered", "rejected", None),
        ],
    )
    def test_the_stage_of_an_action_that_is_there(self, action: Any, supporter: Any, stage: str | None) -> None:
        assert stage_of(action, supporter) == stage


class TestRedrive:
    def test_what_was_given_up_comes_back_once_with_the_job_beside(
        self, world: World, org: Org, capsys: pytest.CaptureFixture[str]
    ) -> None:
        signed(world, world.page(org), 23)
        url = queue_url(world.prefix, org.id, Queue.DELIVER)
        before = {found["MessageAttributes"]["MessageId"]["StringValue"]: found for found in world.received(org)}
        for message in before.values():
            unseen_client("sqs").send_message(
                QueueUrl=url + DLQ_SUFFIX, MessageBody=message["Body"], MessageAttributes=message["MessageAttributes"]
            )
        capsys.readouterr()

        for arguments, moved in ((["--dry-run"], 0), ([], 23), ([], 0)):
            assert admin.main(["--json", "redrive", "deliver", "--org", org.name, "--job", "j1", *arguments]) == 0
            assert json.loads(capsys.readouterr().out)["moved"] == moved

        again = world.received(org)
        assert {found["MessageAttributes"]["MessageId"]["StringValue"]: found["Body"] for found in again} == {
            name: found["Body"] for name, found in before.items()
        }
        assert len(again) == 23
        assert {found["MessageAttributes"]["Replay"]["StringValue"] for found in again} == {"j1"}

    @pytest.mark.parametrize("name", ["mail", "detail", "target_mail", "erasure"])
    def test_orders_of_our_own_come_back(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        assert world.instance
        sqs = unseen_client("sqs")
        given_up = sqs.create_queue(QueueName=f"given-up-{name}")["QueueUrl"]
        monkeypatch.setenv(f"{name.upper()}_FAILURES_QUEUE_URL", given_up)
        sqs.send_message(QueueUrl=given_up, MessageBody="an order", MessageGroupId="1")

        assert admin.main(["--json", "redrive", name]) == 0

        assert json.loads(capsys.readouterr().out)["moved"] == 1
        [again] = sqs.receive_message(QueueUrl=os.environ[f"{name.upper()}_QUEUE_URL"])["Messages"]
        assert again["Body"] == "an order"

    def test_whose_queue_must_be_said(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        assert world.instance
        assert admin.main(["redrive", "deliver"]) == 1
        assert "whose queue" in capsys.readouterr().err
        assert orgs.every()
