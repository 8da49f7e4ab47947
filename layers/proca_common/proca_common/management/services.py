"""Services of an org, as its staff set them up (domain 1.11, 13.5). A password goes in and never comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from proca_common.aws.dynamo import Transaction
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked, patched
from proca_common.failures import Failure, Refused
from proca_common.mails import counts
from proca_common.management import audit
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.management.usable import service_failures
from proca_common.orgs import instance as instances
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.orgs.services import Service, ServiceInput, ServiceName
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

NEEDED = Permission.CHANGE_ORG_SERVICES
PASSWORD = "password"  # noqa: S105 - the name of a field
NOT_THE_OWN = "is needed: only the instance's org sends with the instance's own account, others borrow it as `system`"
BACKENDS = (
    *("email_backend", "transactional_email_backend", "push_backend", "event_backend", "detail_backend"),
    "storage_backend",
)


class Secret(Entity):
    """What is never shown. None and "" take it away."""

    password: Annotated[str | None, Field(max_length=2_000, repr=False)] = None


def listed(caller: Caller, org_name: str, after: int, limit: int) -> list[Service]:
    """The org's services in the order of their ids; of several with one name the latest updated is used."""
    org = org_of(caller, org_name, NEEDED)
    return [service for service in services.of_org(org.id) if service.id > after][:limit]


def get(caller: Caller, org_name: str, number: int) -> Service:
    """One of the org's services. Raises `NotFound`."""
    return services.get(org_of(caller, org_name, NEEDED).id, number)


def create(caller: Caller, org_name: str, given: Mapping[str, Any], *, this_machine: bool) -> Service:
    """One more service. `this_machine`: whether addresses of the own machine may be called. Raises `Refused`."""
    org = org_of(caller, org_name, NEEDED)
    password = _password(given)
    wanted = checked(ServiceInput, _without_password(given))
    _check(org, wanted, password, this_machine=this_machine)

    def along(transaction: Transaction, service: Service) -> None:
        what = f"service#{service.id}"
        audit.record(transaction, Change(caller.user.id, org.id, "service.create", what, {}, _audited(service)))

    return services.add(org.id, wanted, password, along)


def change(
    caller: Caller, org_name: str, number: int, patch: Mapping[str, Any], seen: Seen, *, this_machine: bool
) -> Service:
    """Other settings, another password; its name stays. Raises `NotFound`, `Refused`, `Outdated`."""
    org = org_of(caller, org_name, NEEDED)
    known = services.get(org.id, number)
    seen(services.version_of(known))
    password = _password(patch) if PASSWORD in patch else None
    wanted = patched(known, ServiceInput, _without_password(patch))
    if wanted.name != known.name:
        raise Refused([Failure("/name", "invalid", "cannot be changed")])
    _check(org, wanted, password or "", this_machine=this_machine)
    if wanted == known and password is None:
        return known

    def along(transaction: Transaction, service: Service) -> None:
        after = _audited(service)
        if password:
            after[PASSWORD] = "another"
        what = f"service#{known.id}"
        audit.record(transaction, Change(caller.user.id, org.id, "service.update", what, _audited(known), after))

    settings = ServiceInput(**{name: getattr(wanted, name) for name in ServiceInput.model_fields})
    return services.replace(known, settings, password, along)


def remove(caller: Caller, org_name: str, number: int, seen: Seen) -> None:
    """Take a service away; backends that were it are none from then on (domain 1.18). Raises `NotFound`, `Outdated`."""
    org = org_of(caller, org_name, NEEDED)
    known = services.get(org.id, number)
    seen(services.version_of(known))
    others = {service.name for service in services.of_org(org.id) if service.id != known.id}
    gone = {name: None for name in BACKENDS if getattr(org, name) == known.name and known.name not in others}

    def along(transaction: Transaction) -> None:
        before = {**_audited(known), **_backends(org, gone)}
        change = Change(
            caller.user.id, org.id, "service.delete", f"service#{known.id}", before, dict.fromkeys(_backends(org, gone))
        )
        audit.record(transaction, change)
        if gone:
            orgs.put_changed(transaction, org, org.model_copy(update=gone))

    services.remove(known, along)


def shown(service: Service) -> dict[str, object]:
    """A service; of its password only whether there is one."""
    settings = service.model_dump(mode="json", by_alias=True, exclude={"sealed_password", "org"})
    return {**settings, PASSWORD: service.sealed_password is not None}


def _check(org: Org, wanted: ServiceInput, password: str, *, this_machine: bool) -> None:
    failures = service_failures(wanted, password, this_machine=this_machine)
    if wanted.name is ServiceName.SES and not wanted.user and org.id != instances.get().org:
        failures = [*failures, Failure("/user", "blank", NOT_THE_OWN)]
    if failures:
        raise Refused(failures)


def _password(given: Mapping[str, Any]) -> str:
    return checked(Secret, {PASSWORD: given.get(PASSWORD)}).password or ""


def _without_password(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != PASSWORD}


def reset_budget(caller: Caller, org_name: str) -> None:
    """Count the org's mails for the budget of its transactional backend anew (domain 8.7). Raises `Unavailable`."""
    org = org_of(caller, org_name, NEEDED)
    counts.reset_budget(org.id)
    transaction = Transaction()
    audit.record(transaction, Change(caller.user.id, org.id, "service.reset_budget", "services", {}, {}))
    items.commit(transaction)


def _audited(service: Service) -> dict[str, Any]:
    settings = service.model_dump(mode="json", by_alias=True, exclude={"id", "org", "updated", "sealed_password"})
    return {**settings, PASSWORD: None if service.sealed_password is None else "set"}


def _backends(org: Org, names: Mapping[str, None]) -> dict[str, Any]:
    return org.model_dump(mode="json", by_alias=True, include=set(names))
