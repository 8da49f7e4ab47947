"""GET /v1/pages/{page}, GET /v1/pages?name= and GET /v1/pages/{page}/numbers: what anybody may see of a page."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.action_pages.context import page_context, page_context_by_name
from proca_common.action_pages.public import public_page
from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import PublicSettings, read
from proca_common.failures import BLANK, Failure, Refused
from proca_common.http.answers import cacheable
from proca_common.http.requests import numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.monitors.public import public_numbers

MAX_AGE_S = 30
NUMBERS_MAX_AGE_S = 5

dynamo.connect(read(PublicSettings))
app = make_resolver()
init_phase.over()


@app.get("/v1/pages/<page>")
def by_id(page: str) -> Response[str]:
    """The page with this id."""
    return cacheable(app.current_event, public_page(page_context(numeric_id(page, "action page"))), MAX_AGE_S)


@app.get("/v1/pages/<page>/numbers")
def numbers(page: str) -> Response[str]:
    """How many signed the campaign of the page with this id."""
    found = public_numbers(page_context(numeric_id(page, "action page")).campaign.id)
    return cacheable(app.current_event, found, NUMBERS_MAX_AGE_S)


@app.get("/v1/pages")
def by_name() -> Response[str]:
    """The page with this name, in any case of letters."""
    name = app.current_event.get_query_string_value("name", "")
    if not name:
        raise Refused([Failure("/name", "blank", BLANK)])
    return cacheable(app.current_event, public_page(page_context_by_name(name)), MAX_AGE_S)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
