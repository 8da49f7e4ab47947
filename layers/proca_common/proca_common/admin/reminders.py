"""What the admin command does about supporters who did not confirm."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from proca_common.admin.environment import AdminSettings
from proca_common.aws import clock
from proca_common.aws.settings import SettingsError
from proca_common.campaigns import store as campaigns
from proca_common.errors import NotFound
from proca_common.stages.remind import Outcome, remind

PATIENCE_MS = 3_600_000


def remind_now(args: Namespace, settings: AdminSettings) -> Mapping[str, object]:
    """Remind all supporters who are due, as the schedule does every hour; a dry run only says how many that are."""
    if not args.dry_run and settings.mail_queue_url is None:
        raise SettingsError("missing or empty environment variables: MAIL_QUEUE_URL")
    hour = remind(None if args.dry_run else settings.mail_queue_url, clock.now_ms() + PATIENCE_MS)
    if hour.fault is not None:
        raise hour.fault
    counts: dict[str, object] = {outcome.value: hour.counts[outcome] for outcome in Outcome}
    campaigns_reminded = {_name(campaign): count for campaign, count in sorted(hour.by_campaign.items())}
    return {**counts, "campaigns": campaigns_reminded}


def _name(campaign: int) -> str:
    try:
        return campaigns.get(campaign).name
    except NotFound:
        return str(campaign)
