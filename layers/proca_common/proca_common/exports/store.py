"""Records of the files that orgs asked for, in the Catalog table: one item collection per org.

pk               sk
exports#<org>    <id, 16 digits>       a file: what is asked for, how far it is, where it stands

A file has one writer at a time, whoever took it last: taking it raises `turn`, and what another still writes is refused
by its old turn. A number of a part is never used by two turns, so nothing of another writer gets into the file.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.catalog import items
from proca_common.errors import NotFound
from proca_common.exports import files
from proca_common.ids import RANDOM_BITS, new_id, padded

DAY_S: Final = 86_400
FILE_DAYS: Final = 2
RECORD_DAYS: Final = 30
STUCK_MS: Final = 4 * 3600_000
"""Longer than five tries of an order take: nobody works on a file that did not move for so long."""


class State(StrEnum):
    """What became of a file that was asked for."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    REMOVED = "removed"


UNDER_WAY: Final = (State.WAITING, State.RUNNING)


class ExportItem(CatalogItem, discriminator="export"):
    """A file. `asked`: what of, as the org said it; `campaigns`: ids of all that are looked through.

    `until`: the highest id that may be in it. `first`, `last`: the ids of the first and the last action that are looked
    at, `position`: the id of the one that was looked at last. `moved`: when that was (ms since 1970). `upload`,
    `parts`: what was uploaded, by number and ETag; `part`: the number of the next. `rest`: the key of rows that are
    too few for a part. `walked`: all were looked at. `gone`: nothing is left in the bucket.
    """

    id = NumberAttribute()
    org = NumberAttribute()
    who = NumberAttribute()
    asked = JSONAttribute()
    campaigns = JSONAttribute()
    bucket = UnicodeAttribute()
    state = UnicodeAttribute(default=State.WAITING.value)
    until = NumberAttribute()
    first = NumberAttribute(null=True)
    last = NumberAttribute(null=True)
    position = NumberAttribute(null=True)
    rows = NumberAttribute(default=0)
    bytes = NumberAttribute(default=0)
    turn = NumberAttribute(default=0)
    part = NumberAttribute(default=0)
    parts = JSONAttribute(default=list)
    upload = UnicodeAttribute(null=True)
    rest = UnicodeAttribute(null=True)
    walked = BooleanAttribute(default=False)
    moved = NumberAttribute()
    finished = NumberAttribute(null=True)
    gone = BooleanAttribute(default=False)
    expires = TTLAttribute()

    @property
    def key(self) -> str:
        """Where the file is in the bucket."""
        return f"{int(self.org)}/{int(self.id)}.{self.asked['format']}"

    def key_of_rest(self, turn: int) -> str:
        """Where this turn may keep what is too little for a part."""
        return f"{int(self.org)}/{int(self.id)}.rest.{turn}"


