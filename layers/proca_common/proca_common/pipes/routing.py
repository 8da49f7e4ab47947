"""Which destinations a stage or an event owes its message to (domain 4.6, 5.3). Pure."""

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


QUEUE_OF_STAGE = {Stage.SUPPORTER_CONFIRM: Queue.CONFIRM_SUPPORTER, Stage.ACTION_CONFIRM: Queue.CONFIRM_ACTION}


class Way(StrEnum):
    """What is done for an org by a function of ours, which has an internal queue: mails to its supporters, pushing its
    messages on to its backend, looking up what it knows of a supporter, making the mails to targets that it sends.
    """

    MAIL = "mail"
    PUSH = "push"
    DETAIL = "detail"
    TARGETS = "targets"


class Destination(NamedTuple):
    """A queue of an org, or a way to it; as text, `<org>/<where>`, it stands in an item's `owed`."""

    org: int
    where: Queue | Way

    def __str__(self) -> str:
        return f"{self.org}/{self.where}"

    @classmethod
    def parse(cls, text: str) -> Destination:
        """The destination of its text."""
        org, _, where = text.partition("/")
        return cls(int(org), Way(where) if where in _WAYS else Queue(where))


_WAYS = frozenset(Way)


def switched_on(org: Org) -> frozenset[Queue]:
    """The queues that an org has: each is a setting of its own."""
    switches = {
        Queue.DELIVER: org.custom_action_deliver or org.custom_event_deliver,
        Queue.CONFIRM_SUPPORTER: org.custom_supporter_confirm,
        Queue.CONFIRM_ACTION: org.custom_action_confirm,
        Queue.EVENT: org.event_queue,
    }
    return frozenset(queue for queue, on in switches.items() if on)


def action_ways(stage: Stage, org: Org) -> set[Queue | Way]:
    """Where an org wants the messages of this stage: a queue of its own, and its push backend for what is delivered."""
    if stage is Stage.DELIVER:
        ways: dict[Queue | Way, bool] = {
            Queue.DELIVER: org.custom_action_deliver,
            Way.PUSH: org.push_backend is not None,
        }
        return {way for way, on in ways.items() if on}
    queue = QUEUE_OF_STAGE[stage]
    return {queue} if queue in switched_on(org) else set()


def destinations(
    stage: Stage, page_org: Org, recipients: Iterable[Org], *, mails: bool = False, writes_for: Org | None = None
) -> set[Destination]:
    """The confirm stages go to the page org alone, deliver to every org with a contact of the supporter.

    `mails`: whether the page org may owe the supporter a mail. `writes_for`: the lead org, which sends what its
    supporter wrote to targets once the action is delivered; None where it wrote nothing.
    """
    receivers = recipients if stage is Stage.DELIVER else (page_org,)
    owed = {Destination(org.id, way) for org in receivers for way in action_ways(stage, org)}
    if mails:
        owed.add(Destination(page_org.id, Way.MAIL))
    if writes_for is not None and stage is Stage.DELIVER:
        owed.add(Destination(writes_for.id, Way.TARGETS))
    return owed


def event_ways(org: Org) -> set[Queue | Way]:
    """Where an org hears of events: in its event queue, or in its deliver queue when it wants one stream, and by its
    event backend (domain 5.3; an org with none of them does not hear).
    """
    ways: dict[Queue | Way, bool] = {
        Queue.DELIVER: org.custom_event_deliver,
        Queue.EVENT: org.event_queue and not org.custom_event_deliver,
        Way.PUSH: org.event_backend is not None,
    }
    return {way for way, on in ways.items() if on}


def event_destinations(receivers: Iterable[Org]) -> set[Destination]:
    """Where these orgs hear of events."""
    return {Destination(org.id, way) for org in receivers for way in event_ways(org)}
