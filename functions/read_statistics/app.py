"""GET /v1/orgs/{org}/campaigns/{campaign}/series: numbers over time, for those who work on a campaign."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import StatisticsSettings
from proca_common.http.answers import answer
from proca_common.http.resolver import make_resolver
from proca_common.management import statistics
from proca_common.users.authentication import Authenticator

settings = read(StatisticsSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/campaigns/<campaign>/series")
def series(org: str, campaign: str) -> Response[str]:
    """What was counted in each hour or day."""
    caller = authenticator.caller(app.current_event)
    given = app.current_event.query_string_parameters or {}
    asked = {name: given.get(name) for name in ("by", "of", "since", "until")}
    return answer(200, statistics.shown(caller, org, campaign, **asked))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
