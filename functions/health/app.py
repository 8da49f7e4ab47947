"""GET /health: whether the store answers."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import PageSettings
from proca_common.http.answers import answer
from proca_common.http.resolver import make_resolver
from proca_common.monitors.health import HEALTHY, UNREACHABLE, store_answers

dynamo.connect(read(PageSettings))
app = make_resolver()
init_phase.over()


@app.get("/health")
def health() -> Response[str]:
    """200 or 503 (domain 14.1)."""
    return answer(200, HEALTHY) if store_answers() else answer(503, UNREACHABLE)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
