"""Two orgs and the three ways to a queue: each gets its own messages, and nothing of the other (design 6, 7.6)."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from examples.consumer import PrivateKeys, Reader
from tests.e2e.people import Person, people
from tests.e2e.site import ACCOUNT, RUN, SCHEMA, Ngo, Site
from tools.client import Answer, Client
from tools.emulator import ROOT, Emulator

OTHER_ACCOUNT = "222222222222"
LEASE_S = 30
QUEUES = ("deliver", "deliver-dlq", "event", "event-dlq")
Meet = Callable[..., Person]
ClientOf = Callable[[str], Any]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def meet(client: Client) -> Iterator[Meet]:
    with people(client) as found:
        yield found


@pytest.fixture(scope="module")
def bees(client: Client) -> Ngo:
    return Site(client).org("event_queue=true")


@pytest.fixture(scope="module")
def birds(client: Client) -> Ngo:
    return Site(client).org("event_queue=true", f'queue_principals=["arn:aws:iam::{OTHER_ACCOUNT}:root"]')


@pytest.fixture(scope="module")
def ida(meet: Meet, bees: Ngo) -> Person:
    """Owns the one org."""
    return meet(f"ida-{RUN}@example.org", {bees.name: "owner"})


@pytest.fixture(scope="module")
def ole(meet: Meet, birds: Ngo) -> Person:
    """Owns the other."""
    return meet(f"ole-{RUN}@example.org", {birds.name: "owner"})


def queues(org: Ngo, rest: str = "") -> str:
    return f"/v1/orgs/{org.name}/queues{rest}"


def ok(answer: Answer, status: int = 200) -> Any:
    assert answer.status == status, answer.text
    return answer.json


def taken(who: Person, org: Ngo, queue: str = "deliver", lease: int = 300) -> list[dict[str, Any]]:
    return ok(who.get(queues(org, f"/{queue}/messages?wait=1&lease={lease}")))["items"]  # type: ignore[no-any-return]


def code_of(call: Callable[[], object]) -> str:
    """How AWS answers: "ok", or the code of its error."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"]).rpartition(".")[2].removesuffix("Exception")
    return "ok"


def lent(who: Person, org: Ngo, local: Emulator, endpoint: str = "") -> ClientOf:
    """Clients with the credentials that the org gets."""
    found = ok(who.post(f"/v1/orgs/{org.name}/queue-credentials"), 201)
    session = boto3.Session(
        found["accessKeyId"], found["secretAccessKey"], found["sessionToken"], region_name=found["region"]
    )
    return lambda service: session.client(
        service, endpoint_url=endpoint or local.tls_endpoint, verify=str(local.certificate)
    )


