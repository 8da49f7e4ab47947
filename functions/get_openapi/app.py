"""GET /v1/openapi.json: what this API is, as `make schemas` has written it."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws.logs import logger
from proca_common.http.answers import etag_of, unless_known
from proca_common.http.resolver import make_resolver

MAX_AGE_S = 300

text = Path(__file__).with_name("openapi.json").read_text("utf-8")
etag = etag_of(text)
app = make_resolver()
init_phase.over()


@app.get("/v1/openapi.json")
def document() -> Response[str]:
    """The same for everybody, until the next deployment."""
    return unless_known(app.current_event, text, etag, MAX_AGE_S)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
