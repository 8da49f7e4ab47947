"""SES on the emulator, mail servers of every kind, and a thousand mails within a provider's rate."""

from __future__ import annotations

import json
import os
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proca_common.actions import store
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws.queue import postpone
from proca_common.mails.backends import Broken, NotSent, smtp
from proca_common.mails.backends.smtp import Smtp
from proca_common.mails.letter import Letter
from proca_common.mails.sending import Counted
from proca_common.orgs import encryption, services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.orders import MailOrder
from tests.harness import faults
from tests.harness.calls import calls, unseen_client
from tests.harness.context import LambdaContext
from tests.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.post import PostOffice, ses_mails
from tests.simulated import SimulatedTime

pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),  # a killed function has none
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),  # for the server it has begun already
]
LETTER = Letter(77, "thank_you", "mail@bees.example.org", "ida@example.org", b"Subject: x\r\n\r\n.dot\r\n")


# --- SES


@pytest.fixture
def ses_org(office: PostOffice) -> Org:
    """An org that mails through the instance's own SES."""
    unseen_client("sesv2").create_email_identity(EmailIdentity="bees.example.org")
    instance = orgs.get(office.world.instance.org)
    orgs.replace(instance.model_copy(update={"email_backend": "ses"}))
    services.add(instance.id, services.ServiceInput(name="ses", host="eu-central-1"))
    org = office.world.org("bees", email_backend="system", email_from="mail@bees.example.org")
    office.template(org, "thanks")
    return org


def thanked(office: PostOffice, org: Org, email: str) -> int:
    page = office.world.page(org, office.world.campaign(org, email.partition("@")[0]), thank_you_template="thanks")
    action = office.world.sign(page, email=email).action
    office.world.run()
    office.collect()
    return action


def test_ses_takes_the_mail(office: PostOffice, ses_org: Org, time: SimulatedTime) -> None:
    action = thanked(office, ses_org, "ses-1@example.org")

    with calls() as recorded:
        office.run(time)

    [mail] = ses_mails("ses-1@example.org")
    assert "thanks for Ida" in json.dumps(mail)
    [sent] = recorded.of("SendEmail")
    assert sent.params["EmailTags"] == [
        {"Name": "action", "Value": str(action)},
        {"Name": "mail", "Value": "thank_you"},
    ]
    assert office.counts == {Counted.SENT: 1}


def test_no_other_org_sends_with_the_account_of_the_instance(
    office: PostOffice, ses_org: Org, time: SimulatedTime
) -> None:
    services.add(ses_org.id, services.ServiceInput(name="ses", host="eu-central-1"))
    orgs.replace(orgs.get(ses_org.id).model_copy(update={"email_backend": "ses"}))
    thanked(office, ses_org, "borrowed@example.org")

    office.step()

    assert not ses_mails("borrowed@example.org")
    assert not office.counts


def test_the_quota_is_asked_for_once_in_ten_minutes(office: PostOffice, ses_org: Org, time: SimulatedTime) -> None:
    for number in range(3):
        thanked(office, ses_org, f"quota-{number}@example.org")

    with calls() as recorded:
        office.run(time)

    assert [len(recorded.of(operation)) for operation in ("GetAccount", "SendEmail")] == [1, 3]


@pytest.mark.parametrize("code", ["TooManyRequestsException", "LimitExceededException"])
def test_a_throttled_provider_gets_everything_later(
    office: PostOffice, ses_org: Org, time: SimulatedTime, code: str
) -> None:
    emails = [f"throttled-{code}-{number}@example.org".lower() for number in range(5)]
    for email in emails:
        thanked(office, ses_org, email)

    with faults.faults(faults.throttle("SendEmail", code=code, nth=None)) as recorded:
        office.step()
    assert len(recorded.of("SendEmail")) == 1  # the others of the batch need not ask
    office.run(time)

    assert [len(ses_mails(email)) for email in emails] == [1] * 5, office.dead
    assert office.counts == {Counted.SENT: 5}


def test_a_sender_that_is_not_verified_waits_for_somebody_to_look(
    office: PostOffice, ses_org: Org, time: SimulatedTime
) -> None:
    orgs.replace(orgs.get(ses_org.id).model_copy(update={"email_from": "mail@unverified.example.org"}))
    thanked(office, ses_org, "unverified@example.org")

    office.step()

    assert len(office.waiting) == 1
    assert not ses_mails("unverified@example.org")


