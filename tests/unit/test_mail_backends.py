"""What SES answers means, and how mails are spread over time."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from proca_common.aws import clock
from proca_common.mails.backends import Broken, Busy, NotSent, Unanswered, Undeliverable
from proca_common.mails.backends.ses import QUOTA_FRESH_MS, SANDBOX_RATE, Ses
from proca_common.mails.letter import Letter
from proca_common.mails.ways_out import Pace

LETTER = Letter(77, "reminder.1", "mail@bees.example.org", "ida@example.org", b"raw")


@pytest.fixture
def ses() -> Ses:
    return Ses("eu-central-1", ("key", "secret"), "events")


def stubbed(ses: Ses) -> Stubber:
    return Stubber(ses._client)


def test_ses_gets_the_raw_mail_with_what_leads_back_to_the_action(ses: Ses) -> None:
    wanted = {
        "FromEmailAddress": "mail@bees.example.org",
        "Destination": {"ToAddresses": ["ida@example.org"]},
        "Content": {"Raw": {"Data": b"raw"}},
        "EmailTags": [{"Name": "action", "Value": "77"}, {"Name": "mail", "Value": "reminder-1"}],
        "ConfigurationSetName": "events",
    }
    with stubbed(ses) as stub:
        stub.add_response("send_email", {"MessageId": "1"}, wanted)
        ses.send(LETTER)
        stub.assert_no_pending_responses()


def test_ses_gets_copies_and_what_leads_back_to_a_mail_to_a_target(ses: Ses) -> None:
    wanted = {
        "FromEmailAddress": "mail@bees.example.org",
        "Destination": {"ToAddresses": ["tom@example.org"], "CcAddresses": ["a@example.org", "b@example.org"]},
        "Content": {"Raw": {"Data": b"raw"}},
        "EmailTags": [{"Name": "mail", "Value": "mtt"}, {"Name": "target_mail", "Value": "27_2f0a-9c1e_77"}],
        "ConfigurationSetName": "events",
    }
    copies = ("a@example.org", "b@example.org")
    with stubbed(ses) as stub:
        stub.add_response("send_email", {"MessageId": "1"}, wanted)
        ses.send(Letter(None, "mtt", "mail@bees.example.org", "tom@example.org", b"raw", copies, "27_2f0a-9c1e_77"))
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "text", "status", "means"),
    [
        ("TooManyRequestsException", "Maximum sending rate exceeded.", 429, Busy),
        ("LimitExceededException", "Daily message quota exceeded.", 400, Busy),
        ("ThrottlingException", "Rate exceeded", 400, Busy),
        ("AccountSuspendedException", "", 400, Broken),
        ("SendingPausedException", "", 400, Broken),
        ("MailFromDomainNotVerifiedException", "", 400, Broken),
        ("NotFoundException", "Configuration set <events> does not exist.", 404, Broken),
        ("AccessDeniedException", "", 403, Broken),
        ("BadRequestException", "Invalid domain name: 'nowhere'.", 400, Undeliverable),
        ("BadRequestException", "Illegal address", 400, Undeliverable),
        ("BadRequestException", "Nonexistent header", 400, NotSent),
        ("MessageRejected", "Email address is not verified.", 400, NotSent),
        ("InternalServiceErrorException", "", 500, Unanswered),
    ],
)
def test_what_ses_answers_means(ses: Ses, code: str, text: str, status: int, means: type[Exception]) -> None:
    with stubbed(ses) as stub:
        stub.add_client_error("send_email", code, text, status)
        with pytest.raises((NotSent, Unanswered)) as raised:
            ses.send(LETTER)
    assert type(raised.value) is means
    assert str(raised.value) == code


@pytest.mark.parametrize(
    ("fault", "means"),
    [
        (EndpointConnectionError(endpoint_url="x"), Broken),
        (ConnectTimeoutError(endpoint_url="x"), Broken),
        (ReadTimeoutError(endpoint_url="x"), Unanswered),
        (ConnectionClosedError(endpoint_url="x"), Unanswered),
        (NoCredentialsError(), Broken),
    ],
)
def test_without_an_answer_nobody_knows_unless_it_was_never_asked(
    ses: Ses, monkeypatch: pytest.MonkeyPatch, fault: Exception, means: type[Exception]
) -> None:
    def fail(**_: Any) -> None:
        raise fault

    monkeypatch.setattr(ses._client, "send_email", fail)
    with pytest.raises((NotSent, Unanswered)) as raised:
        ses.send(LETTER)
    assert type(raised.value) is means


def test_the_client_never_asks_a_second_time(ses: Ses) -> None:
    assert ses._client.meta.config.retries == {"total_max_attempts": 1, "mode": "standard"}


def test_the_rate_is_the_accounts_and_kept_for_ten_minutes(ses: Ses, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000
    monkeypatch.setattr(clock, "now_ms", lambda: now)
    with stubbed(ses) as stub:
        stub.add_response("get_account", {"SendQuota": {"MaxSendRate": 14.0}}, {})
        assert [ses.rate(), ses.rate()] == [14.0, 14.0]
        now += QUOTA_FRESH_MS
        stub.add_client_error("get_account", "AccessDeniedException")
        assert ses.rate() == 14.0


def test_an_unknown_rate_is_that_of_the_sandbox(ses: Ses) -> None:
    with stubbed(ses) as stub:
        stub.add_client_error("get_account", "AccessDeniedException")
        assert ses.rate() == SANDBOX_RATE


class Time:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms, self.slept = 0.0, 0
        monkeypatch.setattr(clock, "now_ms", lambda: int(self.now_ms))
        monkeypatch.setattr(clock, "sleep_ms", self.sleep)

    def sleep(self, duration: float) -> None:
        self.slept += 1
        self.now_ms += duration


def test_a_thousand_mails_are_spread_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    time, pace = Time(monkeypatch), Pace()
    went = []
    for _ in range(1_000):
        assert pace.take(7, latest_ms=10_000_000)
        went.append(time.now_ms)

    in_a_second = [sum(start <= at < start + 1_000 for at in went) for start in went]
    assert max(in_a_second) <= 8  # seven intervals have eight ends
    assert went[-1] == pytest.approx(999 / 7 * 1_000, rel=0.01)
    assert time.slept <= 1_000


def test_no_mail_waits_beyond_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    time, pace = Time(monkeypatch), Pace()

    taken = [pace.take(1, latest_ms=2_500) for _ in range(6)]

    assert taken == [True, True, True, False, False, False]
    assert time.now_ms == 2_000


def test_without_a_rate_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    time, pace = Time(monkeypatch), Pace()

    assert all(pace.take(None, latest_ms=0) for _ in range(100))
    assert time.slept == 0
