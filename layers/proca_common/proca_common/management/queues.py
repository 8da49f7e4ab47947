"""The queues of an org, as those who run it see them, and which AWS principals may read them (design 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from proca_common.aws import clock
from proca_common.aws.queue import in_our_words
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import NotAllowed
from proca_common.failures import Failure, Refused
from proca_common.management import audit
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org, Principal
from proca_common.pipes import readings, topology
from proca_common.pipes.ages import oldest_ages_s
from proca_common.pipes.readings import Reading
from proca_common.pipes.routing import Queue, switched_on
from proca_common.pipes.topology import DLQ_SUFFIX, NAMES, Depth
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

MAX_PRINCIPALS = 50
"""What SQS takes in one policy."""


class PrincipalsInput(Entity):
    """Who may read the queues of an org: AWS accounts, roles and users by their ARNs, never everybody."""

    principals: Annotated[tuple[Principal, ...], Field(max_length=MAX_PRINCIPALS)]


def overview(caller: Caller, name: str, prefix: str) -> list[dict[str, object]]:
    """Each queue that the org has, and how it stands; `prefix` is what the URLs of the orgs' queues begin with.

    Raises `NotAllowed`, `Unavailable`.
    """
    org = org_of(caller, name)
    with in_our_words():
        depths = {queue: topology.depth(prefix, org.id, queue) for queue in NAMES}
    there = {queue: depth for queue, depth in depths.items() if depth is not None}
    full_names = {queue: f"{prefix.rpartition('/')[2]}{org.id}-{queue}" for queue in there}
    ages = oldest_ages_s([*full_names.values()]) if there else {}
    read = readings.last(org.id, there) if there else {}

    def shown(queue: str) -> dict[str, object] | None:
        if queue not in there:
            return None
        told = _state(there[queue], ages.get(full_names[queue]), read.get(queue))
        return {"queue": queue, "url": f"{prefix}{org.id}-{queue}", **told}

    return [
        {**found, "isOn": queue in switched_on(org), "deadLetters": shown(queue + DLQ_SUFFIX)}
        for queue in Queue
        if (found := shown(queue)) is not None
    ]


def principals(caller: Caller, name: str) -> Org:
    """The org, whose principals are to be shown."""
    return org_of(caller, name, Permission.CHANGE_ORG_SETTINGS)


def set_principals(caller: Caller, name: str, given: Mapping[str, Any], seen: Seen, prefix: str) -> Org:
    """Let these principals read the org's queues, and no others.

    They are stored, then each queue gets its policy; whoever breaks off between the two asks for the same once more.
    Raises `NotAllowed`, `Refused`, `Outdated`, `Unavailable`.
    """
    org = org_of(caller, name, Permission.CHANGE_ORG_SETTINGS)
    seen(org.version)
    wanted = tuple(sorted(set(checked(PrincipalsInput, given).principals)))
    changed = _stored(caller, org, wanted)
    try:
        _apply(changed, prefix)
    except NotAllowed as unknown:
        _apply(_stored(caller, changed, org.queue_principals), prefix)
        raise Refused([Failure("/principals", "not_found", str(unknown))]) from None
    return changed


def _stored(caller: Caller, org: Org, wanted: tuple[str, ...]) -> Org:
    if wanted == org.queue_principals:
        return org
    before, after = ({"queuePrincipals": list(found)} for found in (org.queue_principals, wanted))
    entry = Change(caller.user.id, org.id, "org.update", f"org#{org.id}", before, after)
    changed = org.model_copy(update={"queue_principals": wanted})
    return orgs.replace(changed, lambda transaction: audit.record(transaction, entry))


def _apply(org: Org, prefix: str) -> None:
    """Set the policies as the org says by now: where two change it at once, the last of them sees what holds."""
    while True:
        with in_our_words():
            topology.set_policies(prefix, org)
        now = orgs.get(org.id)
        if now.queue_principals == org.queue_principals:
            return
        org = now


def _state(depth: Depth, age_s: int | None, reading: Reading | None) -> dict[str, object]:
    """How a queue stands. Its oldest age is CloudWatch's, else that of what was read last, which may be gone."""
    if age_s is None and reading is not None and reading.oldest_ms is not None:
        age_s = (clock.now_ms() - reading.oldest_ms) // 1000
    return {
        "messages": depth.visible + depth.delayed,
        "inFlight": depth.in_flight,
        "oldestAgeSeconds": age_s if depth.total else None,
        "lastReadAt": None if reading is None else _time(reading.at_ms),
    }


def _time(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
