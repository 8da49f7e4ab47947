"""The stream of the catalogue: send each event to whoever is to hear it, then remove it (design 5).

As in the outbox of actions, the record only says where to look, a destination that fails stays owed, and the sweep
wakes what is overdue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pynamodb.exceptions import PynamoDBException

from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.catalog import items
from proca_common.catalog.happenings import PK, EventItem
from proca_common.events.tidings import Tidings, tidings
from proca_common.pipes.exits import Exits
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.publish import Outgoing, send
from proca_common.pipes.routing import Destination, Way, event_destinations
from proca_common.stages import outbox


def emit(records: Iterable[Mapping[str, Any]], exits: Exits, link_base_url: str, deadline_ms: int) -> list[str]:
    """Work on a batch of stream records; returns the sequence numbers of those that must come again."""
    failed: list[str] = []
    for record in records:
        change = record["dynamodb"]
        try:
            image = CatalogItem.from_raw_data(change["NewImage"])
            if isinstance(image, EventItem):
                _emit(image, exits, link_base_url, deadline_ms)
        except Exception as error:  # noqa: BLE001 - a poison record must not hold up the others
            log_fault("event cannot be told", error, sequence=change["SequenceNumber"])
            failed.append(change["SequenceNumber"])
    return failed


def _emit(image: EventItem, exits: Exits, link_base_url: str, deadline_ms: int) -> None:
    if _too_early(image):
        return  # the sweep will wake it
    event = items.read(EventItem, image.pk, image.sk)
    if event is None or _too_early(event):
        return
    told = tidings(event, link_base_url)
    unserved = set() if told is None else _send(event, told, exits, deadline_ms)
    try:
        _store(event, unserved)
    except Cancelled:
        logger.info("event was woken meanwhile", extra={"event": event.sk})


def _too_early(event: EventItem) -> bool:
    return int(event.due) > clock.now_ms() + outbox.CLOCK_SKEW_MS


def _send(event: EventItem, told: Tidings, exits: Exits, deadline_ms: int) -> set[Destination]:
    """Send it to all that wait for it, and still may hear; returns those that did not take it."""
    receivers = {org.id: org for org in told.receivers}
    owed = event_destinations(told.receivers)
    if event.owed is not None:
        owed &= {Destination.parse(text) for text in event.owed}
    unserved = set()
    for destination in sorted(owed):
        message = told.outgoing(event, receivers[destination.org])
        if destination.where is Way.PUSH:
            message = _pushed(message, destination.org)
        if send(exits.url(destination), [message], deadline_ms):
            unserved.add(destination)
    return unserved


def _pushed(message: Outgoing, receiver: int) -> Outgoing:
    attributes = {name: value for name, value in message.attributes.items() if value}
    return PushOrder(org=receiver, backend="event", id=message.id, attributes=attributes, body=message.body).outgoing()


def _store(event: EventItem, unserved: set[Destination]) -> None:
    """Remove what all have, keep what is owed. Raises `Cancelled`, `Unavailable`."""
    as_read = EventItem.due == event.due
    item = EventItem(event.pk, event.sk)
    if not unserved:
        transaction = Transaction()
        transaction.delete("event", item, as_read)
        items.commit(transaction)
        return
    due_ms = clock.now_ms() + outbox.wait_ms(int(event.attempt))
    changes = [EventItem.owed.set({str(destination) for destination in unserved}), EventItem.due.set(due_ms)]
    dynamo.update(item, changes, as_read)


@dataclass(slots=True)
class Woken:
    """How many events were woken, the keys of those that five attempts did not help, and what kept others asleep."""

    woken: int = 0
    stuck: list[str] = field(default_factory=list)
    fault: Exception | None = None


def wake() -> Woken:
    """Wake all events that are overdue: each write passes through the stream again."""
    woken = Woken()
    try:
        overdue = _overdue()
    except Unavailable as error:
        woken.fault = error
        return woken
    for event in overdue:
        try:
            _wake(event, woken)
        except Exception as error:  # noqa: BLE001 - the caller tells, when the others are awake
            log_fault("event cannot be woken", error, event=event.sk)
            woken.fault = error
    return woken


def _overdue() -> list[EventItem]:
    """As much of each as is needed: those that cannot be read as a whole are woken, too."""
    overdue = EventItem.due < clock.now_ms() - outbox.GRACE_MS
    needed = ["pk", "sk", "due", "attempt", "owed"]
    try:
        found = EventItem.query(PK, filter_condition=overdue, attributes_to_get=needed, consistent_read=True)
        return list(found)
    except PynamoDBException as error:
        raise translated(error) from None


def _wake(event: EventItem, woken: Woken) -> None:
    """Make the event due now. One that was never told in five attempts holds a fault of ours: it is tried every 6 h
    until the cause is gone.
    """
    now_ms, attempt = clock.now_ms(), int(event.attempt or 0)
    if attempt >= outbox.PATIENT_AFTER:
        woken.stuck.append(event.sk)
        if event.owed is None and int(event.due) + outbox.LONGEST_WAIT_MS >= now_ms:
            return
    changes = [EventItem.due.set(now_ms), EventItem.attempt.set(attempt + 1)]
    try:
        dynamo.update(EventItem(event.pk, event.sk), changes, EventItem.due == event.due)
    except Cancelled:
        return  # it was told meanwhile
    woken.woken += 1
