"""What the tests rely on in the local stack: that it refuses what AWS would refuse."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from tools.emulator import REGION, Emulator

OWNER = "000000000000"
ORG, STRANGER = "111111111111", "222222222222"
ARN = f"arn:aws:sqs:{REGION}:{OWNER}:guarded"
READABLE_BY_THE_ORG = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": ARN,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ORG}:root"},
            "Action": ["sqs:ReceiveMessage"],
            "Resource": ARN,
        },
    ],
}


@pytest.fixture
def queue(emulator: Emulator) -> Iterator[str]:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="guarded", Attributes={"Policy": json.dumps(READABLE_BY_THE_ORG)})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def test_another_account_may_do_what_the_policy_of_a_queue_allows_it(emulator: Emulator, queue: str) -> None:
    org, stranger = emulator.client("sqs", ORG), emulator.client("sqs", STRANGER)

    org.receive_message(QueueUrl=queue)
    with pytest.raises(ClientError, match="AccessDenied"):
        org.send_message(QueueUrl=queue, MessageBody="x")
    with pytest.raises(ClientError, match="AccessDenied"):
        stranger.receive_message(QueueUrl=queue)


def test_a_queue_that_wants_tls_refuses_even_the_root_without(emulator: Emulator, queue: str) -> None:
    environ = emulator.environ()
    plain = boto3.client(
        "sqs",
        endpoint_url=emulator.endpoint,
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        plain.receive_message(QueueUrl=queue)


def test_messages_of_a_standard_queue_keep_their_group(emulator: Emulator) -> None:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName="fair")["QueueUrl"]

    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="7")

    received = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"])["Messages"]
    assert received[0]["Attributes"]["MessageGroupId"] == "7"


def test_a_transaction_says_what_it_wrote_to_table_and_index(emulator: Emulator) -> None:
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="counted",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "pending")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "KeySchema": [{"AttributeName": "pending", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )

    answer = dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "counted", "Item": {"pk": {"S": "1"}, "pending": {"S": "emit#0"}}}}],
        ReturnConsumedCapacity="INDEXES",
    )

    written = answer["ConsumedCapacity"][0]
    assert written["WriteCapacityUnits"] == 2, "a write in a transaction counts twice"
    assert written["GlobalSecondaryIndexes"]["pending"]["WriteCapacityUnits"] == 1
