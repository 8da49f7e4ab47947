"""Working on the queue of mails to targets: making the mails of actions, and sending those that are due (domain 9.5,
9.6).

An order says only which mail; everything is read here, as it stands now. What cannot go out now stays as it is and is
in the next plan, so an order is good for a short while only. One bad order, campaign or address holds up no other.
"""

from __future__ import annotations

import json
import random
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from pydantic import TypeAdapter

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store as actions
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem
from proca_common.aws import clock
from proca_common.aws.errors import CloudError
from proca_common.aws.logs import log_fault, logger
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog.fresh import Fresh
from proca_common.errors import NotFound
from proca_common.ids import created_ms
from proca_common.mails import templates, ways_out
from proca_common.mails.letter import Letter, NotAnAddress
from proca_common.mails.office import Dropped, Later, find_way, hand_over, wait_for_turn
from proca_common.mails.render import Person, needs_numbers
from proca_common.mails.templates import EmailTemplate
from proca_common.mails.ways_out import Way, WaysOut
from proca_common.monitors import store as stats
from proca_common.mtt import claims, ranking, store
from proca_common.mtt.expand import expand
from proca_common.mtt.files import Files
from proca_common.mtt.letter import Content, Posting, build, recipients
from proca_common.mtt.sender import origin
from proca_common.mtt.settings import KeepMessages, Mtt, mtt_of
from proca_common.mtt.store import WAITING, MailId, MailItem, MailStatus, MessageItem
from proca_common.orgs import encryption
from proca_common.orgs import store as orgs
from proca_common.orgs.services import Service
from proca_common.pipes.orders import TargetMailOrder, TargetsOrder
from proca_common.targets import store as targets
from proca_common.targets.target import Target, emails_after_sending, good_address

FRESH_MS: Final = 30_000
MINUTE_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = 60 * MINUTE_MS

_orders: TypeAdapter[TargetsOrder | TargetMailOrder] = TypeAdapter(TargetsOrder | TargetMailOrder)
_campaigns: Fresh[int, Campaign] = Fresh(FRESH_MS)
_numbers: Fresh[int, dict[str, int]] = Fresh(FRESH_MS)


class Counted(StrEnum):
    """What is counted of mails to targets (metrics)."""

    EXPANDED = "TargetMailsMade"
    SENT = "TargetMailsSent"
    REFUSED = "TargetMailsRefused"
    WITHDRAWN = "TargetMailsWithdrawn"
    DROPPED = "TargetMailsLeftForLater"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one environment sends with. `srs_key`: what rewritten addresses are signed with (domain 8.6)."""

    sealing_key: PrivateKey
    srs_key: bytes
    ways: WaysOut
    files: Files


@dataclass(slots=True)
class Report:
    """What became of a batch: `again` has the pause in ms of each message that stays in the queue, by its id."""

    again: dict[str, int] = field(default_factory=dict)
    counts: Counter[Counted] = field(default_factory=Counter)


class _Withdrawn(Exception):
    """The mail will never go out; the text says why."""


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail with all that it may speak of."""

    mail: MailId
    item: MailItem
    action: ActionItem
    content: Content
    supporter: Person
    area: str | None
    target: Target
    context: PageContext
    mtt: Mtt

    @property
    def testing(self) -> bool:
        """Whether it is a test."""
        return bool(self.item.testing)


def forget() -> None:
    """Empty the caches, as in a new environment (tests)."""
    _campaigns.forget()
    _numbers.forget()
    templates.forget()
    ways_out.forget()


def send_batch(records: Iterable[Mapping[str, Any]], desk: Desk, deadline_ms: int) -> Report:
    """Work on messages of the queue, as SQS hands them over. `deadline_ms`: when the function will be stopped."""
    report = Report()
    with desk.ways:
        for record in records:
            again = _dealt_with(record, desk, deadline_ms, report.counts)
            if again is not None:
                report.again[record["messageId"]] = again
    logger.info("mails to targets", extra={"counts": {**report.counts}, "again": len(report.again)})
    return report


