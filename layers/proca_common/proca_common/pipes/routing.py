"""Which destinations a stage owes its message to (domain 4.6). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from proca_common.actions.status import Stage
from proca_common.orgs.org import Org


class Queue(StrEnum):
    """The queues of an org (design 6)."""

    DELIVER = "deliver"
    CONFIRM_SUPPORTER = "confirm-supporter"
    CONFIRM_ACTION = "confirm-action"
    EVENT = "event"


QUEUE_OF_STAGE = {
    Stage.SUPPORTER_CONFIRM: Queue.CONFIRM_SUPPORTER,
    Stage.ACTION_CONFIRM: Queue.CONFIRM_ACTION,
    Stage.DELIVER: Queue.DELIVER,
}


class Destination(NamedTuple):
    """A queue of an org; as text, `<org>/<queue>`, it stands in an item's `owed`."""

    org: int
    queue: Queue

    def __str__(self) -> str:
        return f"{self.org}/{self.queue}"

    @classmethod
    def parse(cls, text: str) -> Destination:
        """The destination of its text."""
        org, _, queue = text.partition("/")
        return cls(int(org), Queue(queue))


def switched_on(org: Org) -> frozenset[Queue]:
    """The queues that an org has: each is a setting of its own."""
    switches = {
        Queue.DELIVER: org.custom_action_deliver,
        Queue.CONFIRM_SUPPORTER: org.custom_supporter_confirm,
        Queue.CONFIRM_ACTION: org.custom_action_confirm,
        Queue.EVENT: org.event_queue,
    }
    return frozenset(queue for queue, on in switches.items() if on)


def destinations(stage: Stage, page_org: Org, recipients: Iterable[Org]) -> set[Destination]:
    """The confirm stages go to the page org alone, deliver to every org with a contact of the supporter."""
    queue = QUEUE_OF_STAGE[stage]
    receivers = recipients if stage is Stage.DELIVER else (page_org,)
    return {Destination(org.id, queue) for org in receivers if queue in switched_on(org)}
