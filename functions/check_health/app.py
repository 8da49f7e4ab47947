"""GET /v1/health: how each part of the system is, for who owns the instance."""

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
from proca_common.aws.settings.management import CheckSettings
from proca_common.aws.stream import deadline_ms
from proca_common.http.answers import answer
from proca_common.http.resolver import make_resolver
from proca_common.monitors.parts import check
from proca_common.users.authentication import Authenticator
from proca_common.users.permissions import Permission

settings = read(CheckSettings)
beside = settings.queue_url_prefix.rpartition("/")[0]
queues = [f"{beside}/{name}" for name in settings.checked_queues.split(",")]
entries = settings.checked_secrets.split(",")
streams = {arn: int(readers) for readers, arn in map(str.split, settings.checked_streams.split(","))}
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/health")
def health() -> Response[str]:
    """200 when every part is well, else 503; either with each part."""
    authenticator.caller(app.current_event).must_be(Permission.INSTANCE_OWNER)
    parts = check(queues, entries, streams, deadline_ms(app.lambda_context))
    well = all(part.problem is None for part in parts)
    body = {"status": "ok" if well else "error", "items": [part.shown() for part in parts]}
    return answer(200 if well else 503, body)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
