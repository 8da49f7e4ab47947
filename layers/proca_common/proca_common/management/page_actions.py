"""Whether anything hangs on a page or campaign, so that it has to stay (domain 1.18, 13.4).

Actions are found by their campaign alone, so those of one page are looked for among them: what is there is found in the
first look, and where there is more than can be looked through, the page stays.
"""

from __future__ import annotations

from proca_common.actions import store
from proca_common.actions.store import ActionItem
from proca_common.aws.dynamo import ByCampaign, index_keys
from proca_common.errors import InUse

MAX_LOOKED_AT = 2_000
HAS_ACTIONS = "has action data"
TOO_MANY = "the campaign has too many actions to know whether this page has none"


def check_none(campaign: int, page: int | None = None) -> None:
    """Raise `InUse` when the campaign, or this page of it, has an action, be it a test or a rejected one."""
    looked_at = 0
    for bucket in range(store.CAMPAIGN_BUCKETS):
        for keys in index_keys(ByCampaign, f"{campaign}#{bucket}"):
            if page is None:
                raise InUse(HAS_ACTIONS)
            for action in store.read_many(keys).values():
                if isinstance(action, ActionItem) and int(action.page) == page:
                    raise InUse(HAS_ACTIONS)
            looked_at += len(keys)
            if looked_at >= MAX_LOOKED_AT:
                raise InUse(TOO_MANY)
