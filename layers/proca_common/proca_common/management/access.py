"""Which org somebody works on, and what of it may be touched: asked first whatever is managed (domain 12.8)."""

from __future__ import annotations

from collections.abc import Callable

from proca_common.action_pages import store as pages
from proca_common.campaigns import store as campaigns
from proca_common.catalog import names
from proca_common.errors import NotFound
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

NO_ORG = 0

Seen = Callable[[int], None]
"""Raises `Outdated` when a record is no longer in the version that whoever changes it has seen."""


def org_of(caller: Caller, name: str, *needed: Permission) -> Org:
    """The org with this name, of which the caller is a member with one of the permissions needed, if any are.

    Raises `NotAllowed`, the same and after the same calls for an org that is not there; to whoever owns the instance,
    which may see all, `NotFound`.
    """
    number = names.find("org", name)
    if needed:
        caller.must(number or NO_ORG, *needed)
    else:
        caller.must_be_member(number or NO_ORG)
    if number is None:
        raise NotFound("org")
    return orgs.get(number)


def campaign_of(org: Org, name: str) -> int:
    """A campaign that the org leads or has pages of, by its name; of another nobody is told whether it is there.

    Raises `NotFound`.
    """
    campaign = campaigns.find(name)
    if campaign.org != org.id and not pages.of_org(org.id, campaign=campaign.id):
        raise NotFound("campaign")
    return campaign.id
