"""What an org takes out: rows of its actions and contacts, what it has of one person, files (domain 13.6).

An export is a snapshot: of ids up to a minute before it begins, so that none comes in between later, in the state in
which they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.catalog import items
from proca_common.catalog.entity import Entity, Moment
from proca_common.catalog.given import checked
from proca_common.contacts.fingerprint import contact_ref
from proca_common.contacts.text import trim
from proca_common.errors import TooMany
from proca_common.exports import files, store, walk
from proca_common.exports.formats import Format, lines
from proca_common.exports.rows import Filters, Kind, Row
from proca_common.exports.store import UNDER_WAY, ExportItem, State, state_of
from proca_common.exports.walk import Span, Step
from proca_common.exports.work import order
from proca_common.failures import Failure, Refused
from proca_common.ids import created_at, first_id_at
from proca_common.management import audit
from proca_common.management.access import campaign_of, org_of
from proca_common.management.audit import Change
from proca_common.management.places import cursor_of, place_of
from proca_common.orgs.org import Org
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

SETTLED_MS = 60_000
"""Clocks of environments agree on, and signatures are stored within, so much."""
USUAL_ROWS = 100
MOST_ROWS = 1_000
MOST_BYTES = 4 * 1024 * 1024
"""An answer may have 6 MB."""
MOST_AT_ONCE = 5
MAX_ID = 2**53 - 1
MAX_NAME = 255
MAX_EMAIL = 1_000

HasTime = Callable[[], bool]
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS)]
Cursor = Annotated[str, Field(max_length=100)]


class FiltersInput(Entity):
    """Which rows are wanted (domain 13.6)."""

    campaign: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] | None = None
    start: Annotated[int, Field(ge=0, le=MAX_ID)] = 0
    after: Moment | None = None
    accepted_after: Moment | None = None
    only_opt_in: bool = True
    only_double_opt_in: bool = False
    include_testing: bool = False


class RowsInput(FiltersInput):
    """The same, a part at a time."""

    limit: Limit = USUAL_ROWS
    cursor: Cursor | None = None


class FileInput(FiltersInput):
    """The same, as a file."""

    kind: Kind
    format: Format


class LookUpInput(Entity):
    """Whose rows: the person with this address, or with this ref."""

    email: Annotated[str, Field(max_length=MAX_EMAIL)] | None = None
    contact_ref: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")] | None = None
    include_testing: bool = False
    limit: Limit = USUAL_ROWS
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a reader is: all ids up to `done`, of those up to `until`."""

    done: int
    until: int

    @classmethod
    def parse(cls, cursor: str) -> _Place:
        """Raises `Refused` for what is no cursor."""
        done, until = place_of(cursor)
        return cls(done, min(until, _settled()))

    def __str__(self) -> str:
        return cursor_of(self.done, self.until)


def rows(caller: Caller, name: str, kind: Kind, given: Mapping[str, Any], has_time: HasTime) -> dict[str, object]:
    """Some rows of the org's actions or contacts, and the cursor to go on with.

    They may be fewer than asked for, even none, where many actions have to be looked at. Raises `NotAllowed`,
    `NotFound` (campaign), `Refused`, `Unavailable`.
    """
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(RowsInput, given)
    place = _Place(_first(wanted) - 1, _settled()) if wanted.cursor is None else _Place.parse(wanted.cursor)
    span = Span(org.id, _campaigns(org, wanted), max(_first(wanted), place.done + 1), place.until)
    steps = walk.walk(span, _filters(kind, wanted), wanted.limit)
    return _part(steps, wanted.limit, place, has_time)


def look_up(caller: Caller, name: str, given: Mapping[str, Any], seed: Callable[[], str]) -> dict[str, object]:
    """All rows of one person in whatever state and with whatever consent (domain 13.6), as last written.

    The person of an address is that of the schema `basic`; of other schemas it is found by the contact ref.
    """
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(LookUpInput, given)
    email = trim(wanted.email or "").lower()
    if bool(email) == (wanted.contact_ref is not None):
        raise Refused([Failure("/email", "invalid", "either this or contactRef")])
    place = _Place(0, MAX_ID) if wanted.cursor is None else _Place.parse(wanted.cursor)
    ref = wanted.contact_ref or contact_ref(seed(), email)
    if wanted.cursor is None:
        _record(caller, org, "contacts.look_up", "contacts", {"by": "email" if email else "contactRef"})
    filters = Filters(everything=True, include_testing=wanted.include_testing)
    return _part(walk.of_person(ref, org.id, filters, place.done), wanted.limit, place, lambda: True)


