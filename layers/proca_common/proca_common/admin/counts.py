"""What the admin command does about numbers: counting a campaign again, here and at once."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence

from proca_common.admin.environment import AdminSettings
from proca_common.aws import clock
from proca_common.aws.pace import Pace
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.cli.output import Ticker
from proca_common.errors import InUse
from proca_common.management.audit import OPERATOR
from proca_common.management.count_audits import find, shown
from proca_common.monitors import audits
from proca_common.monitors.audit import Audit
from proca_common.stages.audit import SupersededError, work
from proca_common.stages.audit_later import new_audit

READS_PER_S = 1000
TURN_MS = 2_000
COLUMNS = ("id", "state", "repair", "startedAt", "hours", "actions", "difference", "memberships")


def counts_audit(args: Namespace, settings: AdminSettings) -> Mapping[str, object]:  # noqa: ARG001 - a command has both
    """Count a campaign again from its actions and tell what differs; with --repair put it right."""
    audit = _audit(args, campaigns.find(args.campaign))
    pace = Pace(args.reads)
    with Ticker() as ticker:
        while audit.finished_ms is None:
            ends_ms = clock.now_ms() + TURN_MS
            try:
                audit, pause_s = work(audit, pace, lambda ends_ms=ends_ms: clock.now_ms() < ends_ms)  # type: ignore[misc]
            except SupersededError:
                raise InUse("is being counted by somebody else") from None
            ticker.show(f"{audit.hours} hours, {audit.actions} actions, {audit.wrong} wrong")
            if pause_s:
                ticker.show(f"{audit.hours} hours; {len(audit.again)} were written just now, again in {pause_s} s")
                clock.sleep_ms(1000 * pause_s)
    return shown(audit)


def counts_audits(args: Namespace, settings: AdminSettings) -> Sequence[Mapping[str, object]]:  # noqa: ARG001 - likewise
    """The audits of a campaign, the newest first."""
    found = map(shown, audits.newest(campaigns.find(args.campaign).id))
    return [{column: audit[column] for column in COLUMNS} for audit in found]


def _audit(args: Namespace, campaign: Campaign) -> Audit:
    """The audit to go on with, or a new one; a dry run has no id, and is kept by nobody."""
    if args.id is not None:
        return find(campaign, args.id)
    new = new_audit(campaign.id, OPERATOR, repair=args.repair)
    return new.model_copy(update={"id": 0}) if args.dry_run else new
