"""The deliver function killed half-way, records given up: at least once in the queue, exactly once in the numbers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Ngo, Page, Site
from tools.clear_text import peek
from tools.emulator import Emulator
from tools.stack import STACK_NAME

KEPT = (
    "BatchSize",
    "EventSourceArn",
    "FilterCriteria",
    "DestinationConfig",
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "FunctionResponseTypes",
)


class Mapping:
    """The mapping from the stream to the deliver function."""

    def __init__(self, local: Emulator) -> None:
        self._lambda = local.client("lambda")
        stack = local.client("cloudformation")
        found = stack.describe_stack_resource(StackName=STACK_NAME, LogicalResourceId="DeliverFunction")
        self.function: str = found["StackResourceDetail"]["PhysicalResourceId"]

    @property
    def now(self) -> dict[str, Any]:
        [found] = self._lambda.list_event_source_mappings(FunctionName=self.function)["EventSourceMappings"]
        return dict(found)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """No record is handed on within; those that come meanwhile are, all together, at the end."""
        self._lambda.update_event_source_mapping(UUID=self.now["UUID"], Enabled=False)
        yield
        self._lambda.update_event_source_mapping(UUID=self.now["UUID"], Enabled=True)

    def forget(self) -> None:
        """Make it anew: what the stream has now is never handed on."""
        before = self.now
        self._lambda.delete_event_source_mapping(UUID=before["UUID"])
        same = {name: before[name] for name in KEPT}
        self._lambda.create_event_source_mapping(FunctionName=self.function, StartingPosition="LATEST", **same)


def kill(local: Emulator, function: str) -> int:
    """Kill the processes that run a function on this stack, wherever they are in their work; how many there were."""
    home = f"HOME={local.folder / 'tmp'}".encode()
    name = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if name in environ and home in environ:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)
                found += 1
    return found


def sweep(local: Emulator) -> dict[str, int]:
    """One run of the sweep."""
    found = local.client("cloudformation").describe_stack_resource(
        StackName=STACK_NAME, LogicalResourceId="SweepFunction"
    )
    answer = local.client("lambda").invoke(FunctionName=found["StackResourceDetail"]["PhysicalResourceId"])
    assert "FunctionError" not in answer
    swept: dict[str, int] = json.load(answer["Payload"])
    return swept


@pytest.fixture
def mapping(local: Emulator) -> Mapping:
    return Mapping(local)


@pytest.fixture
def org(site: Site) -> Ngo:
    return site.org()


@pytest.fixture
def page(site: Site, org: Ngo) -> Page:
    """A page whose function is warm."""
    made = site.page(org)
    site.signed(made, email="first@example.org")
    site.client.wait_until_delivered()
    site.received(org)
    return made


def assert_exact(site: Site, org: Ngo, page: Page, actions: list[int]) -> None:
    """Each action at least once in the queue, always as the same message, and once in the numbers."""
    read = site.actions(org)
    assert sorted({each.message["actionId"] for each in read}) == actions
    assert {each.key.message_id for each in read} == {f"{action}.deliver.{org.id}" for action in actions}
    assert {each.message["contact"]["dupeRank"] for each in read} == {0}
    numbers = site.numbers(page)
    assert (numbers["persons:total"], numbers["type:register"]) == (1 + len(actions), 1 + len(actions))
    assert {site.status(action) for action in actions} == {"delivered"}


@pytest.mark.parametrize("messages", [1, 10, 20])
def test_a_batch_that_is_killed_is_delivered_and_counted_once(
    site: Site, local: Emulator, mapping: Mapping, org: Ngo, page: Page, messages: int
) -> None:
    url = site.client.queue_url(org.id, "deliver")
    with mapping.held():
        actions = [site.signed(page, email=f"person.{number}@example.org") for number in range(25)]
    site.wait_for(lambda: len(peek(site.client.stack, url)) >= messages)
    killed = kill(local, mapping.function)
    site.client.wait_until_delivered()

    assert killed
    assert sweep(local) == {"woken": 0, "stuck": 0}
    assert_exact(site, org, page, actions)


def test_a_function_that_is_killed_over_and_over_comes_through_in_the_end(
    site: Site, local: Emulator, mapping: Mapping, org: Ngo, page: Page
) -> None:
    with mapping.held():
        actions = [site.signed(page, email=f"person.{number}@example.org") for number in range(10)]
    for _ in range(3):  # a fresh one comes each time, and is killed at any moment from its start on
        site.wait_for(lambda: kill(local, mapping.function))
    site.client.wait_until_delivered()

    assert_exact(site, org, page, actions)


def test_records_that_the_stream_gave_up_are_found_by_the_sweep(
    site: Site, local: Emulator, mapping: Mapping, org: Ngo, page: Page
) -> None:
    dynamodb, table = local.client("dynamodb"), site.client.stack.environ["ACTIONS_TABLE"]
    with mapping.held():
        actions = [site.signed(page, email=f"person.{number}@example.org") for number in range(3)]
        found = dynamodb.scan(TableName=table, IndexName="pending")["Items"]
        for item in found:  # as if it had been two minutes ago
            aged = {"N": str(int(item["due"]["N"]) - 120_000)}
            key = {name: item[name] for name in ("ref", "sk")}
            dynamodb.update_item(
                TableName=table, Key=key, UpdateExpression="SET due = :aged", ExpressionAttributeValues={":aged": aged}
            )
        mapping.forget()
    assert len(found) == site.client.pending() == len(actions)
    assert not site.received(org)

    swept = sweep(local)
    site.client.wait_until_delivered()

    assert swept == {"woken": len(actions), "stuck": 0}
    assert_exact(site, org, page, actions)
