"""The org's side: everything that is in its deliver queue, decrypted and compared with what was signed."""

from __future__ import annotations

import base64
import json
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from jsonschema import ValidationError
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from tests.messages import valid_action
from tools.bench.instance import Instance
from tools.client import Client


class Inbox:
    """`sent_ms`: when the queue got the message of an action first. `repeated`: messages that were there before."""

    def __init__(self, client: Client, instance: Instance) -> None:
        self._sqs = client.stack.client("sqs")
        self._url = client.queue_url(instance.org, "deliver")
        self._private = PrivateKey(_bytes(instance.private_key))
        self._org = instance.org
        self._ids: dict[int, set[str]] = defaultdict(set)
        self._bodies: dict[int, dict[str, Any]] = {}
        self.sent_ms: dict[int, int] = {}
        self.repeated = 0

    def take(self, wanted: Collection[int], patience_s: float) -> None:
        """Take messages out until all of these actions have come and the queue is empty, or patience ends."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=0,
                MessageAttributeNames=["All"],
                AttributeNames=["SentTimestamp"],
            )
            messages = answer.get("Messages", [])
            if messages:
                self._keep(messages)
            elif set(wanted) <= self._bodies.keys():
                return
            else:
                time.sleep(0.2)

    def faults(self, signed: Mapping[int, tuple[str, str]]) -> list[str]:
        """What is lost or wrong; `signed` has the address and the contact ref of each action that was answered."""
        faults = [f"action {action} never arrived" for action in signed if action not in self._bodies]
        for action, body in self._bodies.items():
            try:
                found = self._open(body)
            except (CryptoError, ValidationError, KeyError, TypeError, ValueError) as error:
                faults.append(f"the message of action {action} cannot be read: {type(error).__name__}")
                continue
            if action in signed and found != signed[action]:
                faults.append(f"the message of action {action} is somebody else's")
            expected = {f"{action}.deliver.{self._org}"}
            if self._ids[action] != expected:
                faults.append(f"action {action} has the message ids {sorted(self._ids[action])}")
        return faults

    def _keep(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            body = json.loads(message["Body"])
            action = body["actionId"]
            identifier = message["MessageAttributes"]["MessageId"]["StringValue"]
            self.repeated += identifier in self._ids[action]
            self._ids[action].add(identifier)
            self._bodies.setdefault(action, body)
            self.sent_ms.setdefault(action, int(message["Attributes"]["SentTimestamp"]))
        entries = [{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)]
        self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _open(self, body: dict[str, Any]) -> tuple[str, str]:
        """Address and contact ref of a valid message."""
        personal = valid_action(body)["personalInfo"]
        box = Box(self._private, PublicKey(_bytes(personal["signKey"]["public"])))
        contact = json.loads(box.decrypt(_bytes(personal["payload"]), _bytes(personal["nonce"])))
        return contact["email"], body["contact"]["contactRef"]


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
