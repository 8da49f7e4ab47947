"""/v1/orgs/{org}/campaigns/{campaign}/audits: having the numbers of a campaign counted again, and what was found."""

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
from proca_common.aws.settings.management import CountAuditSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import answer, below
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.management import count_audits
from proca_common.monitors import audits
from proca_common.users.authentication import Authenticator

settings = read(CountAuditSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/campaigns/<campaign>/audits")
def all_audits(org: str, campaign: str) -> Response[str]:
    """The campaign's audits, the newest first."""
    found = count_audits.seen_by(authenticator.caller(app.current_event), org, campaign)
    part = asked(app.current_event)
    some = audits.newest(found.id, part.after_id or None, part.one_more)
    return listed(some, part, lambda audit: audit.id, lambda some: [count_audits.shown(audit) for audit in some])


@app.post("/v1/orgs/<org>/campaigns/<campaign>/audits")
def ask(org: str, campaign: str) -> Response[str]:
    """Count it again, from its actions."""
    caller = authenticator.caller(app.current_event)
    given = json_object(json_body(app.current_event))
    audit = count_audits.ask(caller, org, campaign, given, settings.audit_queue_url)
    return answer(202, count_audits.shown(audit), {"Location": below(app.current_event, audit.id)})


@app.get("/v1/orgs/<org>/campaigns/<campaign>/audits/<audit>")
def get(org: str, campaign: str, audit: str) -> Response[str]:
    """How far an audit is, and what it found."""
    found = count_audits.seen_by(authenticator.caller(app.current_event), org, campaign)
    return answer(200, count_audits.shown(count_audits.find(found, numeric_id(audit, "audit"))))


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
