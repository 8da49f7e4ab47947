"""Whether the system can do its work (domain 14.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proca_common.aws.errors import CloudError
from proca_common.aws.logs import log_fault
from proca_common.catalog import items
from proca_common.orgs import instance

if TYPE_CHECKING:
    from proca_common.monitors.shapes import Health


HEALTHY: Health = {"status": "ok"}
UNREACHABLE: Health = {"status": "error", "message": "database unreachable"}


def store_answers() -> bool:
    """A trivial read of the catalogue; an instance that was not set up is healthy too."""
    try:
        items.read(instance.InstanceItem, *instance.KEY)
    except CloudError as error:
        log_fault("store does not answer", error)
        return False
    return True
