"""Writes events/: what each function really receives, recorded on a local stack of its own (`make events`).

Every function of the build is wrapped by a recorder (`tools.recording`), then people sign, campaigners ask and the
schedule comes round, which takes some minutes. A file is named `<function>.json` or `<function>-<variant>.json`; what
would differ without meaning anything (ports, request ids) is replaced.
"""

from __future__ import annotations

import base64
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tools.emulator import LOCAL
from tools.recording import EVENTS, Recording, wrapped
from tools.stack import STACK_NAME, build, deployed_stack, say

SCHEDULE_SECONDS = 270
STREAM_SECONDS = 20
SCHEDULES = {
    "remind": "RemindFunctionEveryHour",
    "close_campaigns": "CloseCampaignsFunctionEveryDay",
    "retain": "RetainFunctionEveryDay",
    "watch": "WatchFunctionEveryFiveMinutes",
    "audit_counts-weekly": "AuditCountsFunctionEveryWeek",
}
"""Rules of the events that come by a schedule, apart from the two that are waited for."""

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
    "manage_targets": "/v1/orgs/bees/campaigns/save_bees/targets",
    "manage_messages": "/v1/orgs/bees/campaigns/save_bees/messages",
    "manage_audits": "/v1/orgs/bees/campaigns/save_bees/audits",
    "read_statistics": "/v1/orgs/bees/campaigns/save_bees/series?by=hour&of=page",
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


def main() -> None:
    EVENTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=LOCAL) as temporary:
        template = wrapped(build(), Path(temporary))
        with deployed_stack(template) as stack:
            record(Recording(stack, Path(temporary) / "received"))


def record(recording: Recording) -> None:
    """Lives through everything once. The pages of the first three orgs have the ids 1, 2 and 3."""
    say("setting up orgs and pages")
    recording.admin("setup")
    look_and_act(recording, page_of(recording, "bees"))
    ask_to_confirm(recording, page_of(recording, "birds", "supporter_confirm=true", "custom_supporter_confirm=true"))
    ask_for_work(recording, page_of(recording, "trees"))
    call_elsewhere(recording)
    mail(recording)
    manage(recording)
    long_jobs(recording)
    mail_to_target(recording)
    say("waiting for the schedule")
    for name in ("sweep", "schedule_target_mails", "send_target_mails-due"):
        recording.keep(name, SCHEDULE_SECONDS)
    as_of_other_schedules()


def page_of(recording: Recording, org: str, *settings: str) -> str:
    """The path of a page of a new org that has a key; its campaign is named after the org."""
    admin = recording.admin
    admin("org", "create", org, *settings, "--encryption", "encrypted")
    key = admin("key", "generate", org, "main")
    admin("key", "activate", org, str(key["id"]), "--no-wait")
    admin("queue", "sync", org)
    admin("campaign", "create", f"save_{org}", "--org", org)
    page = admin("page", "create", f"{org}/en", "--org", org, "--campaign", f"save_{org}")
    return f"/v1/pages/{page['id']}"


def look_and_act(recording: Recording, page: str) -> None:
    """Somebody looks at everything, signs, shares, complains of a mail and gives money; somebody else signs."""
    call, keep = recording.call, recording.keep
    look(recording, page)
    signed = call("POST", f"{page}/actions", SIGNATURE, status=201, **{"Idempotency-Key": "a-key-of-the-widget"})
    keep("add_action_contact")
    keep("deliver", STREAM_SECONDS)
    keep("emit_events", STREAM_SECONDS)
    call("POST", f"{page}/actions", {**SIGNATURE, "contact": {**CONTACT, "email": "ida"}}, status=422)
    keep("add_action_contact-refused")
    call("POST", f"{page}/contacts/{signed['contactRef']}/actions", SHARE, status=201)
    keep("add_action")
    keep("deliver-share", STREAM_SECONDS)
    call("POST", f"{page}/contacts/bm90X3lldF9rbm93bg/actions", SHARE, status=201)
    keep("add_action-of_unknown")
    call("POST", f"{page}/contacts/{signed['contactRef']}/links", {"linkRefs": ["YW5vdGhlcl9yZWY"]}, status=202)
    keep("link_actions")
    keep("deliver-link", STREAM_SECONDS)
    report_complaint(recording, signed["actionId"])
    call("POST", f"{page}/stripe/subscriptions", DONATION, status=404)  # the org has no Stripe
    keep("create_stripe_object")
    linked = {**SIGNATURE, "contactRef": "bm90X3lldF9rbm93bg", "contact": {**CONTACT, "email": "ola@example.org"}}
    call("POST", f"{page}/actions", linked, status=201)
    keep("add_action_contact-with_ref")
    call("POST", "/api", {"query": SIGN, "variables": SIGNED})
    keep("graphql")


