"""Signing as Standard Webhooks says, credentials of domain 5.9, and what each answer means."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from proca_common.errors import NotAllowed
from proca_common.pipes.calling import Answer
from proca_common.pipes.sending import Failed, Outcome, Refused, Taken
from proca_common.pipes.webhook import Credentials, credentials, headers, outcome_of, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of thirty two by.").decode()
ID, TIME, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_vector_of_the_specification() -> None:
    assert signature(credentials("", SECRET).keys, ID, TIME, BODY) == SIGNATURE


def test_two_secrets_give_two_signatures_while_one_is_replaced() -> None:
    first, second = signature(credentials("", f"{SECRET} {OTHER_SECRET}").keys, ID, TIME, BODY).split(" ")

    assert first == SIGNATURE
    assert second == signature(credentials("", OTHER_SECRET).keys, ID, TIME, BODY)


def test_the_signature_is_an_hmac_of_id_time_and_body() -> None:
    key = base64.b64decode(OTHER_SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, b"1.deliver.7.1700000000.\xc3\xa9", hashlib.sha256).digest()

    assert signature([key], "1.deliver.7", 1_700_000_000, "é".encode()) == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("user", "password", "authorization"),
    [
        ("", "", None),
        ("crm", "", None),
        ("crm", "open sesame", "Basic " + base64.b64encode(b"crm:open sesame").decode()),
        ("", "Bearer abc.def", "Bearer abc.def"),
        ("", "abc", "abc"),
        ("", f"Bearer abc {SECRET}", "Bearer abc"),
        ("", f"{SECRET} Bearer abc", "Bearer abc"),
        ("crm", SECRET, None),
        ("crm", f"sesame {SECRET} {OTHER_SECRET}", "Basic " + base64.b64encode(b"crm:sesame").decode()),
    ],
)
def test_authorization_of_a_service(user: str, password: str, authorization: str | None) -> None:
    assert credentials(user, password).authorization == authorization


@pytest.mark.parametrize(
    "bad", ["whsec_", "whsec_abc", "whsec_c2hvcnQ=", "whsec_" + "A" * 200, "whsec_!!!!", "café", "Bearer \x00"]
)
def test_what_can_be_no_secret_or_header_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        credentials("", bad)

    assert bad == "whsec_" or bad not in str(refused.value)


def test_headers_of_a_request() -> None:
    assert headers(credentials("", f"Bearer abc {SECRET}"), ID, TIME, BODY) == {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "webhook-id": ID,
        "webhook-timestamp": str(TIME),
        "webhook-signature": SIGNATURE,
        "Authorization": "Bearer abc",
    }


def test_without_secret_and_password_there_is_neither_signature_nor_authorization() -> None:
    assert headers(Credentials(), ID, TIME, BODY).keys() == {
        "Accept",
        "Content-Type",
        "webhook-id",
        "webhook-timestamp",
    }


def test_keys_are_not_shown() -> None:
    assert "keys" not in repr(credentials("", SECRET))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *[(status, Taken()) for status in (200, 201, 202, 204, 299)],
        *[(status, Failed(f"status {status}")) for status in (100, 199, 300, 301, 302, 307, 308, 304)],
        *[(status, Failed(f"status {status}")) for status in (401, 403, 405, 408, 409, 410, 418, 423, 429)],
        *[(status, Failed(f"status {status}")) for status in (500, 501, 502, 503, 504, 599, 999)],
        (404, Failed("status 404: not found")),
        *[(status, Refused(f"status {status}")) for status in (400, 413, 415, 422)],
    ],
)
def test_what_a_status_means(status: int, outcome: Outcome) -> None:
    assert outcome_of(Answer(status, b"")) == outcome


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (503, "120", 120),
        (429, " 7 ", 7),
        (429, "0", 0),
        (503, "86400", 3600),
        (503, "99999999999999999999", 0),
        (503, "-5", 0),
        (503, "1.5", 0),
        (503, "٣", 0),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (503, "", 0),
        (503, None, 0),
        (500, "120", 0),
        (502, "120", 0),
    ],
)
def test_how_long_an_endpoint_asks_us_to_wait(status: int, header: str | None, seconds: int) -> None:
    assert outcome_of(Answer(status, b"", header)) == Failed(f"status {status}", seconds)
