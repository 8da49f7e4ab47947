"""Metrics for functions whose start must not wait for Powertools' own: a line of the log that CloudWatch reads as
metrics (its embedded metric format). Powertools writes the same where it is imported anyway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Literal

from proca_common.aws import clock
from proca_common.aws.settings import Settings, read

MAX_VALUES = 100
"""What CloudWatch takes of one metric in one line."""


class _MetricsSettings(Settings):
    powertools_metrics_namespace: str | None = None
    powertools_service_name: str = "service_undefined"


_settings = cache(lambda: read(_MetricsSettings))
_quiet = False


@contextmanager
def kept_quiet() -> Iterator[None]:
    """Tell nothing meanwhile: standard output is for something else."""
    global _quiet  # noqa: PLW0603 - of the process
    before, _quiet = _quiet, True
    try:
        yield
    finally:
        _quiet = before


def emit(
    values: Mapping[str, float | Sequence[float]],
    unit: Literal["Count", "Seconds", "Milliseconds"] = "Count",
    **dimensions: str,
) -> None:
    """Each of these metrics, of the whole stack and with these dimensions besides: one value, or several at once.

    Nothing is told where no namespace is set, as in an operator's shell.
    """
    settings = _settings()
    if _quiet or settings.powertools_metrics_namespace is None:
        return
    told = {"service": settings.powertools_service_name, **dimensions}
    metrics = [{"Name": name, "Unit": unit} for name in values]
    about = [{"Namespace": settings.powertools_metrics_namespace, "Dimensions": [[*told]], "Metrics": metrics}]
    head = {"_aws": {"Timestamp": clock.now_ms(), "CloudWatchMetrics": about}}
    cut = {name: value if isinstance(value, int | float) else value[:MAX_VALUES] for name, value in values.items()}
    print(json.dumps({**head, **told, **cut}))  # noqa: T201 - the log of a function is its standard output