def new(
    org: int, who: int, asked: Mapping[str, Any], campaigns: Collection[int], until: int, bucket: str
) -> ExportItem:
    """The record of a file that nobody writes yet; `put` stores it."""
    now_ms = clock.now_ms()
    identifier = new_id(now_ms, secrets.randbits(RANDOM_BITS))
    pk, sk = _key(org, identifier)
    return ExportItem(
        pk=pk,
        sk=sk,
        id=identifier,
        org=org,
        who=who,
        asked=dict(asked),
        campaigns=sorted(campaigns),
        bucket=bucket,
        until=until,
        moved=now_ms,
        expires=datetime.fromtimestamp(now_ms // 1000 + RECORD_DAYS * DAY_S, UTC),
    )


def put(transaction: Transaction, item: ExportItem) -> None:
    """Write a new record in this transaction."""
    transaction.put("export", item, CatalogItem.pk.does_not_exist())


def find(org: int, identifier: int) -> ExportItem | None:
    """The record with this id. Raises `Unavailable`."""
    return items.read(ExportItem, *_key(org, identifier))


def get(org: int, identifier: int) -> ExportItem:
    """The record with this id. Raises `NotFound`, `Unavailable`."""
    found = find(org, identifier)
    if found is None:
        raise NotFound("export")
    return found


def listed(org: int, before: int | None = None, limit: int | None = None) -> list[ExportItem]:
    """The org's records, the newest first, those before the one with this id. Raises `Unavailable`."""
    condition = None if before is None else ExportItem.sk < padded(before)
    try:
        return list(ExportItem.query(_pk(org), condition, scan_index_forward=False, limit=limit, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None


def state_of(item: ExportItem, now_ms: int) -> State:
    """What the org is told: the bucket forgets files, and what nobody works on any more has failed."""
    state = State(item.state)
    if state is State.READY and now_ms - int(item.finished or 0) >= FILE_DAYS * DAY_S * 1000:
        return State.REMOVED
    if state in UNDER_WAY and now_ms - int(item.moved) >= STUCK_MS:
        return State.FAILED
    return state


def take(item: ExportItem) -> None:
    """Become the only one who writes it. Raises `Cancelled` when somebody else did meanwhile, or it was removed."""
    turn = int(item.turn) + 1
    part = int(item.part) + 1
    _change(item, {"state": State.RUNNING.value, "turn": turn, "part": part, "moved": clock.now_ms()}, UNDER_WAY)


def advance(item: ExportItem, **changes: Any) -> None:
    """Write down how far it is. Raises `Cancelled` when it is no longer ours to write."""
    _change(item, {**changes, "moved": clock.now_ms()}, (State.RUNNING,))


def finish(item: ExportItem) -> None:
    """It is ready. Raises `Cancelled` when it is no longer ours to write."""
    now_ms = clock.now_ms()
    _change(item, {"state": State.READY.value, "finished": now_ms, "moved": now_ms}, (State.RUNNING,))


def remove(org: int, identifier: int, state: State = State.REMOVED) -> bool:
    """Take the file away, or stop whoever writes it; nothing of it comes back. Safe to repeat.

    Returns whether something was left to take away. Raises `NotFound`, `Unavailable`.
    """
    for pause in pauses():
        item = get(org, identifier)
        if item.gone:
            return False
        try:
            if item.state != state:
                _change(item, {"state": state.value, "turn": int(item.turn) + 1}, State)
            _clear(item)
            _change(item, {"gone": True}, (state,))
        except Cancelled:
            clock.sleep_ms(pause)
        else:
            return True
    raise Unavailable("other writes were in the way")


def remove_files(org: int, campaigns: set[int]) -> int:
    """Take away all files of the org that may hold something of these campaigns, also those that are being written; how
    many there were. Safe to repeat.

    To erase somebody, call it when the contacts are gone: a file that is begun later finds nothing of them. Raises
    `Unavailable`.
    """
    found = [item for item in listed(org) if not item.gone and campaigns.intersection(item.campaigns)]
    return sum(remove(org, int(item.id)) for item in found)


def forget_rests(item: ExportItem) -> None:
    """Remove what earlier turns kept. Raises `Unavailable`."""
    files.delete(item.bucket, *_rests(item))


def _clear(item: ExportItem) -> None:
    if item.upload is not None:
        files.abort(item.bucket, item.key, item.upload)
    files.delete(item.bucket, item.key, *_rests(item))


def _rests(item: ExportItem) -> Iterator[str]:
    return (item.key_of_rest(turn) for turn in range(1, int(item.turn) + 1))


def _change(item: ExportItem, changes: Mapping[str, Any], states: Sequence[State] | type[State]) -> None:
    condition = (ExportItem.turn == int(item.turn)) & ExportItem.state.is_in(*(state.value for state in states))
    actions: list[UpdateAction] = []
    for name, value in changes.items():
        attribute = getattr(ExportItem, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    dynamo.update(ExportItem(item.pk, item.sk), actions, condition)
    for name, value in changes.items():
        setattr(item, name, value)


def _pk(org: int) -> str:
    return f"exports#{org}"


def _key(org: int, identifier: int) -> tuple[str, str]:
    return _pk(org), padded(identifier)
