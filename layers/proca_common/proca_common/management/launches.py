"""Launching pages: the lead of a campaign makes them live, a partner asks the lead to (domain 13.4, 7.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns import store as campaigns
from proca_common.catalog import happenings
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import LAUNCH_PAGE, Confirm
from proca_common.errors import NotFound
from proca_common.management import audit, notices
from proca_common.management.access import org_of
from proca_common.management.audit import Change
from proca_common.management.confirms import request_launch
from proca_common.users import store as users
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

MAX_ANSWERED = 20
"""How many requests one launch answers; more than a few people hardly ask for the same."""


class Launch(Entity):
    """What a partner says to the lead."""

    message: Annotated[str, Field(max_length=2_000)] | None = None


def launch(
    caller: Caller, org_name: str, number: int, given: Mapping[str, Any], mail_queue_url: str
) -> tuple[ActionPage, Confirm | None]:
    """The page as it is then, and the request if the lead has to say yes first.

    For the lead org any page of the campaign is live at once, one of a partner only for who manages campaigns; what had
    been asked of the lead is answered by that. Raises `NotAllowed`, `NotFound`, `Refused`, `Outdated`, `TooMany`.
    """
    org = org_of(caller, org_name, Permission.MANAGE_ACTION_PAGES)
    wanted = checked(Launch, given)
    page = pages.get(number)
    campaign = campaigns.get(page.campaign)
    if org.id not in (page.org, campaign.org):
        raise NotFound("action page")
    if page.live:
        return page, None
    if org.id != campaign.org:
        confirm = request_launch(caller, page, wanted.message)
        notices.mail(confirm, mail_queue_url)
        return page, confirm
    if page.org != org.id:
        caller.must(org.id, Permission.MANAGE_CAMPAIGNS)
    return _made_live(caller, page, campaign.org), None


def _made_live(caller: Caller, page: ActionPage, lead: int) -> ActionPage:
    asked = [one for one in confirms.open_of(lead, LAUNCH_PAGE) if one.object == page.id]

    def along(transaction: Transaction) -> None:
        entry = Change(caller.user.id, page.org, "page.launch", f"page#{page.id}", {"live": False}, {"live": True})
        audit.record(transaction, entry)
        for one in asked[:MAX_ANSWERED]:
            confirms.end(transaction, one)
        if asked:
            happenings.join_campaign(transaction, page.id, _email(asked[-1].creator))

    return pages.replace(page.model_copy(update={"live": True}), along)


def _email(user: int | None) -> str | None:
    try:
        return None if user is None else users.get(user).email
    except NotFound:
        return None
