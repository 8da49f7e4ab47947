"""/v1/orgs/{org}/erasures and …/access-requests: a person is to be forgotten, or asks what is kept."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import ErasuresSettings
from proca_common.catalog.given import json_object
from proca_common.erasures.certificate import certificate
from proca_common.http.answers import answer, below
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.management import erasures, retention
from proca_common.users.authentication import Authenticator

ENOUGH_MS = 10_000
"""What a further step takes at worst."""

settings = read(ErasuresSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/erasures")
def certificates(org: str) -> Response[str]:
    """The org's erasures, the newest first."""
    part = asked(app.current_event)
    found = erasures.listed(authenticator.caller(app.current_event), org, part.after, part.one_more)
    return listed(found, part, lambda entry: entry.sk, lambda some: [certificate(entry) for entry in some])


@app.post("/v1/orgs/<org>/erasures")
def ask(org: str) -> Response[str]:
    """Erase a person; 201 when it is done, 202 when it goes on by itself."""
    caller, given = authenticator.caller(app.current_event), json_object(json_body(app.current_event))
    means = erasures.Means(seed, lambda: secret(settings.erasure_key_secret), settings.erasure_queue_url, has_time)
    entry = erasures.ask(caller, org, given, means)
    return answer(201 if entry.finished else 202, certificate(entry), {"Location": below(app.current_event, entry.id)})


@app.get("/v1/orgs/<org>/erasures/<erasure>")
def get(org: str, erasure: str) -> Response[str]:
    """The certificate of one."""
    caller = authenticator.caller(app.current_event)
    return answer(200, certificate(erasures.get(caller, org, numeric_id(erasure, "erasure"))))


@app.get("/v1/orgs/<org>/retention")
def rules(org: str) -> Response[str]:
    """How long the org keeps what it has of its campaigns."""
    return answer(200, {"items": retention.rules(authenticator.caller(app.current_event), org)})


@app.post("/v1/orgs/<org>/retention")
def retain(org: str) -> Response[str]:
    """Apply the rules now, or only say whom they are about."""
    caller, given = authenticator.caller(app.current_event), json_object(json_body(app.current_event))
    return answer(200, retention.apply(caller, org, given, has_time))


@app.post("/v1/orgs/<org>/access-requests")
def access(org: str) -> Response[str]:
    """All that the org has of a person."""
    caller, given = authenticator.caller(app.current_event), json_object(json_body(app.current_event))
    return answer(200, erasures.all_of(caller, org, given, seed))


def seed() -> str:
    """What fingerprints are made with."""
    return secret(settings.fingerprint_seed_secret).decode()


def has_time() -> bool:
    """Whether there is time for a further step."""
    return bool(app.lambda_context.get_remaining_time_in_millis() > ENOUGH_MS)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
