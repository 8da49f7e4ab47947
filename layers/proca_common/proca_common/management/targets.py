"""Targets of a campaign, as its lead org adds, changes and removes them one by one (domain 1.12, 9.7, 12.8).

Lists of them are in `target_lists`. A target that has messages stays (domain 1.18).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from proca_common.actions import store as actions
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items
from proca_common.catalog.changes import Along
from proca_common.catalog.given import checked
from proca_common.errors import InUse, NotFound, Outdated
from proca_common.failures import Failure, Refused
from proca_common.management import audit, campaigns
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.mtt import store as mtt
from proca_common.mtt.store import NumbersItem
from proca_common.orgs.org import Org
from proca_common.targets import store
from proca_common.targets.given import patched
from proca_common.targets.target import MAX_TARGETS, Target, TargetInput
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

HAS_MESSAGES = "has messages"
NUMBERS = ("total", "sent", "refused", "uncertain", "expired")
SHOWN_OF_EMAILS = {"email", "email_status", "error"}


def led_by(caller: Caller, org_name: str, campaign_name: str) -> tuple[Org, Campaign]:
    """The org and its campaign, whose targets the caller may manage. Raises `NotAllowed`, `NotFound`."""
    org = org_of(caller, org_name, Permission.CHANGE_CAMPAIGN_SETTINGS)
    return org, campaigns.led_by(org, campaign_name)


def listed(campaign: Campaign, after: str | None, limit: int) -> list[Target]:
    """So many targets of the campaign after this one, in the order of ids. Raises `Refused`."""
    if after is not None and not mtt.is_target_id(after):
        raise Refused([Failure.bad_format("/cursor")])
    return store.listed(campaign.id, after or "", limit)


def get(campaign: Campaign, target: str) -> Target:
    """The target of the campaign with this id. Raises `NotFound`."""
    if not mtt.is_target_id(target.lower()):
        raise NotFound("target")
    return store.get(campaign.id, target)


def create(caller: Caller, org_name: str, campaign_name: str, given: Mapping[str, Any]) -> tuple[Campaign, Target]:
    """One more target, and whose it is. Raises `NotAllowed`, `NotFound`, `Refused`, `Taken`."""
    org, campaign = led_by(caller, org_name, campaign_name)
    target = store.new(campaign.id, checked(TargetInput, given))
    if len(store.ids(campaign.id)) >= MAX_TARGETS:
        raise InUse(f"the campaign has {MAX_TARGETS} targets, which is as many as it may have")
    return campaign, store.create(target, _recorded(caller, org, "target.create", None, target))


def change(
    caller: Caller, org_name: str, campaign_name: str, target: str, patch: Mapping[str, Any], seen: Seen
) -> tuple[Campaign, Target]:
    """The target with a merge patch, and whose it is.

    Raises `NotAllowed`, `NotFound`, `Refused`, `Taken`, `Outdated`.
    """
    org, campaign = led_by(caller, org_name, campaign_name)
    known = get(campaign, target)
    seen(known.version)
    changed = patched(known, patch)
    if changed == known:
        return campaign, known
    return campaign, store.replace(known, changed, _recorded(caller, org, "target.update", known, changed))


def delete(caller: Caller, org_name: str, campaign_name: str, target: str, seen: Seen) -> None:
    """Remove a target. Raises `NotAllowed`, `NotFound`, `Outdated`, and `InUse` while it has messages."""
    org, campaign = led_by(caller, org_name, campaign_name)
    known = get(campaign, target)
    seen(known.version)
    transaction = Transaction()
    put_gone(transaction, known)
    _recorded(caller, org, "target.delete", known, None)(transaction)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused(messages_label(known.id)):
            raise InUse(HAS_MESSAGES) from None
        raise Outdated from None


def shown(campaign: Campaign, targets: Sequence[Target]) -> list[dict[str, object]]:
    """Targets with addresses and numbers, for staff of the lead: `total` messages that are to go out, and what became
    of them so far.
    """
    numbers = mtt.numbers_of(campaign.id, [target.id for target in targets])
    return [
        {
            **target.model_dump(mode="json", by_alias=True, exclude={"campaign", "emails", "version"}),
            "emails": [one.model_dump(mode="json", by_alias=True, include=SHOWN_OF_EMAILS) for one in target.emails],
            "messages": {name: int(getattr(numbers[target.id], name)) for name in NUMBERS},
        }
        for target in targets
    ]


# --- what has messages stays


def put_gone(transaction: Transaction, target: Target) -> None:
    """Remove a target in this transaction; refused under `messages_label` when it has messages."""
    store.put_gone(transaction, target)
    none = NumbersItem.ref.does_not_exist() | (NumbersItem.total == 0)
    transaction.check(messages_label(target.id), NumbersItem, mtt.numbers_key(target.campaign, target.id), none)


def messages_label(target: str) -> str:
    """Under which a transaction is refused that would remove a target with messages."""
    return f"messages of {target}"


def with_messages(campaign: Campaign, targets: Collection[Target]) -> list[Target]:
    """Those of the targets that have messages."""
    keys = {mtt.numbers_key(campaign.id, target.id): target for target in targets}
    found = actions.read_many(keys)
    return [target for key, target in keys.items() if isinstance(item := found.get(key), NumbersItem) and item.total]


def _recorded(caller: Caller, org: Org, what: str, before: Target | None, after: Target | None) -> Along:
    target = before or after
    about = f"target#{target.id if target else ''}"
    entry = Change(caller.user.id, org.id, what, about, _audited(before), _audited(after))
    return lambda transaction: audit.record(transaction, entry)


def _audited(target: Target | None) -> dict[str, Any]:
    """What the trail keeps of a target: of its addresses how many have which status."""
    if target is None:
        return {}
    settings = target.model_dump(mode="json", by_alias=True, exclude={"id", "emails", "version"})
    return {**settings, "emails": [one.email_status.value for one in target.emails]}