@pytest.mark.parametrize("disaster", [faults.lose_answer("SendEmail"), faults.crash_after("SendEmail")])
def test_a_lost_answer_is_never_asked_for_again_unseen(
    office: PostOffice, ses_org: Org, time: SimulatedTime, disaster: faults.Plan
) -> None:
    email = f"lost-{id(disaster)}@example.org"
    thanked(office, ses_org, email)

    try:
        with faults.faults(disaster):
            office.step()
    except faults.Killed:
        office.forget()
    assert len(ses_mails(email)) == 1
    office.run(time)

    assert len(ses_mails(email)) == 2
    assert office.counts[Counted.POSSIBLY_TWICE] == 1


def test_credentials_of_an_orgs_own_account(office: PostOffice, time: SimulatedTime) -> None:
    org = office.world.org("wasps", email_backend="ses", email_from="mail@wasps.example.org")
    services.add(org.id, services.ServiceInput(name="ses", host="eu-west-1", user="AKIAEXAMPLE"), "its secret")
    [service] = services.of_org(org.id)

    backend: Any = office.environment.ways.backend(service)

    assert backend._client.meta.region_name == "eu-west-1"
    assert backend._client._request_signer._credentials.access_key == "AKIAEXAMPLE"
    assert backend._client._request_signer._credentials.secret_key == "its secret"


# --- mail servers


@pytest.mark.parametrize("scheme", ["tls", "ssl", "smtp"])
def test_every_kind_of_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with mail_server(tmp_path, scheme) as server:
        trusted = ssl.create_default_context(cafile=tmp_path / "tls.crt")
        monkeypatch.setattr(smtp, "tls_context", lambda: trusted)
        with Smtp(server.url, USER, PASSWORD, this_machine=True) as backend:
            for _ in range(3):
                backend.send(LETTER)

    assert [taken.over_tls for taken in server.taken] == [scheme != "smtp"] * 3
    assert server.taken[0].raw.endswith(b"\r\n\r\n.dot\r\n")
    assert server.logins == 1  # one connection for all


