"""What the tests here do with a deployed stack: make orgs and pages, sign over HTTP, read queues as the orgs do."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from examples.consumer import Action, PrivateKeys, Reader
from tests.world import signature
from tools.client import Answer, Client
from tools.emulator import ROOT

SCHEMA = json.loads((ROOT / "schemas" / "proca-action-2.json").read_text())
ACCOUNT = "111111111111"
STAGES = {"deliver": "deliver", "confirm-supporter": "supporter_confirm", "confirm-action": "action_confirm"}
RUN = f"{time.time_ns() // 1_000_000:x}"
INSTANCE_SENDER = f"mail@instance-{RUN}.example.org"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Ngo:
    """An org; `private` are its private keys in base64url, none when it keeps clear text."""

    name: str
    id: int
    private: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """An action page and its campaign's name."""

    id: int
    campaign: str

    @property
    def path(self) -> str:
        """Where signatures go."""
        return f"/v1/pages/{self.id}/actions"


class Site:
    """See the module. Every name is new, so that a stack may be used by many runs."""

    def __init__(self, client: Client) -> None:
        self.client = client

    # --- the catalogue

    def org(self, *settings: str, key: bool = True, encryption: str = "encrypted") -> Ngo:
        """An org with its queues, which its own AWS account may read, and a key unless told otherwise."""
        name = f"ngo-{RUN}-{next(_numbers)}"
        principals = f'queue_principals=["arn:aws:iam::{ACCOUNT}:root"]'
        created = self.client.admin("org", "create", name, principals, *settings, "--encryption", encryption)
        if not key:
            return Ngo(name, created["id"], ())
        return self.with_key(Ngo(name, created["id"], ()))

    def with_key(self, org: Ngo) -> Ngo:
        """The org with a new key, which holds at once for whoever has not met the org yet."""
        made = self.client.admin("key", "generate", org.name, "e2e")
        self.client.admin("key", "activate", org.name, str(made["id"]), "--no-wait")
        return Ngo(org.name, org.id, (*org.private, made["private"]))

    def page(self, org: Ngo, *, lead: Ngo | None = None, campaign: str = "", locale: str = "en") -> Page:
        """A page of the org, of a campaign of its own (led by `lead`, or by the org) if none is named."""
        name = campaign or f"campaign-{RUN}-{next(_numbers)}"
        if not campaign:
            self.client.admin("campaign", "create", name, "--org", (lead or org).name)
        page = f"{org.name}/{RUN}-{next(_numbers)}"
        command = ("page", "create", page, "--org", org.name, "--campaign", name, "--locale", locale)
        return Page(self.client.admin(*command)["id"], name)

    def numbers(self, page: Page) -> dict[str, int]:
        """The numbers of the page's campaign."""
        numbers: dict[str, int] = self.client.admin("campaign", "show", page.campaign)["numbers"]
        return numbers

    def status(self, action: int) -> str:
        """The state of an action."""
        return str(self.client.admin("action", "show", str(action))["status"])

    # --- what widgets do

    def sign(self, page: Page, headers: dict[str, str] | None = None, **given: Any) -> Answer:
        """Sign, with what `tests.world.signature` makes of what is given."""
        return self.client.post(page.path, signature(**given), headers)

    def signed(self, page: Page, **given: Any) -> int:
        """Sign, which must succeed; the action's id."""
        answer = self.sign(page, **given)
        assert answer.status == 201, answer.text
        return int(answer.json["actionId"])

    def wait_for(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Return when the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not so after {seconds:.0f} s"
            time.sleep(0.05)

    # --- what orgs do

    @cached_property
    def _sqs(self) -> Any:
        emulator = self.client.stack.emulator
        return self.client.stack.client("sqs") if emulator is None else emulator.client("sqs", ACCOUNT)

    def received(self, org: Ngo, queue: str = "deliver") -> list[dict[str, Any]]:
        """All messages of a queue as SQS hands them out, deleted."""
        url = self.client.queue_url(org.id, queue)
        asked = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 0, "MessageAttributeNames": ["All"]}
        if self.client.stack.emulator is None:
            asked["WaitTimeSeconds"] = 2  # so that SQS asks all its servers
        found: list[dict[str, Any]] = []
        while batch := self._sqs.receive_message(QueueUrl=url, **asked).get("Messages", []):
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(batch)]
            self._sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            found += batch
        return found

    def actions(self, org: Ngo, queue: str = "deliver") -> list[Action]:
        """The messages of a queue, valid by their schema and decrypted, in the order of their actions."""
        reader = Reader(SCHEMA, STAGES[queue], PrivateKeys(org.private))
        read = [reader.read(message) for message in self.received(org, queue)]
        return sorted(read, key=lambda action: int(action.message["actionId"]))

    def messages(self, org: Ngo, queue: str = "deliver") -> list[dict[str, Any]]:
        """The bodies of `actions`."""
        return [action.message for action in self.actions(org, queue)]

    def depth(self, url: str) -> int:
        """How many messages a queue has, as its owner sees it."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = self.client.stack.client("sqs")
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())
