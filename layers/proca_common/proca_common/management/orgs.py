"""Orgs, as those who run them make, change and leave them (domain 13.1, 12.8).

An org's queues are made and adapted after it was stored. Whoever breaks off between the two asks for the same once
more: a change that names a setting of the queues adapts them, whether it changes anything or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from proca_common.aws.dynamo import Transaction
from proca_common.casing import camel_case
from proca_common.catalog import happenings
from proca_common.catalog.given import checked, patched
from proca_common.errors import InUse, NotAllowed
from proca_common.failures import Failure, Refused
from proca_common.mails import templates
from proca_common.management import audit
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.management.sizes import check_size
from proca_common.orgs import instance as instances
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import ADDRESS, Encryption, Org, OrgInput, OrgSettings
from proca_common.orgs.services import ServiceName
from proca_common.pipes import topology
from proca_common.users import store as users
from proca_common.users.permissions import CUSTOM, ROLES, Permission, Role, names_of, role_of
from proca_common.users.user import Caller

MAX_OWNED = 20
UNCONFIRMED = "Confirm your e-mail address first"
SYSTEM = "system"
BACKENDS = (
    *("email_backend", "transactional_email_backend", "push_backend", "event_backend", "detail_backend"),
    "storage_backend",
)
QUEUE_SETTINGS = frozenset(
    {
        "customSupporterConfirm",
        "customActionConfirm",
        "customActionDeliver",
        "customEventDeliver",
        "eventQueue",
        "queuePrincipals",
    }
)
"""What the queues of an org depend on."""


class NewOrg(OrgSettings):
    """What a new org says of itself; how its personal data is stored is always its own choice."""

    encryption: Encryption


class InstanceOrgSettings(OrgSettings):
    """What the instance's own org decides."""

    instance_events: bool = False


def create(caller: Caller, given: Mapping[str, Any], queue_prefix: str) -> Org:
    """A new org with its queues, whose owner is the caller. Mails come from the caller's address through the instance,
    unless something else is given.

    Raises `NotAllowed`, `Refused`, `Taken`, `Unavailable`.
    """
    if not caller.user.confirmed:
        raise NotAllowed(UNCONFIRMED)
    owned = sum(bool(perms & Permission.ORG_OWNER) for perms in caller.staff.values())
    if owned >= MAX_OWNED and not caller.user.perms & (Permission.INSTANCE_OWNER | Permission.MANAGE_ORGS):
        raise NotAllowed(f"One may own {MAX_OWNED} orgs")
    wanted = checked(NewOrg, {**_defaults(caller), **given})
    check_size(wanted)
    _check(wanted, None)

    def along(transaction: Transaction, org: Org) -> None:
        users.put_staffer(transaction, caller.user.id, org.id, ROLES[Role.OWNER])
        audit.record(transaction, Change(caller.user.id, org.id, "org.create", f"org#{org.id}", {}, _settings(org)))
        happenings.new_org(transaction, org.id, caller.user.email)

    org = orgs.create(OrgInput(**wanted.model_dump()), along)
    topology.sync(queue_prefix, org)
    return org


def change(caller: Caller, name: str, patch: Mapping[str, Any], seen: Seen, queue_prefix: str) -> Org:
    """Change settings of an org, and its queues with them. Raises `NotAllowed`, `Refused`, `Taken`, `Outdated`."""
    org = org_of(caller, name, Permission.CHANGE_ORG_SETTINGS)
    seen(org.version)
    changed = patched(org, _model(org, patch), patch)
    if changed != org:
        check_size(changed)
        _check(changed, org)
        entry = Change(caller.user.id, org.id, "org.update", f"org#{org.id}", _settings(org), _settings(changed))
        changed = orgs.replace(changed, lambda transaction: audit.record(transaction, entry))
    if QUEUE_SETTINGS & patch.keys():
        topology.sync(queue_prefix, changed)
    return changed


