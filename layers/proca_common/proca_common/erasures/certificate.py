"""The certificate of an erasure: what was found and removed, and when the last copies age out. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from proca_common.erasures.ledger import ErasureItem
from proca_common.ids import created_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
COPIES_MS = {"streams": DAY_MS, "backups": 7 * DAY_MS, "queues": 14 * DAY_MS}
"""How long what was written before may be read: records of streams; backups, from which the ledger erases it again;
queues, ours and the orgs', where messages that were sent before count from then on, the dead-letter queues included.
"""


def certificate(entry: ErasureItem) -> dict[str, Any]:
    """What the org is shown; nothing in it tells who it was but the HMAC, and that only to whoever knows the ref and
    the instance's key.
    """
    finished = None if entry.finished is None else int(entry.finished)
    return {
        "id": entry.id,
        "state": entry.status,
        "askedAt": _shown(created_ms(entry.id)),
        "askedBy": int(entry.by),
        "finishedAt": None if finished is None else _shown(finished),
        "person": entry.person,
        "removed": {
            "contacts": int(entry.contacts),
            "supporters": int(entry.supporters),
            "actions": int(entry.other_actions),
            "waitingActions": int(entry.waiting_actions),
            "exportFiles": int(entry.files),
        },
        "anonymised": {"actions": int(entry.counted_actions)},
        "keptForOthers": {"supporters": int(entry.kept_for_others)},
        "campaigns": sorted(map(int, entry.campaigns or ())),
        "lastCopies": finished
        and {**{where: _shown(finished + ms) for where, ms in COPIES_MS.items()}, "logs": None, "exportFiles": None},
    }


def _shown(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
