"""A small world to test in: real tables, streams and queues of the emulator, the real handlers in this process.

    def test_a_signature_arrives(world):
        page = world.page(world.org("ngo"))
        world.sign(page, email="ida@example.org")
        world.run()
        [message] = world.messages(page.org)

Each world has tables of its own and orgs with numbers of their own, so that nothing of another test is met.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nacl.public import Box, PrivateKey, PublicKey

from proca_common.action_pages import context as page_contexts
from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage, ActionPageInput
from proca_common.aws import clock, dynamo
from proca_common.aws.settings import TableSettings
from proca_common.campaigns import public as public_campaigns
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.catalog.names import Sequence
from proca_common.graph import public_fields
from proca_common.monitors import activity, public, public_actions, series
from proca_common.monitors import store as stats
from proca_common.mtt import public as public_messages
from proca_common.orgs import encryption, keys
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.encryption import from_text
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Org, OrgInput
from proca_common.pipes import topology
from proca_common.pipes.routing import Queue
from proca_common.stages import sweep
from proca_common.targets import known as known_targets
from proca_common.targets import public as public_targets
from tests.harness.calls import Answer as Answered
from tests.harness.calls import Call, Hook, hooked, unseen_client
from tests.harness.context import LambdaContext
from tests.harness.streams import Mapping, StreamHarness
from tests.harness.tables import Tables
from tests.harness.template import project_template
from tests.messages import valid_message
from tools.emulator import REGION

SEED = "unit-seed"
SEED_SECRET = "test-fingerprint-seed"
GUARD_SECRET = "test-guard-key"
ERASURE_SECRET = "test-erasure-key"
EXPORT_BUCKET = "test-exports"
LINK_KEYS = "test-link-keys"
LINK_BASE_URL = "https://api.example.org/v1"
SEALING_KEY = "test-sealing-key"
LINK_SECRET = "the link keys of the tests"
PASSWORDS_SECRET = "test-service-passwords"
SEALING_SECRET = b"a sealing secret of the tests"
PASSWORDS_KEY = b"a secret of passwords of the tests"
QUEUE_PREFIX = "test-org-"
IN_ORDER = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
OWN_QUEUES: dict[str, dict[str, str]] = {
    "mail": {},
    "push": IN_ORDER,
    "push_failures": IN_ORDER,
    "detail": {},
    "encrypt_contacts": {},
    "export": {},
    "erasure": {},
    "audit": {},
    "target_mail": {},
}
QUEUE_ARN_PREFIX = f"arn:aws:sqs:eu-central-1:000000000000:{QUEUE_PREFIX}"
QUEUE_READER = "test-queue-reader"
MAIL_EVENTS_TOPIC = "arn:aws:sns:eu-central-1:000000000000:proca-local-mail-events"
STREAM_FUNCTIONS = ("ConfirmFunction", "DeliverFunction")
CATALOG_FUNCTION = "EmitEventsFunction"
API_FUNCTIONS = (
    "AddActionContactFunction",
    "AddActionFunction",
    "LinkActionsFunction",
    "ConfirmLinkFunction",
    "GraphqlFunction",
    "GetChallengeFunction",
    "CreateStripeObjectFunction",
    "GetOpenapiFunction",
    "GetPageFunction",
    "GetCampaignFunction",
    "GetTargetsFunction",
    "HealthFunction",
    "CheckHealthFunction",
    "ManageTemplatesFunction",
    "ManageServicesFunction",
    "ManagePagesFunction",
    "ManageCampaignsFunction",
    "ManageAuditsFunction",
    "AuditCountsFunction",
    "ManageTargetsFunction",
    "ManageMessagesFunction",
    "ReadStatisticsFunction",
    "LendQueueCredentialsFunction",
    "ManageQueuesFunction",
    "ReadQueuesFunction",
    "SendAgainFunction",
    "ManageExportsFunction",
    "ManageErasuresFunction",
    "EncryptContactsFunction",
    "ManageKeysFunction",
    "AccountFunction",
    "ManageOrgsFunction",
    "ManageStaffFunction",
    "ManageConfirmsFunction",
)
FUNCTIONS = (
    *STREAM_FUNCTIONS,
    *API_FUNCTIONS,
    "MailEventsFunction",
    "RemindFunction",
    "ScheduleTargetMailsFunction",
    "CloseCampaignsFunction",
    "RetainFunction",
    "WatchFunction",
    "SweepFunction",
    CATALOG_FUNCTION,
)

_numbers = itertools.count(int(time.time()) % 100_000 * 100, 100)


def set_environment(endpoint: str) -> None:
    """What the functions read at import, apart from the tables, which each world binds anew."""
    os.environ.update(
        ACTIONS_TABLE="unbound-actions",
        CATALOG_TABLE="unbound-catalog",
        STATS_TABLE="unbound-stats",
        ERASURES_TABLE="unbound-erasures",
        EXPORT_BUCKET=EXPORT_BUCKET,
        QUEUE_URL_PREFIX=f"{endpoint}/000000000000/{QUEUE_PREFIX}",
        **{f"{name.upper()}_QUEUE_URL": url for name, url in _own_queues().items()},
        CHECKED_QUEUES=",".join(url.rpartition("/")[2] for url in _own_queues().values()),
        CHECKED_STREAMS="2 arn:aws:dynamodb:::table/actions/stream/1,1 arn:aws:dynamodb:::table/catalog/stream/1",
        CHECKED_SECRETS=f"{SEED_SECRET},{GUARD_SECRET},{LINK_KEYS},{SEALING_KEY},{PASSWORDS_SECRET}",
        QUEUE_ARN_PREFIX=QUEUE_ARN_PREFIX,
        QUEUE_READER_ROLE=f"arn:aws:iam::000000000000:role/{QUEUE_READER}",
        FINGERPRINT_SEED_SECRET=SEED_SECRET,
        GUARD_KEY_SECRET=GUARD_SECRET,
        ERASURE_KEY_SECRET=ERASURE_SECRET,
        LINK_KEYS_SECRET=LINK_KEYS,
        LINK_BASE_URL=LINK_BASE_URL,
        SEALING_KEY_SECRET=SEALING_KEY,
        SERVICE_PASSWORDS_SECRET=PASSWORDS_SECRET,
        MAIL_EVENTS_TOPIC=MAIL_EVENTS_TOPIC,
        POWERTOOLS_SERVICE_NAME="test",
        POWERTOOLS_METRICS_NAMESPACE="test",
        POWERTOOLS_TRACE_DISABLED="1",
    )
    unseen_client("secretsmanager").create_secret(Name=SEED_SECRET, SecretString=SEED)
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    unseen_client("iam").create_role(RoleName=QUEUE_READER, AssumeRolePolicyDocument=trust)
    unseen_client("secretsmanager").create_secret(Name=LINK_KEYS, SecretString=LINK_SECRET)
    unseen_client("secretsmanager").create_secret(Name=SEALING_KEY, SecretString=SEALING_SECRET.decode())
    unseen_client("secretsmanager").create_secret(Name=GUARD_SECRET, SecretString="a guard key of the tests")
    unseen_client("secretsmanager").create_secret(Name=ERASURE_SECRET, SecretString="an erasure key of the tests")
    unseen_client("s3").create_bucket(Bucket=EXPORT_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    unseen_client("secretsmanager").create_secret(Name=PASSWORDS_SECRET, SecretString=PASSWORDS_KEY.decode())


def _own_queues() -> dict[str, str]:
    """Our own queues, as the template says; they are read by no mapping here: a test takes out what is in them."""
    sqs = unseen_client("sqs")
    return {
        name: sqs.create_queue(QueueName=f"test-{name}{'.fifo' if made else ''}", Attributes=made)["QueueUrl"]
        for name, made in OWN_QUEUES.items()
    }


class _Sent(Hook):
    """Which of our own queues got messages."""

    def __init__(self) -> None:
        self.urls: set[str] = set()

    def around_call(self, call: Call, proceed: Callable[[], Answered]) -> Answered:
        if call.operation in ("SendMessage", "SendMessageBatch"):
            self.urls.add(call.params["QueueUrl"])
        return proceed()


_sent = _Sent()


def empty_own_queues() -> None:
    """Take out what other worlds left."""
    own = {os.environ[f"{name.upper()}_QUEUE_URL"] for name in OWN_QUEUES}
    for url in own & _sent.urls:
        unseen_client("sqs").purge_queue(QueueUrl=url)
    _sent.urls.clear()


@cache
def function(logical_id: str) -> Any:
    """The real handler of a function, from its source folder."""
    return project_template().handler(logical_id)


class World:
    """See the module. `now_ms` is real time plus `ahead_ms`, which a test may move."""

    def __init__(self) -> None:
        self.tables = Tables()
        empty_own_queues()
        self._open = ExitStack()
        self._open.enter_context(hooked(_sent))
        self.ahead_ms = 0
        self.prefix = os.environ["QUEUE_URL_PREFIX"]
        self.private_keys: dict[int, dict[str, bytes]] = {}
        self.queues: set[str] = set()
        for logical_id in FUNCTIONS:
            function(logical_id)  # before the tables are bound, because importing binds them too
        dynamo.connect(
            TableSettings(
                actions_table=self.tables["ActionsTable"],
                catalog_table=self.tables["CatalogTable"],
                stats_table=self.tables["StatsTable"],
                erasures_table=self.tables["ErasuresTable"],
            )
        )
        self.forget()
        Sequence(pk="sequence", sk="org", n=next(_numbers)).save()  # queues outlive tables, and are named by the org
        self.instance = self._instance()
        self.confirm, self.deliver = (Mapping.from_template(name, function(name)) for name in STREAM_FUNCTIONS)
        self.streams = StreamHarness(self.tables["ActionsTable"], self.confirm, self.deliver, clock=self.seconds)
        emit_events = Mapping.from_template(CATALOG_FUNCTION, function(CATALOG_FUNCTION))
        self.catalog_streams = StreamHarness(self.tables["CatalogTable"], emit_events, clock=self.seconds)

    def close(self) -> None:
        """Remove the tables. The queues stay until the emulator ends: no org of another world has their names."""
        self._open.close()
        self.tables.delete()

    def forget(self) -> None:
        """Empty the warm caches, as in a new environment."""
        page_contexts.forget()
        public_fields.forget()
        stats.forget()
        public.forget()
        activity.forget()
        public_actions.forget()
        series.forget()
        public_campaigns.forget()
        known_targets.forget()
        public_targets.forget()
        public_messages.forget()
        sweep.forget()

    def now_ms(self) -> int:
        """What the fixture puts in the place of the layer's clock."""
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def seconds(self) -> float:
        """The world's time, in seconds since 1970."""
        return clock.now_ms() / 1000

    # --- the catalogue

    def _instance(self) -> Instance:
        org = orgs.create(OrgInput(name="instance", title="Instance", encryption="clear", custom_action_deliver=False))
        self.sealing_key = encryption.sealing_key(SEALING_SECRET)
        key = keys.add(org, "sealing", encryption.to_text(bytes(self.sealing_key.public_key)))
        passwords = bytes(encryption.passwords_key(PASSWORDS_KEY).public_key)
        instance = Instance(org.id, key.id, key.public, passwords_public=passwords)
        instances.put(instance)
        return instance

    def org(self, name: str, *, key: bool = True, **settings: Any) -> Org:
        """An org with its queues; with a key of its own, unless told otherwise."""
        settings.setdefault("encryption", "encrypted" if key else "clear")
        org = orgs.create(OrgInput(name=name, title=name.title(), **settings))
        self.private_keys[org.id] = {}
        if key:
            self.give_key(org)
        topology.sync(self.prefix, org)
        return orgs.get(org.id)

    def give_key(self, org: Org) -> None:
        """A new key for the org, active from now on."""
        key, private = keys.generate(org, "test")
        self.private_keys[org.id][encryption.to_text(key.public)] = private
        keys.activate(org, key.id)

    def campaign(self, lead: Org, name: str = "bees", **settings: Any) -> Campaign:
        """A campaign that the org leads."""
        return campaigns.create(CampaignInput(name=name, title=name.title(), org=lead.id, **settings))

    def page(self, org: Org, campaign: Campaign | None = None, name: str = "", **settings: Any) -> ActionPage:
        """A page of the org, of a campaign of its own if none is given."""
        campaign = campaign or self.campaign(org)
        name = name or f"{org.name}/{campaign.name}"
        return pages.create(ActionPageInput(name=name, locale="en", org=org.id, campaign=campaign.id, **settings))

    # --- what widgets do

    def sign(self, page: ActionPage, *, headers: dict[str, str] | None = None, **given: Any) -> Answer:
        """POST /v1/pages/{page}/actions, with a body that `signature` makes."""
        return self.post(f"/v1/pages/{page.id}/actions", signature(**given), headers)

    def act(
        self,
        page: ActionPage,
        contact_ref: str,
        action_type: str = "share",
        *,
        headers: dict[str, str] | None = None,
        **action: Any,
    ) -> Answer:
        """POST /v1/pages/{page}/contacts/{contactRef}/actions."""
        body = {"action": {"actionType": action_type, **action}}
        return self.post(f"/v1/pages/{page.id}/contacts/{contact_ref}/actions", body, headers)

    def link(
        self, page: ActionPage, contact_ref: str, *link_refs: str, headers: dict[str, str] | None = None
    ) -> Answer:
        """POST /v1/pages/{page}/contacts/{contactRef}/links."""
        return self.post(f"/v1/pages/{page.id}/contacts/{contact_ref}/links", {"linkRefs": link_refs}, headers)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        """POST to the function that the path belongs to; a body that is no text is sent as JSON."""
        name = "AddActionContactFunction"
        if "/stripe/" in path:
            name = "CreateStripeObjectFunction"
        if "/contacts/" in path:
            name = "LinkActionsFunction" if path.endswith("/links") else "AddActionFunction"
        text = body if isinstance(body, str) else json.dumps(body)
        return call(name, api_event("POST", path, text, {"Content-Type": "application/json", **(headers or {})}))

    def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> Answer:
        """GET of a page, a campaign, /v1/challenge or /health."""
        usual = "GetCampaignFunction" if path.startswith("/v1/campaigns") else "GetPageFunction"
        usual = "GetTargetsFunction" if "/targets" in path else usual
        name = {"/health": "HealthFunction", "/v1/challenge": "GetChallengeFunction"}.get(path, usual)
        return call(name, api_event("GET", path, headers=headers, query=query or None))

    # --- what the system does by itself

    def run(self) -> None:
        """Let the stream functions work until nothing is left for them."""
        self.streams.run_until_idle()
        self.catalog_streams.run_until_idle()

    def sweep(self) -> dict[str, Any]:
        """One run of the sweep."""
        return function("SweepFunction")({}, LambdaContext("SweepFunction", 60))  # type: ignore[no-any-return]

    def remind(self) -> dict[str, Any]:
        """One run of the reminders, which also forgets addresses."""
        return function("RemindFunction")({}, LambdaContext("RemindFunction", 300))  # type: ignore[no-any-return]

    # --- what orgs and operators see

    def bodies(self, org: Org | int, queue: Queue = Queue.DELIVER) -> list[dict[str, Any]]:
        """The messages of a queue as they are, each validated against its schema; they are deleted."""
        return [json.loads(message["Body"]) for message in self.received(org, queue)]

    def received(self, org: Org | int, queue: Queue = Queue.DELIVER) -> list[dict[str, Any]]:
        """The raw SQS messages of a queue, deleted."""
        sqs = unseen_client("sqs")
        url = topology.queue_url(self.prefix, org if isinstance(org, int) else org.id, queue)
        found: list[dict[str, Any]] = []
        while batch := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"]
        ).get("Messages", []):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(batch)
            ]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            found += batch
        for message in found:
            valid_message(json.loads(message["Body"]))
        return found

    def orders(self, queue: str) -> list[dict[str, Any]]:
        """What is in a queue of our own (mail, push, detail), deleted; other worlds' orders are passed over."""
        sqs, url = unseen_client("sqs"), os.environ[f"{queue.upper()}_QUEUE_URL"]
        found: list[dict[str, Any]] = []
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            for message in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        mine = {org.id for org in orgs.every()}
        return [order for order in found if order["org"] in mine]

    def messages(self, org: Org | int, queue: Queue = Queue.DELIVER) -> list[dict[str, Any]]:
        """The messages of a queue with `contact` as the org sees it after decrypting, in the order of action ids."""
        number = org if isinstance(org, int) else org.id
        opened = [self.opened(number, body) for body in self.bodies(number, queue)]
        return sorted(opened, key=lambda message: message["actionId"])

    def opened(self, org: int, message: dict[str, Any]) -> dict[str, Any]:
        """The message with its personal data decrypted by the org's own key."""
        personal = message["personalInfo"]
        if personal is not None:
            private = self.private_keys[org][personal["encryptKey"]["public"]]
            box = Box(PrivateKey(private), PublicKey(from_text(personal["signKey"]["public"])))
            clear = box.decrypt(from_text(personal["payload"]), from_text(personal["nonce"]))
            message["contact"] |= json.loads(clear)
        return message

    def numbers(self, campaign: int | Campaign) -> dict[str, int]:
        """The campaign's totals."""
        return stats.read(campaign if isinstance(campaign, int) else campaign.id)

    def items(self, prefix: str = "") -> list[dict[str, Any]]:
        """Items of the Actions table whose sort key begins so, as plain values, in the order of sort keys."""
        items = [plain(item) for item in self.tables.all_items("ActionsTable")]
        return sorted((item for item in items if item["sk"].startswith(prefix)), key=lambda item: item["sk"])

    def action(self, action_id: int) -> dict[str, Any]:
        """The stored action with this id."""
        [found] = [item for item in self.items("A#") if int(item["id"]) == action_id]
        return found

    def pending(self) -> list[dict[str, Any]]:
        """All items with something left to do."""
        return [item for item in self.items() if "pending" in item]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def action(self) -> int:
        """The id of the action that was stored."""
        assert self.status == 201, self.body
        return int(self.body["actionId"])

    @property
    def contact_ref(self) -> str:
        """The ref of the person."""
        return str(self.body["contactRef"])

    @property
    def codes(self) -> list[tuple[str, str]]:
        """The failed rules as (pointer, code)."""
        return [(failed["pointer"], failed["code"]) for failed in self.body["errors"]]


