"""Writes events/: what each function really receives, recorded on a local stack of its own (`make events`).

Every function of the build is wrapped by a recorder, then people sign and the schedule comes round, which takes a
minute. A file is named `<function>.json` or `<function>-<variant>.json`; what would differ without meaning anything
(ports, request ids) is replaced.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tools.emulator import LOCAL, ROOT
from tools.stack import STACK_NAME, Stack, build, deployed_stack, say

EVENTS = ROOT / "events"
SCHEDULE_SECONDS = 75
STREAM_SECONDS = 20
SCHEDULES = {
    "remind": "RemindFunctionEveryHour",
    "schedule_target_mails": "ScheduleTargetMailsFunctionEveryTwoMinutes",
    "close_campaigns": "CloseCampaignsFunctionEveryDay",
    "retain": "RetainFunctionEveryDay",
    "watch": "WatchFunctionEveryFiveMinutes",
    "audit_counts-weekly": "AuditCountsFunctionEveryWeek",
}
"""Rules of the events that come by a schedule, apart from the sweep's, which is waited for."""

RECORDER = """
import json, pathlib, time
import recorded

def lambda_handler(event, context):
    pathlib.Path({folder!r}, str(time.time_ns())).write_text(json.dumps(event))
    return recorded.lambda_handler(event, context)
"""

CONTACT = {
    "firstName": "Ida",
    "lastName": "Example",
    "email": "ida@example.org",
    "address": {"country": "PL", "postcode": "00-950"},
}
SIGNATURE = {
    "contact": CONTACT,
    "action": {"actionType": "petition", "customFields": {"comment": "For the bees"}},
    "privacy": {"optIn": True},
    "tracking": {"source": "newsletter", "medium": "email", "campaign": "spring"},
}
MANAGER = "API-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
MANAGED = {
    "check_health": "/v1/health",
    "manage_templates": "/v1/orgs/bees/templates",
    "manage_services": "/v1/orgs/bees/services",
    "manage_pages": "/v1/orgs/bees/pages",
    "manage_campaigns": "/v1/orgs/bees/campaigns",
    "manage_targets": "/v1/orgs/bees/campaigns/bees/targets",
    "manage_messages": "/v1/orgs/bees/campaigns/bees/messages",
    "manage_audits": "/v1/orgs/bees/campaigns/bees/audits",
    "read_statistics": "/v1/orgs/bees/campaigns/bees/series?by=hour&of=page",
    "manage_keys": "/v1/orgs/bees/keys",
    "account": "/v1/account",
    "manage_orgs": "/v1/orgs/bees",
    "manage_staff": "/v1/orgs/bees/staff",
    "manage_confirms": "/v1/orgs/bees/confirms",
    "manage_queues": "/v1/orgs/bees/queues",
    "manage_exports": "/v1/orgs/bees/actions",
    "manage_erasures": "/v1/orgs/bees/erasures",
    "read_queues": "/v1/orgs/bees/queues/deliver/messages?limit=10&wait=0",
}
ASKED: dict[str, tuple[str, Any]] = {
    "lend_queue_credentials": ("/v1/orgs/bees/queue-credentials", {"durationSeconds": 900}),
    "send_again": ("/v1/orgs/bees/requeues", {"target": "custom_action_deliver", "ids": [1], "dryRun": True}),
}
JOBS = {
    "encrypt_contacts": ("EncryptContactsQueue", {"org": 2}),
    "export_file": ("ExportQueue", {"org": 2, "export": 373974220603415, "at": 1795360521915}),
    "erase": ("ErasureQueue", {"org": 2, "erasure": 373974220603415}),
    "audit_counts": ("AuditQueue", {"campaign": 1, "audit": 373974220603415}),
}
COUNT = "query getCount($actionPage: Int!) { actionPage(id: $actionPage) { campaign { stats { supporterCount } } } }"
COUNTED = urlencode({"query": COUNT, "variables": '{"actionPage":1}'})
SIGN = """mutation addActionContact(
    $action: ActionInput!, $contact: ContactInput!, $privacy: ConsentInput!, $actionPage: Int!) {
  addActionContact(actionPageId: $actionPage, action: $action, contact: $contact, privacy: $privacy) {
    contactRef firstName } }"""
SIGNED = {
    "action": {"actionType": "petition", "customFields": '{"comment": "Keep the park"}'},
    "contact": CONTACT,
    "privacy": {"optIn": True},
    "actionPage": 1,
}
DONATION = {"amount": 500, "currency": "EUR", "frequencyUnit": "monthly"}
SHARE = {"action": {"actionType": "share", "customFields": {"network": "fediverse"}}}


