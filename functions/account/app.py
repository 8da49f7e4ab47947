"""/v1/account: what people do to their own account, some of it before they can say who they are; /v1/users: what those
do who manage users; /account/...: the pages behind links of mails, where no front end has them.
"""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.approvals import account_pages
from proca_common.approvals.account_pages import AccountPage
from proca_common.approvals.answers import reader_of
from proca_common.aws import clock, dynamo
from proca_common.aws.clients import client
from proca_common.aws.logs import logger
from proca_common.aws.secrets import secret
from proca_common.aws.settings import read
from proca_common.aws.settings.management import AccountSettings
from proca_common.catalog.given import json_object
from proca_common.errors import NotKnown
from proca_common.guards import caps
from proca_common.http.answers import answer, no_content, record
from proca_common.http.lists import asked, listed
from proca_common.http.requests import form_body, json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.http.versions import check_match
from proca_common.management import accounts
from proca_common.users.authentication import Authenticator
from proca_common.users.tokens import CHANGE, CONFIRM, RESET
from proca_common.users.user import Caller

BOTH = ["GET", "POST"]
NEUTRAL = {"message": "If your email is in our system, you will receive a mail shortly"}

settings = read(AccountSettings)
dynamo.connect(settings)
client("sqs")
authenticator = Authenticator(lambda: secret(settings.guard_key_secret))
post = accounts.Post(settings.mail_queue_url)
app = make_resolver()
init_phase.over()


@app.post("/v1/account")
def register() -> Response[str]:
    """A new account; the answer is the same where there is one already."""
    accounts.register(asked_by_anybody(), post)
    return answer(202, NEUTRAL)


@app.get("/v1/account")
def show() -> Response[str]:
    """Who one is."""
    return shown(caller())


@app.patch("/v1/account")
def change() -> Response[str]:
    """Another profile."""
    who = caller()
    user = accounts.change_profile(who, body(), partial(check_match, app.current_event))
    return shown(Caller(user, who.staff))


@app.post("/v1/account/confirmations")
def ask_to_confirm() -> Response[str]:
    """The mail that proves the address, again."""
    accounts.ask_to_confirm(asked_by_anybody(), post)
    return answer(202, NEUTRAL)


@app.post("/v1/account/confirmations/<token>")
def confirm(token: str) -> Response[str]:
    """Prove the address."""
    count_token()
    accounts.confirm(token)
    return no_content()


@app.post("/v1/account/password-resets")
def ask_for_password() -> Response[str]:
    """A mail that lets choose a new password."""
    accounts.ask_for_password(asked_by_anybody(), post)
    return answer(202, NEUTRAL)


@app.post("/v1/account/password-resets/<token>")
def reset_password(token: str) -> Response[str]:
    """A new password for who forgot it."""
    given = body()
    count_token()
    accounts.reset_password(token, given)
    return no_content()


@app.put("/v1/account/password")
def change_password() -> Response[str]:
    """Another password."""
    accounts.change_password(caller(), body(), knows)
    return no_content()


@app.post("/v1/account/email-changes")
def ask_for_email() -> Response[str]:
    """A mail to the new address."""
    accounts.ask_for_email(caller(), body(), knows, post)
    return answer(202, {"message": "A mail is on its way to the new address"})


@app.post("/v1/account/email-changes/<token>")
def change_email(token: str) -> Response[str]:
    """The new address is proven."""
    count_token()
    who = caller()
    return shown(Caller(accounts.change_email(who, token), who.staff))


@app.get("/v1/account/tokens")
def api_tokens() -> Response[str]:
    """The own API tokens, without what they are."""
    return answer(200, {"items": accounts.api_tokens(caller()), "next": None})


@app.post("/v1/account/tokens")
def add_api_token() -> Response[str]:
    """A new API token, told once."""
    made = accounts.add_api_token(caller(), body())
    return answer(201, made, {"Location": f"{app.current_event.request_context.path.rstrip('/')}/{made['id']}"})