class TestCredentials:
    def test_they_read_the_orgs_own_queues(self, site: Site, local: Emulator, bees: Ngo, ida: Person) -> None:
        sqs = lent(ida, bees, local)("sqs")
        owner = site.client.stack.client("sqs")
        for queue in QUEUES:
            url = site.client.queue_url(bees.id, queue)
            owner.send_message(QueueUrl=url, MessageBody=queue)
            [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
            handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
            assert message["Body"] == queue
            assert code_of(lambda handle=handle: sqs.change_message_visibility(**handle, VisibilityTimeout=60)) == "ok"
            assert code_of(lambda handle=handle: sqs.delete_message(**handle)) == "ok"
            assert code_of(lambda url=url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])) == "ok"
            assert code_of(lambda url=url: sqs.get_queue_url(QueueName=url.rpartition("/")[2])) == "ok"

    def test_they_are_denied_everything_else(
        self, site: Site, local: Emulator, bees: Ngo, birds: Ngo, ida: Person
    ) -> None:
        of = lent(ida, bees, local)
        sqs, environ = of("sqs"), site.client.stack.environ
        own = site.client.queue_url(bees.id, "deliver")
        probes: dict[str, Callable[[], object]] = {
            "send": lambda: sqs.send_message(QueueUrl=own, MessageBody="x"),
            "purge": lambda: sqs.purge_queue(QueueUrl=own),
            "set": lambda: sqs.set_queue_attributes(QueueUrl=own, Attributes={"Policy": ""}),
            "permit": lambda: sqs.add_permission(
                QueueUrl=own, Label="x", AWSAccountIds=[OTHER_ACCOUNT], Actions=["ReceiveMessage"]
            ),
            "delete": lambda: sqs.delete_queue(QueueUrl=own),
            "make": lambda: sqs.create_queue(QueueName="probe"),
            "list": sqs.list_queues,
            "our own queue": lambda: sqs.receive_message(QueueUrl=environ["MAIL_QUEUE"]),
            "read a table": lambda: of("dynamodb").scan(TableName=environ["CATALOG_TABLE"], Limit=1),
            "read an item": lambda: of("dynamodb").get_item(
                TableName=environ["CATALOG_TABLE"], Key={"pk": {"S": f"org#{bees.id}"}, "sk": {"S": "org"}}
            ),
            "list tables": lambda: of("dynamodb").list_tables(),
            "read a secret": lambda: of("secretsmanager").get_secret_value(SecretId=environ["GUARD_KEY_SECRET"]),
            "list roles": lambda: of("iam").list_roles(),
            "list functions": lambda: of("lambda").list_functions(),
            "read logs": lambda: of("logs").describe_log_groups(),
        }
        for queue in QUEUES:
            url = site.client.queue_url(birds.id, queue)
            for name, call in {
                "receive": lambda url=url: sqs.receive_message(QueueUrl=url),
                "delete": lambda url=url: sqs.delete_message(QueueUrl=url, ReceiptHandle="x"),
                "keep": lambda url=url: sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle="x", VisibilityTimeout=0
                ),
                "look at": lambda url=url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]),
                "find": lambda url=url: sqs.get_queue_url(QueueName=url.rpartition("/")[2]),
                "send": lambda url=url: sqs.send_message(QueueUrl=url, MessageBody="x"),
            }.items():
                probes[f"{name} {queue} of the other"] = call

        allowed = {
            name: code for name, call in probes.items() if not (code := code_of(call)).startswith("AccessDenied")
        }
        assert allowed == {}

    def test_they_lend_nothing_on(self, local: Emulator, bees: Ngo, ida: Person) -> None:
        sts = lent(ida, bees, local)("sts")
        role = sts.get_caller_identity()["Arn"].split("/")[1]
        assert sts.get_caller_identity()["Arn"].endswith(f"/{bees.name}.{bees.id}.{ida.user}")
        arn = local.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        assert code_of(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="again")) == "AccessDenied"

    def test_they_are_of_no_use_without_tls(self, site: Site, local: Emulator, bees: Ngo, ida: Person) -> None:
        sqs = lent(ida, bees, local, local.endpoint)("sqs")
        url = site.client.queue_url(bees.id, "deliver")
        assert code_of(lambda: sqs.receive_message(QueueUrl=url)) == "AccessDenied"