class Recording:
    """A stack whose functions write down what they receive."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.taken: set[Path] = set()

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        """The API's answer, which must have this status."""
        request = urllib.request.Request(
            self.stack.api_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"User-Agent": "Mozilla/5.0", "Referer": "https://petition.example.org/bees?from=mail", **headers},
        )
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
            if answer.status != status:
                raise SystemExit(f"{method} {path} answered {answer.status}, not {status}: {text}")
            return json.loads(text)

    def admin(self, *command: str) -> Any:
        """What `python -m proca_common.admin` answers."""
        environ = {**os.environ, **self.stack.environ, "PYTHONPATH": str(ROOT / "layers" / "proca_common")}
        line = [sys.executable, "-m", "proca_common.admin", "--json", *command]
        done = subprocess.run(line, env=environ, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def keep(self, name: str, seconds: float = 5) -> None:
        """Writes the next event that the function of this file name received."""
        deadline = time.monotonic() + seconds
        while not (found := sorted(set((self.folder / name.partition("-")[0]).iterdir()) - self.taken)):
            if time.monotonic() > deadline:
                raise SystemExit(f"no event came for {name}")
            time.sleep(0.1)
        self.taken.add(found[0])
        event = self.normalised(json.loads(found[0].read_text()))
        (EVENTS / f"{name}.json").write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n")
        print(f"events/{name}.json")

    def normalised(self, event: Any) -> Any:
        """The event without what is of this machine or this moment only."""
        text = json.dumps(event)
        text = re.sub(r"127\.0\.0\.1:\d+", "api.example.org", text).replace('"127.0.0.1"', '"192.0.2.1"')
        ids = list(dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)))
        for number, found in enumerate(ids):
            text = text.replace(found, str(uuid.UUID(int=number + 1)))
        return json.loads(text)


def main() -> None:
    EVENTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LOCAL) as temporary:
        template = wrapped(build(), Path(temporary))
        with deployed_stack(template) as stack:
            record(Recording(stack, Path(temporary) / "received"))


def wrapped(template: Path, temporary: Path) -> Path:
    """A copy of the build in which each function first writes down its event."""
    copy = temporary / "build"
    shutil.copytree(template.parent, copy)
    for app in copy.glob("*/app.py"):
        app.rename(app.with_name("recorded.py"))
        words = re.findall("[A-Z][a-z]*", app.parent.name.removesuffix("Function"))
        folder = temporary / "received" / "_".join(words).lower()
        folder.mkdir(parents=True)
        app.write_text(RECORDER.format(folder=str(folder)))
    return copy / template.name


def record(recording: Recording) -> None:
    """Lives through everything once."""
    say("setting up orgs and pages")
    admin, call, keep = recording.admin, recording.call, recording.keep
    admin("setup")
    for org, *settings in (["bees"], ["birds", "supporter_confirm=true", "custom_supporter_confirm=true"], ["trees"]):
        admin("org", "create", org, *settings, "--encryption", "encrypted")
        key = admin("key", "generate", org, "main")
        admin("key", "activate", org, str(key["id"]), "--no-wait")
        admin("queue", "sync", org)
        admin("campaign", "create", f"save_{org}", "--org", org)
        page = admin("page", "create", f"{org}/en", "--org", org, "--campaign", f"save_{org}")
        pages = f"/v1/pages/{page['id']}"
        if org == "birds":
            waiting = call("POST", f"{pages}/actions", SIGNATURE, status=201)
            keep("add_action_contact-to_confirm")
            follow_links(recording, waiting["actionId"])
            keep("confirm", STREAM_SECONDS)
            continue
        if org == "trees":
            admin("campaign", "set", f"save_{org}", "proof_of_work=true")
            call("GET", f"/v1/challenge?page={page['id']}")
            keep("get_challenge")
            continue
        look(recording, pages)
        signed = call("POST", f"{pages}/actions", SIGNATURE, status=201, **{"Idempotency-Key": "a-key-of-the-widget"})
        keep("add_action_contact")
        keep("deliver", STREAM_SECONDS)
        keep("emit_events", STREAM_SECONDS)
        call("POST", f"{pages}/actions", {**SIGNATURE, "contact": {**CONTACT, "email": "ida"}}, status=422)
        keep("add_action_contact-refused")
        call("POST", f"{pages}/contacts/{signed['contactRef']}/actions", SHARE, status=201)
        keep("add_action")
        keep("deliver-share", STREAM_SECONDS)
        call("POST", f"{pages}/contacts/bm90X3lldF9rbm93bg/actions", SHARE, status=201)
        keep("add_action-of_unknown")
        call("POST", f"{pages}/contacts/{signed['contactRef']}/links", {"linkRefs": ["YW5vdGhlcl9yZWY"]}, status=202)
        keep("link_actions")
        keep("deliver-link", STREAM_SECONDS)
        report_complaint(recording, signed["actionId"])
        call("POST", f"{pages}/stripe/subscriptions", DONATION, status=404)  # the org has no Stripe
        keep("create_stripe_object")
        linked = {**SIGNATURE, "contactRef": "bm90X3lldF9rbm93bg", "contact": {**CONTACT, "email": "ola@example.org"}}
        call("POST", f"{pages}/actions", linked, status=201)
        keep("add_action_contact-with_ref")
    call_elsewhere(recording)
    mail(recording)
    manage(recording)
    long_jobs(recording)
    say("waiting for the schedule")
    keep("sweep", SCHEDULE_SECONDS)
    as_of_other_schedules()