def _dealt_with(record: Mapping[str, Any], desk: Desk, deadline_ms: int, counts: Counter[Counted]) -> int | None:
    """Deal with one message; None when it is done, else in how many ms to try again."""
    tries = int(record["attributes"]["ApproximateReceiveCount"])
    facts: dict[str, object] = {"order": record["messageId"]}
    try:
        order = _orders.validate_json(record["body"])
        facts = {"campaign": order.campaign}
        try:
            if isinstance(order, TargetsOrder):
                facts["action"] = order.targets_of
                _expand(order, desk, deadline_ms, counts)
            else:
                facts["action"] = order.action
                _send_ordered(order, desk, deadline_ms, counts)
        except Dropped as dropped:
            counts[Counted.DROPPED] += 1
            logger.info("mail to a target left as it is", extra={"reason": str(dropped), **facts})
    except Later as later:
        logger.warning("mail to a target waits", extra={"reason": str(later), "tries": tries, **facts})
        return _pause_ms(tries) if later.after_ms is None else max(1_000, later.after_ms - clock.now_ms())
    except Exception as error:  # noqa: BLE001 - one poison message must not hold up the others
        log_fault("order of mails to targets cannot be worked on", error, tries=tries, **facts)
        return _pause_ms(tries)
    return None


def _pause_ms(tries: int) -> int:
    """1 min, 2, 4 and so on to an hour, up to a tenth more at random."""
    pause = min(LONGEST_PAUSE_MS, MINUTE_MS << min(tries - 1, 10))
    return pause + random.randrange(pause // 10)


def campaign_of(number: int) -> Campaign:
    """The campaign, at most 30 s old. Raises `NotFound`."""
    return _campaigns.get(number, lambda: campaigns.get(number))


def _expand(order: TargetsOrder, desk: Desk, deadline_ms: int, counts: Counter[Counted]) -> None:
    try:
        settings = mtt_of(campaign_of(order.campaign))
    except NotFound:
        raise Dropped("campaign gone") from None
    tests = expand(order, KeepMessages.NONE if settings is None else settings.keep_messages)
    counts[Counted.EXPANDED] += 1
    for mail in tests:
        try:
            _send(mail, desk, deadline_ms, counts)
        except Dropped as dropped:
            counts[Counted.DROPPED] += 1
            logger.info("test of a mail not sent", extra={"reason": str(dropped), "action": mail.action})


def _send_ordered(order: TargetMailOrder, desk: Desk, deadline_ms: int, counts: Counter[Counted]) -> None:
    if clock.now_ms() >= order.before:
        raise Dropped("too late for this plan")
    _send(MailId(order.campaign, order.target, order.action), desk, deadline_ms, counts)


def _send(mail: MailId, desk: Desk, deadline_ms: int, counts: Counter[Counted]) -> None:
    """Send a mail that waits. Raises `Dropped`, `Later`, `CloudError`."""
    item = store.read_mail(mail)
    if item is None or item.status not in WAITING:
        return  # it was ordered more than once
    campaign = _campaign_or_drop(mail.campaign)
    settings = mtt_of(campaign)
    if settings is None:
        raise Dropped("the campaign takes no messages any more")
    if settings.paused and not item.testing:
        raise Dropped("paused")
    try:
        found = _found(mail, item, settings, desk)
    except _Withdrawn as withdrawn:
        claims.withdraw(mail, item, settings.keep_messages)
        counts[Counted.WITHDRAWN] += 1
        logger.info("mail to a target withdrawn", extra={"reason": str(withdrawn), "action": mail.action})
        return
    lead = found.context.lead
    if lead.email_backend is None:
        raise Dropped("the org sends no mails")
    way = find_way(lead, found.context.instance.org, transactional=False)
    letter = _letter(found, way.service, desk)
    wait_for_turn(way, desk.ways, deadline_ms)
    try:
        held = claims.claim(mail, item)
    except claims.Taken:
        return
    sent = _hand_over(letter, held, way, desk)
    claims.settle(held, MailStatus.SENT if sent else MailStatus.REFUSED, settings.keep_messages)
    counts[Counted.SENT if sent else Counted.REFUSED] += 1
    if sent and not found.testing:
        _mark_active(found.target, letter.recipient)


def _campaign_or_drop(number: int) -> Campaign:
    try:
        return campaign_of(number)
    except NotFound:
        raise Dropped("campaign gone") from None


def _found(mail: MailId, item: MailItem, settings: Mtt, desk: Desk) -> _Mail:
    """The mail with all around it. Raises `_Withdrawn`, `Dropped`, `Later`."""
    keys = store.message_key(item.at, mail.action), actions.action_key(item.at, mail.action)
    known = actions.read_many(keys)
    message, action = (known.get(key) for key in keys)
    if not isinstance(message, MessageItem) or not isinstance(action, ActionItem):
        raise _Withdrawn("gone")
    if action.status != ActionStatus.DELIVERED or message.text is None or message.sender is None:
        raise _Withdrawn("rejected")
    if item.testing and ranking.is_late(created_ms(mail.action), clock.now_ms()):
        raise _Withdrawn("a test of yesterday")
    text, sender = (_opened(sealed, desk) for sealed in (message.text, message.sender))
    content = Content(text["subject"], text["body"], tuple(text["files"]))
    if content.is_empty:
        raise _Withdrawn("empty")
    try:
        target = targets.get(mail.campaign, mail.target)
    except NotFound:
        raise _Withdrawn("target gone") from None
    try:
        context = page_context(int(action.page))
    except NotFound:
        raise _Withdrawn("page gone") from None
    supporter = Person(sender["email"], sender.get("firstName") or "", sender.get("lastName") or "")
    return _Mail(mail, item, action, content, supporter, sender.get("area"), target, context, settings)


def _opened(sealed: bytes, desk: Desk) -> dict[str, Any]:
    try:
        opened: dict[str, Any] = json.loads(encryption.unseal(sealed, desk.sealing_key))
    except CryptoError:
        raise Later("the message was sealed with another key") from None
    return opened


def _letter(found: _Mail, service: Service, desk: Desk) -> Letter:
    """The mail as it goes out. Raises `Dropped` where it has no address to come from or go to."""
    good = good_address(found.target)
    if good is None and not found.testing:
        raise Dropped("no good address")
    template = _template(found)
    needed = template is not None and needs_numbers(template, testing=found.testing)
    campaign = found.mail.campaign
    posting = Posting(
        mail=str(found.mail),
        action=found.mail.action,
        content=found.content,
        supporter=found.supporter,
        area=found.area,
        target=found.target,
        context=found.context,
        is_dupe=bool(found.action.dupe_rank),
        testing=found.testing,
        numbers=_numbers.get(campaign, lambda: stats.read(campaign)) if needed else None,
        files=desk.files.fetch(found.context.lead, found.content.files),
    )
    now_ms = clock.now_ms()
    try:
        return build(
            posting,
            template,
            recipients(found.mtt, found.supporter.email, good or "", testing=found.testing),
            origin(found.supporter, found.context.lead, _sending_from(found, service), desk.srs_key, now_ms),
            random_part=secrets.token_hex(8),
            now_ms=now_ms,
        )
    except NotAnAddress:
        raise Dropped("no address to send from, or to") from None


def _template(found: _Mail) -> EmailTemplate | None:
    """The campaign's template in the target's language; None: what the supporter wrote goes out as it is (domain
    9.6.5).
    """
    name = found.mtt.message_template
    if name is None:
        return None
    locale = ranking.locale_of(found.target.locale)
    try:
        template = templates.resolve(found.context.lead.id, name, locale)
    except NotFound:
        return None
    return template if template.locale[:2] == locale[:2] else None


def _sending_from(found: _Mail, service: Service) -> str:
    """The address that the service sends from: its own, else that of the org that owns it (domain 8.6)."""
    if service.sending_from is not None:
        return service.sending_from
    lead = found.context.lead
    owner = lead if service.org == lead.id else orgs.get(service.org)
    return owner.email_from or lead.email_from or ""


def _hand_over(letter: Letter, held: claims.Claim, way: Way, desk: Desk) -> bool:
    """Hand the claimed mail to the provider; False when it is refused for good. Raises `Dropped`, `Later`."""
    try:
        return hand_over(letter, held, way, desk.ways, action=held.mail.action)
    except Later as later:
        if later.after_ms is not None:  # nobody knows: it stays claimed, and becomes uncertain
            raise Dropped(str(later)) from None
        raise


def _mark_active(target: Target, address: str) -> None:
    """The provider took a mail to this address: it is good. A fault of ours must not make the mail look unsent."""
    if emails_after_sending(target.emails, address) == target.emails:
        return
    try:
        targets.change_emails(target.campaign, target.id, lambda known: emails_after_sending(known, address))
    except CloudError as error:
        log_fault("the address of a target cannot be marked", error, campaign=target.campaign)
