"""Accounts from registering to the mail and back (domain 12.4, 12.5): what is answered, mailed and no longer valid."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from proca_common.guards import caps
from proca_common.mails.sending import Counted
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.users import store
from proca_common.users.passwords import hashed
from proca_common.users.user import User
from tests.harness.calls import calls
from tests.mail_server import MailServer
from tests.post import PostOffice
from tests.simulated import SimulatedTime
from tests.world import Answer, World, api_event, call

EMAIL = "ida@example.org"
PASSWORD = "correct Horse 1"
OTHER = "another Horse 2"


@pytest.fixture
def mailing(office: PostOffice, mail_server: MailServer) -> MailServer:
    """The server that mails of the instance go to."""
    caps.forget()
    org = orgs.get(office.world.instance.org)
    orgs.replace(org.model_copy(update={"email_backend": "smtp", "email_from": "staff@example.org"}))
    office.smtp(org, mail_server)
    office.collect()
    office.waiting.clear()  # what other tests left
    return mail_server


@pytest.fixture
def ida(world: World) -> User:
    """A user whose address is proven."""
    caps.forget()
    return store.create(EMAIL, hashed(PASSWORD), confirmed=True)


def request(
    method: str, path: str, body: Any = None, who: tuple[str, str] | str | None = None, **headers: str
) -> Answer:
    """What /v1/account… answers to nobody, to a user with a password, or to who has a token."""
    if isinstance(who, tuple):
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(who).encode()).decode()
    elif who is not None:
        headers["Authorization"] = f"Bearer {who}"
    text = None if body is None else json.dumps(body)
    event = api_event(method, path, text, {"Content-Type": "application/json", **headers})
    event["queryStringParameters"] = None
    return call("AccountFunction", event)


def token_in(server: MailServer, page: str) -> str:
    """The token in the last mail."""
    part = server.mails[-1].get_body(("html",))
    assert part is not None
    found = re.search(rf"https://api\.example\.org/v1/account/{page}/([A-Za-z0-9_-]{{43}})", str(part.get_content()))
    assert found is not None
    return found[1]


def mailed(office: PostOffice, time: SimulatedTime) -> None:
    office.collect()
    office.run(time)


IDA = (EMAIL, PASSWORD)


# --- registering


def test_registering_and_proving_the_address(office: PostOffice, mailing: MailServer, time: SimulatedTime) -> None:
    assert request("POST", "/v1/account", {"email": EMAIL, "password": PASSWORD}).status == 202
    mailed(office, time)

    [mail] = mailing.mails
    assert (mail["To"], mail["From"]) == (EMAIL, "Instance <staff@example.org>")
    assert mail["Subject"] == "Confirm your e-mail address"
    assert "List-Unsubscribe" not in mail
    assert request("GET", "/v1/account", who=IDA).body["confirmed"] is False

    token = token_in(mailing, "confirmations")
    assert request("POST", f"/v1/account/confirmations/{token}").status == 204
    assert request("GET", "/v1/account", who=IDA).body["confirmed"] is True
    assert request("POST", f"/v1/account/confirmations/{token}").status == 404
    assert office.counts == {Counted.SENT: 1}


def test_all_failed_rules_at_once(world: World) -> None:
    caps.forget()
    answer = request("POST", "/v1/account", {"email": "ida", "password": "short", "passwordConfirmation": "x", "a": 1})

    assert answer.status == 422
    assert set(answer.codes) == {
        ("/a", "unknown_field"),
        ("/email", "format"),
        ("/password", "too_short"),
        ("/password", "upper_case"),
        ("/password", "digit_or_punctuation"),
        ("/passwordConfirmation", "mismatch"),
    }
    assert set(request("POST", "/v1/account", {}).codes) == {("/email", "blank"), ("/password", "blank")}


def test_an_address_that_has_an_account_is_told_to_its_owner_alone(
    office: PostOffice, mailing: MailServer, time: SimulatedTime, ida: User
) -> None:
    def registered(email: str) -> tuple[Answer, list[str]]:
        with calls() as made:
            answer = request("POST", "/v1/account", {"email": email, "password": OTHER})
        return answer, made.operations

    registered("warm.up@example.org")
    known, new = registered("IDA@example.org"), registered("ola@example.org")

    assert known[0] == new[0]
    assert known[1] == new[1]
    mailed(office, time)
    assert min((mail["To"], mail["Subject"]) for mail in mailing.mails) == (EMAIL, "You have an account already")
    assert store.get(ida.id) == ida
    assert request("GET", "/v1/account", who=(EMAIL, OTHER)).status == 401


def test_orders_in_the_queue_hold_no_address_and_no_token(world: World, ida: User) -> None:
    request("POST", "/v1/account/password-resets", {"email": EMAIL})

    [order] = world.orders("mail")

    assert order["mail"] == "user_reset_password"
    assert "@" not in json.dumps(order)
    assert not order.keys() - {"mail", "key", "org", "sealed"}


@pytest.mark.parametrize("path", ["/v1/account/confirmations", "/v1/account/password-resets"])
def test_asking_for_mails_tells_nothing(
    office: PostOffice, mailing: MailServer, time: SimulatedTime, path: str
) -> None:
    store.create(EMAIL, hashed(PASSWORD))

    def asked(email: str) -> tuple[Answer, list[str]]:
        with calls() as made:
            answer = request("POST", path, {"email": email})
        return answer, made.operations

    asked("warm.up@example.org")
    assert asked(EMAIL) == asked("ola@example.org")
    mailed(office, time)
    assert [mail["To"] for mail in mailing.mails] == [EMAIL]


def test_who_asks_for_too_many_mails_is_told(world: World) -> None:
    caps.forget()
    statuses = [request("POST", "/v1/account/password-resets", {"email": EMAIL}).status for _ in range(25)]
    assert statuses == [202] * 20 + [429] * 5


def test_an_address_gets_five_mails_an_hour(
    office: PostOffice, mailing: MailServer, time: SimulatedTime, ida: User
) -> None:
    for _ in range(8):
        request("POST", "/v1/account/password-resets", {"email": EMAIL})
    mailed(office, time)

    assert len(mailing.mails) == 5
    assert office.counts == {Counted.SENT: 5, Counted.DROPPED: 3}


# --- passwords


def test_a_new_password_by_mail(office: PostOffice, mailing: MailServer, time: SimulatedTime) -> None:
    store.create(EMAIL, hashed(PASSWORD))
    api = request("POST", "/v1/account/tokens", {"name": "script"}, IDA).body["token"]
    request("POST", "/v1/account/password-resets", {"email": EMAIL})
    time.forward(seconds=1)
    mailed(office, time)
    path = f"/v1/account/password-resets/{token_in(mailing, 'password-resets')}"
    time.forward(seconds=1)

    assert request("POST", path, {"password": "short"}).status == 422
    assert request("POST", path, {"password": OTHER}).status == 204

    assert request("POST", path, {"password": PASSWORD}).status == 404
    assert request("GET", "/v1/account", who=IDA).status == 401
    assert request("GET", "/v1/account", who=api).status == 401
    assert request("GET", "/v1/account", who=(EMAIL, OTHER)).body["confirmed"] is True


def test_a_link_ends(office: PostOffice, mailing: MailServer, time: SimulatedTime, ida: User) -> None:
    request("POST", "/v1/account/password-resets", {"email": EMAIL})
    mailed(office, time)
    path = f"/v1/account/password-resets/{token_in(mailing, 'password-resets')}"

    time.forward(hours=24)

    assert request("POST", path, {"password": OTHER}).status == 404


def test_another_password(ida: User, time: SimulatedTime) -> None:
    api = request("POST", "/v1/account/tokens", {"name": "script"}, IDA).body["token"]
    time.forward(seconds=1)
    wrong = request("PUT", "/v1/account/password", {"currentPassword": "wrong", "password": OTHER}, IDA)
    assert wrong.codes == [("/currentPassword", "wrong")]

    assert request("PUT", "/v1/account/password", {"currentPassword": PASSWORD, "password": OTHER}, api).status == 204

    assert request("GET", "/v1/account", who=IDA).status == 401
    assert request("GET", "/v1/account", who=api).status == 401
    assert request("GET", "/v1/account/tokens", who=(EMAIL, OTHER)).body["items"] == []


# --- the address


def test_another_address(office: PostOffice, mailing: MailServer, time: SimulatedTime, ida: User) -> None:
    new = {"email": "ida.holm@example.org", "currentPassword": PASSWORD}
    assert request("POST", "/v1/account/email-changes", {**new, "email": "IDA@example.org"}, IDA).codes == [
        ("/email", "unchanged")
    ]
    assert request("POST", "/v1/account/email-changes", new, IDA).status == 202
    mailed(office, time)
    assert mailing.mails[-1]["To"] == "ida.holm@example.org"
    path = f"/v1/account/email-changes/{token_in(mailing, 'email-changes')}"

    assert request("POST", path).status == 401
    store.create("ola@example.org", hashed(PASSWORD))
    assert request("POST", path, who=("ola@example.org", PASSWORD)).status == 404
    answer = request("POST", path, who=IDA)

    assert (answer.status, answer.body["email"]) == (200, "ida.holm@example.org")
    assert request("GET", "/v1/account", who=IDA).status == 401
    assert request("POST", path, who=("ida.holm@example.org", PASSWORD)).status == 404


def test_an_address_that_somebody_took_meanwhile(
    office: PostOffice, mailing: MailServer, time: SimulatedTime, ida: User
) -> None:
    request("POST", "/v1/account/email-changes", {"email": "ola@example.org", "currentPassword": PASSWORD}, IDA)
    mailed(office, time)
    store.create("ola@example.org", None)

    answer = request("POST", f"/v1/account/email-changes/{token_in(mailing, 'email-changes')}", who=IDA)

    assert (answer.status, answer.codes) == (409, [("/email", "taken")])


# --- the profile


def test_the_profile_is_changed_by_who_has_seen_it(ida: User) -> None:
    seen = request("GET", "/v1/account", who=IDA)
    assert seen.body == {
        "id": ida.id,
        "email": EMAIL,
        "jobTitle": None,
        "phone": None,
        "pictureUrl": None,
        "isAdmin": False,
        "confirmed": True,
        "roles": [],
    }
    first = request("PATCH", "/v1/account", {"jobTitle": "Captain"}, IDA, **{"If-Match": seen.headers["ETag"]})
    second = request("PATCH", "/v1/account", {"jobTitle": "Cook"}, IDA, **{"If-Match": seen.headers["ETag"]})

    assert (first.status, first.body["jobTitle"], second.status) == (200, "Captain", 412)
    assert request("PATCH", "/v1/account", {"email": "x@example.org", "phone": "a"}, IDA).codes == [
        ("/phone", "format"),
        ("/email", "unknown_field"),
    ]


# --- API tokens


def test_api_tokens_are_told_once_and_taken_back(ida: User) -> None:
    made = request("POST", "/v1/account/tokens", {"name": "script"}, IDA)
    assert made.status == 201
    token = made.body["token"]
    assert re.fullmatch(r"API-[A-Za-z0-9_-]{43}", token)
    assert request("GET", "/v1/account", who=token).status == 200

    listed = request("GET", "/v1/account/tokens", who=token)
    assert [item["name"] for item in listed.body["items"]] == ["script"]
    assert token not in json.dumps(listed.body)

    assert request("DELETE", f"/v1/account/tokens/{made.body['id']}", who=IDA).status == 204
    assert request("DELETE", f"/v1/account/tokens/{made.body['id']}", who=IDA).status == 404
    assert request("GET", "/v1/account", who=token).status == 401


def test_twenty_api_tokens_are_enough(ida: User) -> None:
    statuses = [request("POST", "/v1/account/tokens", {"name": f"{n}"}, IDA).status for n in range(21)]
    assert statuses == [201] * 20 + [409]


# --- users


def test_users_are_for_who_manages_them(ida: User) -> None:
    admin = store.create("admin@example.org", hashed(PASSWORD), perms=4)
    who = (admin.email, PASSWORD)

    for method, path in (("GET", "/v1/users"), ("GET", f"/v1/users/{ida.id}"), ("PATCH", f"/v1/users/{ida.id}")):
        body = {} if method == "PATCH" else None
        assert request(method, path, body).status == 401
        assert request(method, path, body, IDA).status == 403
    assert [user["email"] for user in request("GET", "/v1/users", who=who).body["items"]] == [EMAIL, admin.email]
    changed = request("PATCH", f"/v1/users/{ida.id}", {"jobTitle": "Captain"}, who)
    assert (changed.status, store.get(ida.id).profile.job_title) == (200, "Captain")
    assert request("GET", "/v1/users/999999", who=who).status == 404


# --- guessing


def test_ten_thousand_guesses_at_a_link(ida: User, time: SimulatedTime) -> None:
    statuses = [request("POST", f"/v1/account/confirmations/{number:043d}").status for number in range(300)]
    assert statuses == [404] * 100 + [429] * 200


def test_where_links_lead_to(office: PostOffice, mailing: MailServer, time: SimulatedTime, ida: User) -> None:
    instances.put(replace(instances.get(), frontend_url="https://app.example.org/"))
    request("POST", "/v1/account/password-resets", {"email": EMAIL})
    mailed(office, time)

    part = mailing.mails[-1].get_body(("html",))
    assert part is not None
    assert 'href="https://app.example.org/account/password-resets/' in str(part.get_content())
