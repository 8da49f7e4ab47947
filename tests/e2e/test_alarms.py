"""Each alarm of the template goes off when what it warns of happens, and not before.

Where the local stack can do it the thing itself happens: a message lies in a queue for what was given up, a function
fails. What only AWS measures (the age of messages, throttles) is put as AWS would, and metrics of our own as
CloudWatch makes them of the functions' logs.
"""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proca_common.users.permissions import Permission
from tests.alarms import alarms, is_formula, metric, parts, state, watched
from tests.e2e.people import people
from tests.e2e.site import RUN
from tests.harness.template import Resource
from tests.metrics import told
from tools.client import Client
from tools.emulator import Emulator
from tools.stack import STACK_NAME

Json = dict[str, Any]
ALARMS = alarms()
BROKEN = json.dumps({"Records": [{}]}).encode()
"""An event that no function can make anything of."""
GIVEN_UP = [name for name, alarm in ALARMS.items() if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"]
FAILING = [name for name in ALARMS if name.endswith("FunctionErrorsAlarm")]
MEASURED = [name for name in ALARMS if name not in {*GIVEN_UP, *FAILING}]
TOLD_OF_MAILS = {None: 2_000, "bounced": 70, "blocked": 40, "complained": 20}


class Monitors:
    """CloudWatch of the local stack, and the names that its resources got."""

    def __init__(self, local: Emulator) -> None:
        self.local = local
        self.cloudwatch, self.sqs = local.client("cloudwatch"), local.client("sqs")
        found = local.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        self.names: dict[str, str] = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def name(self, value: Any) -> str:
        """A reference of the template, as it is deployed: for queues, whose ids are URLs, the name behind them."""
        if isinstance(value, Resource):
            return self.names[value.logical_id].rpartition("/")[2]
        return {"proca-test": STACK_NAME, "dev": "local"}.get(str(value), str(value))

    def placed(self, found: Json) -> Json:
        """A metric of the template, as it is deployed."""
        dimensions = [{"Name": each["Name"], "Value": self.name(each["Value"])} for each in found["Dimensions"]]
        return {**found, "Dimensions": dimensions}

    def read(self, asked: Json, statistic: str, period_s: int) -> float | None:
        """The metric's last value; periods here begin when they are asked about."""
        now = datetime.now(UTC)
        query = {"Id": "m", "MetricStat": {"Metric": self.placed(asked), "Period": 86_400, "Stat": statistic}}
        start = now - timedelta(seconds=period_s)
        [found] = self.cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=start, EndTime=now + timedelta(seconds=5)
        )["MetricDataResults"]
        return float(found["Values"][-1]) if found["Values"] else None

    def put(self, asked: Json, value: float) -> None:
        """As AWS would measure it, or make it of a line of a log."""
        placed = self.placed(asked)
        given = {"MetricName": placed["MetricName"], "Dimensions": placed["Dimensions"], "Value": value}
        self.cloudwatch.put_metric_data(Namespace=placed["Namespace"], MetricData=[given])

    def state(self, name: str) -> str:
        return state(ALARMS[name], self.read)

    def deployed(self, name: str) -> Json | None:
        """The alarm as it was deployed; formulas are not."""
        if name not in self.names:
            return None
        [found] = self.cloudwatch.describe_alarms(AlarmNames=[self.names[name]])["MetricAlarms"]
        return found  # type: ignore[no-any-return]

    def goes_off(self, name: str) -> None:
        """It does by its own dimensions, and the local stack says so too where it has it."""
        assert self.state(name) == "ALARM"
        deployed = self.deployed(name)
        assert (deployed is None) == is_formula(ALARMS[name])
        if deployed is not None:
            assert deployed["StateValue"] == "ALARM"
            assert deployed["Dimensions"] == self.placed(metric(ALARMS[name]))["Dimensions"]


@pytest.fixture(scope="module")
def monitors(client: Client, local: Emulator) -> Monitors:
    return Monitors(local)


def test_each_alarm_is_in_one_of_the_lists_here() -> None:
    assert sorted([*GIVEN_UP, *FAILING, *MEASURED]) == sorted(ALARMS)
    assert min(len(GIVEN_UP), len(FAILING), len(MEASURED)) > 3


