"""Sending the mails of a batch: claim, send, record (domain 8, design 5).

An order of the queue says only which mail; everything is read here, as it stands now. A mail is claimed by a
conditional write before it goes out and recorded afterwards, so it goes out a second time only if the process dies
between the provider's answer and the record; that is counted. What could not be sent stays in the queue, with growing
pauses, and in the end in the dead-letter queue: nothing is lost.
"""

from __future__ import annotations

import json
import random
import secrets as tokens
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from pydantic import TypeAdapter

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store
from proca_common.actions.status import ActionStatus, EmailStatus, SupporterStatus
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.aws import clock
from proca_common.aws.logs import log_fault, logger
from proca_common.catalog.fresh import Fresh
from proca_common.confirms.links import links
from proca_common.errors import NotFound, TooMany
from proca_common.mails import claims, staff, templates, ways_out
from proca_common.mails.choice import MailKind
from proca_common.mails.claims import Changed, Claim, Claimed
from proca_common.mails.letter import Letter, is_address, letter
from proca_common.mails.office import (
    LEASE_MARGIN_MS,
    Counted,
    Dropped,
    Later,
    Office,
    find_way,
    hand_over,
    take_back,
    wait_for_turn,
)
from proca_common.mails.render import Occasion, Person, needs_numbers, rendered, variables
from proca_common.mails.ways_out import Way
from proca_common.monitors import extra
from proca_common.orgs import encryption
from proca_common.pipes.orders import MailOrder, StaffMailOrder

MINUTE_MS = 60_000
LONGEST_PAUSE_MS = 6 * 60 * MINUTE_MS
READS = 4
NUMBERS_FRESH_MS = 5_000
ASKING = frozenset({MailKind.SUPPORTER_CONFIRM, MailKind.REMINDER})
TRANSACTIONAL = frozenset({MailKind.SUPPORTER_CONFIRM, MailKind.THANK_YOU, MailKind.REMINDER})
NO_MORE_MAIL = frozenset({EmailStatus.BOUNCE, EmailStatus.BLOCKED, EmailStatus.SPAM, EmailStatus.UNSUB})

__all__ = ["Counted", "Office", "Report", "forget", "send_batch"]

_orders: TypeAdapter[MailOrder | StaffMailOrder] = TypeAdapter(MailOrder | StaffMailOrder)
_numbers: Fresh[int, dict[str, int]] = Fresh(NUMBERS_FRESH_MS)


def forget() -> None:
    """Empty the caches, as in a new environment (tests)."""
    _numbers.forget()
    templates.forget()
    ways_out.forget()


@dataclass(slots=True)
class Report:
    """What became of a batch: `again` has the pause in ms of each message that stays in the queue, by its id."""

    again: dict[str, int] = field(default_factory=dict)
    counts: Counter[Counted] = field(default_factory=Counter)


def send_batch(records: Iterable[Mapping[str, Any]], office: Office, deadline_ms: int) -> Report:
    """Work on messages of the mail queue, as SQS hands them over. `deadline_ms`: when the function will be stopped."""
    report = Report()
    with office.ways:
        for record in records:
            again = _dealt_with(record, office, deadline_ms, report.counts)
            if again is not None:
                report.again[record["messageId"]] = again
    logger.info("mails", extra={"counts": {**report.counts}, "again": len(report.again)})
    return report


def _dealt_with(record: Mapping[str, Any], office: Office, deadline_ms: int, counts: Counter[Counted]) -> int | None:
    """Deal with one message; None when it is done, else in how many ms to try again."""
    tries = int(record["attributes"]["ApproximateReceiveCount"])
    facts: dict[str, object] = {"order": record["messageId"]}
    try:
        order = _orders.validate_json(record["body"])
        facts = {"mail": order.mail, "org": order.org}
        try:
            if isinstance(order, StaffMailOrder):
                staff.send(order, office, deadline_ms, counts)
            else:
                facts["action"] = order.action
                _mail(order, office, deadline_ms, counts)
        except Dropped as dropped:
            if dropped.supporter is not None:
                claims.forget_address(dropped.supporter)
            counts[Counted.DROPPED] += 1
            logger.info("mail dropped", extra={"reason": str(dropped), **facts})
    except Later as later:
        logger.warning("mail waits", extra={"reason": str(later), "tries": tries, **facts})
        return _pause_ms(tries) if later.after_ms is None else max(1_000, later.after_ms - clock.now_ms())
    except Exception as error:  # noqa: BLE001 - one poison message must not hold up the others
        log_fault("mail cannot be sent", error, tries=tries, **facts)
        return _pause_ms(tries)
    return None


