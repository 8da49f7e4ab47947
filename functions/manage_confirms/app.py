"""/v1/orgs/{org}/confirms, …/partner-invitations and …/join-requests, /v1/account/confirms: what needs two people."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.approvals import codes
from proca_common.approvals.codes import Told
from proca_common.approvals.second import Second
from proca_common.aws import clock, dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import ConfirmsSettings
from proca_common.catalog.given import checked, json_object
from proca_common.confirms.confirm import CODE, Confirm
from proca_common.failures import Malformed
from proca_common.guards import caps
from proca_common.http.answers import answer, below, no_content
from proca_common.http.lists import asked, listed
from proca_common.http.requests import json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.management import confirms, notices
from proca_common.management.access import org_of
from proca_common.users.authentication import Authenticator
from proca_common.users.user import Caller

VERBS = {"acceptance": codes.accept, "rejection": codes.reject}

settings = read(ConfirmsSettings)
dynamo.connect(settings)
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.get("/v1/orgs/<org>/confirms")
def to_decide(org: str) -> Response[str]:
    """What waits for this org to decide, with the codes to do so."""
    return part_of(confirms.to_decide(who(), org), code=True)


@app.post("/v1/orgs/<org>/confirms/<code>/<verb>")
def decide_for_org(org: str, code: str, verb: str) -> Response[str]:
    """Somebody agrees or refuses, as staff of this org."""
    caller = who()
    return decide(code, verb, Second(caller, org_of(caller, org).id))


@app.post("/v1/account/confirms/<code>/<verb>")
def decide_for_oneself(code: str, verb: str) -> Response[str]:
    """Somebody agrees or refuses, for no org in particular."""
    return decide(code, verb, Second(who()))


@app.get("/v1/orgs/<org>/partner-invitations")
def partner_invitations(org: str) -> Response[str]:
    """Invitations that no partner has answered yet, without their codes."""
    return part_of(confirms.partner_invitations(who(), org))


@app.post("/v1/orgs/<org>/partner-invitations")
def invite_partner(org: str) -> Response[str]:
    """Another org is asked to run a copy of a page; the code is told here, once."""
    return created(confirms.invite_partner(who(), org, body()))


@app.delete("/v1/orgs/<org>/partner-invitations/<invitation>")
def take_back(org: str, invitation: str) -> Response[str]:
    """An invitation ends."""
    confirms.take_back_partner_invitation(who(), org, numeric_id(invitation, "invitation"))
    return no_content()


@app.post("/v1/orgs/<org>/join-requests")
def ask_to_join(org: str) -> Response[str]:
    """The org that leads a campaign is asked to launch all pages of this one."""
    [asked_for] = confirms.shown([confirms.request_joining(who(), org, body())])
    return answer(202, {"status": "CONFIRMING", **asked_for})


def decide(code: str, verb: str, second: Second) -> Response[str]:
    """Do what the code is for, or refuse it."""
    if verb not in VERBS or not CODE.fullmatch(code):
        raise Malformed("malformed code")
    told = checked(Told, body())
    guess = partial(count_guess, second.known())
    return answer(200, VERBS[verb](code, told, second, guess=guess).shown())


def count_guess(caller: Caller) -> None:
    """A code that may be guessed counts for the network, and for the account."""
    client = app.current_event.request_context.identity.source_ip
    caps.count_guess(client, secret(settings.guard_key_secret), clock.now_ms(), caller.user.id)


def who() -> Caller:
    """Who asks."""
    return authenticator.caller(app.current_event)


def body() -> dict[str, Any]:
    """What was sent; nothing is an empty object."""
    return json_object(json_body(app.current_event)) if app.current_event.body else {}


def part_of(found: list[Confirm], *, code: bool = False) -> Response[str]:
    """The part that is asked for."""
    part = asked(app.current_event)
    rest = [each for each in found if (each.id or 0) > part.after_id]
    return listed(rest, part, lambda each: each.id or 0, partial(confirms.shown, code=code))


def created(made: Confirm) -> Response[str]:
    """Something new that somebody is asked, by mail too."""
    notices.mail(made, settings.mail_queue_url)
    [told] = confirms.shown([made], code=True)
    return answer(201, told, {"Location": below(app.current_event, made.id or 0)})


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
