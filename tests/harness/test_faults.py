"""Each fault does what it says: to a botocore client, with botocore's own retries, and to PynamoDB."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from tests.harness.calls import Call, unseen_client
from tests.harness.conftest import Toys
from tests.harness.faults import (
    Killed,
    conflict,
    crash_after,
    crash_before,
    crash_points,
    fail_entries,
    faults,
    leave_unprocessed,
    lose_answer,
    lose_request,
    refuse,
    throttle,
)
from tests.harness.interleave import probe
from tests.harness.test_calls import toy_model
from tools.emulator import Emulator

MakeClient = Callable[[str], Any]
THROTTLES = ["ThrottlingException", "ProvisionedThroughputExceededException"]


def put(dynamodb: Any, toys: Toys, name: str = "a") -> None:
    dynamodb.put_item(TableName=toys.table, Item={"id": {"S": name}})


def add(dynamodb: Any, toys: Toys) -> None:
    """Not idempotent: shows how often it was executed."""
    dynamodb.update_item(
        TableName=toys.table,
        Key={"id": {"S": "counter"}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def count(toys: Toys) -> int:
    item = toys.get("counter")
    return int(item["n"]["N"]) if item else 0


@pytest.mark.parametrize("code", THROTTLES)
def test_a_throttle_that_lasts_uses_up_botocores_tries(toys: Toys, client: MakeClient, code: str) -> None:
    dynamodb = client("dynamodb")
    with faults(throttle(code=code)) as recorded, pytest.raises(ClientError) as raised:
        add(dynamodb, toys)
    assert raised.value.response["Error"]["Code"] == code
    assert isinstance(raised.value, getattr(dynamodb.exceptions, code))
    assert recorded[0].attempts == 3
    assert count(toys) == 0


def test_a_throttle_of_one_attempt_is_healed_by_a_retry(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with faults(throttle(attempts=1)) as recorded:
        add(dynamodb, toys)
    assert recorded[0].attempts == 2
    assert count(toys) == 1


def test_retries_wait_only_when_asked_to(toys: Toys, client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    dynamodb = client("dynamodb")
    with faults(throttle(attempts=1)):
        add(dynamodb, toys)
    assert waits == []
    with faults(throttle(attempts=1), sleep=True):
        add(dynamodb, toys)
    assert len(waits) == 1


def test_a_conflict_cancels_a_transaction_with_its_reasons(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    writes = [{"Put": {"TableName": toys.table, "Item": {"id": {"S": name}}}} for name in "abc"]
    with faults(conflict(items=[1])), pytest.raises(dynamodb.exceptions.TransactionCanceledException) as raised:
        dynamodb.transact_write_items(TransactItems=writes)
    reasons = [reason["Code"] for reason in raised.value.response["CancellationReasons"]]
    assert reasons == ["None", "TransactionConflict", "None"]
    assert toys.get("a") is None


def test_a_conflict_refuses_a_single_write(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with faults(conflict(on="PutItem")), pytest.raises(dynamodb.exceptions.TransactionConflictException):
        put(dynamodb, toys)
    assert toys.get("a") is None


def test_pynamodb_sees_the_conflict(toys: Toys) -> None:
    toy = toy_model(toys)
    transaction = TransactWrite(connection=Connection(region="eu-central-1"))
    transaction.save(toy(id="a"))
    transaction.save(toy(id="b"))
    with faults(conflict(items=[1])), pytest.raises(TransactWriteError) as raised:
        transaction._commit()
    assert raised.value.cause_response_code == "TransactionCanceledException"
    codes = [reason.code if reason else None for reason in raised.value.cancellation_reasons]
    assert codes == [None, "TransactionConflict"]


@pytest.mark.parametrize("code", THROTTLES)
def test_pynamodb_sees_the_throttle(toys: Toys, code: str) -> None:
    toy = toy_model(toys)
    with faults(throttle(code=code)) as recorded, pytest.raises(PutError) as raised:
        toy(id="a").save()
    assert raised.value.cause_response_code == code
    assert recorded[0].attempts > 1
    toy(id="a").save()


def test_a_lost_request_is_never_executed(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with faults(lose_request()) as recorded, pytest.raises(EndpointConnectionError):
        add(dynamodb, toys)
    assert recorded[0].attempts == 3
    assert count(toys) == 0


def test_a_lost_answer_is_executed_once_per_attempt(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with faults(lose_answer()), pytest.raises(ReadTimeoutError):
        add(dynamodb, toys)
    assert count(toys) == 3
    with faults(lose_answer(attempts=1)):
        add(dynamodb, toys)
    assert count(toys) == 5


def test_a_transaction_whose_answer_is_lost_is_executed_once(toys: Toys, client: MakeClient) -> None:
    """botocore sends the same ClientRequestToken again: DynamoDB recognises it."""
    update = {
        "TableName": toys.table,
        "Key": {"id": {"S": "counter"}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    with faults(lose_answer(attempts=1)) as recorded:
        client("dynamodb").transact_write_items(TransactItems=[{"Update": update}])
    assert recorded[0].attempts == 2
    assert count(toys) == 1


def test_a_crash_before_a_call_leaves_it_undone_and_one_after_it_done(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with faults(crash_before()), pytest.raises(Killed, match="before dynamodb:UpdateItem"):
        add(dynamodb, toys)
    assert count(toys) == 0
    with faults(crash_after()) as recorded, pytest.raises(Killed):
        add(dynamodb, toys)
    assert count(toys) == 1
    assert recorded[0].attempts == 1


def test_a_crash_passes_through_except_exception_and_pynamodb(toys: Toys) -> None:
    toy = toy_model(toys)

    def careful() -> None:
        try:
            toy(id="a").save()
        except Exception:  # noqa: BLE001  what a careful program might do
            return

    with faults(crash_after()), pytest.raises(Killed):
        careful()
    assert toys.get("a") is not None


def test_a_plan_chooses_the_nth_of_the_calls_it_is_for(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with faults(refuse("ValidationException", on="PutItem", nth=2)) as recorded:
        put(dynamodb, toys, "a")
        add(dynamodb, toys)
        with pytest.raises(ClientError):
            put(dynamodb, toys, "b")
        put(dynamodb, toys, "c")
    assert [name for name in "abc" if toys.get(name)] == ["a", "c"]
    assert recorded.operations == ["PutItem", "UpdateItem", "PutItem", "PutItem"]


@pytest.mark.parametrize("on", ["dynamodb", "dynamodb:PutItem", lambda call: ("Put", "b") in verbs(call)])
def test_a_plan_can_be_for_a_service_an_operation_of_it_or_a_predicate(
    toys: Toys, client: MakeClient, on: str | Callable[[Call], bool]
) -> None:
    dynamodb = client("dynamodb")
    client("sqs").list_queues()
    with faults(refuse("ValidationException", on=on, nth=None)):
        client("sqs").list_queues()
        with pytest.raises(ClientError):
            put(dynamodb, toys, "b")
    assert toys.get("b") is None


def verbs(call: Call) -> list[tuple[str, str]]:
    return [(verb, key["id"]) for verb, _, key in call.keys]


def test_a_fault_that_never_strikes_fails_the_test(toys: Toys, client: MakeClient) -> None:
    with pytest.raises(AssertionError, match="never struck"), faults(throttle(on="Query")):
        put(client("dynamodb"), toys)
    with faults(throttle(on="Query"), must_fire=False):
        put(client("dynamodb"), toys)


def test_the_tools_own_calls_are_spared(toys: Toys) -> None:
    with faults(throttle(nth=None), must_fire=False) as recorded:
        toys.put("a")
    assert len(recorded) == 0


def test_old_clients_are_hit_and_healed(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    put(dynamodb, toys)
    with faults(refuse("AccessDeniedException")), pytest.raises(ClientError):
        put(dynamodb, toys)
    put(dynamodb, toys)


def test_a_queue_that_is_gone_is_refused_as_by_sqs(client: MakeClient, emulator: Emulator) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="still-there")["QueueUrl"]
    with pytest.raises(ClientError) as real:
        sqs.send_message(QueueUrl=url.replace("still-there", "gone"), MessageBody="x")
    with faults(refuse("QueueDoesNotExist", on="sqs")), pytest.raises(ClientError) as injected:
        sqs.send_message(QueueUrl=url, MessageBody="x")
    assert type(injected.value) is type(real.value)
    codes = [error.value.response["Error"]["Code"] for error in (injected, real)]
    assert codes == ["AWS.SimpleQueueService.NonExistentQueue"] * 2


def test_some_entries_of_a_batch_can_fail(toys: Toys, client: MakeClient) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=toys.table)["QueueUrl"]
    entries = [{"Id": name, "MessageBody": name} for name in "abc"]
    with faults(fail_entries(lambda entry: entry["Id"] == "b")):
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["a", "c"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("b", "InternalError")]
    received = unseen_client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert sorted(message["Body"] for message in received) == ["a", "c"]
    with faults(fail_entries()):
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert (len(answer["Successful"]), len(answer["Failed"])) == (0, 3)


def test_some_keys_of_a_batch_can_stay_unprocessed(toys: Toys, client: MakeClient) -> None:
    toys.put("a", "b", "c")
    keys = [{"id": {"S": name}} for name in "abc"]
    with faults(leave_unprocessed(1)):
        answer = client("dynamodb").batch_get_item(RequestItems={toys.table: {"Keys": keys, "ConsistentRead": True}})
    assert answer["Responses"][toys.table] == [{"id": {"S": "a"}}]
    assert answer["UnprocessedKeys"] == {toys.table: {"Keys": keys[1:], "ConsistentRead": True}}


def test_the_keys_that_stay_unprocessed_are_counted_over_all_tables(toys: Toys, client: MakeClient) -> None:
    toys.put("a")
    asked = {"Keys": [{"id": {"S": "a"}}]}
    with faults(leave_unprocessed(1)):
        answer = client("dynamodb").batch_get_item(RequestItems={toys.table: asked, "never-asked": asked})
    assert answer["UnprocessedKeys"] == {"never-asked": asked}


def test_pynamodb_asks_again_for_unprocessed_keys(toys: Toys) -> None:
    toys.put("a", "b", "c")
    toy = toy_model(toys)
    with faults(leave_unprocessed(1)) as recorded:
        found = sorted(item.id for item in toy.batch_get(["a", "b", "c"]))
    assert found == ["a", "b", "c"]
    assert recorded.operations == ["BatchGetItem", "BatchGetItem"]


def test_crash_points_are_before_and_after_every_call(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")

    def operation() -> None:
        put(dynamodb, toys, "a")
        put(dynamodb, toys, "b")

    done = []
    for plan in crash_points(probe(operation)):
        for name in "ab":
            dynamodb.delete_item(TableName=toys.table, Key={"id": {"S": name}})
        with faults(plan), pytest.raises(Killed):
            operation()
        done.append("".join(name for name in "ab" if toys.get(name)))
    assert done == ["", "a", "a", "ab"]


def test_moto_is_hooked_too(client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        sqs = client("sqs")
        url = sqs.create_queue(QueueName="toys")["QueueUrl"]
        with faults(lose_answer(attempts=1)) as recorded:
            sqs.send_message(QueueUrl=url, MessageBody="twice")
        with faults(throttle()), pytest.raises(ClientError):
            sqs.send_message(QueueUrl=url, MessageBody="never")
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert recorded[0].attempts == 2
    assert [message["Body"] for message in received] == ["twice", "twice"]