@app.delete("/v1/account/tokens/<token>")
def remove_api_token(token: str) -> Response[str]:
    """The end of an API token."""
    accounts.remove_api_token(caller(), token)
    return no_content()


@app.get("/v1/users")
def users() -> Response[str]:
    """All users, for who manages them."""
    part = asked(app.current_event)
    email = (app.current_event.query_string_parameters or {}).get("filter")
    found = accounts.listed(caller(), part.after_id, part.one_more, email)
    return listed(found, part, lambda user: user.id, lambda some: [accounts.shown_user(user) for user in some])


@app.get("/v1/users/<user>")
def user(user: str) -> Response[str]:
    """A user, for who manages them."""
    found = accounts.get(caller(), numeric_id(user, "user"))
    return record(200, accounts.shown_user(found), found.version)


@app.patch("/v1/users/<user>")
def change_user(user: str) -> Response[str]:
    """Another profile of another user."""
    who, seen = caller(), partial(check_match, app.current_event)
    changed = accounts.change_user(who, numeric_id(user, "user"), body(), seen)
    return record(200, accounts.shown_user(changed), changed.version)


@app.route("/account/confirmations/<token>", method=BOTH)
def confirmation_page(token: str) -> Response[str]:
    """Somebody proves the address with a button."""
    return page(account_pages.CONFIRMATION, CONFIRM, token, lambda _: accounts.confirm(token))


@app.route("/account/password-resets/<token>", method=BOTH)
def password_reset_page(token: str) -> Response[str]:
    """Somebody who forgot the password types a new one, twice."""

    def reset(form: dict[str, str]) -> None:
        accounts.reset_password(token, {name: form.get(name, "") for name in ("password", "passwordConfirmation")})

    return page(account_pages.PASSWORD_RESET, RESET, token, reset)


@app.route("/account/email-changes/<token>", method=BOTH)
def email_change_page(token: str) -> Response[str]:
    """Somebody logs in to prove the new address."""

    def change(form: dict[str, str]) -> None:
        who = authenticator.check_password(form.get("email", ""), form.get("password", ""), source())
        accounts.change_email(who, token)

    return page(account_pages.EMAIL_CHANGE, CHANGE, token, change)


def page(asked: AccountPage, context: str, token: str, do: Callable[[dict[str, str]], None]) -> Response[str]:
    """Ask, or do what was asked. GET changes nothing and counts nothing, as programs open links of mails, too; a token
    of 256 bits is not found by trying.
    """
    event = app.current_event
    try:
        if event.http_method == "GET":
            accounts.check_token(context, token)
            return account_pages.ask(asked)
        count_token()
        do(form_body(event))
    except Exception as error:  # noqa: BLE001 - people get a page, whatever is wrong
        return account_pages.refused(asked, reader_of(event), error)
    return account_pages.tell(asked)


def caller() -> Caller:
    """Who asks."""
    return authenticator.caller(app.current_event)


def shown(who: Caller) -> Response[str]:
    """The caller's account."""
    return record(200, accounts.shown(who), who.user.version)


def knows(email: str, password: str) -> bool:
    """Whether this is the password, counted as a try."""
    try:
        authenticator.check_password(email, password, source())
    except NotKnown:
        return False
    return True


def body() -> dict[str, Any]:
    """What is given."""
    return json_object(json_body(app.current_event))


def asked_by_anybody() -> dict[str, Any]:
    """What is given by who says not who that is, counted for the network."""
    given = body()
    caps.count_account_mail(source(), secret(settings.guard_key_secret), clock.now_ms())
    return given


def count_token() -> None:
    """A token is tried."""
    caps.count_token(source(), secret(settings.guard_key_secret), clock.now_ms())


def source() -> str:
    """The client's address."""
    return str(app.current_event.request_context.identity.source_ip)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
