"""Working on the queue of mails to targets: making the mails of actions, and sending those that are due (domain 9.5,
9.6).

An order says only which mail; everything is read here, as it stands now. What cannot go out now stays as it is and is
in the next plan, so an order is good for a short while only. One bad order, campaign or address holds up no other.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from nacl.public import PrivateKey
from pydantic import TypeAdapter

from proca_common.aws import clock
from proca_common.aws.errors import CloudError
from proca_common.aws.logs import log_fault, logger
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog.fresh import Fresh
from proca_common.errors import NotFound
from proca_common.mails import ways_out
from proca_common.mails.letter import Letter
from proca_common.mails.office import Dropped, Later, find_way, hand_over, wait_for_turn
from proca_common.mails.ways_out import Way, WaysOut
from proca_common.mtt import claims, drafts, store
from proca_common.mtt.drafts import Withdrawn, draft_of, letter_of
from proca_common.mtt.expand import expand
from proca_common.mtt.files import Files
from proca_common.mtt.settings import KeepMessages, mtt_of
from proca_common.mtt.store import WAITING, MailId, MailStatus
from proca_common.pipes.orders import TargetMailOrder, TargetsOrder
from proca_common.targets import store as targets
from proca_common.targets.target import Target, emails_after_sending

FRESH_MS: Final = 30_000
MINUTE_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = 60 * MINUTE_MS

_orders: TypeAdapter[TargetsOrder | TargetMailOrder] = TypeAdapter(TargetsOrder | TargetMailOrder)
_campaigns: Fresh[int, Campaign] = Fresh(FRESH_MS)


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


def forget() -> None:
    """Empty the caches, as in a new environment (tests)."""
    _campaigns.forget()
    drafts.forget()
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
    keep = KeepMessages.NONE if settings is None else settings.keep_messages
    tests = expand(order, keep)
    counts[Counted.EXPANDED] += 1
    for mail in tests:
        try:
            _send(mail, desk, deadline_ms, counts)
        except Dropped as dropped:
            counts[Counted.DROPPED] += 1
            logger.info("test of a mail not sent", extra={"reason": str(dropped), "action": mail.action})
            _give_up(mail, keep)


def _give_up(mail: MailId, keep: KeepMessages) -> None:
    """A test stands in no plan, so nobody would come back to one that cannot be sent."""
    item = store.read_mail(mail)
    if item is not None and item.status in WAITING:
        claims.withdraw(mail, item, keep)


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
        draft = draft_of(mail, item, settings, desk.sealing_key)
    except Withdrawn as withdrawn:
        claims.withdraw(mail, item, settings.keep_messages)
        counts[Counted.WITHDRAWN] += 1
        logger.info("mail to a target withdrawn", extra={"reason": str(withdrawn), "action": mail.action})
        return
    lead = draft.context.lead
    if lead.email_backend is None:
        raise Dropped("the org sends no mails")
    way = find_way(lead, draft.context.instance.org, transactional=False)
    letter = letter_of(draft, way.service, desk.files, desk.srs_key)
    wait_for_turn(way, desk.ways, deadline_ms)
    try:
        held = claims.claim(mail, item)
    except claims.Taken:
        return
    sent = _hand_over(letter, held, way, desk)
    claims.settle(held, MailStatus.SENT if sent else MailStatus.REFUSED, settings.keep_messages)
    counts[Counted.SENT if sent else Counted.REFUSED] += 1
    if sent and not draft.testing:
        _mark_active(draft.target, letter.recipient)


def _campaign_or_drop(number: int) -> Campaign:
    try:
        return campaign_of(number)
    except NotFound:
        raise Dropped("campaign gone") from None


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