def _pause_ms(tries: int) -> int:
    """1 min, 2, 4 and so on to 6 h, up to a tenth more at random."""
    pause = min(LONGEST_PAUSE_MS, MINUTE_MS << min(tries - 1, 10))
    return pause + random.randrange(pause // 10)


def _mail(order: MailOrder, office: Office, deadline_ms: int, counts: Counter[Counted]) -> None:
    """Send the mail of an order. Raises `Dropped`, `Later`, `CloudError`."""
    for _ in range(READS):
        occasion = _occasion(order, office)
        try:
            _send(order, occasion, office, deadline_ms, counts)
        except Changed:
            continue
        return
    raise Later("other writes were in the way")


def _occasion(order: MailOrder, office: Office) -> Occasion:
    """Everything the mail may speak of, as it stands now, without the campaign's numbers. Raises `Dropped`."""
    keys = (
        store.supporter_key(order.ref, order.org, order.supporter),
        store.action_key(order.ref, order.action),
        store.contact_key(order.ref, order.supporter, order.org),
    )
    found = store.read_many(keys)
    supporter, action, contact = (found.get(key) for key in keys)
    if not isinstance(supporter, SupporterItem) or not isinstance(action, ActionItem):
        raise Dropped("gone")
    _check_due(order, supporter, action)
    try:
        context = page_context(order.page)
    except NotFound:
        raise Dropped("page gone", forget=supporter) from None
    if context.org.email_backend is None or context.org.email_from is None:
        raise Dropped("the org sends no mails", forget=supporter)
    return Occasion(
        kind=MailKind(order.mail),
        person=_person(supporter, office.sealing_key),
        action=action,
        supporter=supporter,
        contact=contact if isinstance(contact, ContactItem) else None,
        context=context,
        rank=order.rank,
        links=links(office.link_base_url, office.link_keys, order.ref, order.action),
        numbers={},
    )


def _check_due(order: MailOrder, supporter: SupporterItem, action: ActionItem) -> None:
    """Whether the mail is still to go out. Raises `Dropped`."""
    status, kind = SupporterStatus(supporter.status), MailKind(order.mail)
    if order.key in (supporter.mailed or ()):
        raise Dropped("already mailed")
    if status is SupporterStatus.REJECTED or action.status == ActionStatus.REJECTED:
        raise Dropped("rejected", forget=supporter)
    if supporter.email_status is not None and EmailStatus(supporter.email_status) in NO_MORE_MAIL:
        raise Dropped("the address takes no mails", forget=supporter)
    if supporter.mail is None:
        raise Dropped("no address")
    if kind in ASKING and supporter.confirmed:
        raise Dropped("confirmed meanwhile")
    if kind is MailKind.REMINDER and status is not SupporterStatus.CONFIRMING:
        raise Dropped("nothing waits")


def _person(supporter: SupporterItem, key: PrivateKey) -> Person:
    try:
        opened = json.loads(encryption.unseal(supporter.mail, key))
    except CryptoError:
        raise Later("the address was sealed with another key") from None
    return Person(opened["email"], opened.get("firstName") or "", opened.get("lastName") or "")


def _send(order: MailOrder, occasion: Occasion, office: Office, deadline_ms: int, counts: Counter[Counted]) -> None:
    """Raises `Dropped`, `Later`, `Changed`, `CloudError`."""
    written = _letter(order, occasion)
    context = occasion.context
    way = find_way(context.org, context.instance.org, transactional=occasion.kind in TRANSACTIONAL)
    sent = False
    try:
        wait_for_turn(way, office.ways, deadline_ms)
        try:
            held = claims.claim(occasion.supporter, order.key, deadline_ms + LEASE_MARGIN_MS)
        except Claimed as claimed:
            raise Later("claimed by somebody else", claimed.until_ms) from None
        if held.possibly_twice:
            counts[Counted.POSSIBLY_TWICE] += 1
            logger.warning("mail possibly sent twice", extra={"mail": order.mail, "action": order.action})
        sent = _hand_over(order, occasion, held, written, way, office)
    finally:
        if not sent:
            take_back(way, context.org.id)
    counts[Counted.SENT if sent else Counted.FAILED] += 1


def _letter(order: MailOrder, occasion: Occasion) -> Letter | None:
    """The mail; None where none can go to this address. Raises `Later` without a template for it."""
    context, testing = occasion.context, bool(occasion.action.testing)
    name = _template_name(occasion.kind, context)
    if name is None:
        raise Dropped("no template any more", forget=_done_with(occasion))
    try:
        template = templates.resolve(context.org.id, name, context.page.locale)
    except NotFound:
        raise Later("no such template") from None
    if needs_numbers(template, testing=testing):
        campaign = context.campaign.id
        occasion = _with_numbers(occasion, _numbers.get(campaign, lambda: extra.read_shown(campaign)))
    sender = str(context.org.email_from)
    if not is_address(sender):
        raise Later("the org's From is not an address")
    if not is_address(occasion.person.email):
        return None
    return letter(
        rendered(template, variables(occasion)),
        action=order.action,
        key=order.key,
        title=context.org.title,
        sender=sender,
        recipient=occasion.person.email,
        unsubscribe=occasion.links.unsubscribe,
        random_part=tokens.token_hex(8),
        now_ms=clock.now_ms(),
    )


def _template_name(kind: MailKind, context: PageContext) -> str | None:
    """The effective name (domain 8.4)."""
    match kind:
        case MailKind.SUPPORTER_CONFIRM | MailKind.REMINDER:
            return context.confirm_template
        case MailKind.THANK_YOU:
            return context.page.thank_you_template
        case MailKind.DUPLICATE:
            return context.page.duplicate_template


def _with_numbers(occasion: Occasion, numbers: Mapping[str, int]) -> Occasion:
    return replace(occasion, numbers=numbers)


def _hand_over(
    order: MailOrder, occasion: Occasion, held: Claim, written: Letter | None, way: Way, office: Office
) -> bool:
    """Hand the claimed mail to the provider and record what became of it; False when it will never go out.

    Raises `Dropped`, `Later`, `Unavailable`; then the claim was given back, or nobody knows and it stays.
    """
    if written is not None and not held.again and not held.possibly_twice:
        _check_cap(occasion, held, office)
    sent = written is not None and hand_over(written, held, way, office.ways, action=order.action)
    claims.settle(held, forget=not sent or _done_with(occasion) is not None)
    return sent


def _check_cap(occasion: Occasion, held: Claim, office: Office) -> None:
    """Count the mail for its address, where the campaign or the instance caps them. Raises `Dropped`."""
    guards = occasion.context.guards
    if guards is None or not guards.address_cap:
        return
    from proca_common.guards.caps import count_mail  # noqa: PLC0415 - not for campaigns without guards

    try:
        count_mail(guards.address_cap, occasion.person.email, office.guard_secret(), clock.now_ms())
    except TooMany:
        claims.settle(held, forget=_done_with(occasion) is not None)
        raise Dropped("too many mails to this address") from None


def _done_with(occasion: Occasion) -> SupporterItem | None:
    """The supporter, if no mail is due to it after this one."""
    waits = SupporterStatus(occasion.supporter.status) is not SupporterStatus.ACCEPTED
    return None if occasion.kind in ASKING and waits else occasion.supporter