def begin(caller: Caller, name: str, given: Mapping[str, Any], bucket: str, queue_url: str) -> ExportItem:
    """A file that is written from now on. Raises `NotAllowed`, `NotFound`, `Refused`, `TooMany`, `Unavailable`."""
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(FileInput, given)
    campaigns = _campaigns(org, wanted)
    now_ms = clock.now_ms()
    if sum(state_of(item, now_ms) in UNDER_WAY for item in store.listed(org.id)) >= MOST_AT_ONCE:
        raise TooMany(f"{MOST_AT_ONCE} files are being written already", retry_after_s=60)
    asked = {
        "kind": wanted.kind.value,
        "format": wanted.format.value,
        "campaign": wanted.campaign,
        "start": _first(wanted),
        "acceptedAfterMs": _ms(wanted.accepted_after),
        "onlyOptIn": wanted.only_opt_in,
        "onlyDoubleOptIn": wanted.only_double_opt_in,
        "includeTesting": wanted.include_testing,
    }
    item = store.new(org.id, caller.user.id, asked, campaigns, _settled(), bucket)
    order(queue_url, item)
    transaction = Transaction()
    store.put(transaction, item)
    told = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
    audit.record(transaction, Change(caller.user.id, org.id, "export.create", f"export#{item.id}", {}, told))
    items.commit(transaction)
    return item


def listed(caller: Caller, name: str, before: int | None, limit: int) -> list[ExportItem]:
    """The org's files, the newest first. Raises `NotAllowed`, `NotFound`, `Unavailable`."""
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    return store.listed(org.id, before, limit)


def get(caller: Caller, name: str, export: int) -> ExportItem:
    """One of the org's files. Raises `NotAllowed`, `NotFound`, `Unavailable`."""
    return store.get(org_of(caller, name, Permission.EXPORT_CONTACTS).id, export)


def remove(caller: Caller, name: str, export: int) -> None:
    """Take a file away, or stop its being written. Raises `NotAllowed`, `NotFound`, `Unavailable`."""
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    if store.remove(org.id, export):
        _record(caller, org, "export.delete", f"export#{export}", {})


def shown(item: ExportItem, *, with_link: bool = False) -> dict[str, object]:
    """A file as the org sees it. `share`: of the ids that are looked at, by the time that they stand for."""
    state, asked = state_of(item, clock.now_ms()), item.asked
    until_ms = None if item.finished is None else int(item.finished) + store.FILE_DAYS * store.DAY_S * 1000
    found: dict[str, object] = {
        "id": int(item.id),
        "kind": asked["kind"],
        "format": asked["format"],
        "filters": {
            **{name: asked[name] for name in ("campaign", "onlyOptIn", "onlyDoubleOptIn", "includeTesting")},
            "start": asked["start"],
            "acceptedAfter": _shown(asked["acceptedAfterMs"]),
        },
        "state": state.value,
        "share": _share(item, state),
        "rows": int(item.rows),
        "bytes": int(item.bytes),
        "createdAt": created_at(int(item.id)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "createdBy": int(item.who),
        "upTo": created_at(int(item.until)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "readyAt": None if item.finished is None else _shown(int(item.finished)),
        "expiresAt": _shown(until_ms),
    }
    if with_link:
        found["link"] = files.link(item.bucket, item.key) if state is State.READY else None
    return found


def _part(steps: Iterator[Step], limit: int, place: _Place, has_time: HasTime) -> dict[str, object]:
    found: list[Row] = []
    size = 0
    for step in steps:
        for row in step.rows:
            size += len(lines([row], Format.NDJSON))
            if found and size > MOST_BYTES:
                return {"items": found, "next": str(_Place(found[-1]["actionId"], place.until))}
            found.append(row)
            if len(found) == limit:
                return {"items": found, "next": str(_Place(row["actionId"], place.until))}
        if not has_time():
            return {"items": found, "next": str(_Place(step.ids[-1], place.until))}
    return {"items": found, "next": None}


def _campaigns(org: Org, wanted: FiltersInput) -> set[int]:
    return walk.campaigns_of(org.id) if wanted.campaign is None else {campaign_of(org, wanted.campaign)}


def _filters(kind: Kind, wanted: FiltersInput) -> Filters:
    return Filters(
        kind=kind,
        only_opt_in=wanted.only_opt_in,
        only_double_opt_in=wanted.only_double_opt_in,
        include_testing=wanted.include_testing,
        accepted_after_ms=_ms(wanted.accepted_after),
    )


def _first(wanted: FiltersInput) -> int:
    after = _ms(wanted.after)
    return max(wanted.start, 0 if after is None else first_id_at(after))


def _settled() -> int:
    """The highest id below which none comes any more."""
    return first_id_at(clock.now_ms() - SETTLED_MS) - 1


def _share(item: ExportItem, state: State) -> float:
    if item.walked or state is State.READY:
        return 1.0
    if item.position is None or item.first is None:
        return 0.0
    done, all_of_it = int(item.position) - int(item.first) + 1, int(item.last) - int(item.first) + 1
    return round(done / max(all_of_it, done), 3)


def _record(caller: Caller, org: Org, action: str, what: str, told: Mapping[str, Any]) -> None:
    transaction = Transaction()
    audit.record(transaction, Change(caller.user.id, org.id, action, what, {}, told))
    items.commit(transaction)


def _ms(moment: datetime | None) -> int | None:
    """Ms since 1970."""
    return None if moment is None else int(moment.timestamp() * 1000)


def _shown(moment_ms: int | None) -> str | None:
    if moment_ms is None:
        return None
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return moment.replace(tzinfo=None).isoformat() + "Z"  # strftime would make the year 1 of year 0001