class TestHttps:
    def test_a_signature_is_taken_decrypted_acknowledged_and_seen(self, site: Site, meet: Meet) -> None:
        org = site.org()
        who = meet(f"ada-{next(_numbers)}-{RUN}@example.org", {org.name: "owner"})
        action = site.signed(site.page(org), email="ida.holm@example.org")
        site.client.wait_until_delivered()

        [message] = taken(who, org)

        attributes = {name: {"StringValue": value} for name, value in message["attributes"].items()}
        received = {"Body": json.dumps(message["body"]), "MessageAttributes": attributes}
        read = Reader(SCHEMA, "deliver", PrivateKeys(org.private)).read(received)
        assert (read.message["actionId"], read.message["contact"]["email"]) == (action, "ida.holm@example.org")
        assert message["messageId"] == f"{action}.deliver.{org.id}"
        [found] = ok(who.get(queues(org)))["items"]
        assert (found["messages"], found["inFlight"], found["deadLetters"]["messages"]) == (0, 1, 0)
        assert found["oldestAgeSeconds"] >= 0
        assert found["lastReadAt"] is not None
        receipts = {"receipts": [message["receipt"]]}
        for _ in range(2):
            done = ok(who.post(queues(org, "/deliver/acknowledgements"), receipts))["items"]
            assert [item["result"] for item in done] == ["done"]
        [found] = ok(who.get(queues(org)))["items"]
        assert (found["messages"], found["inFlight"], found["oldestAgeSeconds"]) == (0, 0, None)

    def test_a_message_comes_again_when_its_lease_is_over(self, site: Site, meet: Meet) -> None:
        org = site.org()
        who = meet(f"ada-{next(_numbers)}-{RUN}@example.org", {org.name: "owner"})
        for number in range(2):
            site.client.stack.client("sqs").send_message(
                QueueUrl=site.client.queue_url(org.id, "deliver"), MessageBody=json.dumps({"number": number})
            )
        first, second = taken(who, org, lease=LEASE_S)
        ok(who.post(queues(org, "/deliver/leases"), {"receipts": [second["receipt"]], "lease": 300}))
        assert taken(who, org) == []

        time.sleep(LEASE_S)

        [again] = taken(who, org)
        assert (again["body"], again["receiveCount"]) == (first["body"], 2)

    def test_waiting_ends_when_something_comes(self, site: Site, meet: Meet) -> None:
        org = site.org()
        who = meet(f"ada-{next(_numbers)}-{RUN}@example.org", {org.name: "owner"})
        started = time.monotonic()
        assert ok(who.get(queues(org, "/deliver/messages?wait=6")))["items"] == []
        assert time.monotonic() - started >= 5, "longer than other calls may take"

    def test_the_example_prints_every_action_once(self, site: Site, meet: Meet, tmp_path: Path) -> None:
        org = site.org()
        who = meet(f"ada-{next(_numbers)}-{RUN}@example.org", {org.name: "owner"})
        page = site.page(org)
        ids = sorted(site.signed(page, email=f"ida{number}@example.org") for number in range(12))
        site.client.wait_until_delivered()
        keys = tmp_path / "org.keys"
        keys.write_text("\n".join(org.private))
        command = [sys.executable, str(ROOT / "examples" / "pull.py"), site.client.stack.api_url, org.name]
        command += ["--keys", str(keys), "--until-empty"]
        environ = {**os.environ, "PROCA_TOKEN": who.token}

        done = [subprocess.run(command, env=environ, capture_output=True, text=True, check=False) for _ in range(2)]

        assert [run.returncode for run in done] == [0, 0], done[0].stderr
        lines = [json.loads(line) for line in done[0].stdout.splitlines()]
        assert sorted(line["actionId"] for line in lines) == ids
        assert {line["contact"]["email"] for line in lines} == {f"ida{number}@example.org" for number in range(12)}
        assert done[1].stdout == ""


class TestPrincipals:
    def test_an_account_reads_from_the_moment_that_the_org_names_it_and_no_longer(
        self, site: Site, local: Emulator, meet: Meet
    ) -> None:
        org = site.org()
        who = meet(f"ada-{next(_numbers)}-{RUN}@example.org", {org.name: "owner"})
        url = site.client.queue_url(org.id, "deliver")
        accounts = {account: local.client("sqs", account) for account in (ACCOUNT, OTHER_ACCOUNT)}

        def may_read() -> set[str]:
            return {
                account
                for account, sqs in accounts.items()
                if code_of(lambda sqs=sqs: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)) == "ok"
            }

        assert may_read() == {ACCOUNT}
        ok(who.put(queues(org, "/principals"), {"principals": [f"arn:aws:iam::{OTHER_ACCOUNT}:root"]}))
        assert may_read() == {OTHER_ACCOUNT}
        assert ok(who.get(queues(org, "/principals"))) == {"principals": [f"arn:aws:iam::{OTHER_ACCOUNT}:root"]}
        ok(who.put(queues(org, "/principals"), {"principals": []}))
        assert may_read() == set()