def ask_to_confirm(recording: Recording, page: str) -> None:
    """A page whose org wants its supporters confirmed."""
    waiting = recording.call("POST", f"{page}/actions", SIGNATURE, status=201)
    recording.keep("add_action_contact-to_confirm")
    follow_links(recording, waiting["actionId"])
    recording.keep("confirm", STREAM_SECONDS)


def ask_for_work(recording: Recording, page: str) -> None:
    """A page of a campaign that wants proof of work."""
    recording.admin("campaign", "set", "save_trees", "proof_of_work=true")
    recording.call("GET", f"/v1/challenge?page={page.rpartition('/')[2]}")
    recording.keep("get_challenge")


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


def mail_to_target(recording: Recording) -> None:
    """A supporter writes to a target of a campaign; its org has no mail server, so the mail waits when it is due."""
    admin, call = recording.admin, recording.call
    admin("org", "create", "parks", "email_backend=smtp", "email_from=post@parks.example.org", "--encryption", "clear")
    user = admin("user", "create", "campaigner@example.org", "--admin")
    admin("campaign", "create", "save_parks", "--org", "parks")
    page = admin("page", "create", "parks/en", "--org", "parks", "--campaign", "save_parks")
    known = base64.b64encode(f"{user['email']}:{user['password']}".encode()).decode()
    campaign = "/v1/orgs/parks/campaigns/save_parks"
    now = datetime.now(UTC)
    window = {"startAt": f"{now - timedelta(days=1):%F}T00:00:00Z", "endAt": f"{now + timedelta(days=2):%F}T00:00:00Z"}
    call("PATCH", campaign, {"mtt": {**window, "dripDelivery": False}}, Authorization=f"Basic {known}")
    listed = {"targets": [{"name": "Mayor", "externalId": "mayor", "emails": [{"email": "mayor@city.example.org"}]}]}
    call("PUT", f"{campaign}/targets", listed, Authorization=f"Basic {known}")
    [target] = call("GET", f"{campaign}/targets", Authorization=f"Basic {known}")["items"]
    mtt = {"subject": "Our park", "body": "Please keep it", "targets": [target["id"]]}
    written = {**SIGNATURE, "action": {"actionType": "mail2target", "mtt": mtt}}
    call("POST", f"/v1/pages/{page['id']}/actions", written, status=201)
    recording.keep("send_target_mails", STREAM_SECONDS)


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


def look(recording: Recording, page: str) -> None:
    """Everything that is only read."""
    for path, name in (
        ("/health", "health"),
        ("/v1/openapi.json", "get_openapi"),
        (page, "get_page"),
        ("/v1/pages?name=bees%2Fen", "get_page-by_name"),
        (f"{page}/numbers", "get_page-numbers"),
        (f"{page}/static", "get_page-static"),
        (f"/api?{COUNTED}", "graphql-count"),
        ("/v1/campaigns/1", "get_campaign"),
        ("/v1/campaigns?name=save_bees", "get_campaign-by_name"),
        ("/v1/campaigns/1/numbers", "get_campaign-numbers"),
        ("/v1/campaigns/1/targets", "get_targets"),
        ("/v1/campaigns/1/actions?type=petition&limit=20", "get_campaign-actions"),
    ):
        recording.call("GET", path)
        recording.keep(name)


if __name__ == "__main__":
    main()
