"""Numbers over time, for those who work on a campaign: all of it for its lead, its own pages for a partner."""

from __future__ import annotations

from proca_common.action_pages import store as pages
from proca_common.aws import clock
from proca_common.campaigns.campaign import Campaign
from proca_common.errors import NotAllowed
from proca_common.failures import Failure, Refused
from proca_common.management import campaigns
from proca_common.management.access import org_of
from proca_common.monitors import series
from proca_common.monitors.series import Of, Window
from proca_common.orgs.org import Org
from proca_common.users.user import Caller

OWN_PAGES = "Only its lead org may see the numbers of a campaign beyond those of its own pages"


def shown(
    caller: Caller, org_name: str, name: str, *, by: str | None, of: str | None, since: str | None, until: str | None
) -> dict[str, object]:
    """A series as JSON: the beginnings of its steps, and lines with a number for each. Raises `NotAllowed`, `NotFound`,
    `Refused` with every failed rule.
    """
    org = org_of(caller, org_name)
    campaign = campaigns.seen_by(org, name)
    failures: list[Failure] = []
    wanted, asked = Of.CAMPAIGN, None
    if of is not None and of not in [*Of]:
        failures.append(Failure("/of", "invalid", f"should be one of {', '.join(Of)}"))
    elif of is not None:
        wanted = Of(of)
    try:
        asked = series.window(by, since, until, clock.now_ms())
    except Refused as refused:
        failures += refused.failures
    if failures or asked is None:
        raise Refused(failures)
    lines = _of_pages(org, campaign, asked) if wanted is Of.PAGE else _of_campaign(org, campaign, wanted, asked)
    times = asked.times
    return {"by": asked.by, "of": wanted, "since": times[0], "until": times[-1], "times": times, "lines": lines}


def _of_campaign(org: Org, campaign: Campaign, of: Of, asked: Window) -> list[dict[str, object]]:
    if campaign.org != org.id:
        raise NotAllowed(OWN_PAGES)
    return [{"name": name, "numbers": numbers} for name, numbers in series.series(campaign.id, of, asked).items()]


def _of_pages(org: Org, campaign: Campaign, asked: Window) -> list[dict[str, object]]:
    """The lines of pages with their names and ids; of a partner's pages alone, where a partner asks."""
    own = None
    if campaign.org != org.id:
        own = {str(int(entry.id)) for entry in pages.of_org(org.id, campaign=campaign.id)}
    lines = series.series(campaign.id, Of.PAGE, asked, own)
    numbers = [int(name) for name in lines if name.isdecimal()]
    names = {str(page.id): page.name for page in pages.get_many(numbers)}
    return [
        {"name": names.get(name, name), **({"page": int(name)} if name.isdecimal() else {}), "numbers": counted}
        for name, counted in lines.items()
    ]
