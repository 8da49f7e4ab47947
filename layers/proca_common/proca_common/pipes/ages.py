"""How old the oldest message of a queue is, as only CloudWatch knows it; reading a queue would take messages away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws import clock
from proca_common.aws.clients import client
from proca_common.aws.logs import log_fault

METRIC = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage"}
LOOK_BACK = timedelta(minutes=15)


def oldest_ages_s(queues: Sequence[str]) -> dict[str, int]:
    """The age in seconds of the oldest message of each of these queues (by name), as far as CloudWatch knows it now: it
    is a few minutes behind, and knows nothing of queues that nobody used for hours.

    Nothing is raised: it is told to people beside what is exact.
    """
    now = datetime.fromtimestamp(clock.now_ms() // 1000, UTC)
    asked = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {**METRIC, "Dimensions": [{"Name": "QueueName", "Value": queue}]},
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for number, queue in enumerate(queues)
    ]
    try:
        answer = client("cloudwatch").get_metric_data(
            MetricDataQueries=asked, StartTime=now - LOOK_BACK, EndTime=now, ScanBy="TimestampDescending"
        )
    except (ClientError, BotoCoreError) as error:
        log_fault("ages of queues are not known", error)
        return {}
    found = answer.get("MetricDataResults", [])
    return {queues[int(result["Id"][1:])]: int(result["Values"][0]) for result in found if result.get("Values")}
