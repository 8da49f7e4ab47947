"""From a signature with a message to three mails at decision makers: everything deployed, nothing mocked (domain 9)."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from proca_common.mtt.sender import srs
from proca_common.orgs.encryption import srs_key
from tests.e2e.mailbox import Mailbox
from tests.e2e.people import Person, people
from tests.e2e.site import INSTANCE_SENDER, RUN, Ngo, Site
from tests.mail_server import PASSWORD, USER, MailServer, Taken, mail_server
from tests.world import signature
from tools.emulator import Emulator
from tools.stack import STACK_NAME

CLOSING_S = 60
TEXTS = {"en": "Dear {{target.name}}, {{subject}}: {{body}}", "de": "Liebe {{target.name}}, {{subject}}: {{body}}"}
BODY = "Dear {{target.name}},\nyour {{target.fields.committee}} decides on <bees>."


def schedule(local: Emulator) -> dict[str, int]:
    """One run of the schedule; the stack's own would be at most three minutes later."""
    wait = 3600 - time.time() % 3600
    if wait < 2 * CLOSING_S:  # the last moments of an hour are not planned for
        time.sleep(wait)
    found = local.client("cloudformation").describe_stack_resource(
        StackName=STACK_NAME, LogicalResourceId="ScheduleTargetMailsFunction"
    )
    answer = local.client("lambda").invoke(FunctionName=found["StackResourceDetail"]["PhysicalResourceId"])
    assert "FunctionError" not in answer, answer["Payload"].read()
    done: dict[str, int] = json.load(answer["Payload"])
    return done


def part(mail: EmailMessage, kind: str) -> str:
    """The text of the mail, or its HTML."""
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n").rstrip("\n")


def sends_through(site: Site, lead: Ngo, server: MailServer, sender: str) -> None:
    """The org mails through this server."""
    service = ("service", "add", lead.name, "smtp", "--host", server.url, "--user", USER)
    site.client.admin(*service, typed=PASSWORD)
    site.client.admin("org", "set", lead.name, "email_backend=smtp", f"email_from={sender}")


def takes_messages(ida: Person, lead: Ngo, below: str) -> None:
    """The campaign writes to three targets, with templates in two of their languages."""
    for locale, text in TEXTS.items():
        given = {"subject": "{{subject}}", "html": "<div>{{{body}}}</div>", "text": text}
        answer = ida.put(f"/v1/orgs/{lead.name}/templates/letter/{locale}", given)
        assert answer.status in {200, 201}, answer.text
    today = datetime.now(UTC)
    settings = {
        "startAt": f"{today:%Y-%m-%d}T00:00:00Z",
        "endAt": f"{today + timedelta(days=2):%Y-%m-%d}T23:59:00Z",
        "dripDelivery": False,
        "messageTemplate": "letter",
        "ccContacts": [f"office@{RUN}.example.org"],
        "ccSender": True,
        "keepMessages": "text",
    }
    answer = ida.ask("PATCH", below, {"mtt": settings})
    assert answer.status == 200, answer.text
    listed = [
        {
            "externalId": mailbox,
            "name": name,
            "locale": locale,
            "fields": {"committee": f"{name}'s committee"},
            "emails": [{"email": f"{mailbox}@parliament-{RUN}.example.org"}],
        }
        for mailbox, name, locale in (("anna", "Anna", "de"), ("ben", "Ben", "en"), ("chloe", "Chloé", "fr"))
    ]
    answer = ida.put(f"{below}/targets", {"targets": listed})
    assert answer.status == 200, answer.text


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # on this machine alone
def test_three_targets_get_mails_of_their_own(site: Site, local: Emulator, tmp_path: Path) -> None:
    lead = site.org()
    page = site.page(lead)
    with mail_server(tmp_path, "smtp") as server, people(site.client) as meet:
        sender = f"mail@{RUN}.example.org"
        sends_through(site, lead, server, sender)
        ida = meet(f"lead-{RUN}@example.org", {lead.name: "owner"})
        below = f"/v1/orgs/{lead.name}/campaigns/{page.campaign}"
        takes_messages(ida, lead, below)
        ids = {each["name"]: each["id"] for each in ida.get(f"{below}/targets").json["items"]}

        body = signature(email=f"siri-{RUN}@example.org", first_name="Siri", last_name="Ås")
        body["action"]["mtt"] = {"subject": "Save\nbees", "body": BODY, "targets": list(ids.values())}
        answer = site.client.post(page.path, body)
        assert answer.status == 201, answer.text
        action = answer.json["actionId"]

        # only the lead sees it, and it goes out when its time comes
        site.wait_for(lambda: len(ida.get(f"{below}/mtt/next").json["items"]) == 3, 60)
        assert not server.taken
        schedule(local)
        site.wait_for(lambda: len(server.taken) == 3, 60)
        mails = {taken.recipients[0].partition("@")[0]: taken for taken in server.taken}
        check_envelopes(site, server.taken, sender)
        texts = {name: part(taken.mail, "plain") for name, taken in mails.items()}
        written = BODY.replace("{{target.name}}", "Chloé").replace("{{target.fields.committee}}", "Chloé's committee")
        assert texts == {
            "anna": f"Liebe Anna, Save bees: {BODY}",
            "ben": f"Dear Ben, Save bees: {BODY}",
            "chloe": written,  # there is no template in French
        }
        shown = written.replace("<", "&lt;").replace(">", "&gt;").replace("\n", "</p><p>")
        assert part(mails["chloe"].mail, "html") == f"<p>{shown}</p>"
        for name, target in (("anna", "Anna"), ("ben", "Ben"), ("chloe", "Chloé")):
            mail = mails[name].mail
            assert mail["Subject"] == "Save bees"
            assert mail["To"].addresses[0].display_name == target
            assert mail["X-Proca-Custom-Id"].endswith(f"_{ids[target]}_{action}")

        # a second run sends nothing, and what was written is kept without who wrote it
        assert schedule(local)["TargetMailsOrdered"] == 0
        rows = ida.get(f"{below}/messages").json["items"]
        assert {row["status"] for row in rows} == {"sent"}
        assert {(row["subject"], row["email"]) for row in rows} == {("Save bees", None)}
        table = ida.get(f"{below}/messages?format=csv").text
        assert [row["target_name"] for row in csv.DictReader(io.StringIO(table))] == [row["targetName"] for row in rows]
        numbers = {each["name"]: each["messages"] for each in ida.get(f"{below}/targets").json["items"]}
        assert all(each["total"] == each["sent"] == 1 for each in numbers.values()), numbers

        # a mail bounces: its target has no address any more
        bounced(site, mails["anna"])
        site.wait_for(lambda: status_of(ida.get(f"{below}/targets/{ids['Anna']}").json) == "bounce", 60)


