"""The dashboard and the alarms name only what there is: metrics that functions tell, or AWS of the template's own."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from enum import EnumType
from functools import cache
from importlib import import_module
from typing import Any

import pytest

from proca_common.stages.deliver import COUNTED
from tests.alarms import alarms, is_formula, metric, parts, state, value_of
from tests.harness.template import TEMPLATE, project_template
from tools.emulator import ROOT

Json = dict[str, Any]
OF_AWS = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    },
    "AWS/Lambda": {"Duration", "Errors", "IteratorAge", "Throttles"},
    "AWS/SQS": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
}
"""Metrics that AWS has of its services, as far as they are used here."""
DIMENSION = {
    "AWS/ApiGateway": "ApiName",
    "AWS/DynamoDB": "TableName",
    "AWS/Lambda": "FunctionName",
    "AWS/SQS": "QueueName",
}
SEARCH = re.compile(
    r"""SEARCH\('\{"?(?P<namespace>[\w/${}]+?)"?,(?P<dimensions>[\w,]+)\} """
    r"""MetricName="(?P<name>\w+)" (?P<rest>[^']+)', '\w+'\)"""
)


# --- what functions tell


@cache
def emitted() -> dict[str, set[str]]:
    """All metrics that functions tell: the names of the dimensions of each, apart from `service`."""
    sources = (*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers").rglob("*.py"))
    telling = [path.read_text() for path in sources if path.name != "metrics.py" and "metric" in path.read_text()]
    return dict(told for source in telling for told in _told_in(ast.parse(source)))


def _told_in(module: ast.Module) -> Iterator[tuple[str, set[str]]]:
    lists = {
        one.target.id: _walked(one.iter, module)
        for one in ast.walk(module)
        if isinstance(one, ast.For) and isinstance(one.target, ast.Name)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.With):  # single_metric(...) as metric: metric.add_dimension(...)
            for name in _singles(node):
                yield name, {str(given) for given in _dimensions_added(node)}
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "add_metric":
            for name in _names(node.args[0], lists):
                yield name, set()
        if node.func.attr == "emit" and isinstance(node.func.value, ast.Name) and node.func.value.id == "metrics":
            [given] = node.args[:1]
            keys = given.keys if isinstance(given, ast.Dict) else [given.key] if isinstance(given, ast.DictComp) else []
            for key in keys:
                for name in _names(key, lists):
                    yield name, {word.arg for word in node.keywords if word.arg is not None} - {"unit"}


def _walked(node: ast.expr, module: ast.Module) -> list[str]:
    """What a loop walks over: words that stand there, or the members of an enum."""
    if not isinstance(node, ast.Name):
        return [str(item.value) for item in ast.walk(node) if isinstance(item, ast.Constant)]
    for imported in (each for each in ast.walk(module) if isinstance(each, ast.ImportFrom)):
        if node.id in {alias.asname or alias.name for alias in imported.names}:
            found = getattr(import_module(str(imported.module)), node.id, ())
            return [str(member) for member in found] if isinstance(found, EnumType) else []
    return []


def _names(node: ast.expr | None, lists: dict[str, list[str]]) -> list[str]:
    """The names that an argument can have."""
    match node:
        case ast.Constant(value=str() as name):
            return [name]
        case ast.Name(id=part) if lists.get(part):
            return lists[part]
        case ast.Name(id="name"):
            return [*COUNTED.values()]
        case ast.JoinedStr(values=[ast.Constant(value=str() as prefix), ast.FormattedValue(value=ast.Name(id=part))]):
            return [f"{prefix}{end}" for end in lists[part]]
    raise AssertionError(f"a metric whose name is not to be seen: {ast.dump(node) if node else node}")


def _singles(node: ast.With) -> list[str]:
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    singles = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "single_metric"]
    names = [word.value for call in singles for word in call.keywords if word.arg == "name"]
    return [name for value in names for name in (PUSHED if isinstance(value, ast.JoinedStr) else _names(value, {}))]


PUSHED = [f"Push{what}" for what in ("Sent", "Failed", "SetAside", "Opened", "Closed")]


def _dimensions_added(node: ast.With) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_dimension":
            first = call.args[0] if call.args else next(word.value for word in call.keywords if word.arg == "name")
            assert isinstance(first, ast.Constant)
            yield str(first.value)


# --- what the dashboard shows