class TestTwoOrgs:
    def test_neither_reaches_the_other_by_the_api(self, bees: Ngo, birds: Ngo, ida: Person, ole: Person) -> None:
        for who, other in ((ida, birds), (ole, bees)):
            for method, path, body in (
                ("GET", queues(other), None),
                ("GET", queues(other, "/principals"), None),
                ("PUT", queues(other, "/principals"), {"principals": []}),
                ("GET", queues(other, "/deliver/messages?wait=0"), None),
                ("GET", queues(other, "/deliver-dlq/messages?wait=0"), None),
                ("POST", queues(other, "/deliver/acknowledgements"), {"receipts": ["x"]}),
                ("POST", queues(other, "/deliver/leases"), {"receipts": ["x"]}),
                ("POST", queues(other, "/deliver/redrive"), {}),
                ("POST", f"/v1/orgs/{other.name}/requeues", {"target": "custom_action_deliver", "ids": [1]}),
                ("POST", f"/v1/orgs/{other.name}/queue-credentials", {}),
            ):
                answers = [who.ask(method, place, body) for place in (path, path.replace(other.name, "no-such-org"))]
                assert [answer.status for answer in answers] == [403, 403], path
                assert answers[0].text == answers[1].text, "whether there is such an org"

    def test_a_receipt_of_one_is_none_of_the_other(
        self, site: Site, bees: Ngo, birds: Ngo, ida: Person, ole: Person
    ) -> None:
        url = site.client.queue_url(bees.id, "deliver")
        site.client.stack.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
        receipts = {"receipts": [message["receipt"] for message in taken(ida, bees)]}
        for end in ("acknowledgements", "leases"):
            assert ole.post(queues(birds, f"/deliver/{end}"), receipts).status == 422
        ok(ida.post(queues(bees, "/deliver/acknowledgements"), receipts))

    def test_actions_of_one_are_nothing_to_the_other(
        self, site: Site, bees: Ngo, birds: Ngo, ida: Person, ole: Person
    ) -> None:
        page = site.page(bees)
        action = site.signed(page)
        site.client.wait_until_delivered()
        asked: dict[str, Any] = {"target": "custom_action_deliver"}

        by_id = ok(ole.post(f"/v1/orgs/{birds.name}/requeues", {**asked, "ids": [action, 12345]}))
        by_name = [
            ole.post(f"/v1/orgs/{birds.name}/requeues", {**asked, "campaign": name})
            for name in (page.campaign, "no-such-campaign")
        ]

        assert (by_id["count"], by_id["sent"]) == (0, 0)
        assert [answer.status for answer in by_name] == [404, 404]
        assert by_name[0].text == by_name[1].text
        again = ok(ida.post(f"/v1/orgs/{bees.name}/requeues", {**asked, "campaign": page.campaign, "job": "night"}))
        assert (again["count"], again["sent"], again["next"]) == (1, 1, None)
        replays = [message["attributes"].get("Replay") for message in taken(ida, bees)]
        assert sorted(replays, key=str) == [None, "night"]

    def test_what_was_given_up_comes_back_to_its_own_org(
        self, site: Site, bees: Ngo, birds: Ngo, ida: Person, ole: Person
    ) -> None:
        url = site.client.queue_url(bees.id, "event-dlq")
        site.client.stack.client("sqs").send_message(QueueUrl=url, MessageBody='{"given": "up"}')
        assert ok(ole.post(queues(birds, "/event/redrive")))["count"] == 0
        assert ok(ida.post(queues(bees, "/event/redrive")))["moved"] == 1
        assert [message["body"] for message in taken(ida, bees, "event")] == [{"given": "up"}]


def test_who_may_not_export_gets_no_message_and_no_credentials(meet: Meet, bees: Ngo) -> None:
    campaigner = meet(f"pia-{RUN}@example.org", {bees.name: "campaigner"})
    assert campaigner.get(queues(bees)).status == 200
    assert campaigner.get(queues(bees, "/deliver/messages?wait=0")).status == 403
    assert campaigner.post(f"/v1/orgs/{bees.name}/queue-credentials").status == 403
    assert campaigner.post(f"/v1/orgs/{bees.name}/requeues").status == 403