def check_envelopes(site: Site, taken: list[Taken], sender: str) -> None:
    """From, Reply-To and copies: the supporter's name at a rewritten address, and answers to the supporter."""
    email = f"siri-{RUN}@example.org"
    origin = rewritten(site, email, sender)
    for each in taken:
        mail = each.mail
        assert each.sender == origin
        assert [(found.display_name, found.addr_spec) for found in mail["From"].addresses] == [("Siri Ås", origin)]
        assert mail["Reply-To"] == email
        copies = [f"office@{RUN}.example.org", email]
        assert [found.addr_spec for found in mail["Cc"].addresses] == copies
        assert each.recipients[1:] == copies


def test_what_ses_takes_of_a_mail_to_a_target(site: Site, local: Emulator, mailbox: Mailbox) -> None:
    """From whom (the instance's domain, whose service it is), to whom, copies and words.

    The local stack's SES shows no headers, nor tags.
    """
    lead = site.org()
    page = site.page(lead)
    site.client.admin("org", "set", lead.name, "email_backend=system", f"email_from=mail@ses-{RUN}.example.org")
    with people(site.client) as meet:
        ida = meet(f"ses-{RUN}@example.org", {lead.name: "owner"})
        below = f"/v1/orgs/{lead.name}/campaigns/{page.campaign}"
        takes_messages(ida, lead, below)
        [ben] = [each for each in ida.get(f"{below}/targets").json["items"] if each["name"] == "Ben"]
        [to] = [one["email"] for one in ben["emails"]]
        body = signature(email=f"per-{RUN}@example.org", first_name="Per", last_name="Ås")
        body["action"]["mtt"] = {"subject": "Save bees", "body": BODY, "targets": [ben["id"]]}
        assert site.client.post(page.path, body).status == 201

        site.wait_for(lambda: len(ida.get(f"{below}/mtt/next").json["items"]) == 1, 60)
        schedule(local)
        site.wait_for(lambda: mailbox.of(to), 60)
        [mail] = mailbox.of(to)
        email = f"per-{RUN}@example.org"
        assert (mail["Source"], mail["To"]) == (rewritten(site, email, INSTANCE_SENDER), [to])
        assert mail["CC"] == [f"office@{RUN}.example.org", email]
        assert (mail["Subject"], mail["BodyText"].rstrip()) == (
            "Save bees",
            f"Dear Ben, Save bees: {BODY}".replace("\n", "\r\n"),
        )
        assert "<p>your {{target.fields.committee}} decides on &lt;bees&gt;.</p>" in mail["BodyHtml"]


def rewritten(site: Site, email: str, sender: str) -> str:
    """Where a supporter's mail comes from today, in the domain of `sender`."""
    secret = site.client.stack.client("secretsmanager").get_secret_value(
        SecretId=site.client.stack.environ["SEALING_KEY_SECRET"]
    )
    key = srs_key(secret["SecretString"].encode())
    return f"{srs(email, key, time.time_ns() // 1_000_000)}@{sender.partition('@')[2]}"


def bounced(site: Site, taken: Taken) -> None:
    """The provider tells that the mail came back."""
    mail = taken.mail["X-Proca-Custom-Id"].removeprefix("mtt:")
    told = {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": taken.recipients[0], "diagnosticCode": "550 5.1.1 unknown"}],
        },
        "mail": {"messageId": "bounced", "tags": {"target_mail": [mail], "mail": ["mtt"]}},
    }
    topic = site.client.stack.environ["MAIL_EVENTS_TOPIC"]
    site.client.stack.client("sns").publish(TopicArn=topic, Message=json.dumps(told))


def status_of(target: dict[str, Any]) -> str:
    """The status of a target's first address."""
    return str(target["emails"][0]["emailStatus"])