def signature(
    *,
    email: str = "ida.holm@example.org",
    first_name: str = "Ida",
    last_name: str = "Holm",
    country: str | None = "DK",
    opt_in: bool | None = None,
    lead_opt_in: bool | None = None,
    action_type: str = "register",
    testing: bool | None = None,
    fields: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The body of a signature; `more` are further parts of it."""
    contact: dict[str, Any] = {"firstName": first_name, "lastName": last_name, "email": email}
    if country is not None:
        contact["address"] = {"country": country}
    action: dict[str, Any] = {"actionType": action_type}
    if testing is not None:
        action["testing"] = testing
    if fields is not None:
        action["customFields"] = fields
    return {"action": action, "contact": contact, "privacy": {"optIn": opt_in, "leadOptIn": lead_opt_in}, **more}


def api_event(
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A REST API event as API Gateway sends it, as far as functions may read it."""
    headers = {"Host": "api.example.org", **(headers or {})}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": path,
            "stage": "v1",
            "apiId": "a1b2c3d4e5",
            "requestId": "test",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def call(logical_id: str, event: dict[str, Any]) -> Answer:
    """Invoke an API function."""
    answer = function(logical_id)(event, LambdaContext(logical_id, 28))
    headers = {name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
    return Answer(answer["statusCode"], json.loads(answer["body"]) if answer.get("body") else {}, headers)


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item's values without DynamoDB's types."""
    return {name: next(iter(value.values())) for name, value in item.items()}
