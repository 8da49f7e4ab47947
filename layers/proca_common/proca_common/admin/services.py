"""What the admin command does about services of orgs."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

from proca_common.admin.backends import check_service
from proca_common.admin.environment import AdminSettings
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.services import Service, ServiceInput

Shown = Mapping[str, object] | Sequence[Mapping[str, object]]
SET = ("name", "host", "user", "path", "sending_from", "transactional_email_budget", "rate")


def service_add(args: Namespace, _: AdminSettings) -> Shown:
    """One more service of an org; its password is read from standard input, a line, and kept encrypted."""
    given = {name: getattr(args, name) for name in SET if getattr(args, name) is not None}
    wanted = ServiceInput.model_validate(given)
    password = sys.stdin.readline().strip()
    check_service(wanted, password)
    return _service(services.add(orgs.find(args.org).id, wanted, password))


def service_list(args: Namespace, _: AdminSettings) -> Shown:
    """The org's services; of several with one name the latest updated is used."""
    return [_service(service) for service in services.of_org(orgs.find(args.org).id)]


def service_remove(args: Namespace, _: AdminSettings) -> Shown:
    """Take a service away from its org."""
    service = services.get(orgs.find(args.org).id, args.id)
    services.remove(service)
    return {"removed": service.id, "name": service.name}


def _service(service: Service) -> dict[str, object]:
    shown = service.model_dump(mode="json", by_alias=True, exclude={"sealed_password", "org"})
    return {"id": shown.pop("id"), **shown, "password": service.sealed_password is not None}
