"""The project's tables on the emulator."""

from collections.abc import Iterator

import pytest

from tests.harness.calls import unseen_client
from tests.harness.stream_reader import StreamReader
from tests.harness.tables import Tables, all_items, project_tables
from tools.emulator import Emulator


@pytest.fixture(scope="module")
def tables(emulator: Emulator) -> Iterator[Tables]:
    with project_tables() as made:
        yield made


def test_the_tables_are_those_of_the_template(tables: Tables) -> None:
    assert set(tables) == {"ActionsTable", "CatalogTable", "StatsTable", "ErasuresTable"}
    assert tables.environment == {
        "ACTIONS_TABLE": tables["ActionsTable"],
        "CATALOG_TABLE": tables["CatalogTable"],
        "STATS_TABLE": tables["StatsTable"],
        "ERASURES_TABLE": tables["ErasuresTable"],
    }
    dynamodb = unseen_client("dynamodb")
    actions = dynamodb.describe_table(TableName=tables["ActionsTable"])["Table"]
    assert [key["AttributeName"] for key in actions["KeySchema"]] == ["ref", "sk"]
    assert {
        index["IndexName"]: index["Projection"]["ProjectionType"] for index in actions["GlobalSecondaryIndexes"]
    } == {
        "by_campaign": "KEYS_ONLY",
        "pending": "KEYS_ONLY",
    }
    assert actions["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    expiry = dynamodb.describe_time_to_live(TableName=tables["ActionsTable"])["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    stats = dynamodb.describe_table(TableName=tables["StatsTable"])["Table"]
    assert "StreamSpecification" not in stats


def test_two_sets_of_tables_do_not_meet(tables: Tables) -> None:
    with project_tables() as others:
        assert not set(others.values()) & set(tables.values())
        existing = unseen_client("dynamodb").list_tables()["TableNames"]
        assert set(others.values()) <= set(existing)
    assert not set(others.values()) & set(unseen_client("dynamodb").list_tables()["TableNames"])


def test_cleaning_leaves_no_item_and_no_stream_record(tables: Tables) -> None:
    dynamodb = unseen_client("dynamodb")
    for number in range(3):
        dynamodb.put_item(
            TableName=tables["ActionsTable"], Item={"ref": {"S": "r"}, "sk": {"S": str(number)}, "n": {"N": "1"}}
        )
    assert len(tables.all_items("ActionsTable")) == 3
    assert len(stream_of(tables["ActionsTable"])) == 3
    tables.clean()
    assert all_items(tables["ActionsTable"]) == []
    assert stream_of(tables["ActionsTable"]) == []


def test_all_items_reads_every_page(tables: Tables) -> None:
    tables.clean()
    dynamodb = unseen_client("dynamodb")
    for number in range(4):
        item = {"pk": {"S": str(number)}, "sk": {"S": "x"}, "filler": {"S": "x" * 390_000}}
        dynamodb.put_item(TableName=tables["StatsTable"], Item=item)
    assert sorted(item["pk"]["S"] for item in tables.all_items("StatsTable")) == ["0", "1", "2", "3"]
    tables.clean()


def stream_of(table: str) -> list[object]:
    reader = StreamReader(table)
    reader.read()
    return [record for shard in reader.shards.values() for record in shard.records]
