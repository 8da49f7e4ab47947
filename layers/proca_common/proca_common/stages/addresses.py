"""What is known of a supporter's address, and who is to hear when that changes (domain 4.9, 5.4, 7.2)."""

from __future__ import annotations

from contextlib import suppress

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.action_pages.context import page_context
from proca_common.actions.status import EmailStatus
from proca_common.actions.store import SupporterItem
from proca_common.aws import clock
from proca_common.errors import NotFound
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.routing import event_destinations
from proca_common.stages import outbox

FINAL = frozenset({EmailStatus.BOUNCE, EmailStatus.BLOCKED, EmailStatus.SPAM, EmailStatus.UNSUB})
LINKS = frozenset({EmailStatus.DOUBLE_OPT_IN, EmailStatus.UNSUB})


def reported(known: EmailStatus | None, report: EmailStatus) -> EmailStatus:
    """What is known after a report. A link in an old mail changes nothing of an address that bounced, or whose owner
    unsubscribed or called us spam (design 7.4); a provider is always believed.
    """
    if known in FINAL and report in LINKS:
        return known
    return report


def revoked(known: EmailStatus | None) -> EmailStatus | None:
    """What is known of the address of a supporter who took the signature back (domain 4.9)."""
    return EmailStatus.UNSUB if known is EmailStatus.DOUBLE_OPT_IN else known


def status_of(supporter: SupporterItem) -> EmailStatus | None:
    """What is known; None: nothing."""
    return None if supporter.email_status is None else EmailStatus(supporter.email_status)


def changed(supporter: SupporterItem, status: EmailStatus | None) -> list[UpdateAction]:
    """Store what is known now, and that every org with a contact of the supporter is to hear of it."""
    if status is None:
        return [SupporterItem.email_status.remove(), SupporterItem.email_status_changed.remove()]
    now_ms = clock.now_ms()
    owed = event_destinations(_hearing(supporter))
    return [
        SupporterItem.email_status.set(status.value),
        SupporterItem.email_status_changed.set(now_ms // 1000),
        *(outbox.owing(supporter, owed, now_ms) if owed else ()),
    ]


def status_as_read(supporter: SupporterItem) -> Condition:
    """What is known of the address is as this copy says."""
    known = SupporterItem.email_status
    same: Condition = known.does_not_exist() if supporter.email_status is None else known == supporter.email_status
    return same


def as_read(supporter: SupporterItem) -> Condition:
    """What is known of the address, and what the supporter owes, are as this copy says."""
    same: Condition = SupporterItem.ref.exists() & status_as_read(supporter) & outbox.as_read(supporter)
    return same


def _hearing(supporter: SupporterItem) -> list[Org]:
    """The orgs with a contact of the supporter, and that of the instance if it wants to hear of all."""
    context = page_context(int(supporter.page))
    hearing = {org.id: org for org in (context.org, context.lead) if org.id in supporter.recipients}
    with suppress(NotFound):
        instance = orgs.get(context.instance.org)
        if instance.instance_events:
            hearing[instance.id] = instance
    return [*hearing.values()]
