"""GET /v1/pages/{page}, /v1/pages?name=, /v1/pages/{page}/numbers and /static: what anybody may see of a page."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.action_pages.context import PageContext, page_context, page_context_by_name
from proca_common.action_pages.public import public_page, static_page
from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import PublicSettings
from proca_common.failures import Failure, Refused
from proca_common.http.answers import cacheable
from proca_common.http.lists import asked
from proca_common.http.requests import numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.monitors.public import MAX_AGE_S, but_of, numbers_if_known, public_numbers
from proca_common.monitors.public_actions import MAX_AGE_S as LIST_MAX_AGE_S
from proca_common.monitors.public_actions import USUAL

dynamo.connect(read(PublicSettings))
app = make_resolver()
init_phase.over()


@app.get("/v1/pages/<page>")
def by_id(page: str) -> Response[str]:
    """The page with this id."""
    return _shown(_context(page))


@app.get("/v1/pages")
def by_name() -> Response[str]:
    """The page with this name, in any case of letters."""
    name = app.current_event.get_query_string_value("name", "")
    if not name:
        raise Refused([Failure.blank("/name")])
    return _shown(page_context_by_name(name))


@app.get("/v1/pages/<page>/numbers")
def numbers(page: str) -> Response[str]:
    """How many signed the campaign of the page with this id."""
    found = public_numbers(_context(page).campaign.id)
    others = app.current_event.get_query_string_value("others")
    return cacheable(app.current_event, found if others is None else but_of(found, others), MAX_AGE_S)


@app.get("/v1/pages/<page>/static")
def static(page: str) -> Response[str]:
    """All that the page's widget shows, for orgs that host it themselves."""
    context, part = _context(page), asked(app.current_event, usual=USUAL)
    return cacheable(app.current_event, static_page(context, part.limit), LIST_MAX_AGE_S)


def _context(page: str) -> PageContext:
    return page_context(numeric_id(page, "action page"))


def _shown(context: PageContext) -> Response[str]:
    """The page from its cache with the numbers from theirs, which are younger; whoever keeps both may do so as long as
    numbers may be kept.
    """
    page = public_page(context, numbers_if_known(context.campaign.id))
    return cacheable(app.current_event, page, MAX_AGE_S)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
