"""The effective confirm switches of a page (domain 4.1). Pure."""

from __future__ import annotations

from typing import NamedTuple


class Switches(NamedTuple):
    """Whether supporters have to confirm, and whether actions wait for a moderator."""

    supporter_confirm: bool
    action_confirm: bool


def switches(
    *, campaign_supporter: bool | None, campaign_action: bool | None, org_supporter: bool, org_action: bool
) -> Switches:
    """The campaign's own setting wins in both directions; without one the page org's counts (domain 4.1)."""
    return Switches(
        org_supporter if campaign_supporter is None else campaign_supporter,
        org_action if campaign_action is None else campaign_action,
    )
