"""Post offices to test mails with: templates and services, the mail queue, and what the emulator's SES took.

def test_a_mail_arrives(office, time, mail_server):
    ...
    office.run(time)
    [mail] = mail_server.mails
"""

from __future__ import annotations

import inspect
import json
import os
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from proca_common.aws import clock
from proca_common.guards import caps
from proca_common.mails import sending, templates
from proca_common.mails.sending import Counted, Report
from proca_common.mails.templates import EmailTemplateInput
from proca_common.mails.ways_out import WaysOut
from proca_common.orgs import services
from proca_common.orgs.org import Org
from proca_common.orgs.services import Service, ServiceInput
from tests.harness.calls import Answer, Call, Hook, hooked, unseen_client
from tests.harness.context import LambdaContext
from tests.harness.template import project_template
from tests.mail_server import PASSWORD, USER, MailServer
from tests.simulated import SimulatedTime
from tests.world import World, function

QUEUE = project_template().resources("AWS::SQS::Queue")["MailQueue"]
MAX_RECEIVE = QUEUE["RedrivePolicy"]["maxReceiveCount"]
VISIBILITY_MS = 1_000 * QUEUE["VisibilityTimeout"]
TIMEOUT_S = project_template().function("SendEmailFunction")["Timeout"]
BATCH = 10


# --- what the emulator's SES took


def ses_mails(recipient: str = "") -> list[dict[str, Any]]:
    """The mails that the emulator's SES took, for one recipient if given."""
    url = os.environ["QUEUE_URL_PREFIX"].partition("/000000000000/")[0] + "/_ministack/ses/messages"
    with urllib.request.urlopen(url, timeout=10) as answer:
        by_account = json.loads(answer.read())["messages"]
    found = [mail for mails in by_account.values() for mail in mails]
    return [mail for mail in found if recipient in json.dumps(mail)]


# --- the mail queue


@dataclass
class Message:
    """A message of the queue; `visible_ms`: when it may be received, in the world's time."""

    id: str
    body: str
    visible_ms: int
    received: int = 0

    def record(self) -> dict[str, Any]:
        """As the mapping hands it to the function."""
        return {
            "messageId": self.id,
            "receiptHandle": f"{self.id}#{self.received}",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.received), "SentTimestamp": "0"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
        }


class _Postponing(Hook):
    """ChangeMessageVisibilityBatch, for the messages of a `PostOffice`."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.operation != "ChangeMessageVisibilityBatch":
            return proceed()
        for entry in call.params["Entries"]:
            message_id = entry["ReceiptHandle"].partition("#")[0]
            self._office.waiting[message_id].visible_ms = clock.now_ms() + 1000 * entry["VisibilityTimeout"]
        return {"Successful": [{"Id": entry["Id"]} for entry in call.params["Entries"]]}


class PostOffice:
    """The mail queue in the world's time, with its mapping as AWS documents it: at least once, in no order, what is
    not done comes again, and what came too often goes to the dead-letter queue. Orders come from the real queue.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.waiting: dict[str, Message] = {}
        self.dead: list[Message] = []
        self._handler = function("SendEmailFunction")
        self._module = inspect.unwrap(self._handler).__globals__
        self.counts: Counter[Counted] = Counter()
        self._module["send_batch"] = self._counting
        self.forget()

    def _counting(self, *given: Any) -> Report:
        report = sending.send_batch(*given)
        self.counts += report.counts
        return report

    # --- the catalogue

    def template(self, org: Org, name: str, locale: str = "en", **given: str) -> None:
        """A template that says which it is."""
        made = {"subject": f"{name} for {{{{firstName}}}}", "html": f"<p>{name} {{{{confirmLink}}}}</p>", **given}
        templates.put(org.id, EmailTemplateInput(name=name, locale=locale, **made))

    def smtp(self, org: Org, server: MailServer, **given: Any) -> Service:
        """The org mails through this server."""
        wanted = ServiceInput(name="smtp", host=server.url, user=USER, **given)
        return services.add(org.id, wanted, PASSWORD)

    # --- the queue

    def forget(self) -> None:
        """As in a new environment."""
        self.world.forget()
        sending.forget()
        caps.forget()
        office = self._module["office"]
        made = WaysOut(office.ways._secret, None, concurrency=2, this_machine=True)
        self._module["office"] = sending.Office(
            office.link_base_url, office.link_keys, office.sealing_key, office.guard_secret, made
        )

    @property
    def environment(self) -> sending.Office:
        """What the function sends with."""
        return cast(sending.Office, self._module["office"])

    def collect(self) -> int:
        """Take over what the stream functions ordered; how many."""
        sqs, url = unseen_client("sqs"), os.environ["MAIL_QUEUE_URL"]
        taken = 0
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                self.put(message["Body"])
                taken += 1
        return taken

    def put(self, body: str) -> None:
        """A message is sent to the queue."""
        number = f"m{len(self.waiting) + len(self.dead)}-{os.urandom(4).hex()}"
        self.waiting[number] = Message(number, body, clock.now_ms())

    def orders(self) -> list[dict[str, Any]]:
        """What waits, oldest first."""
        return [json.loads(message.body) for message in self.waiting.values()]

    def visible(self) -> list[Message]:
        """What may be received now; what came too often goes to the dead-letter queue first."""
        now = clock.now_ms()
        for message in [*self.waiting.values()]:
            if message.visible_ms <= now and message.received >= MAX_RECEIVE:
                self.dead.append(self.waiting.pop(message.id))
        return [message for message in self.waiting.values() if message.visible_ms <= now]

    def step(self, batch: int = BATCH, *, remaining_ms: int = 1000 * TIMEOUT_S) -> bool:
        """One batch; whether there was any. A `Killed` function leaves it where it is."""
        messages = self.visible()[:batch]
        if not messages:
            return False
        for message in messages:
            message.received += 1
            message.visible_ms = clock.now_ms() + VISIBILITY_MS
        event = {"Records": [message.record() for message in messages]}
        context = LambdaContext("SendEmailFunction", remaining_ms=remaining_ms)
        with hooked(_Postponing(self)):
            answer = self._handler(event, context)
        again = {failed["itemIdentifier"] for failed in answer["batchItemFailures"]}
        for message in messages:
            if message.id not in again:
                del self.waiting[message.id]
        return True

    def run(self, time: SimulatedTime | None = None) -> None:
        """Until nothing waits: with simulated time also what is to come later."""
        while True:
            while self.step():
                pass
            if time is None or not self.waiting:
                return
            time.now_ms = max(time.now_ms, min(message.visible_ms for message in self.waiting.values()))
