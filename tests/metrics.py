"""What functions told as metrics: lines of the log in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest


def told(text: str) -> Iterator[dict[str, Any]]:
    """The lines that CloudWatch makes metrics of, each checked against what the format asks for."""
    for line in text.splitlines():
        if '"_aws"' not in line:
            continue
        found = json.loads(line)
        assert isinstance(found["_aws"]["Timestamp"], int)
        for about in found["_aws"]["CloudWatchMetrics"]:
            assert about["Namespace"]
            for names in about["Dimensions"]:
                assert "service" in names
                assert all(isinstance(found[name], str) and found[name] for name in names)
            for metric in about["Metrics"]:
                values = found[metric["Name"]]
                assert 0 < len(values) <= 100 if isinstance(values, list) else isinstance(values, int | float)
        yield found


def counted(capsys: pytest.CaptureFixture[str]) -> Counter[str]:
    """The sums since last asked, by name and what else tells one from another: `Refusals required`."""
    sums: Counter[str] = Counter()
    for found in told(capsys.readouterr().out):
        for about in found["_aws"]["CloudWatchMetrics"]:
            beside = [found[name] for name in about["Dimensions"][0] if name != "service"]
            for metric in about["Metrics"]:
                values = found[metric["Name"]]
                sums[" ".join([metric["Name"], *beside])] += sum(values) if isinstance(values, list) else values
    return sums
