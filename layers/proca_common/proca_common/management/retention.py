"""How long an org keeps contacts: its rules, and applying them at once instead of tonight (domain 13.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.erasures.erase import HasTime
from proca_common.erasures.retention import Kept, Rule, retain, rules_of
from proca_common.management import audit
from proca_common.management.access import org_of
from proca_common.management.audit import Change
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller


class ApplyInput(Entity):
    """Whether it is only said whom the rules are about, which is so unless somebody says otherwise."""

    dry_run: bool = True


def rules(caller: Caller, name: str) -> list[dict[str, Any]]:
    """The rules for what the org has, by campaign. Raises `NotAllowed`, `Unavailable`."""
    org = org_of(caller, name, Permission.DELETE_CONTACTS)
    return [shown(rule) for rule in rules_of(org)]


def apply(caller: Caller, name: str, given: Mapping[str, Any], has_time: HasTime) -> dict[str, Any]:
    """Apply the org's rules, or as much of them as there is time for: the same again goes on. Raises `NotAllowed`,
    `Refused`, `Unavailable`.
    """
    org = org_of(caller, name, Permission.DELETE_CONTACTS)
    wanted = checked(ApplyInput, given)
    if not wanted.dry_run:
        transaction = Transaction()
        audit.record(transaction, Change(caller.user.id, org.id, "contacts.retain", "contacts", {}, {}))
        items.commit(transaction)
    found: list[dict[str, Any]] = []
    for rule in rules_of(org):
        if not has_time():
            break
        found.append({**shown(rule), **report(retain(rule, dry_run=wanted.dry_run, has_time=has_time))})
    else:
        return {"dryRun": wanted.dry_run, "complete": all(each["complete"] for each in found), "items": found}
    return {"dryRun": wanted.dry_run, "complete": False, "items": found}


def shown(rule: Rule) -> dict[str, Any]:
    """A rule as JSON. `due`: whether its time has come."""
    return {
        "campaign": rule.campaign.name,
        "end": None if rule.campaign.end is None else rule.campaign.end.isoformat(),
        "status": rule.campaign.status.value,
        "months": rule.months,
        "of": "campaign" if rule.own else "org",
        "due": rule.is_due(clock.today()),
    }


def report(kept: Kept) -> dict[str, Any]:
    """What applying a rule came to, as JSON."""
    return {
        "people": kept.people,
        "protected": kept.protected,
        "contacts": kept.found["contacts"],
        "supporters": kept.found["supporters"],
        "actionsAnonymised": kept.found["counted_actions"],
        "actionsRemoved": kept.found["other_actions"],
        "exportFiles": kept.found["files"],
        "complete": kept.complete,
    }
