"""Audits of a campaign's numbers: who has them counted again, and what was found (how: `stages.audit`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from proca_common.aws.dynamo import Transaction
from proca_common.campaigns.campaign import Campaign, CampaignStatus
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import InUse, NotFound
from proca_common.management import audit as trail
from proca_common.management.access import org_of
from proca_common.management.audit import OPERATOR, Change
from proca_common.management.campaigns import led_by
from proca_common.monitors import audits
from proca_common.monitors.audit import Audit, State
from proca_common.stages.audit_later import new_audit, order
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

GIVEN_UP_MS = 86_400_000
"""An audit that is not finished after a day does not keep others from being asked for."""


class AuditInput(Entity):
    """What is asked for: to compare, or to repair what differs, too."""

    repair: bool = False


def ask(caller: Caller, org_name: str, name: str, given: Mapping[str, Any], queue_url: str) -> Audit:
    """Have a campaign counted again. Raises `NotAllowed`, `NotFound`, `Refused`, `Unavailable`, and `InUse` while that
    is being done.
    """
    org = org_of(caller, org_name, Permission.MANAGE_CAMPAIGNS)
    campaign = led_by(org, name)
    wanted = checked(AuditInput, given)
    audit = new_audit(campaign.id, caller.user.id, repair=wanted.repair)
    if _is_at_work(audit):
        raise InUse("is being counted")
    transaction = Transaction()
    stored = order(queue_url, audit, transaction)
    told = {"id": audit.id, "repair": audit.repair}
    trail.record(transaction, Change(caller.user.id, org.id, "campaign.audit", f"campaign#{campaign.id}", {}, told))
    items.commit(transaction)
    return stored


def ask_for_all(every: Iterable[Campaign], queue_url: str) -> int:
    """Have all live campaigns counted and repaired, those left out that are being counted; how many that are. Raises
    `Unavailable`.
    """
    asked = 0
    for campaign in every:
        audit = new_audit(campaign.id, OPERATOR, repair=True)
        if campaign.status is not CampaignStatus.LIVE or _is_at_work(audit):
            continue
        transaction = Transaction()
        order(queue_url, audit, transaction)
        items.commit(transaction)
        asked += 1
    return asked


def seen_by(caller: Caller, org_name: str, name: str) -> Campaign:
    """The campaign whose audits are asked for; its lead org alone sees them. Raises `NotAllowed`, `NotFound`."""
    return led_by(org_of(caller, org_name, Permission.MANAGE_CAMPAIGNS), name)


def find(campaign: Campaign, audit: int) -> Audit:
    """One of its audits. Raises `NotFound`."""
    found = audits.find(campaign.id, audit)
    if found is None:
        raise NotFound("audit")
    return found


def shown(audit: Audit) -> dict[str, object]:
    """An audit, for staff of the lead org and for operators."""
    return {
        "id": audit.id,
        "state": audit.state.value,
        "repair": audit.repair,
        "who": audit.who,
        "startedAt": _moment(audit.started_ms),
        "finishedAt": None if audit.finished_ms is None else _moment(audit.finished_ms),
        "until": f"{audit.until}:00:00Z",
        "hours": audit.hours,
        "actions": audit.actions,
        "memberships": audit.memberships,
        "differing": audit.differing,
        "difference": audit.difference,
        "findings": [finding.model_dump() for finding in audit.findings],
        "unsettled": list(audit.unsettled),
    }


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_at_work(wanted: Audit) -> bool:
    known = audits.newest(wanted.campaign, limit=1)
    return any(
        audit.state is not State.FINISHED and wanted.started_ms - audit.started_ms < GIVEN_UP_MS for audit in known
    )
