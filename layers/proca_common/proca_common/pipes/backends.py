"""Which backend an org's messages go to: its own setting, and the service of that name (domain 1.2, 1.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from proca_common.aws.logs import log_fault
from proca_common.aws.secrets import secret
from proca_common.errors import NotAllowed, NotFound
from proca_common.orgs import services, store
from proca_common.orgs.services import Service, ServiceName
from proca_common.pipes.sending import Backend


@dataclass(frozen=True, slots=True)
class Found:
    """The backend of an org: `kind` names it; `backend` None says that there is none now because of `reason`.

    `is_off`: the org wants nothing pushed (any more).
    """

    kind: str
    backend: Backend | None = None
    reason: str = ""
    is_off: bool = False


def backend_of(
    org_id: int, setting: Literal["push", "event"], passwords_secret: str, *, this_machine: bool = False
) -> Found:
    """The backend of an org as it is set now; nothing is raised, because one org's fault must not hold up others.

    `passwords_secret`: the entry of the key that passwords are sealed with, read only if the service has a password.
    """
    kind = "none"
    try:
        org = store.get(org_id)
        wanted = org.push_backend if setting == "push" else org.event_backend
        if wanted is None:
            return Found(kind, reason="switched off", is_off=True)
        kind = wanted
        service = services.latest(org.id, ServiceName(kind))
        return Found(kind, connected(service, passwords_secret, this_machine=this_machine))
    except NotFound:
        return Found(kind, reason="no such org", is_off=True)
    except NotAllowed as refused:
        return Found(kind, reason=str(refused))
    except Exception as error:  # noqa: BLE001 - see above
        log_fault("backend of an org cannot be found", error, org=org_id)
        return Found(kind, reason="unknown")


def connected(service: Service | None, passwords_secret: str, *, this_machine: bool) -> Backend:
    """The backend of a service `sqs` or `webhook`; raises `NotAllowed` where that cannot be."""
    if service is None:
        raise NotAllowed("the org has no such service")
    password = password_of(service, passwords_secret)
    if service.name is ServiceName.SQS:
        from proca_common.pipes.foreign_queue import ForeignQueue  # noqa: PLC0415 - few orgs have one

        return ForeignQueue(service.host, service.user, password, service.path or "", this_machine=this_machine)
    from proca_common.pipes.webhook import Webhook, credentials  # noqa: PLC0415 - likewise

    return Webhook(service.host, credentials(service.user, password), this_machine=this_machine)


def password_of(service: Service, passwords_secret: str) -> str:
    """A service's password; raises `NotAllowed` when it cannot be opened."""
    return "" if service.sealed_password is None else services.opened(service, secret(passwords_secret))