@pytest.mark.parametrize("alarm", GIVEN_UP)
def test_what_was_given_up_is_told(monitors: Monitors, alarm: str) -> None:
    assert monitors.state(alarm) == "OK", "nothing was given up yet"
    [queue] = watched(ALARMS[alarm], "QueueName")
    url = monitors.names[queue.logical_id]
    in_order = {"MessageGroupId": "1", "MessageDeduplicationId": alarm} if url.endswith(".fifo") else {}
    monitors.sqs.send_message(QueueUrl=url, MessageBody="given up", **in_order)

    measured = monitors.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    monitors.put(metric(ALARMS[alarm]), float(measured["Attributes"]["ApproximateNumberOfMessages"]))

    monitors.goes_off(alarm)
    monitors.sqs.purge_queue(QueueUrl=url)


@pytest.mark.parametrize("alarm", FAILING)
def test_a_function_that_fails_is_told(monitors: Monitors, alarm: str) -> None:
    invoke = monitors.local.client("lambda").invoke
    for function in watched(ALARMS[alarm], "FunctionName"):
        answer = invoke(FunctionName=monitors.names[function.logical_id], Payload=BROKEN)
        if "FunctionError" in answer:
            break
    else:
        pytest.fail("none of them fails whatever it is given")
    deadline = time.monotonic() + 10
    while monitors.state(alarm) != "ALARM" and time.monotonic() < deadline:
        time.sleep(0.2)
    monitors.goes_off(alarm)


@pytest.mark.parametrize("alarm", MEASURED)
def test_what_is_measured_is_told_from_its_threshold_on(monitors: Monitors, alarm: str) -> None:
    found = ALARMS[alarm]
    assert monitors.state(alarm) == "OK", "nothing happened yet"
    if not is_formula(found):
        monitors.put(metric(found), float(found["Threshold"]) * 0.99)
        assert monitors.state(alarm) == "OK"
        monitors.put(metric(found), float(found["Threshold"]))
    elif alarm.startswith("Mail"):
        for part in parts(found).values():
            dimensions = {each["Name"]: each["Value"] for each in part["Metric"]["Dimensions"]}
            monitors.put(part["Metric"], TOLD_OF_MAILS[dimensions.get("told")])
    else:
        last = [*parts(found).values()][-1]["Metric"]
        monitors.put(last, float(found["Threshold"]) * 0.99)
        assert monitors.state(alarm) == "OK"
        monitors.put(last, float(found["Threshold"]))
    monitors.goes_off(alarm)


def test_metrics_of_the_sweep_stand_in_its_log_as_cloudwatch_reads_them(monitors: Monitors) -> None:
    """What alarms on metrics of our own rest on: the deployed function writes them, under the stack's own name."""
    invoke = monitors.local.client("lambda").invoke
    answer = invoke(FunctionName=monitors.names["SweepFunction"], Payload=b"{}", LogType="Tail")
    lines = base64.b64decode(answer["LogResult"]).decode()
    [found] = told("\n".join(line[line.find("{") :] for line in lines.splitlines() if "_aws" in line))
    [about] = found["_aws"]["CloudWatchMetrics"]
    for alarm in (ALARMS["StuckActionsAlarm"], ALARMS["OverdueAlarm"]):
        asked = monitors.placed(metric(alarm))
        assert about["Namespace"] == asked["Namespace"]
        assert asked["MetricName"] in {each["Name"] for each in about["Metrics"]}
        assert [found[each["Name"]] for each in asked["Dimensions"]] == [each["Value"] for each in asked["Dimensions"]]


def test_the_dashboard_is_deployed_with_the_names_that_things_got(monitors: Monitors) -> None:
    body = monitors.cloudwatch.get_dashboard(DashboardName=STACK_NAME)["DashboardBody"]
    text = json.dumps(json.loads(body))
    assert "${" not in text
    queues = {name for name in monitors.names if name.endswith("Queue")}
    assert len(queues) > 5
    for queue in queues:
        assert monitors.name(Resource(queue)) in text


def test_the_deployed_stack_says_how_its_parts_are(client: Client, local: Emulator) -> None:
    """With nothing but the rights of its role; the schedule's own functions run with theirs."""
    with people(client) as meet:
        answer = meet(f"operator@{RUN}.example.org", {}, Permission.INSTANCE_OWNER).get("/v1/health")
    assert "items" in answer.json, answer.text
    unwell = [part for part in answer.json["items"] if part["status"] != "ok"]
    assert (answer.status, unwell) == (200, [])
    assert len([part for part in answer.json["items"] if part["part"].startswith("queue ")]) > 10

    monitors = Monitors(local)
    for function in ("WatchFunction", "CloseCampaignsFunction"):
        ran = local.client("lambda").invoke(FunctionName=monitors.names[function], Payload=b"{}")
        assert "FunctionError" not in ran, ran["Payload"].read()
