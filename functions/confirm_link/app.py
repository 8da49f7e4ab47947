"""GET and POST of /link/...: what people find behind the links in their mails. GET asks, POST does (domain 7)."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
import re
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.approvals import codes, texts
from proca_common.approvals.answers import Question, Result, ask, problem_of_link, reader_of, refuse, tell
from proca_common.approvals.codes import Told
from proca_common.approvals.redirects import local_path
from proca_common.approvals.second import Second
from proca_common.approvals.supporter import follow, open_link
from proca_common.aws import clock, dynamo
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import ConfirmLinkSettings
from proca_common.confirms.confirm import CODE
from proca_common.confirms.tokens import Purpose, link_keys
from proca_common.errors import NotAllowed
from proca_common.failures import Malformed
from proca_common.guards import caps
from proca_common.http.problems import Problem
from proca_common.http.requests import form_body
from proca_common.http.resolver import make_resolver
from proca_common.management.access import org_of
from proca_common.users.authentication import Authenticator
from proca_common.users.user import Caller

BOTH = ["GET", "POST"]
VERBS = {"accept": Purpose.ACCEPT, "reject": Purpose.REJECT}
DOI = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
DONE = {
    Purpose.ACCEPT: "accepted",
    Purpose.REJECT: "rejected",
    Purpose.DOUBLE_OPT_IN: "opted_in",
    Purpose.UNSUBSCRIBE: "unsubscribed",
}
NUMBER = re.compile(r"[0-9]{1,16}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,100}")

settings = read(ConfirmLinkSettings)
dynamo.connect(settings)
keys = link_keys(secret(settings.link_keys_secret))
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
app = make_resolver()
init_phase.over()


@app.route("/link/s/<action>/<verb>/<token>", method=BOTH)
def signature(action: str, verb: str, token: str) -> Response[str]:
    """A supporter confirms the signature, or takes it back."""
    doi = given("doi")
    if verb not in VERBS or (doi is not None and doi not in DOI):
        raise Malformed("malformed link")
    return supporter(VERBS[verb], action, token, doi)


@app.route("/link/d/<action>/<token>", method=BOTH)
def double_opt_in(action: str, token: str) -> Response[str]:
    """A supporter proves that the address is the own one."""
    return supporter(Purpose.DOUBLE_OPT_IN, action, token)


@app.route("/link/u/<action>/<token>", method=BOTH)
def unsubscribe(action: str, token: str) -> Response[str]:
    """A supporter wants no more mails; mail programs may POST it by themselves (RFC 8058)."""
    return supporter(Purpose.UNSUBSCRIBE, action, token)


@app.route("/link/<verb>/<code>", method=BOTH)
def confirm(verb: str, code: str) -> Response[str]:
    """A second person agrees or refuses, with an account where one is needed: HTTP Basic or an API token, or what the
    page's own form asks for. GET looks nothing up, so it cannot be used to guess codes.
    """
    if verb not in VERBS or not CODE.fullmatch(code):
        raise Malformed("malformed link")
    reader, accepts = reader_of(app.current_event), verb == "accept"
    if is_get():
        return ask(reader, Question("agree" if accepts else "refuse"))
    client = app.current_event.request_context.identity.source_ip
    caps.count_guess(client, secret(settings.guard_key_secret), clock.now_ms())
    decide, done = (codes.accept, "agreed") if accepts else (codes.reject, "refused")
    caller, org = who(client), given("org")
    try:
        second = Second(caller, None if caller is None or org is None else org_of(caller, org).id)
        outcome = decide(code, Told(email=given("email"), object_id=given_id()), second)
    except NotAllowed as error:
        if caller is None:
            raise
        raise Problem(403, "not-allowed", detail=str(error)) from None
    return tell(reader, Result(done if outcome.changed else "already", target=local_path(given("redir") or "")))


def who(client: str | None) -> Caller | None:
    """Who decides. What a browser adds by itself to a form of somebody else's page is no proof of that."""
    event = app.current_event
    form = form_body(event)
    if form.keys() >= {"email", "password"}:
        return authenticator.check_password(form["email"], form["password"], client)
    if event.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return None
    return authenticator.caller_if_any(event)


def supporter(purpose: Purpose, action: str, token: str, doi: str | None = None) -> Response[str]:
    """Ask, or do what the link is for."""
    if not NUMBER.fullmatch(action) or not TOKEN.fullmatch(token):
        raise Malformed("malformed link")
    link = open_link(keys, purpose, int(action), token, settings.link_days)
    page, campaign = link.context.page, link.context.campaign
    reader = replace(reader_of(app.current_event), language=texts.of_locale(page.locale), campaign=campaign.title)
    app.append_context(reader=reader)
    target = link.target(given("redir"), doi)
    if is_get():
        return ask(reader, Question(purpose.value, link.submits_itself, target))
    changed = follow(link, double_opt_in=DOI.get(doi or "", False))
    if changed and given("reminder") == "1":
        with single_metric(name="ReminderConfirmed", unit=MetricUnit.Count, value=1) as metric:
            metric.add_dimension("org", str(link.context.org.id))
    return tell(reader, Result(DONE[purpose] if changed else "already", target=target))


@app.exception_handler(Exception)
def refused(error: Exception) -> Response[str]:
    """What is wrong, in the language of the page, or of the browser while no page is known."""
    return refuse(app.context.get("reader") or reader_of(app.current_event), problem_of_link(error))


def is_get() -> bool:
    """Whether somebody only looks."""
    return bool(app.current_event.http_method == "GET")


def given(name: str) -> str | None:
    """A parameter of the query."""
    return app.current_event.get_query_string_value(name)


def given_id() -> int | None:
    """The parameter `id`: 0, which nothing has, when it is no number."""
    text = given("id")
    if text is None:
        return None
    return int(text) if NUMBER.fullmatch(text) else 0


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
