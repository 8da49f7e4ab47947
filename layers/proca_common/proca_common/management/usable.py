"""Whether what an org sets up can be used at all, told when it is set up (docs/push.md). Pure."""

from __future__ import annotations

from proca_common.errors import NotAllowed
from proca_common.failures import Failure
from proca_common.mtt.file_keys import is_folder
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.pipes.address_rules import Forbidden, target_of
from proca_common.pipes.foreign_queue import is_queue_url
from proca_common.pipes.webhook import credentials


def service_failures(wanted: ServiceInput, password: str, *, this_machine: bool) -> list[Failure]:
    """Why a webhook, a queue or a store of files could never be used: a mistake is told now, not in a log at night."""
    failures = []
    if wanted.name is ServiceName.WEBHOOK:
        try:
            target_of(wanted.host, this_machine=this_machine)
        except Forbidden as forbidden:
            failures.append(Failure("/host", "invalid", f"may not be called: {forbidden}"))
        try:
            credentials(wanted.user, password)
        except NotAllowed as refused:
            failures.append(Failure("/password", "invalid", str(refused)))
    elif wanted.name is ServiceName.SQS and not is_queue_url(wanted.path or "", wanted.host, this_machine=this_machine):
        failures.append(Failure("/path", "invalid", "must be the URL of a queue in the region that host names"))
    elif wanted.name is ServiceName.S3:
        if not is_folder(wanted.path or ""):
            failures.append(Failure("/path", "invalid", "must be a bucket, or a folder in it: bucket/folder"))
        given = {"/user": wanted.user, "/password": password}
        failures += [Failure.blank(pointer) for pointer, value in given.items() if not value]
    return failures
