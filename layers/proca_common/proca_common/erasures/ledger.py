"""The ledger of erasures: who was erased for which org, when, and what was found (domain 13.7). Each entry is the
certificate of one erasure, and what its work is resumed with.

pk           sk               attributes
org#<org>    <erasure id>     person, unbound: HMACs; by, status, finished; numbers of what was found

The id is of the form of all ids (design 3): what was made before it goes, what came later stays. The contact ref itself
stands here only while the erasure is at work, and so does the random ref under which what counts goes on.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, NumberSetAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from proca_common.actions import store
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ErasuresItem, Transaction, translated
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.errors import NotFound
from proca_common.ids import RANDOM_BITS, created_ms, first_id_at, new_id, padded

KINDS: Final = (
    "contacts",
    "supporters",
    "counted_actions",
    "other_actions",
    "waiting_actions",
    "files",
    "kept_for_others",
)
"""What is counted: contacts of the org; supporters; actions that go on counting without a person; actions that are
gone; actions that waited for a supporter; export files; supporters of whom another org has a contact still.
"""


class Status(StrEnum):
    """Where an erasure stands."""

    RUNNING = "running"
    DONE = "done"


class ErasureItem(ErasuresItem):
    """An entry. `by`: the user who asked for it. `ref`, `gone`, `told`: only while it is at work; `told`: whether the
    orgs with copies were told. `campaigns`: where something was found. `finished`: ms since 1970.
    """

    person = UnicodeAttribute()
    unbound = UnicodeAttribute()
    by = NumberAttribute()
    status = UnicodeAttribute()
    ref = UnicodeAttribute(null=True)
    gone = UnicodeAttribute(null=True)
    told = BooleanAttribute(null=True)
    campaigns = NumberSetAttribute(null=True)
    finished = NumberAttribute(null=True)
    contacts = NumberAttribute(default=0)
    supporters = NumberAttribute(default=0)
    counted_actions = NumberAttribute(default=0)
    other_actions = NumberAttribute(default=0)
    waiting_actions = NumberAttribute(default=0)
    files = NumberAttribute(default=0)
    kept_for_others = NumberAttribute(default=0)

    @property
    def org(self) -> int:
        """Whose data goes."""
        return int(self.pk.removeprefix("org#"))

    @property
    def id(self) -> int:
        """Which erasure of the org it is."""
        return int(self.sk)

    @property
    def before(self) -> int:
        """The first id that came later."""
        return first_id_at(created_ms(self.id) + 1)


def mark(key: bytes, ref: str) -> str:
    """By what the ledger knows a ref, with the instance's key of erasures: 64 hexadecimal digits."""
    return hmac.new(key, ref.encode(), "sha256").hexdigest()


def enter(
    org: int, ref: str, by: int, key: bytes, order: Callable[[ErasureItem], None] = lambda _: None
) -> ErasureItem:
    """Write down that the person with this contact ref is to be erased for the org. Raises `Unavailable`.

    `order` has it gone on with later; it is sent first, so that no entry, which has the ref, is without an order.
    """
    for _ in pauses():
        entry = ErasureItem(
            pk=f"org#{org}",
            sk=padded(new_id(clock.now_ms(), secrets.randbits(RANDOM_BITS))),
            person=mark(key, ref),
            unbound=mark(key, store.unbound_ref(org, ref)),
            by=by,
            status=Status.RUNNING.value,
            ref=ref,
            gone=new_gone_ref(),
        )
        order(entry)
        try:
            dynamo.save(entry, ErasureItem.pk.does_not_exist())
        except Cancelled:
            continue  # two in one millisecond had the same random bits
        return entry
    raise Unavailable("no id is free")


def new_gone_ref() -> str:
    """The ref under which what still counts of somebody goes on; nobody can tell whose it was."""
    return store.gone_ref(secrets.token_urlsafe(16))


def get(org: int, erasure: int) -> ErasureItem:
    """The entry as last written; raises `NotFound`, `Unavailable`."""
    try:
        return ErasureItem.get(f"org#{org}", padded(erasure), consistent_read=True)
    except DoesNotExist:
        raise NotFound("erasure") from None
    except PynamoDBException as error:
        raise translated(error) from None


def listed(org: int, before: str | None, limit: int) -> list[ErasureItem]:
    """The newest entries of the org, or the newest before the one with this key. Raises `Unavailable`."""
    condition = None if before is None else ErasureItem.sk < before
    try:
        found = ErasureItem.query(f"org#{org}", condition, scan_index_forward=False, limit=limit, consistent_read=True)
        return list(found)
    except PynamoDBException as error:
        raise translated(error) from None


def every() -> Iterator[ErasureItem]:
    """All entries, in no order (admin only). Raises `Unavailable`."""
    try:
        yield from ErasureItem.scan(ErasureItem.person.exists(), consistent_read=True)
    except PynamoDBException as error:
        raise translated(error) from None


def count(transaction: Transaction, entry: ErasureItem, found: dict[str, int]) -> None:
    """Add to the numbers of the entry, in the transaction that removes what is counted."""
    changes = [getattr(ErasureItem, kind).add(number) for kind, number in sorted(found.items()) if number]
    if changes:
        transaction.update("erasure", _key(entry), changes, ErasureItem.status == Status.RUNNING.value)


def note_told(transaction: Transaction, entry: ErasureItem, campaigns: set[float], kept_for_others: int) -> None:
    """Note, in the transaction of the events, that the orgs are told; refused under `erasure` when they were."""
    changes = [ErasureItem.told.set(True), ErasureItem.kept_for_others.set(kept_for_others)]
    if campaigns:
        changes.append(ErasureItem.campaigns.set(campaigns))
    running = ErasureItem.status == Status.RUNNING.value
    transaction.update("erasure", _key(entry), changes, running & ErasureItem.told.does_not_exist())


def finish(entry: ErasureItem, files: int) -> None:
    """It is done: forget whose it was. Raises `Cancelled` when it was done before, `Unavailable`."""
    changes = [
        ErasureItem.status.set(Status.DONE.value),
        ErasureItem.finished.set(clock.now_ms()),
        ErasureItem.files.add(files),
        ErasureItem.ref.remove(),
        ErasureItem.gone.remove(),
        ErasureItem.told.remove(),
    ]
    dynamo.update(_key(entry), changes, ErasureItem.status == Status.RUNNING.value)


def _key(entry: ErasureItem) -> ErasureItem:
    return ErasureItem(entry.pk, entry.sk)
