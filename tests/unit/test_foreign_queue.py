"""Which queues may be a backend, and what SQS is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from proca_common.errors import NotAllowed
from proca_common.pipes import foreign_queue
from proca_common.pipes.foreign_queue import ForeignQueue, is_queue_url
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.sending import Failed, Refused, Taken

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/crm-inbox"


def orders(number: int, body: str = "{}", **attributes: str) -> list[PushOrder]:
    return [
        PushOrder(org=7, backend="push", id=f"{each}.deliver.7", attributes=attributes, body=body)
        for each in range(number)
    ]


class Sqs:
    """SQS, as far as it is needed: keeps what it is sent, and answers as it is told."""

    def __init__(self, failed: Sequence[dict[str, Any]] = (), error: Exception | None = None) -> None:
        self.failed, self.error = failed, error
        self.sent: list[dict[str, Any]] = []

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.sent.append(request)
        if self.error is not None:
            raise self.error
        return {"Successful": [], "Failed": list(self.failed)}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Sqs:
    made = Sqs()
    monkeypatch.setattr(foreign_queue, "_client", lambda *_: made)
    return made


def queue(url: str = URL) -> ForeignQueue:
    return ForeignQueue("eu-west-1", "AKIA", "secret", url)


@pytest.mark.parametrize(
    ("url", "region", "is_one"),
    [
        (URL, "eu-west-1", True),
        (URL + ".fifo", "eu-west-1", True),
        (URL, "eu-central-1", False),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1", True),
        ("http://sqs.eu-west-1.amazonaws.com/123456789012/q", "eu-west-1", False),
        ("https://sqs.eu-west-1.amazonaws.com.example.org/123456789012/q", "eu-west-1", False),
        ("https://sqs.eu-west-1.amazonaws.com@example.org/123456789012/q", "eu-west-1", False),
        ("https://sqs.eu-west-1.amazonaws.com/12345/q", "eu-west-1", False),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/", "eu-west-1", False),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/q/../x", "eu-west-1", False),
        ("https://169.254.169.254/123456789012/q", "eu-west-1", False),
        ("http://127.0.0.1:4566/000000000000/q", "eu-west-1", False),
        ("", "eu-west-1", False),
    ],
)
def test_urls_of_queues(url: str, region: str, is_one: bool) -> None:
    assert is_queue_url(url, region) is is_one


def test_a_queue_of_the_local_stack_on_a_developers_machine() -> None:
    assert is_queue_url("http://127.0.0.1:4566/000000000000/q", "eu-west-1", this_machine=True)
    assert not is_queue_url("http://10.0.0.1:4566/000000000000/q", "eu-west-1", this_machine=True)


@pytest.mark.parametrize(
    ("region", "user", "password", "url"),
    [
        ("", "a", "b", URL),
        ("evil.example.org/", "a", "b", URL),
        ("eu-central-1", "a", "b", URL),
        ("eu-west-1", "", "b", URL),
        ("eu-west-1", "a", "", URL),
        ("eu-west-1", "a", "b", ""),
    ],
)
def test_a_service_that_leads_to_no_queue_is_refused(sqs: Sqs, region: str, user: str, password: str, url: str) -> None:
    with pytest.raises(NotAllowed):
        ForeignQueue(region, user, password, url)


def test_messages_are_as_in_queues_of_ours(sqs: Sqs) -> None:
    attributes = {"Schema": "proca:action:2", "Stage": "deliver", "EventType": ""}
    assert [*queue().send(orders(1, '{"a": 1}', **attributes))] == [Taken()]
    assert sqs.sent == [
        {
            "QueueUrl": URL,
            "Entries": [
                {
                    "Id": "0",
                    "MessageBody": '{"a": 1}',
                    "MessageAttributes": {
                        "Schema": {"DataType": "String", "StringValue": "proca:action:2"},
                        "Stage": {"DataType": "String", "StringValue": "deliver"},
                    },
                }
            ],
        }
    ]


def test_a_fifo_queue_keeps_the_order_and_drops_repetitions(sqs: Sqs) -> None:
    [*queue(URL + ".fifo").send(orders(2, Replay="job-7"))]
    assert [(entry["MessageGroupId"], entry["MessageDeduplicationId"]) for entry in sqs.sent[0]["Entries"]] == [
        ("7.push", "0.deliver.7.job-7"),
        ("7.push", "1.deliver.7.job-7"),
    ]


def test_as_few_calls_as_sizes_allow(sqs: Sqs) -> None:
    assert len([*queue().send(orders(23))]) == 23
    assert [len(request["Entries"]) for request in sqs.sent] == [10, 10, 3]
    sqs.sent.clear()
    assert len([*queue().send(orders(5, "x" * 300_000))]) == 5
    assert [len(request["Entries"]) for request in sqs.sent] == [3, 2]


def test_only_entries_that_failed_fail(sqs: Sqs) -> None:
    sqs.failed = [
        {"Id": "1", "SenderFault": True, "Code": "InvalidMessageContents"},
        {"Id": "3", "SenderFault": False, "Code": "InternalError"},
    ]
    assert [*queue().send(orders(5))] == [
        Taken(),
        Refused("InvalidMessageContents"),
        Taken(),
        Failed("InternalError"),
        Taken(),
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessageBatch"), "AccessDenied"),
        (EndpointConnectionError(endpoint_url="sqs"), "EndpointConnectionError"),
    ],
)
def test_a_call_that_fails_fails_all(sqs: Sqs, error: Exception, code: str) -> None:
    sqs.error = error
    assert [*queue().send(orders(3))] == [Failed(code)] * 3


def test_requests_go_to_the_endpoint_of_the_region_whatever_the_url_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    foreign_queue._client.cache_clear()
    client = foreign_queue._client("eu-west-1", "AKIA", "secret")
    hosts: list[str] = []

    def stop(request: Any, **_: Any) -> None:
        hosts.append(request.url)
        raise EndpointConnectionError(endpoint_url="stopped")

    client.meta.events.register("before-send.sqs", stop)
    with pytest.raises(EndpointConnectionError):
        client.send_message_batch(QueueUrl="https://example.org/123456789012/q", Entries=[])
    assert set(hosts) == {"https://sqs.eu-west-1.amazonaws.com/"}
    foreign_queue._client.cache_clear()
