"""The queues of an org: which it has, how they are set, who may read them, and what stands on a message (design 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes import topology
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from tests.harness.calls import unseen_client
from tests.world import World
from tools.emulator import Emulator

OWN, STRANGER = "111111111111", "222222222222"
OWN_ROOT = f"arn:aws:iam::{OWN}:root"
ALL_QUEUES = {
    "custom_supporter_confirm": Queue.CONFIRM_SUPPORTER,
    "custom_action_confirm": Queue.CONFIRM_ACTION,
    "custom_action_deliver": Queue.DELIVER,
    "event_queue": Queue.EVENT,
}
DAY_S = 86_400


def url(world: World, org: Org, queue: Queue = Queue.DELIVER, suffix: str = "") -> str:
    return topology.queue_url(world.prefix, org.id, queue) + suffix


def attributes(world: World, org: Org, queue: Queue = Queue.DELIVER, suffix: str = "") -> dict[str, str]:
    """All attributes but the moment of the last change."""
    answer = unseen_client("sqs").get_queue_attributes(QueueUrl=url(world, org, queue, suffix), AttributeNames=["All"])
    return {name: value for name, value in answer["Attributes"].items() if name != "LastModifiedTimestamp"}


def existing(world: World, org: Org) -> set[str]:
    """The names of the org's queues, without what is common to all."""
    prefix = f"{world.prefix.rsplit('/', 1)[-1]}{org.id}-"
    urls = unseen_client("sqs").list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    return {found.rsplit("/", 1)[-1].removeprefix(prefix) for found in urls}


def with_dlqs(*queues: Queue) -> set[str]:
    return {name for queue in queues for name in (queue.value, f"{queue.value}-dlq")}


def change(world: World, org: Org, **settings: Any) -> list[str]:
    """Change settings of the org and its queues with them; returns the names of those that remain."""
    changed = orgs.get(org.id).model_copy(update=settings)
    orgs.replace(changed)
    return topology.sync(world.prefix, changed)


def put(world: World, org: Org, queue: Queue = Queue.DELIVER, suffix: str = "") -> None:
    unseen_client("sqs").send_message(QueueUrl=url(world, org, queue, suffix), MessageBody="left over")


class TestWhichThereAre:
    def test_an_org_has_a_deliver_queue_unless_told_otherwise(self, world: World) -> None:
        assert existing(world, world.org("ngo")) == with_dlqs(Queue.DELIVER)
        assert existing(world, world.org("mute", custom_action_deliver=False)) == set()

    @pytest.mark.parametrize(("switch", "queue"), ALL_QUEUES.items())
    def test_each_queue_has_a_switch_of_its_own(self, world: World, switch: str, queue: Queue) -> None:
        off = dict.fromkeys(ALL_QUEUES, False)
        assert existing(world, world.org("ngo", **off | {switch: True})) == with_dlqs(queue)

    def test_they_follow_the_settings(self, world: World) -> None:
        org = world.org("ngo")
        change(world, org, event_queue=True, custom_action_confirm=True)
        assert existing(world, org) == with_dlqs(Queue.DELIVER, Queue.EVENT, Queue.CONFIRM_ACTION)
        change(world, org, event_queue=False, custom_action_confirm=False)
        assert existing(world, org) == with_dlqs(Queue.DELIVER)

    @pytest.mark.parametrize("suffix", ["", "-dlq"])
    def test_a_queue_that_is_switched_off_stays_until_it_and_its_dlq_are_empty(self, world: World, suffix: str) -> None:
        org = world.org("ngo", event_queue=True)
        put(world, org, Queue.EVENT, suffix)
        names = change(world, org, event_queue=False)
        assert [name for name in names if name.endswith("-event")]
        assert existing(world, org) == with_dlqs(Queue.DELIVER, Queue.EVENT)
        taken = unseen_client("sqs").receive_message(QueueUrl=url(world, org, Queue.EVENT, suffix))["Messages"]
        change(world, org)
        assert existing(world, org) == with_dlqs(Queue.DELIVER, Queue.EVENT)  # its reader may not be done with it
        for message in taken:
            unseen_client("sqs").delete_message(
                QueueUrl=url(world, org, Queue.EVENT, suffix), ReceiptHandle=message["ReceiptHandle"]
            )
        change(world, org)
        assert existing(world, org) == with_dlqs(Queue.DELIVER)

    def test_they_go_with_the_org_whatever_is_in_them(self, world: World) -> None:
        org = world.org("ngo", event_queue=True)
        put(world, org)
        topology.remove(world.prefix, org.id)
        assert existing(world, org) == set()
        topology.remove(world.prefix, org.id)

    def test_nothing_of_another_org_is_touched(self, world: World) -> None:
        org, other = world.org("ngo"), world.org("other")
        topology.remove(world.prefix, org.id)
        assert existing(world, other) == with_dlqs(Queue.DELIVER)


