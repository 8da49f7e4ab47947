"""Push queue: send messages on to the backends that orgs have of their own, each backend in order."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.stages import PushSettings
from proca_common.aws.stream import batch_answer, deadline_ms
from proca_common.pipes.push import Queues, push

settings = read(PushSettings)
queues = Queues(settings.push_queue_url, settings.push_failures_queue_url)
dynamo.connect(settings)
client("sqs")
init_phase.over()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping."""
    pushing = push(
        event["Records"],
        queues,
        settings.service_passwords_secret,
        deadline_ms(context),
        this_machine=settings.private_targets == "allow",
    )
    for (what, backend), count in pushing.counts.items():
        with single_metric(name=f"Push{what}", unit=MetricUnit.Count, value=count) as metric:
            metric.add_dimension(name="Backend", value=backend)
    return batch_answer(pushing.again)