def delete(caller: Caller, name: str, seen: Seen, queue_prefix: str) -> None:
    """Delete an org with its queues and all that is in them; what is left of it is an entry in the trail of the
    instance's org. Raises `InUse` while it has campaigns or pages.
    """
    org = org_of(caller, name, Permission.ORG_OWNER)
    seen(org.version)
    instance = instances.get()
    if org.id == instance.org:
        raise InUse("this is the org of the instance")
    entry = Change(caller.user.id, instance.org, "org.delete", f"org#{org.id}", _settings(org), {})
    orgs.delete(org, lambda transaction: audit.record(transaction, entry))
    topology.remove(queue_prefix, org.id)


def listed(caller: Caller, after: int, limit: int) -> list[Org]:
    """The orgs of the caller, in the order of their ids; all orgs for who manages them."""
    if caller.user.perms & (Permission.INSTANCE_OWNER | Permission.MANAGE_ORGS):
        return orgs.listed(after, limit)
    numbers = sorted(number for number in caller.staff if number > after)[:limit]
    return sorted(orgs.get_many(numbers).values(), key=lambda org: org.id)


def shown(org: Org) -> dict[str, object]:
    """An org, for its members."""
    settings = org.model_dump(mode="json", by_alias=True, exclude={"active_key", "version"})
    return {**settings, "activeKey": None if org.active_key is None else org.active_key.id}


def shown_in_list(org: Org, caller: Caller) -> dict[str, object]:
    """An org among others, and what the caller is there: None for no member."""
    perms = caller.staff.get(org.id)
    return {
        "id": org.id,
        "name": org.name,
        "title": org.title,
        "role": None if perms is None else role_of(perms) or CUSTOM,
        "permissions": [] if perms is None else names_of(perms),
    }


def _defaults(caller: Caller) -> dict[str, Any]:
    lead = orgs.get(instances.get().org)
    defaults: dict[str, Any] = {}
    if lead.email_backend is not None:
        defaults["emailBackend"] = SYSTEM
    if re.fullmatch(ADDRESS, caller.user.email):
        defaults["emailFrom"] = caller.user.email
    return defaults


def _model(org: Org, patch: Mapping[str, Any]) -> type[OrgSettings]:
    if "instanceEvents" in patch and org.id == instances.get().org:
        return InstanceOrgSettings
    return OrgSettings


def _check(wanted: OrgSettings, org: Org | None) -> None:
    """Raise `Refused` with each backend that is not there, and with the template if it is not (domain 1.2)."""
    failures = []
    changed = [name for name in BACKENDS if getattr(wanted, name) not in (None, getattr(org, name, None))]
    if changed:
        own = set() if org is None else {service.name for service in services.of_org(org.id)}
        for name in changed:
            failures += _backend_failures(name, getattr(wanted, name), own, org)
    template = wanted.supporter_confirm_template
    if template is not None and wanted.email_backend is not None:
        unchanged = org is not None and org.supporter_confirm_template == template and org.email_backend is not None
        if not unchanged and (org is None or not templates.is_there(org.id, template)):
            failures.append(no_template("/supporterConfirmTemplate"))
    if failures:
        raise Refused(failures)


def no_template(pointer: str) -> Failure:
    """An org that mails has no template of this name."""
    return Failure(pointer, "not_found", "Template not found")


def _backend_failures(setting: str, backend: str, own: set[ServiceName], org: Org | None) -> list[Failure]:
    pointer = f"/{camel_case(setting)}"
    if backend != SYSTEM:
        return [] if ServiceName(backend) in own else [Failure(pointer, "not_found", "no such service")]
    lead = instances.get().org
    if org is not None and org.id == lead:
        return [Failure.invalid(pointer)]
    if getattr(orgs.get(lead), setting) is not None:
        return []
    kind = setting.removesuffix("_backend").replace("_", " ")
    return [Failure(pointer, "not_found", f"instance org has no {kind} backend configured")]


def _settings(org: Org) -> dict[str, Any]:
    return org.model_dump(mode="json", by_alias=True, exclude={"id", "active_key", "version"})