class TestHowTheyAreSet:
    @pytest.mark.parametrize("queue", Queue)
    def test_attributes_of_a_queue_and_its_dlq(self, world: World, queue: Queue) -> None:
        org = world.org("ngo", **dict.fromkeys(ALL_QUEUES, True))
        found, dlq = attributes(world, org, queue), attributes(world, org, queue, "-dlq")
        assert int(found["MessageRetentionPeriod"]) == 10 * DAY_S
        assert int(dlq["MessageRetentionPeriod"]) == 14 * DAY_S
        assert found["VisibilityTimeout"] == "300"
        assert found["SqsManagedSseEnabled"] == dlq["SqsManagedSseEnabled"] == "true"
        redrive = json.loads(found["RedrivePolicy"])
        assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (dlq["QueueArn"], 5)
        allowed = json.loads(dlq["RedriveAllowPolicy"])
        assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [found["QueueArn"]]}

    def test_making_them_again_changes_nothing_and_repairs_what_was_changed_by_hand(self, world: World) -> None:
        org = world.org("ngo", queue_principals=(OWN_ROOT,))
        before = attributes(world, org)
        topology.sync(world.prefix, org)
        assert attributes(world, org) == before
        by_hand = {"VisibilityTimeout": "1", "MessageRetentionPeriod": "60", "Policy": ""}
        unseen_client("sqs").set_queue_attributes(QueueUrl=url(world, org), Attributes=by_hand)
        unseen_client("sqs").delete_queue(QueueUrl=url(world, org, suffix="-dlq"))
        topology.sync(world.prefix, org)
        after = attributes(world, org)
        assert {name: after[name] for name in (*by_hand, "RedrivePolicy")} == {
            name: before[name] for name in (*by_hand, "RedrivePolicy")
        }
        assert existing(world, org) == with_dlqs(Queue.DELIVER)

    def test_a_message_that_five_readings_did_not_help_goes_to_the_dlq(self, world: World) -> None:
        org = world.org("ngo")
        put(world, org)
        at_once = {"QueueUrl": url(world, org), "VisibilityTimeout": 0, "WaitTimeSeconds": 0}
        for _ in range(5):
            assert "Messages" in unseen_client("sqs").receive_message(**at_once)
        assert "Messages" not in unseen_client("sqs").receive_message(**at_once)
        assert attributes(world, org, suffix="-dlq")["ApproximateNumberOfMessages"] == "1"


class TestWhoMayRead:
    def policy(self, world: World, org: Org, suffix: str = "") -> list[dict[str, Any]]:
        return json.loads(attributes(world, org, suffix=suffix)["Policy"])["Statement"]  # type: ignore[no-any-return]

    @pytest.mark.parametrize("suffix", ["", "-dlq"])
    def test_the_policy_names_the_orgs_principals_and_this_queue_alone(self, world: World, suffix: str) -> None:
        role = f"arn:aws:iam::{STRANGER}:role/crm/reader"
        org = world.org("ngo", queue_principals=(OWN_ROOT, role))
        deny, allow = self.policy(world, org, suffix)
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert (allow["Effect"], allow["Principal"]) == ("Allow", {"AWS": [OWN_ROOT, role]})
        assert set(allow["Action"]) == {
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueUrl",
            "sqs:GetQueueAttributes",
        }
        assert allow["Resource"] == deny["Resource"] == attributes(world, org, suffix=suffix)["QueueArn"]

    def test_without_principals_nobody_outside_is_let_in(self, world: World) -> None:
        assert [statement["Effect"] for statement in self.policy(world, world.org("ngo"))] == ["Deny"]

    def test_changed_principals_take_the_place_of_the_old_ones(self, world: World) -> None:
        org = world.org("ngo", queue_principals=(OWN_ROOT,))
        change(world, org, queue_principals=(f"arn:aws:iam::{STRANGER}:root",))
        assert self.policy(world, org)[1]["Principal"] == {"AWS": [f"arn:aws:iam::{STRANGER}:root"]}
        change(world, org, queue_principals=())
        assert len(self.policy(world, org)) == 1

    def test_the_org_reads_and_deletes_its_messages_and_can_do_nothing_else(
        self, world: World, emulator: Emulator
    ) -> None:
        org, other = world.org("ngo", queue_principals=(OWN_ROOT,)), world.org("other")
        put(world, org)
        reader, stranger = emulator.client("sqs", OWN), emulator.client("sqs", STRANGER)
        mine = {"QueueUrl": url(world, org)}
        [message] = reader.receive_message(**mine)["Messages"]
        handle = {"ReceiptHandle": message["ReceiptHandle"]}
        reader.change_message_visibility(**mine, **handle, VisibilityTimeout=60)
        reader.delete_message(**mine, **handle)
        assert reader.receive_message(QueueUrl=url(world, org, suffix="-dlq"))
        for refused in (
            lambda: reader.send_message(**mine, MessageBody="x"),
            lambda: reader.purge_queue(**mine),
            lambda: reader.delete_queue(**mine),
            lambda: reader.set_queue_attributes(**mine, Attributes={"VisibilityTimeout": "1"}),
            lambda: reader.receive_message(QueueUrl=url(world, other)),
            lambda: stranger.receive_message(**mine),
        ):
            with pytest.raises(ClientError, match="AccessDenied"):
                refused()


