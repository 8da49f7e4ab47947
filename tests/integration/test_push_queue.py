"""Pushing from a real FIFO queue of the local stack, in real time: what the simulated queue of other tests promises."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import pytest

from proca_common.aws import clock
from proca_common.aws.clients import client
from proca_common.aws.stream import deadline_ms
from proca_common.orgs import services
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.publish import send
from proca_common.pipes.push import Queues, push
from tests.endpoints import Request, Said, endpoint
from tests.harness.calls import unseen_client
from tests.harness.context import LambdaContext
from tests.world import PASSWORDS_SECRET, World, function

ENOUGH_S = 30
FIFO = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
_numbers = itertools.count(1)


class LocalQueues:
    """A push queue and its queue of failures on the local stack, read as an event source mapping does."""

    def __init__(self) -> None:
        sqs, number = unseen_client("sqs"), next(_numbers)
        self.failures = sqs.create_queue(QueueName=f"failures-{number}.fifo", Attributes=FIFO)["QueueUrl"]
        attributes = {**FIFO, "VisibilityTimeout": "60"}
        self.push = sqs.create_queue(QueueName=f"push-{number}.fifo", Attributes=attributes)["QueueUrl"]

    def step(self) -> int:
        """One batch, if there is one; how many messages it had."""
        records = [self._record(message) for message in self.received(self.push)]
        if not records:
            return 0
        pushing = push(
            records, Queues(self.push, self.failures), PASSWORDS_SECRET, clock.now_ms() + 60_000, this_machine=True
        )
        done = [record for record in records if record["messageId"] not in pushing.again]
        if done:
            entries = [
                {"Id": str(index), "ReceiptHandle": record["receiptHandle"]} for index, record in enumerate(done)
            ]
            unseen_client("sqs").delete_message_batch(QueueUrl=self.push, Entries=entries)
        return len(records)

    @staticmethod
    def received(url: str) -> list[dict[str, Any]]:
        """What is there, received."""
        answer = unseen_client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageSystemAttributeNames=["All"]
        )
        return list(answer.get("Messages", ()))

    @staticmethod
    def _record(message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
        }


def org_with(world: World, name: str, url: str) -> Org:
    org = world.org(name, key=False, custom_action_deliver=False, push_backend="webhook")
    services.add(org.id, ServiceInput(name=ServiceName.WEBHOOK, host=url))
    return org


def orders(org: Org, number: int) -> list[PushOrder]:
    return [
        PushOrder(
            org=org.id, backend="push", id=f"{each}.deliver.{org.id}", attributes={}, body=json.dumps({"n": each})
        )
        for each in range(number)
    ]


def put(url: str, *sent: PushOrder) -> None:
    assert not send(url, [order.outgoing() for order in sent], clock.now_ms() + 60_000)


def test_order_pauses_and_neighbours_on_a_real_queue(world: World) -> None:
    queues = LocalQueues()
    tries: list[float] = []

    def failing_at_first(request: Request) -> Said:
        tries.append(time.monotonic())
        return Said(503 if len(tries) <= 2 else 204, b"")

    with endpoint() as server, endpoint() as healthy:
        server.answer = failing_at_first
        org, other = org_with(world, "ngo", server.url), org_with(world, "other", healthy.url)
        first, second = orders(org, 12), orders(other, 3)
        put(queues.push, *first, *second)
        put(queues.push, *first, *second)  # which is the same once more: it is dropped
        client("sqs").send_message(
            QueueUrl=queues.push, MessageBody="unreadable", MessageGroupId="x", MessageDeduplicationId="x"
        )
        began = time.monotonic()
        healthy_done = 0.0
        while len(server.requests) < 14 and time.monotonic() - began < ENOUGH_S:
            if not queues.step():
                time.sleep(0.05)
            if len(healthy.requests) == 3 and not healthy_done:
                healthy_done = time.monotonic()
        assert not queues.step()

    ids = [request.id for request in server.requests]
    assert ids == [first[0].id, first[0].id, *(order.id for order in first)]
    assert [request.id for request in healthy.requests] == [order.id for order in second]
    assert tries[1] - tries[0] >= 0.95
    assert tries[2] - tries[1] >= 1.75
    assert healthy_done < tries[1]
    assert [message["Body"] for message in queues.received(queues.failures)] == ["unreadable"]


def test_the_function_answers_with_what_must_come_again_and_counts(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def record(order: PushOrder, number: int) -> dict[str, Any]:
        attributes = {
            "ApproximateReceiveCount": "1",
            "MessageGroupId": f"{order.org}.push",
            "MessageDeduplicationId": "1",
        }
        return {
            "messageId": f"sqs-{number}",
            "receiptHandle": "gone",
            "body": order.model_dump_json(),
            "attributes": attributes,
        }

    with endpoint() as server:
        org = org_with(world, "ngo", server.url)
        server.answer = lambda request: Said(200 if request.id.startswith("0.") else 500)
        records = [record(order, number) for number, order in enumerate(orders(org, 3))]
        context = LambdaContext("PushFunction", 60)
        assert deadline_ms(context) > clock.now_ms()
        answer = function("PushFunction")({"Records": records}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "sqs-1"}, {"itemIdentifier": "sqs-2"}]}
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    found = {name: line[name] for line in metrics for name in line if name.startswith("Push")}
    assert found == {"PushSent": [1.0], "PushFailed": [1.0], "PushOpened": [1.0]}
    assert {line["Backend"] for line in metrics} == {"webhook"}
