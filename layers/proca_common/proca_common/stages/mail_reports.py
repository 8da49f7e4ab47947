"""What a provider reports of mails, and what becomes of their supporters (domain 7.3, design 7.5).

A hard bounce, a block and a complaint reject the supporter, whatever it did; an unsubscription leaves its signature as
it is. Soft bounces do nothing until there were several. All of it may be repeated, so it is done first and the event
remembered afterwards; only a soft bounce, which is counted, is remembered in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from proca_common.actions import store
from proca_common.actions.status import EmailStatus
from proca_common.actions.store import SeenEventItem, SupporterItem
from proca_common.aws import clock, dynamo, metrics
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.retry import pauses
from proca_common.errors import NotFound
from proca_common.mails.provider_events import MailEvent, Told, mail_event
from proca_common.stages import decide, decision

EVENT_ID = re.compile(r"[A-Za-z0-9-]{1,100}")
REMEMBERED_DAYS = 30
DAY_MS = 86_400_000
REJECTS = {
    Told.BOUNCED: EmailStatus.BOUNCE,
    Told.BLOCKED: EmailStatus.BLOCKED,
    Told.COMPLAINED: EmailStatus.SPAM,
}


class Malformed(Exception):
    """It is no event of a provider; its text is never shown."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How many soft bounces, within how many days, are as bad as a hard one."""

    soft_bounces: int
    days: int


def hear(records: Iterable[Mapping[str, Any]], topic: str, patience: Patience) -> None:
    """Work on records of SNS. What is not of this topic, or not readable, is logged and dropped.

    Raises the last fault, when all the others were heard: then all come again.
    """
    fault: Exception | None = None
    for record in records:
        try:
            _hear(record, topic, patience)
        except Malformed:
            logger.warning("event of the mail provider cannot be read")
        except Exception as error:  # noqa: BLE001 - the caller tells, when the others are heard
            log_fault("event of the mail provider cannot be worked on", error)
            fault = error
    if fault is not None:
        raise fault


def _hear(record: Mapping[str, Any], topic: str, patience: Patience) -> None:
    notice = record.get("Sns")
    if not isinstance(notice, Mapping):
        raise Malformed
    if notice.get("TopicArn") != topic:
        logger.error("event of another topic")
        return
    event_id, text = notice.get("MessageId"), notice.get("Message")
    if not isinstance(event_id, str) or not EVENT_ID.fullmatch(event_id) or not isinstance(text, str):
        raise Malformed
    try:
        event = mail_event(text)
    except ValidationError:
        raise Malformed from None
    if event.told is Told.NOTHING or store.read(store.event_key(event_id)) is not None:
        return
    metrics.emit({"MailReports": 1}, told=event.told.value)
    logger.info("mail provider told", extra={"told": event.told, "action": event.action})
    if event.target_mail is not None:
        from proca_common.mtt.reports import heed  # noqa: PLC0415 - few mails go to targets

        heed(event)
        _remember(event_id)
        return
    if event.action is None:
        return
    try:
        remembered = _heed(event_id, event, event.action, patience)
    except NotFound:
        logger.info("mail was not for a supporter that is known", extra={"action": event.action})
        return
    if not remembered:
        _remember(event_id)


def _heed(event_id: str, event: MailEvent, action: int, patience: Patience) -> bool:
    """Do what the event says; whether it was remembered with that. Raises `NotFound`, `Unavailable`."""
    match event.told:
        case Told.BOUNCED | Told.BLOCKED | Told.COMPLAINED:
            decide.reject_supporter(action, REJECTS[event.told])
        case Told.UNSUBSCRIBED:
            decide.set_email_status(action, EmailStatus.UNSUB)
        case Told.SOFTLY_BOUNCED:
            return _soften(event_id, action, patience)
        case Told.REFUSED:
            logger.error("mail provider refused a mail", extra={"action": action})
    return False


def _soften(event_id: str, action: int, patience: Patience) -> bool:
    """Count a soft bounce; the one that is too many is a hard one. Raises `NotFound`, `Unavailable`."""
    for pause in pauses():
        now_ms = clock.now_ms()
        _, supporter = decision.action_and_supporter(action)
        known = supporter.soft_bounces
        recent = {int(bounced) for bounced in known or () if bounced > now_ms - patience.days * DAY_MS}
        if len(recent) + 1 >= patience.soft_bounces:
            decide.reject_supporter(action, EmailStatus.BOUNCE)
            return False
        transaction = Transaction()
        transaction.put("event", _seen(event_id), ActionsItem.ref.does_not_exist())
        counted = [SupporterItem.soft_bounces.set({*recent, _another(now_ms, recent)})]
        bounces = SupporterItem.soft_bounces
        as_read = bounces.does_not_exist() if known is None else bounces == known
        item = SupporterItem(supporter.ref, supporter.sk)
        transaction.update("supporter", item, counted, ActionsItem.ref.exists() & as_read)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            if cancelled.refused("event"):
                return True
            clock.sleep_ms(pause)
        else:
            return True
    raise Unavailable("other writes were in the way")


def _another(moment_ms: int, taken: set[int]) -> int:
    """This moment, or the next that is not taken: a set of numbers counts each only once."""
    while moment_ms in taken:
        moment_ms += 1
    return moment_ms


def _remember(event_id: str) -> None:
    try:
        dynamo.save(_seen(event_id), ActionsItem.ref.does_not_exist())
    except Cancelled:
        return  # it came twice at the same time


def _seen(event_id: str) -> SeenEventItem:
    ref, sk = store.event_key(event_id)
    expires = datetime.fromtimestamp(clock.now_ms() // 1000, UTC) + timedelta(days=REMEMBERED_DAYS)
    return SeenEventItem(ref=ref, sk=sk, expires=expires)