class TestMessages:
    def test_attributes_of_a_delivered_message(self, world: World) -> None:
        lead, partner = world.org("lead"), world.org("partner")
        page = world.page(partner, world.campaign(lead))
        signed = world.sign(page, lead_opt_in=True, testing=True)
        world.run()
        for receiver in (lead, partner):
            [message] = self.raw(world, receiver)
            assert message["MessageAttributes"] == texts(
                Schema="proca:action:2",
                Stage="deliver",
                CampaignName="bees",
                ActionType="register",
                OrgName="partner",
                Testing="true",
                MessageId=f"{signed.action}.deliver.{receiver.id}",
            )
            assert message["Attributes"].get("MessageGroupId") == str(page.campaign)

    @pytest.mark.parametrize(
        ("switch", "queue", "stage"),
        [
            ("custom_supporter_confirm", Queue.CONFIRM_SUPPORTER, "supporter_confirm"),
            ("custom_action_confirm", Queue.CONFIRM_ACTION, "action_confirm"),
        ],
    )
    def test_attributes_of_a_confirm_message(self, world: World, switch: str, queue: Queue, stage: str) -> None:
        org = world.org("ngo", **{switch: True})
        signed = world.sign(world.page(org))
        world.run()
        [message] = self.raw(world, org, queue)
        found = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert (found["Stage"], found["Testing"]) == (stage, "false")
        assert found["MessageId"] == f"{signed.action}.{stage}.{org.id}"
        assert len(found) <= 10
        assert all(found.values())

    def raw(self, world: World, org: Org, queue: Queue = Queue.DELIVER) -> list[dict[str, Any]]:
        answer = unseen_client("sqs").receive_message(
            QueueUrl=url(world, org, queue), MessageAttributeNames=["All"], AttributeNames=["All"]
        )
        return answer["Messages"]  # type: ignore[no-any-return]


def texts(**values: str) -> dict[str, dict[str, str]]:
    return {name: {"StringValue": value, "DataType": "String"} for name, value in values.items()}


class TestTrouble:
    def test_a_queue_that_is_gone_holds_nobody_up_and_gets_everything_once_it_is_back(self, world: World) -> None:
        lead, partner = world.org("lead"), world.org("partner")
        page = world.page(partner, world.campaign(lead, force_delivery=True))
        topology.remove(world.prefix, partner.id)
        signed = [world.sign(page, email=f"p{number}@example.org").action for number in range(3)]
        world.run()
        assert [message["actionId"] for message in world.messages(lead)] == signed
        assert world.numbers(page.campaign)["persons:total"] == 3
        assert all(world.action(action)["owed"] == [f"{partner.id}/deliver"] for action in signed)
        assert not world.streams.failures[world.deliver]
        topology.sync(world.prefix, partner)
        world.ahead_ms = 4 * 60_000
        world.sweep()
        world.run()
        assert [message["actionId"] for message in world.messages(partner)] == signed
        assert not world.messages(lead)
        assert not world.pending()
        assert world.numbers(page.campaign)["persons:total"] == 3

    def test_what_was_rejected_while_its_queue_was_gone_is_not_sent_later(self, world: World) -> None:
        org = world.org("ngo")
        page = world.page(org)
        topology.remove(world.prefix, org.id)
        signed = world.sign(page)
        world.run()
        assert decide.reject_supporter(signed.action)
        topology.sync(world.prefix, org)
        world.ahead_ms = 4 * 60_000
        world.sweep()
        world.run()
        assert not world.messages(org)
        assert not world.pending()
        assert world.numbers(page.campaign) == {}

    def test_a_queue_switched_off_meanwhile_is_owed_nothing_any_more(self, world: World) -> None:
        org = world.org("ngo")
        topology.remove(world.prefix, org.id)
        world.sign(world.page(org))
        world.run()
        change(world, org, custom_action_deliver=False)
        world.forget()
        world.ahead_ms = 4 * 60_000
        world.sweep()
        world.run()
        assert not world.pending()
