"""What the admin command does about campaigns that nobody signs any more."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from proca_common.admin.environment import AdminSettings
from proca_common.aws import clock
from proca_common.management.campaign_life import backfill_dates, close_idle

MONTHS = 3


def campaign_close_idle(args: Namespace, _: AdminSettings) -> Mapping[str, object]:
    """Close live campaigns without an action for some months; a dry run only says which."""
    idle = close_idle(args.months, clock.today(), dry_run=args.dry_run)
    said = "would_close" if args.dry_run else "closed"
    return {
        said: len(idle.with_actions) + len(idle.without_actions),
        "with_actions": idle.with_actions,
        "without_actions": idle.without_actions,
    }


def campaign_backfill_dates(args: Namespace, _: AdminSettings) -> Mapping[str, object]:
    """Give campaigns without start or end the dates of their first and last action; a dry run only says which."""
    changed = backfill_dates(clock.today(), dry_run=args.dry_run)
    return {"would_change" if args.dry_run else "changed": len(changed), "campaigns": changed}
