"""How each part of the system is, told to who owns the instance and to nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.aws.clients import client
from proca_common.monitors import parts
from proca_common.orgs import store as orgs
from proca_common.pipes import topology
from proca_common.users.permissions import Permission, Role
from tests.coalition import Coalition, lose_records
from tests.desks import NOBODY, Desk, desk
from tests.harness.calls import Call, Hook, calls, hooked
from tests.harness.context import LambdaContext
from tests.harness.faults import faults, refuse, throttle
from tests.simulated import SimulatedTime
from tests.world import World, api_event, function

PATH = "/v1/health"
READS = {
    "GetItem",
    "Query",
    "BatchGetItem",
    "DescribeSecret",
    "GetQueueAttributes",
    "ListEventSourceMappings",
    "GetAccount",
}


class Lambda(Hook):
    """What Lambda says of the mappings, which no test in this process has: functions and states, by table."""

    def __init__(self) -> None:
        self.readers = {"actions": {"confirm": "Enabled", "deliver": "Enabled"}, "catalog": {"emit_events": "Enabled"}}

    def around_call(self, call: Call, proceed: Any) -> dict[str, Any]:
        if call.operation != "ListEventSourceMappings":
            return proceed()  # type: ignore[no-any-return]
        readers = self.readers[call.params["EventSourceArn"].split("/")[1]]
        of_all = {"LastProcessingResult": "No records processed"}
        found = [{"FunctionArn": f"arn:aws:lambda:::{name}", "State": state} for name, state in readers.items()]
        return {"EventSourceMappings": [each | of_all for each in found]}


@pytest.fixture(autouse=True)
def mappings() -> Iterator[Lambda]:
    answers = Lambda()
    with hooked(answers):
        yield answers


@pytest.fixture
def operator(time: SimulatedTime) -> Desk:
    return desk("operator@example.org", perms=Permission.INSTANCE_OWNER)


def well(who: Desk) -> list[dict[str, Any]]:
    answer = who.get(PATH)
    assert (answer.status, answer.body["status"]) == (200, "ok"), answer.body
    return list(answer.body["items"])


def ill(who: Desk) -> list[dict[str, Any]]:
    answer = who.get(PATH)
    assert (answer.status, answer.body["status"]) == (503, "error")
    return [part for part in answer.body["items"] if part["status"] == "error"]


def test_each_part_is_named_and_nothing_is_written(world: World, operator: Desk) -> None:
    well(operator)  # notes that the token is used
    with calls() as recorded:
        found = well(operator)
    kinds = [part["part"].split(" ")[0] for part in found]
    assert kinds == sorted(kinds, key=["table", "secret", "queue", "stream", "stages", "mails"].index)
    assert [part["part"] for part in found if part["part"].startswith("table")] == [
        "table actions",
        "table catalog",
        "table stats",
        "table erasures",
    ]
    assert {"test-mail", "test-push.fifo"} <= {part["part"].removeprefix("queue ") for part in found}
    assert set(recorded.operations) <= READS


@pytest.mark.parametrize("who", ["anybody", "an owner of an org", "a manager of users"])
def test_nobody_else_is_told(world: World, who: str) -> None:
    world.org("bees")
    asking = {
        "anybody": lambda: NOBODY,
        "an owner of an org": lambda: desk("ida@example.org", bees=Role.OWNER),
        "a manager of users": lambda: desk("ole@example.org", perms=Permission.MANAGE_USERS),
    }[who]()
    answer = asking.get(PATH)
    assert answer.status == (401 if who == "anybody" else 403)
    assert "items" not in answer.body


def test_a_table_that_does_not_answer(world: World, operator: Desk) -> None:
    stats = throttle(lambda call: call.operation == "GetItem" and "StatsTable" in str(call.params))
    with faults(stats):
        assert ill(operator) == [{"part": "table stats", "status": "error", "message": "does not answer"}]


def test_a_secret_that_is_gone(world: World, operator: Desk) -> None:
    with faults(refuse("ResourceNotFoundException", on="DescribeSecret")):
        [found] = ill(operator)
    assert found["part"].startswith("secret ")


def test_a_queue_that_is_gone_and_how_full_the_others_are(world: World, operator: Desk) -> None:
    client("sqs").send_message(QueueUrl=os.environ["DETAIL_QUEUE_URL"], MessageBody="{}")
    [detail] = [part for part in well(operator) if part["part"] == "queue test-detail"]
    assert (detail["messages"], detail["inFlight"]) == (1, 0)
    gone = refuse("QueueDoesNotExist", on=lambda call: "test-detail" in str(call.params))
    with faults(gone):
        assert ill(operator) == [{"part": "queue test-detail", "status": "error", "message": "does not answer"}]


@pytest.mark.parametrize("readers", [{"confirm": "Enabled", "deliver": "Disabled"}, {"confirm": "Enabled"}, {}])
def test_a_stream_that_is_not_read_shows_while_nobody_signs(
    world: World, operator: Desk, mappings: Lambda, readers: dict[str, str]
) -> None:
    read = [part["part"] for part in well(operator) if part["part"].startswith("stream")]
    assert read == ["stream of actions", "stream of catalog"]
    mappings.readers["actions"] = readers
    last = {"lastResult": "No records processed"}
    shown = [{"function": name, "state": state, **last} for name, state in readers.items()]
    said = {"part": "stream of actions", "status": "error", "message": "is not read"}
    assert ill(operator) == [{**said, "readers": shown}]


def test_a_stream_that_stands_still_shows_within_minutes(world: World, time: SimulatedTime, operator: Desk) -> None:
    Coalition(world).petition().sign("ida")
    seconds = []
    for _ in range(14):
        lose_records(world)
        time.forward(seconds=65)
        answer = operator.get(PATH)
        [stages] = [part for part in answer.body["items"] if part["part"] == "stages"]
        seconds.append((stages["oldestOverdueSeconds"], answer.status))
        world.sweep()
    assert [status for second, status in seconds] == [503 if second >= 600 else 200 for second, _ in seconds]
    assert (seconds[0][1], seconds[-1][1]) == (200, 503)
    world.run()
    time.recover()
    assert well(operator)


def test_an_org_whose_queue_is_gone_is_no_illness_of_ours(world: World, time: SimulatedTime, operator: Desk) -> None:

    org = world.org("bees")
    world.sign(world.page(org))
    topology.remove(world.prefix, org.id)
    world.run()
    time.forward(hours=7)
    assert well(operator)


class Account(Hook):
    """What SES says of the account."""

    def __init__(self, sent: float, *, enabled: bool = True, allowed: float = 200.0) -> None:
        self.account = {
            "SendingEnabled": enabled,
            "SendQuota": {"Max24HourSend": allowed, "SentLast24Hours": sent, "MaxSendRate": 14.0},
        }

    def around_call(self, call: Call, proceed: Any) -> dict[str, Any]:
        return self.account if call.operation == "GetAccount" else proceed()


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (Account(199), None),
        (Account(200), "the quota of the day is used up"),
        (Account(10_000, allowed=-1), None),
        (Account(0, enabled=False), "sending is paused by the provider"),
    ],
)
def test_the_quota_of_mails(world: World, operator: Desk, account: Account, message: str | None) -> None:
    instance = orgs.get(world.instance.org)
    orgs.replace(instance.model_copy(update={"email_backend": "ses"}))
    with hooked(account):
        answer = operator.get(PATH)
    mails = answer.body["items"][-1]
    assert (mails["part"], mails.get("message"), mails["allowedInASecond"]) == ("mails", message, 14.0)
    assert answer.status == (200 if message is None else 503)


def test_an_instance_without_mails_is_well(world: World, operator: Desk) -> None:
    with calls() as recorded:
        assert well(operator)[-1] == {"part": "mails", "status": "ok", "backend": None}
    assert not recorded.of("GetAccount")


def test_what_there_was_no_time_for_is_said(world: World, operator: Desk) -> None:
    event = api_event("GET", PATH, headers={"Authorization": f"Bearer {operator.token}"})
    answer = function("CheckHealthFunction")(event, LambdaContext("CheckHealthFunction", remaining_ms=5_000))
    assert answer["statusCode"] == 503
    assert (
        answer["body"].count("no time was left to look")
        == len(parts.TABLES)
        + sum(len(os.environ[f"CHECKED_{kind}"].split(",")) for kind in ("QUEUES", "SECRETS", "STREAMS"))
        + 2
    )