@pytest.mark.parametrize("scheme", ["tls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, scheme: str) -> None:
    with mail_server(tmp_path, scheme) as server, Smtp(server.url, USER, PASSWORD, this_machine=True) as backend:
        with pytest.raises(Broken):
            backend.send(LETTER)
        assert not server.taken
        assert server.logins == 0


def test_no_password_without_tls(tmp_path: Path) -> None:
    with mail_server(tmp_path, "smtp") as server:
        clear = server.url.replace("smtp://", "tls://")
        with Smtp(clear, USER, PASSWORD, this_machine=True) as backend, pytest.raises(Broken):
            backend.send(LETTER)
        assert server.logins == 0


@pytest.mark.parametrize(
    "url",
    ["tls://localhost:25", "tls://127.0.0.1:587", "ssl://10.0.0.1", "tls://x.internal:22", "ssl://localhost:99999"],
)
def test_no_way_into_our_own_network(url: str) -> None:
    with Smtp(url, USER, PASSWORD) as backend, pytest.raises(Broken):
        backend.send(LETTER)


def test_a_connection_that_the_server_closed_is_opened_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(tmp_path) as server:
        trusted = ssl.create_default_context(cafile=tmp_path / "tls.crt")
        monkeypatch.setattr(smtp, "tls_context", lambda: trusted)
        with Smtp(server.url, USER, PASSWORD, this_machine=True) as backend:
            backend.send(LETTER)
            assert backend._connection is not None
            assert backend._connection.sock is not None
            backend._connection.sock.shutdown(2)
            backend.send(LETTER)

    assert len(server.taken) == 2
    assert server.logins == 2


def test_after_a_refusal_the_next_mail_goes_out_on_the_same_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(tmp_path) as server:
        trusted = ssl.create_default_context(cafile=tmp_path / "tls.crt")
        monkeypatch.setattr(smtp, "tls_context", lambda: trusted)
        server.replies |= {"RCPT": ["550 5.1.1 nobody"], "DATA": ["451 later"]}
        with Smtp(server.url, USER, PASSWORD, this_machine=True) as backend:
            for _ in range(2):
                with pytest.raises(NotSent):
                    backend.send(LETTER)
            backend.send(LETTER)

    assert len(server.taken) == 1
    assert server.logins == 1


@pytest.mark.parametrize(
    ("refused", "recipients"),
    [(False, ["ida@example.org", "a@example.org", "b@example.org"]), (True, ["ida@example.org", "b@example.org"])],
)
def test_copies_go_to_whom_the_server_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool, recipients: list[str]
) -> None:
    with mail_server(tmp_path) as server:
        monkeypatch.setattr(smtp, "tls_context", lambda: ssl.create_default_context(cafile=str(tmp_path / "tls.crt")))
        answers = iter([None, "550 5.1.1 nobody" if refused else None, None])
        monkeypatch.setattr(server, "reply", lambda command: next(answers) if command == "RCPT" else None)

        with Smtp(server.url, USER, PASSWORD, this_machine=True) as backend:
            backend.send(replace(LETTER, cc=("a@example.org", "b@example.org")))

    assert [taken.recipients for taken in server.taken] == [recipients]


# --- the rate


@pytest.mark.parametrize("number", [100, pytest.param(1_000, marks=pytest.mark.soak)])
def test_many_mails_keep_within_the_rate(
    office: PostOffice, mail_server: MailServer, time: SimulatedTime, number: int
) -> None:
    """Ten in a second for all, so five for this one of two environments."""
    org = office.world.org("bees", email_backend="smtp", email_from="mail@bees.example.org")
    office.smtp(org, mail_server, rate=10)
    office.template(org, "thanks")
    page = office.world.page(org, thank_you_template="thanks")
    first = office.world.sign(page).action
    office.world.run()
    office.collect()
    copied(office, first, number - 1)
    went: list[int] = []
    mail_server.on_data = lambda: went.append(time.now_ms)
    started = time.now_ms

    office.run(time)

    everybody = {"ida.holm@example.org", *(f"p{n}@example.org" for n in range(number - 1))}
    missing = everybody - {taken.recipients[0] for taken in mail_server.taken}
    assert (len(went), len(missing)) == (number, 0)
    busiest = max(sum(at <= other < at + 1_000 for other in went) for at in went)
    assert busiest <= 6  # five intervals have six ends
    assert went[-1] - started == pytest.approx((number - 1) * 200, rel=0.01)
    assert office.counts == {Counted.SENT: number}


def copied(office: PostOffice, action: int, number: int) -> None:
    """As many more people who did the same, and their orders."""
    world = office.world
    [order] = [MailOrder.model_validate(order) for order in office.orders()]
    signed: Any = store.read(store.action_key(order.ref, action))
    supporter: Any = store.read(store.supporter_key(order.ref, order.org, action))
    with ActionItem.batch_write() as batch:
        for n in range(number):
            identifier, ref = action + n + 1, f"ref-{n}"
            known = {"email": f"p{n}@example.org", "firstName": "P", "lastName": ""}
            sealed = encryption.seal(json.dumps(known).encode(), world.instance.sealing_public)
            for item, key in (
                (signed, store.action_key(ref, identifier)),
                (supporter, store.supporter_key(ref, order.org, identifier)),
            ):
                values = {**item.attribute_values, "id": identifier, "ref": key[0], "sk": key[1]}
                values.pop("kind")
                if isinstance(item, SupporterItem):
                    values["mail"] = sealed
                batch.save(type(item)(**values))
            copy = order.model_copy(update={"action": identifier, "supporter": identifier, "ref": ref})
            office.put(copy.model_dump_json())


# --- the queue itself


def test_messages_that_stay_come_again_when_they_are_to(office: PostOffice, capsys: pytest.CaptureFixture[str]) -> None:
    sqs = unseen_client("sqs")
    url = sqs.create_queue(QueueName=f"postponed-{office.world.instance.org}")["QueueUrl"]
    for body in ("now", "later", "done"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)["Messages"]
    records = [
        {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"]}
        for message in received
    ]
    pauses = {"now": 0, "later": 3_600_000}
    again = {record["messageId"]: pauses[record["body"]] for record in records if record["body"] in pauses}

    postpone(url, records, again)

    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["now"]
    postpone(url, [{"messageId": "1", "receiptHandle": "gone"}], {"1": 60_000})  # nothing is raised
    postpone("http://127.0.0.1:1/none", records, again)


def test_the_function_answers_sqs_as_it_wants(office: PostOffice, time: SimulatedTime) -> None:
    """With the real queue: a message that stays is in the answer, and nothing is raised for a strange handle."""
    record = {
        "messageId": "m1",
        "receiptHandle": "strange",
        "body": "no order",
        "attributes": {"ApproximateReceiveCount": "1"},
    }

    answer = office._handler({"Records": [record]}, LambdaContext("SendEmailFunction", 60))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert os.environ["MAIL_QUEUE_URL"]
