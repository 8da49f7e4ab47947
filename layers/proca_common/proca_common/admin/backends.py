"""What the admin command checks of backends before they are set: a mistake is told now, not in a log at night."""

from __future__ import annotations

from collections.abc import Mapping

from proca_common.errors import NotAllowed
from proca_common.management.usable import service_failures
from proca_common.orgs.org import OrgInput
from proca_common.orgs.services import Service, ServiceInput, ServiceName

BACKENDS = ("push_backend", "event_backend", "detail_backend")


def check_service(wanted: ServiceInput, password: str) -> None:
    """Raise `NotAllowed` for a webhook or a queue that could never be used."""
    failures = service_failures(wanted, password, this_machine=True)
    if failures:
        raise NotAllowed("; ".join(f"{failed.pointer[1:]} {failed.message}" for failed in failures))


def check_backends(given: Mapping[str, object], wanted: OrgInput, known: list[Service]) -> None:
    """Raise `NotAllowed` when a backend that is set now has no service among those of the org."""
    names = {service.name for service in known}
    for setting in BACKENDS:
        backend = getattr(wanted, setting)
        if setting in given and backend is not None and ServiceName(backend) not in names:
            raise NotAllowed(f"{setting}: the org has no service {backend}; add it first (service add)")
