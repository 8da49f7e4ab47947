"""The recorder sees what boto3, botocore and PynamoDB ask of AWS, and leaves the programs' answers alone."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tests.harness.calls import calls, unseen_client
from tests.harness.conftest import Toys

MakeClient = Callable[[str], Any]


def toy_model(toys: Toys) -> Any:
    """A PynamoDB model of the toy table."""

    class Toy(Model):
        class Meta:
            table_name = toys.table
            region = "eu-central-1"

        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)

    return Toy


def test_calls_of_every_kind_of_client_are_recorded_in_order(toys: Toys, client: MakeClient) -> None:
    toy = toy_model(toys)
    with calls() as recorded:
        toy(id="a").save()
        boto3.client("dynamodb").get_item(TableName=toys.table, Key={"id": {"S": "a"}})
        client("sqs").list_queues()
    assert [(call.service, call.operation) for call in recorded] == [
        ("dynamodb", "PutItem"),
        ("dynamodb", "GetItem"),
        ("sqs", "ListQueues"),
    ]
    assert recorded.operations == ["PutItem", "GetItem", "ListQueues"]
    assert [call.operation for call in recorded.of("dynamodb")] == ["PutItem", "GetItem"]
    assert recorded[1].answer is not None
    assert recorded[1].answer["Item"] == {"id": {"S": "a"}}
    assert [call.attempts for call in recorded] == [1, 1, 1]


def test_a_failing_call_keeps_its_error(toys: Toys, client: MakeClient) -> None:
    with calls() as recorded, pytest.raises(ClientError) as raised:
        client("dynamodb").get_item(TableName="missing", Key={"id": {"S": "a"}})
    assert recorded[0].error is raised.value
    assert recorded[0].answer is None


def test_nothing_is_recorded_outside_or_of_the_tools_themselves(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    with calls() as recorded:
        unseen_client("dynamodb").list_tables()
    dynamodb.list_tables()
    assert len(recorded) == 0


def test_the_hooks_are_gone_when_nobody_watches(toys: Toys) -> None:
    def homes() -> list[str]:
        return [vars(BaseClient)["_make_api_call"].__module__, vars(Endpoint)["_do_get_response"].__module__]

    with calls():
        with calls():
            pass
        assert homes() == ["tests.harness.calls"] * 2
    assert homes() == ["botocore.client", "botocore.endpoint"]


def test_the_keys_a_call_touches(toys: Toys, client: MakeClient) -> None:
    dynamodb, table = client("dynamodb"), toys.table
    key, item = {"id": {"S": "a"}}, {"id": {"S": "b"}, "text": {"S": "x"}}
    with calls() as recorded:
        dynamodb.put_item(TableName=table, Item=item)
        dynamodb.update_item(TableName=table, Key=key)
        dynamodb.batch_get_item(RequestItems={table: {"Keys": [key]}})
        dynamodb.batch_write_item(
            RequestItems={table: [{"PutRequest": {"Item": item}}, {"DeleteRequest": {"Key": key}}]}
        )
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": item}},
                {"ConditionCheck": {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(id)"}},
            ]
        )
        dynamodb.query(
            TableName=table, KeyConditionExpression="id = :id", ExpressionAttributeValues={":id": {"S": "a"}}
        )
        client("sqs").list_queues()
    a, b = {"id": "a"}, {"id": "b"}
    assert [call.keys for call in recorded] == [
        [("Put", table, b)],
        [("Update", table, a)],
        [("Get", table, a)],
        [("Put", table, b), ("Delete", table, a)],
        [("Put", table, b), ("ConditionCheck", table, a)],
        [("Query", table, {":id": "a"})],
        [],
    ]
    assert str(recorded[4]) == f"dynamodb:TransactWriteItems [Put {table} b, ConditionCheck {table} a]"


def test_capacity_is_asked_for_without_the_program_noticing(toys: Toys, client: MakeClient) -> None:
    dynamodb = client("dynamodb")
    item = {"id": {"S": "a"}, "text": {"S": "x" * 1500}}
    with calls(capacity=True) as recorded:
        answer = dynamodb.put_item(TableName=toys.table, Item=item)
        dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": toys.table, "Item": item}}])
        dynamodb.list_tables()
        own = dynamodb.get_item(TableName=toys.table, Key={"id": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
    assert "ConsumedCapacity" not in answer
    assert "ConsumedCapacity" in own
    assert recorded.units == {"PutItem": 2, "TransactWriteItems": 4, "GetItem": 0.5}
    assert recorded[0].consumed[0]["Table"]["CapacityUnits"] == 2


def test_pynamodb_works_with_capacity_on(toys: Toys) -> None:
    toy = toy_model(toys)
    with calls(capacity=True) as recorded:
        with TransactWrite(connection=Connection(region="eu-central-1")) as transaction:
            transaction.save(toy(id="a", text="x"))
        assert toy.get("a").text == "x"
        assert [found.id for found in toy.query("a")] == ["a"]
        assert [found.id for found in toy.batch_get(["a"])] == ["a"]
    assert recorded.operations == ["TransactWriteItems", "GetItem", "Query", "BatchGetItem"]
    assert recorded.units["TransactWriteItems"] == 2
