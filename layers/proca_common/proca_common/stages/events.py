"""Stage `event`: tell the orgs what became known of a supporter's address (domain 5.4).

What is told is how it stands now: of two changes in quick succession the orgs may hear only of the second.
"""

from __future__ import annotations

from collections.abc import Iterable

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.aws import clock, dynamo
from proca_common.aws.errors import Cancelled
from proca_common.aws.logs import log_fault, logger
from proca_common.errors import NotFound
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.exits import Exits
from proca_common.pipes.orders import PushOrder
from proca_common.pipes.publish import Outgoing, send
from proca_common.pipes.routing import Destination, Way, event_ways
from proca_common.stages import outbox
from proca_common.stages.event_messages import email_status_event, outgoing
from proca_common.stages.messages import NotReadable
from proca_common.stages.outbox import Entry


def tell(entries: Iterable[Entry], exits: Exits, deadline_ms: int) -> list[str]:
    """Send the events of these supporters; returns the sequence numbers of records that must come again."""
    failed: list[str] = []
    for entry in entries:
        try:
            _tell(entry, exits, deadline_ms)
        except Exception as error:  # noqa: BLE001 - one supporter's fault must not hold up the others
            log_fault("event cannot be told", error, supporter=int(entry.image.id))
            failed.append(entry.sequence)
    return failed


def _tell(entry: Entry, exits: Exits, deadline_ms: int) -> None:
    supporter = store.read((entry.image.ref, entry.image.sk))
    if not isinstance(supporter, SupporterItem) or not outbox.is_current(supporter, entry.image, clock.now_ms()):
        return
    owed = outbox.owed_by(supporter)
    messages = _messages(supporter, owed) if supporter.email_status is not None else {}
    unserved = {destination for destination in owed if messages.get(destination, ...) is None}
    for destination, message in messages.items():
        if message is not None and send(exits.url(destination), [message], deadline_ms):
            unserved.add(destination)
    changes = outbox.served(unserved, supporter, clock.now_ms())
    try:
        dynamo.update(SupporterItem(supporter.ref, supporter.sk), changes, outbox.as_read(supporter))
    except Cancelled:
        logger.info("something else is to be told meanwhile", extra={"supporter": int(supporter.id)})


def _messages(supporter: SupporterItem, owed: Iterable[Destination]) -> dict[Destination, Outgoing | None]:
    """The event for each destination that still is to have it; None: it has to wait until the org has a key."""
    signature_key = store.action_key(supporter.ref, int(supporter.id))
    contact_keys = {
        int(org): store.contact_key(supporter.ref, int(supporter.id), int(org)) for org in supporter.recipients
    }
    found = store.read_many([signature_key, *contact_keys.values()])
    signature = found.get(signature_key)
    if not isinstance(signature, ActionItem):
        return {}
    context = page_context(int(supporter.page))
    messages: dict[Destination, Outgoing | None] = {}
    for destination in sorted(owed):
        receiver = _receiver(destination.org, context)
        contact = found.get(contact_keys.get(destination.org, signature_key))
        known = contact if isinstance(contact, ContactItem) else None
        if receiver is None or destination.where not in event_ways(receiver):
            continue
        if known is None and not receiver.instance_events:
            continue
        try:
            message = outgoing(email_status_event(signature, supporter, known, context), context, receiver)
        except NotReadable:
            messages[destination] = None
            continue
        messages[destination] = _pushed(message, receiver) if destination.where is Way.PUSH else message
    return messages


def _receiver(org: int, context: PageContext) -> Org | None:
    """The org that is to hear: of the page, of the campaign, or of the instance."""
    near = context.org_by_id(org)
    if near is not None or org != context.instance.org:
        return near
    try:
        return orgs.get(org)
    except NotFound:
        return None


def _pushed(message: Outgoing, receiver: Org) -> Outgoing:
    order = PushOrder(org=receiver.id, backend="event", id=message.id, attributes=message.attributes, body=message.body)
    return order.outgoing()