def call_elsewhere(recording: Recording) -> None:
    """Orgs that are not here: one wants its messages pushed, one is asked for details."""
    for org, setting, name in (("rivers", "push_backend", "push"), ("lakes", "detail_backend", "look_up_details")):
        admin = recording.admin
        admin("org", "create", org, "--encryption", "clear")
        admin("service", "add", org, "webhook", "--host", "https://crm.example.org/in")
        admin("org", "set", org, f"{setting}=webhook")
        admin("campaign", "create", f"save_{org}", "--org", org)
        page = admin("page", "create", f"{org}/en", "--org", org, "--campaign", f"save_{org}")
        recording.call("POST", f"/v1/pages/{page['id']}/actions", SIGNATURE, status=201)
        recording.keep(name, STREAM_SECONDS)


def mail(recording: Recording) -> None:
    """An org thanks by mail; it has no mail server, so the order waits."""
    admin = recording.admin
    settings = ("email_backend=smtp", "email_from=post@meadows.example.org")
    admin("org", "create", "meadows", *settings, "--encryption", "encrypted")
    admin("campaign", "create", "save_meadows", "--org", "meadows")
    create = ("page", "create", "meadows/en", "thank_you_template=thanks")
    page = admin(*create, "--org", "meadows", "--campaign", "save_meadows")
    recording.call("POST", f"/v1/pages/{page['id']}/actions", SIGNATURE, status=201)
    recording.keep("send_email", STREAM_SECONDS)


def as_of_other_schedules() -> None:
    """The other schedules call in the same words, but less often."""
    of_sweep = (EVENTS / "sweep.json").read_text()
    for name, rule in SCHEDULES.items():
        (EVENTS / f"{name}.json").write_text(of_sweep.replace("SweepFunctionEveryMinute", rule))
        print(f"events/{name}.json")


def manage(recording: Recording) -> None:
    """Somebody with a token asks for what there is; this stack does not know the token."""
    for name, path in MANAGED.items():
        recording.call("GET", path, status=401, Authorization=f"Bearer {MANAGER}")
        recording.keep(name)
    for name, (path, body) in ASKED.items():
        recording.call("POST", path, body, status=401, Authorization=f"Bearer {MANAGER}")
        recording.keep(name)


def long_jobs(recording: Recording) -> None:
    """What is ordered when a key becomes active, and when somebody asks for a file or for a campaign to be counted
    again: without the time that it waits then, and without the records.
    """
    sqs = recording.stack.client("sqs")
    for name, (queue, order) in JOBS.items():
        [url] = sqs.list_queues(QueueNamePrefix=f"{STACK_NAME}-{queue}")["QueueUrls"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(order))
        recording.keep(name, STREAM_SECONDS)


def report_complaint(recording: Recording, action: int) -> None:
    """What SES would publish, because the local stack's does not."""
    sns = recording.stack.client("sns")
    [topic] = [found["TopicArn"] for found in sns.list_topics()["Topics"] if found["TopicArn"].endswith("-mail-events")]
    complaint = {"complainedRecipients": [{"emailAddress": CONTACT["email"]}], "complaintFeedbackType": "abuse"}
    mail = {"destination": [CONTACT["email"]], "tags": {"action": [str(action)], "mail": ["thank_you"]}}
    told = {"eventType": "Complaint", "complaint": complaint, "mail": mail}
    sns.publish(TopicArn=topic, Message=json.dumps(told), Subject="Amazon SES Email Event Notification")
    recording.keep("mail_events", STREAM_SECONDS)


def follow_links(recording: Recording, action: int) -> None:
    """A page is looked at, and a button pressed that somebody forged."""
    recording.call("GET", "/link/accept/40718826?id=402", Accept="application/json")
    recording.keep("confirm_link-code")
    forged = "AAAAAAAAAAAAAAAAAAAAAA"
    recording.call("POST", f"/link/s/{action}/accept/{forged}?doi=1", status=404, Accept="application/json")
    recording.keep("confirm_link")


def look(recording: Recording, pages: str) -> None:
    """Everything that is only read."""
    for path, name in (
        ("/health", "health"),
        ("/v1/openapi.json", "get_openapi"),
        (pages, "get_page"),
        ("/v1/pages?name=bees%2Fen", "get_page-by_name"),
        (f"{pages}/numbers", "get_page-numbers"),
        (f"{pages}/static", "get_page-static"),
        (f"/api?{COUNTED}", "graphql-count"),
        ("/v1/campaigns/1", "get_campaign"),
        ("/v1/campaigns?name=bees", "get_campaign-by_name"),
        ("/v1/campaigns/1/numbers", "get_campaign-numbers"),
        ("/v1/campaigns/1/targets", "get_targets"),
        ("/v1/campaigns/1/actions?type=petition&limit=20", "get_campaign-actions"),
    ):
        recording.call("GET", path)
        recording.keep(name)
    recording.call("POST", "/api", {"query": SIGN, "variables": SIGNED})
    recording.keep("graphql")


if __name__ == "__main__":
    main()
