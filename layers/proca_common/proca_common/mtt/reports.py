"""What providers report of mails to targets, and what becomes of the addresses (domain 9.8).

Only the address that is reported changes; the next good one is used from then on. Whoever got a copy is no address of
the target, so nothing is made of that. All of it may be repeated: a status is the same the second time.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from proca_common.actions.status import EmailStatus
from proca_common.aws.logs import logger
from proca_common.mails.provider_events import MailEvent, Told
from proca_common.mtt import store
from proca_common.mtt.store import MailId
from proca_common.targets import store as targets
from proca_common.targets.target import TargetEmail, emails_after_report

STATUS: Final = {
    Told.BOUNCED: EmailStatus.BOUNCE,
    Told.SOFTLY_BOUNCED: EmailStatus.BOUNCE,
    Told.BLOCKED: EmailStatus.BLOCKED,
    Told.COMPLAINED: EmailStatus.SPAM,
    Told.UNSUBSCRIBED: EmailStatus.UNSUB,
}


def heed(event: MailEvent) -> None:
    """Store what was told of addresses of a target, where it is one of its mails. Raises `Unavailable`."""
    mail = MailId.parse(event.target_mail or "")
    status = STATUS.get(event.told)
    if mail is None or store.read_mail(mail) is None:
        logger.info("mail was to no target that is known")
        return
    if status is None:
        logger.error("mail provider refused a mail to a target", extra={"campaign": mail.campaign})
        return
    soft = event.told is Told.SOFTLY_BOUNCED
    for reported in event.reported:
        change = partial(_after, email=reported.email, status=status, error=reported.said, soft=soft)
        targets.change_emails(mail.campaign, mail.target, change)


def _after(
    known: tuple[TargetEmail, ...], *, email: str, status: EmailStatus, error: str | None, soft: bool
) -> tuple[TargetEmail, ...]:
    return emails_after_report(known, email, status, error, soft=soft)
