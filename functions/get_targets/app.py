"""GET /v1/campaigns/{campaign}/targets and …/targets/numbers: to whom supporters write, and how many messages."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import PublicSettings
from proca_common.http.answers import cacheable
from proca_common.http.lists import asked, part_of
from proca_common.http.requests import numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.mtt.public import message_numbers
from proca_common.targets.public import MAX_AGE_S, MAX_SHOWN, public_targets

KIND = "campaign"

dynamo.connect(read(PublicSettings))
app = make_resolver()
init_phase.over()


@app.get("/v1/campaigns/<campaign>/targets")
def targets(campaign: str) -> Response[str]:
    """The targets of the campaign with this id; of one area or locale, if that is given."""
    part = asked(app.current_event, MAX_SHOWN, MAX_SHOWN)
    area, locale = (app.current_event.get_query_string_value(name, None) for name in ("area", "locale"))
    found = public_targets(numeric_id(campaign, KIND), area, locale)
    left = [target for target in found if target["id"] > (part.after or "")]
    return cacheable(app.current_event, part_of(left, part, lambda target: target["id"], list), MAX_AGE_S)


@app.get("/v1/campaigns/<campaign>/targets/numbers")
def numbers(campaign: str) -> Response[str]:
    """How many messages they got."""
    return cacheable(app.current_event, message_numbers(numeric_id(campaign, KIND)), MAX_AGE_S)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
