"""/v1/orgs/{org}/services: what the org uses for mails, payments and pushes."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import ServiceSettings
from proca_common.catalog.given import json_object
from proca_common.http.answers import below, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import services
from proca_common.orgs.services import version_of
from proca_common.users.authentication import Authenticator

KIND = "service"

settings = read(ServiceSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
this_machine = settings.private_targets == "allow"
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/services")
def all_services(org: str) -> Response[str]:
    """The org's services."""
    caller = authenticator.caller(app.current_event)
    part = asked(app.current_event)
    found = services.listed(caller, org, part.after_id, part.one_more)
    return listed(found, part, lambda service: service.id, lambda some: [services.shown(service) for service in some])


@app.post("/v1/orgs/<org>/services")
def create(org: str) -> Response[str]:
    """One more service."""
    caller = authenticator.caller(app.current_event)
    given = json_object(json_body(app.current_event))
    service = services.create(caller, org, given, this_machine=this_machine)
    return record(201, services.shown(service), version_of(service), below(app.current_event, service.id))


@app.get("/v1/orgs/<org>/services/<service>")
def get(org: str, service: str) -> Response[str]:
    """A service."""
    found = services.get(authenticator.caller(app.current_event), org, numeric_id(service, KIND))
    return record(200, services.shown(found), version_of(found))


@app.patch("/v1/orgs/<org>/services/<service>")
def change(org: str, service: str) -> Response[str]:
    """Other settings, another password."""
    caller = authenticator.caller(app.current_event)
    patch, seen = json_object(json_body(app.current_event)), partial(check_match, app.current_event)
    changed = services.change(caller, org, numeric_id(service, KIND), patch, seen, this_machine=this_machine)
    return record(200, services.shown(changed), version_of(changed))


@app.delete("/v1/orgs/<org>/services/<service>")
def delete(org: str, service: str) -> Response[str]:
    """The end of a service, and of backends that were it."""
    caller = authenticator.caller(app.current_event)
    services.remove(caller, org, numeric_id(service, KIND), partial(check_match, app.current_event))
    return no_content()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
