"""/v1/orgs/{org}/staff, /v1/orgs/{org}/invitations and /v1/orgs/{org}/members/me: who works for an org."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import clock, dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import StaffSettings
from proca_common.catalog.given import json_object
from proca_common.guards import caps
from proca_common.http.answers import answer, below, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import confirms, notices, staff
from proca_common.management.staff import Staffer
from proca_common.users.authentication import Authenticator
from proca_common.users.user import Caller

settings = read(StaffSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/staff")
def all_staff(org: str) -> Response[str]:
    """The org's staff."""
    part = asked(app.current_event)
    found = staff.listed(who(), org, part.after_id, part.one_more)
    return listed(found, part, lambda each: each.user.id, lambda some: [staff.shown(each) for each in some])


@app.post("/v1/orgs/<org>/staff")
def add(org: str) -> Response[str]:
    """Somebody who has an account becomes a staffer."""
    caller = who()
    found, is_new = staff.add(caller, org, body(), partial(count_probe, caller))
    if not is_new:
        return shown(found)
    return record(201, staff.shown(found), found.version, below(app.current_event, found.user.id))


@app.get("/v1/orgs/<org>/staff/<user>")
def get(org: str, user: str) -> Response[str]:
    """One staffer."""
    return shown(staff.get(who(), org, numeric_id(user, "staffer")))


@app.patch("/v1/orgs/<org>/staff/<user>")
def change(org: str, user: str) -> Response[str]:
    """Another role."""
    seen = partial(check_match, app.current_event)
    return shown(staff.change(who(), org, numeric_id(user, "staffer"), body(), seen))


@app.delete("/v1/orgs/<org>/staff/<user>")
def remove(org: str, user: str) -> Response[str]:
    """The end of a membership."""
    staff.remove(who(), org, numeric_id(user, "staffer"), partial(check_match, app.current_event))
    return no_content()


@app.post("/v1/orgs/<org>/members/me")
def join(org: str) -> Response[str]:
    """Whoever may join any org becomes an owner of this one."""
    return shown(staff.join(who(), org))


@app.get("/v1/orgs/<org>/invitations")
def invitations(org: str) -> Response[str]:
    """Invitations that nobody has answered yet, without their codes."""
    part = asked(app.current_event)
    found = [each for each in confirms.invitations(who(), org) if (each.id or 0) > part.after_id]
    return listed(found, part, lambda each: each.id or 0, confirms.shown)


@app.post("/v1/orgs/<org>/invitations")
def invite(org: str) -> Response[str]:
    """Somebody is asked to become a staffer; the code is told here, once."""
    made = confirms.invite(who(), org, body())
    notices.mail(made, settings.mail_queue_url)
    [told] = confirms.shown([made], code=True)
    return answer(201, told, {"Location": below(app.current_event, made.id or 0)})


@app.delete("/v1/orgs/<org>/invitations/<invitation>")
def take_back(org: str, invitation: str) -> Response[str]:
    """An invitation ends."""
    confirms.take_back_invitation(who(), org, numeric_id(invitation, "invitation"))
    return no_content()


def who() -> Caller:
    """Who asks."""
    return authenticator.caller(app.current_event)


def body() -> dict[str, Any]:
    """What was sent."""
    return json_object(json_body(app.current_event))


def shown(found: Staffer) -> Response[str]:
    """The answer with one staffer."""
    return record(200, staff.shown(found), found.version)


def count_probe(caller: Caller) -> None:
    """Whoever adds users could ask in this way who has an account: count it."""
    caps.count_probe(caller.user.id, secret(settings.guard_key_secret), clock.now_ms())


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
