"""The alarms of the template, and what CloudWatch makes of metrics: a plain threshold, or a formula over several.

The local stack knows no formulas, and compares plain alarms without looking at dimensions, so each is worked out here
from the metrics that the stack has, by the alarm's own dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from tests.harness.template import Resource, project_template

Json = dict[str, Any]
Read = Callable[[Json, str, int], float | None]
"""The value of a metric (as `MetricStat` has it) by a statistic over a period (s), None where there is none."""


@cache
def alarms() -> dict[str, Json]:
    """All alarms, also those that are not deployed locally, by logical id."""
    return project_template().resources("AWS::CloudWatch::Alarm")


def is_formula(alarm: Json) -> bool:
    """Whether it watches several metrics by a formula."""
    return "Metrics" in alarm


def parts(alarm: Json) -> dict[str, Json]:
    """The metrics of a formula, by their ids."""
    return {part["Id"]: part["MetricStat"] for part in alarm["Metrics"] if "MetricStat" in part}


def value_of(expression: str, values: Mapping[str, float | None]) -> float | None:
    """What the formula makes of the values, None where one that it needs is missing.

    Of CloudWatch's language it knows what the template uses: arithmetic, comparison, IF, FILL, and SUM and MAX of all.
    """
    known = [value for value in values.values() if value is not None]
    if expression in {"SUM(METRICS())", "MAX(METRICS())"}:
        return (sum if expression.startswith("SUM") else max)(known) if known else None
    missing = object()

    def fill(value: Any, instead: float) -> float:
        return instead if value is missing else value  # type: ignore[no-any-return]

    words = {"IF": lambda condition, then, otherwise: then if condition else otherwise, "FILL": fill}
    names = {name: missing if value is None else value for name, value in values.items()}
    try:
        found = eval(expression, {"__builtins__": {}}, {**words, **names})
    except TypeError:  # something was reckoned with a value that is missing
        return None
    except ZeroDivisionError:  # CloudWatch draws no point there
        return None
    return float(found)


def state(alarm: Json, read: Read) -> str:
    """OK or ALARM; no data are no reason for one, as all alarms of the template say."""
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    if is_formula(alarm):
        [expression] = [part["Expression"] for part in alarm["Metrics"] if "Expression" in part]
        values = {name: read(stat["Metric"], stat["Stat"], int(stat["Period"])) for name, stat in parts(alarm).items()}
        value = value_of(expression, values)
    else:
        value = read(metric(alarm), alarm["Statistic"], int(alarm["Period"]))
    return "OK" if value is None or value < float(alarm["Threshold"]) else "ALARM"


def metric(alarm: Json) -> Json:
    """The metric of a plain alarm, in the form that formulas have it."""
    return {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}


def watched(alarm: Json, name: str) -> Sequence[Resource]:
    """The resources that dimensions of this name refer to."""
    metrics = [stat["Metric"] for stat in parts(alarm).values()] if is_formula(alarm) else [metric(alarm)]
    found = [each["Value"] for one in metrics for each in one["Dimensions"] if each["Name"] == name]
    return [value for value in found if isinstance(value, Resource)]
