"""A FIFO queue and its event source mapping in this process, in simulated time, as AWS documents them.

The emulator's queue has no clock that can be put forward, and its mapping works on one batch at a time. The rules,
from the SQS developer guide ("FIFO queue and message group ID", "Exactly-once processing", "Visibility timeout",
"Dead-letter queues") and the Lambda developer guide ("Using Lambda with Amazon SQS", partial batch responses):

1. Messages of a group come in the order in which they were sent. While one of them is in flight, none of its group
   comes; other groups are not touched by that.
2. A message is in flight from when it is received until it is deleted or its visibility timeout ends.
3. Sending an id once more within five minutes (here: within its group) stores nothing.
4. A message that was received more often than maxReceiveCount goes to the dead-letter queue when it would come again.
5. A receipt handle is good for the last receive only, and only while the message is in flight.
6. The mapping deletes what the function does not report as failed; failed messages stay in flight until their
   visibility timeout ends. When the function breaks, all of the batch does.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.harness.calls import Answer, Call, Hook
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed

DEDUPLICATION_S = 300
LONGEST_S = 12 * 3600


@dataclass(eq=False)
class Message:
    """A message; times in seconds."""

    body: str
    group: str
    deduplication: str
    sent: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    visible: float = 0
    received: float = 0
    receives: int = 0
    handle: str = ""


class FifoQueue(Hook):
    """A queue that answers all calls of the process for its URL, while it is hooked (see `tests.harness.calls`)."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        *,
        visibility_s: float = 360,
        max_receives: int | None = None,
        dead: FifoQueue | None = None,
    ) -> None:
        self.url = url
        self.clock = clock
        self.messages: list[Message] = []
        self._visibility_s = visibility_s
        self._max_receives = max_receives
        self._dead = dead
        self._seen: dict[tuple[str, str], float] = {}
        self._handles = itertools.count(1)

    def send(self, body: str, group: str, deduplication: str) -> None:
        """Rule 3."""
        now = self.clock()
        if self._seen.get((group, deduplication), -DEDUPLICATION_S) + DEDUPLICATION_S > now:
            return
        self._seen[group, deduplication] = now
        self.messages.append(Message(body, group, deduplication, now))

    def receive(self, size: int = 10) -> list[Message]:
        """Up to `size` messages: as many of one group as there are, then of the next one."""
        now = self.clock()
        locked = {message.group for message in self.messages if self._is_in_flight(message, now)}
        free = [message for message in self.messages if message.group not in locked]
        for message in [each for each in free if self._is_spent(each)]:
            free.remove(message)
            self.messages.remove(message)
            if self._dead is not None:
                self._dead.messages.append(Message(message.body, message.group, message.deduplication, now))
        groups = list(dict.fromkeys(message.group for message in free))
        found = [message for group in groups for message in free if message.group == group][:size]
        for message in found:
            message.receives += 1
            message.received, message.visible = now, now + self._visibility_s
            message.handle = f"{message.id}#{next(self._handles)}"
        return found

    def delete(self, handle: str) -> bool:
        """Rule 5; whether it was there."""
        message = self._held(handle)
        if message is not None:
            self.messages.remove(message)
        return message is not None

    def hide(self, handle: str, seconds: int) -> bool:
        """ChangeMessageVisibility; whether it was in flight."""
        message = self._held(handle)
        if message is None or not 0 <= seconds <= LONGEST_S:
            return False
        message.visible = min(self.clock() + seconds, message.received + LONGEST_S)
        return True

    def next_s(self) -> float | None:
        """When something comes next that does not come now; None when nothing is hidden."""
        now = self.clock()
        hidden = [message.visible for message in self.messages if self._is_in_flight(message, now)]
        return min(hidden, default=None)

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.service != "sqs" or call.params.get("QueueUrl") != self.url:
            return proceed()
        params = call.params
        match call.operation:
            case "SendMessage":
                self.send(params["MessageBody"], params["MessageGroupId"], params["MessageDeduplicationId"])
                return {"MessageId": "sent"}
            case "SendMessageBatch":
                for entry in params["Entries"]:
                    self.send(entry["MessageBody"], entry["MessageGroupId"], entry["MessageDeduplicationId"])
                return {"Successful": [{"Id": entry["Id"]} for entry in params["Entries"]]}
            case "DeleteMessageBatch":
                return self._each(params, lambda entry: self.delete(entry["ReceiptHandle"]))
            case "ChangeMessageVisibilityBatch":
                return self._each(
                    params, lambda entry: self.hide(entry["ReceiptHandle"], int(entry["VisibilityTimeout"]))
                )
        # Nothing of the layer calls anything else; whoever begins to must say here how a FIFO queue answers.
        raise AssertionError(f"a FIFO queue is asked for {call.operation}")

    @staticmethod
    def _each(params: dict[str, Any], act: Callable[[dict[str, Any]], bool]) -> Answer:
        done = {entry["Id"]: act(entry) for entry in params["Entries"]}
        return {
            "Successful": [{"Id": name} for name, ok in done.items() if ok],
            "Failed": [
                {"Id": name, "SenderFault": True, "Code": "ReceiptHandleIsInvalid"}
                for name, ok in done.items()
                if not ok
            ],
        }

    def _held(self, handle: str) -> Message | None:
        now = self.clock()
        return next((each for each in self.messages if each.handle == handle and self._is_in_flight(each, now)), None)

    @staticmethod
    def _is_in_flight(message: Message, now: float) -> bool:
        return message.visible > now

    def _is_spent(self, message: Message) -> bool:
        return self._max_receives is not None and message.receives >= self._max_receives


class QueueMapping:
    """The event source mapping of a queue (rule 6), one batch at a time."""

    def __init__(
        self, name: str, queue: FifoQueue, handler: Callable[[dict[str, Any], Any], Any], timeout_s: float = 60
    ) -> None:
        self.queue = queue
        self.broken = 0
        self.invocations = 0
        self._name, self._handler, self._timeout_s = name, handler, timeout_s

    def step(self, size: int = 10) -> list[Message]:
        """Invoke the function with the next batch; the batch, empty if there is none."""
        batch = self.queue.receive(size)
        if not batch:
            return batch
        self.invocations += 1
        handles = {message.id: message.handle for message in batch}
        event = json.loads(json.dumps({"Records": [self._record(message) for message in batch]}))
        try:
            answer = json.loads(json.dumps(self._handler(event, LambdaContext(self._name, self._timeout_s))))
        except (Exception, Killed):  # noqa: BLE001 - to Lambda any error of a function is the same
            self.broken += 1
            return batch
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        assert failed <= handles.keys()
        for identifier in handles.keys() - failed:
            self.queue.delete(handles[identifier])
        return batch

    def run(self, limit: int = 1000) -> None:
        """Invoke it until nothing comes at this moment."""
        for _ in range(limit):
            if not self.step():
                return
        raise AssertionError(f"the queue still has {len(self.queue.messages)} messages")

    @staticmethod
    def _record(message: Message) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": message.handle,
            "body": message.body,
            "attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(round(message.sent * 1000)),
                "SenderId": "test",
                "ApproximateFirstReceiveTimestamp": str(round(message.received * 1000)),
                "MessageGroupId": message.group,
                "MessageDeduplicationId": message.deduplication,
                "SequenceNumber": "0",
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
        }
