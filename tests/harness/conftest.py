"""Toy tables and clients on the emulator for the tests of the tools."""

from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from tests.harness.calls import unseen_client
from tools.emulator import Emulator


@pytest.fixture
def toys(emulator: Emulator) -> Iterator["Toys"]:
    toys = Toys()
    yield toys
    toys.delete()


class Toys:
    """A table `id` with a stream, and what the tests do with it."""

    _count = 0

    def __init__(self) -> None:
        Toys._count += 1
        self.table = f"toys-{Toys._count}"
        unseen_client("dynamodb").create_table(
            TableName=self.table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )

    def put(self, *ids: str, **attributes: Any) -> None:
        for name in ids:
            item = {"id": {"S": name}, **attributes}
            unseen_client("dynamodb").put_item(TableName=self.table, Item=item)

    def get(self, name: str) -> dict[str, Any] | None:
        answer = unseen_client("dynamodb").get_item(TableName=self.table, Key={"id": {"S": name}}, ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def delete(self) -> None:
        unseen_client("dynamodb").delete_table(TableName=self.table)


@pytest.fixture
def client(emulator: Emulator) -> Callable[[str], Any]:
    """Makes clients as the code under test has them: hooks see their calls; three tries."""

    def make(service: str) -> Any:
        session = botocore.session.get_session()
        config = Config(retries={"total_max_attempts": 3, "mode": "standard"})
        return session.create_client(service, config=config)

    return make
