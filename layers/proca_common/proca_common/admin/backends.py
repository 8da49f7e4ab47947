"""What the admin command checks of backends before they are set: a mistake is told now, not in a log at night."""

from __future__ import annotations

from collections.abc import Mapping

from proca_common.errors import NotAllowed
from proca_common.orgs.org import OrgInput
from proca_common.orgs.services import Service, ServiceInput, ServiceName
from proca_common.pipes.address_rules import Forbidden, target_of
from proca_common.pipes.foreign_queue import is_queue_url
from proca_common.pipes.webhook import credentials

BACKENDS = ("push_backend", "event_backend", "detail_backend")


def check_service(wanted: ServiceInput, password: str) -> None:
    """Raise `NotAllowed` for a webhook or a queue that could never be used (docs/push.md)."""
    if wanted.name is ServiceName.WEBHOOK:
        _check_url(wanted)
        credentials(wanted.user, password)
    elif wanted.name is ServiceName.SQS and not is_queue_url(wanted.path or "", wanted.host, this_machine=True):
        raise NotAllowed("path must be the URL of a queue in the region that host names")


def check_backends(given: Mapping[str, object], wanted: OrgInput, known: list[Service]) -> None:
    """Raise `NotAllowed` when a backend that is set now has no service among those of the org."""
    names = {service.name for service in known}
    for setting in BACKENDS:
        backend = getattr(wanted, setting)
        if setting in given and backend is not None and ServiceName(backend) not in names:
            raise NotAllowed(f"{setting}: the org has no service {backend}; add it first (service add)")


def _check_url(wanted: ServiceInput) -> None:
    try:
        target_of(wanted.host, this_machine=True)
    except Forbidden as forbidden:
        raise NotAllowed(f"host may not be called: {forbidden}") from None
