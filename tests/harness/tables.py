"""Makes the tables of `template.yaml` on the emulator, empties them and reads them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.harness.calls import unseen_client
from tests.harness.template import Template, project_template

VARIABLES = {
    "ActionsTable": "ACTIONS_TABLE",
    "CatalogTable": "CATALOG_TABLE",
    "StatsTable": "STATS_TABLE",
    "ErasuresTable": "ERASURES_TABLE",
}
"""Logical id of a table and the variable that tells the functions its name."""

_KEPT = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
    "TimeToLiveSpecification",
)


def definitions(template: Template | None = None) -> dict[str, dict[str, Any]]:
    """CreateTable arguments of each table of the template (the project's, if none is given), by logical id, as far as
    the data model goes: keys, indexes, stream and time to live, on demand."""
    template = template or project_template()
    return {
        logical_id: _definition(properties)
        for logical_id, properties in template.resources("AWS::DynamoDB::Table").items()
    }


class Tables(dict[str, str]):
    """Tables on the emulator: logical id to name. The names are unique, so tests can run side by side."""

    def __init__(self, template: Template | None = None) -> None:
        self._definitions = definitions(template)
        prefix = f"test-{uuid.uuid4().hex[:8]}"
        super().__init__({logical_id: f"{prefix}-{logical_id}" for logical_id in self._definitions})
        self.create()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which functions find the tables."""
        return {variable: self[logical_id] for logical_id, variable in VARIABLES.items() if logical_id in self}

    def create(self) -> None:
        client = unseen_client("dynamodb")
        for logical_id, definition in self._definitions.items():
            arguments = {key: value for key, value in definition.items() if key != "TimeToLiveSpecification"}
            client.create_table(TableName=self[logical_id], **arguments)
            if "TimeToLiveSpecification" in definition:
                client.update_time_to_live(
                    TableName=self[logical_id], TimeToLiveSpecification=definition["TimeToLiveSpecification"]
                )

    def delete(self) -> None:
        for name in self.values():
            unseen_client("dynamodb").delete_table(TableName=name)

    def clean(self) -> None:
        """Makes every table anew under its name: no items, and a stream without a past. Some milliseconds. A
        `StreamHarness` made before reads the old stream."""
        self.delete()
        self.create()

    def all_items(self, logical_id: str) -> list[dict[str, Any]]:
        """Every item of one table, in DynamoDB's own form."""
        return all_items(self[logical_id])


@contextmanager
def project_tables(template: Template | None = None) -> Iterator[Tables]:
    """The tables of the template, deleted at the end."""
    tables = Tables(template)
    try:
        yield tables
    finally:
        tables.delete()


def all_items(table: str) -> list[dict[str, Any]]:
    """Every item of a table, in DynamoDB's own form (`{"ref": {"S": …}}`), read consistently."""
    pages = unseen_client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def _definition(properties: dict[str, Any]) -> dict[str, Any]:
    definition = {key: properties[key] for key in _KEPT if key in properties}
    indexes = ("IndexName", "KeySchema", "Projection")
    if "GlobalSecondaryIndexes" in definition:
        definition["GlobalSecondaryIndexes"] = [
            {key: index[key] for key in indexes} for index in definition["GlobalSecondaryIndexes"]
        ]
    if "StreamSpecification" in definition:
        definition["StreamSpecification"] = {"StreamEnabled": True, **definition["StreamSpecification"]}
    return {**definition, "BillingMode": "PAY_PER_REQUEST"}