@pytest.fixture(scope="module")
def body() -> str:
    [found] = [
        resource["Properties"]["DashboardBody"]["Fn::Sub"]
        for resource in project_template().document["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    return str(found)


@pytest.fixture(scope="module")
def widgets(body: str) -> list[Json]:
    """The widgets, with references left as `${Name}`."""
    return json.loads(body)["widgets"]  # type: ignore[no-any-return]


def shown(widgets: list[Json]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of all that is shown or searched for."""
    for widget in widgets:
        for listed in widget["properties"].get("metrics", []):
            if isinstance(listed[0], dict):
                match = SEARCH.fullmatch(listed[0]["expression"])
                assert match is not None, listed
                yield match["namespace"], match["name"], dict.fromkeys(match["dimensions"].split(","), match["rest"])
                continue
            namespace, name, *rest = [part for part in listed if isinstance(part, str)]
            yield namespace, name, dict(zip(rest[::2], rest[1::2], strict=True))


def test_widgets_stand_side_by_side(widgets: list[Json]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets:
        x, y = range(widget["x"], widget["x"] + widget["width"]), range(widget["y"], widget["y"] + widget["height"])
        place = {(column, line) for column in x for line in y}
        assert not taken & place
        assert x.stop <= 24
        taken |= place
    assert len(widgets) <= 500
    assert all(len(widget["properties"].get("metrics", [])) <= 500 for widget in widgets)


def test_what_is_told_to_the_dashboard_is_in_the_template(body: str) -> None:
    known = {*project_template().document["Resources"], *project_template().document["Parameters"]}
    for name in re.findall(r"\$\{([\w:]+)(?:\.\w+)?\}", body):
        assert name in known or name in {"AWS::StackName", "AWS::Region"}, name


def test_every_metric_that_is_shown_is_told_by_a_function_or_by_aws(widgets: list[Json]) -> None:
    own = emitted()
    for namespace, name, dimensions in shown(widgets):
        if namespace == "${MetricsNamespace}":
            assert dimensions.keys() == {"service", *own[name]}, name
            assert "${AWS::StackName}" in dimensions["service"]
        else:
            assert name in OF_AWS[namespace]
            [(dimension, value)] = dimensions.items()
            assert dimension == DIMENSION[namespace]
            assert "${" in value


def test_all_that_functions_tell_is_shown(widgets: list[Json]) -> None:
    assert emitted().keys() == {name for namespace, name, _ in shown(widgets) if namespace == "${MetricsNamespace}"}


def test_every_queue_of_ours_is_shown_and_those_of_orgs_are_searched_for(body: str, widgets: list[Json]) -> None:
    queues = project_template().resources("AWS::SQS::Queue")
    for queue in queues:
        assert f"${{{queue}.QueueName}}" in body
    named = [dimensions["QueueName"] for namespace, _, dimensions in shown(widgets) if namespace == "AWS/SQS"]
    searches = [name for name in named if "-org" in name]
    assert sorted(searches) == ["QueueName=${AWS::StackName}-org NOT dlq"] * 2 + ["QueueName=${AWS::StackName}-org dlq"]


def test_the_stack_has_one_dashboard_named_after_it() -> None:
    [found] = project_template().resources("AWS::CloudWatch::Dashboard").values()
    assert found["DashboardName"] == "proca-test"
    assert len(TEMPLATE.read_text()) < 1_000_000, "what CloudFormation takes from a bucket"


@pytest.mark.parametrize(
    ("variable", "kind", "attribute"),
    [
        ("CHECKED_QUEUES", "AWS::SQS::Queue", "QueueName"),
        ("CHECKED_SECRETS", "AWS::SecretsManager::Secret", "Id"),
    ],
)
def test_health_looks_at_every_queue_and_secret_of_ours(variable: str, kind: str, attribute: str) -> None:
    function = project_template().document["Resources"]["CheckHealthFunction"]["Properties"]
    _, listed = function["Environment"]["Variables"][variable]["Fn::Join"]
    there = project_template().resources(kind)
    assert sorted(each["Fn::GetAtt"] for each in listed) == sorted(f"{name}.{attribute}" for name in there)


# --- the alarms


def metrics_of(alarm: Json) -> list[Json]:
    return [part["Metric"] for part in parts(alarm).values()] if is_formula(alarm) else [metric(alarm)]


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_watches_a_metric_that_is_told(name: str) -> None:
    own = emitted()
    for watched in metrics_of(alarms()[name]):
        dimensions = {each["Name"] for each in watched["Dimensions"]}
        if watched["Namespace"] == "Proca":
            assert dimensions == {"service", *own[watched["MetricName"]]}
        else:
            assert watched["MetricName"] in OF_AWS[watched["Namespace"]]
            assert DIMENSION[watched["Namespace"]] in dimensions


@pytest.mark.parametrize("name", [name for name, alarm in alarms().items() if is_formula(alarm)])
def test_a_formula_is_one_that_cloudwatch_takes(name: str) -> None:
    alarm = alarms()[name]
    [expression] = [part for part in alarm["Metrics"] if "Expression" in part]
    assert expression["ReturnData"] is True
    assert len(parts(alarm)) <= 10
    assert all(re.fullmatch(r"[a-z]\w*", number) for number in parts(alarm))
    assert len({part["Period"] for part in parts(alarm).values()}) == 1
    period = next(iter(parts(alarm).values()))["Period"]
    assert period * alarm["EvaluationPeriods"] <= 86_400, "alarms look back a day at most"
    used = set(re.findall(r"\b[a-z]\w*\b", expression["Expression"]))
    assert used <= parts(alarm).keys()


@pytest.mark.parametrize(
    ("sent", "bounced", "blocked", "expected"),
    [
        (1_000, 49, None, "OK"),
        (1_000, 49, 1, "ALARM"),
        (99, 99, None, "OK"),  # too few to say anything
        (1_000, None, None, "OK"),
        (None, 3, None, "OK"),
    ],
)
def test_bounces_alarm_by_their_share(
    sent: float | None, bounced: float | None, blocked: float | None, expected: str
) -> None:
    values = {"MailsSent": sent, "bounced": bounced, "blocked": blocked}

    def read(asked: Json, _: str, __: int) -> float | None:
        told = {each["Name"]: each["Value"] for each in asked["Dimensions"]}.get("told")
        return values[told or asked["MetricName"]]

    assert state(alarms()["MailBouncesAlarm"], read) == expected


def test_formulas_are_worked_out() -> None:
    assert value_of("SUM(METRICS())", {"a": 1, "b": None, "c": 2}) == 3
    assert value_of("MAX(METRICS())", {"a": 1, "b": 5}) == 5
    assert value_of("SUM(METRICS())", {"a": None}) is None
    assert value_of("IF(a >= 1, 100 * FILL(b, 0) / a, 0)", {"a": 0, "b": None}) is None
    assert value_of("IF(a >= 1, 100 * FILL(b, 0) / a, 0)", {"a": 4, "b": 1}) == 25
