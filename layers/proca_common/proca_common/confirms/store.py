"""Confirms in the Catalog table. They disappear some days after their time is over.

pk                sk
confirm#<code>    confirm       a Confirm
confirms#<org>    <id>          it stands in this org's list: its code; removed once it is used up or ended
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws import clock
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.catalog import happenings, items
from proca_common.confirms.confirm import CODE_DIGITS, Confirm
from proca_common.ids import RANDOM_BITS, new_id, padded

SK = "confirm"
TRIES = 8
LABEL = "confirm"
"""Under which what is written to a Confirm is refused."""
Along = Callable[[Transaction, Confirm], None]


class ConfirmItem(CatalogItem, discriminator="confirm"):
    """A Confirm."""

    operation = UnicodeAttribute()
    subject_id = NumberAttribute()
    object_id = NumberAttribute(null=True)
    email = UnicodeAttribute(null=True)
    message = UnicodeAttribute(null=True)
    creator = NumberAttribute(null=True)
    charges = NumberAttribute()
    expires = TTLAttribute(null=True)
    org = NumberAttribute(null=True)
    id = NumberAttribute(null=True)


class ListedItem(CatalogItem, discriminator="listed_confirm"):
    """An entry of an org's list."""

    code = UnicodeAttribute()
    expires = TTLAttribute(null=True)


def create(wanted: Confirm, along: Along | None = None) -> Confirm:
    """Store it under a new code, whatever code is asked for; if it has an org, in its list under a new id. Whoever is
    to hear of it is told. `along` adds what is written with it. Raises `Unavailable`.
    """
    number = None if wanted.org is None else new_id(clock.now_ms(), secrets.randbits(RANDOM_BITS))
    for _ in range(TRIES):
        confirm = replace(wanted, code=new_code(), id=number)
        transaction = Transaction()
        transaction.put(LABEL, _item(confirm), CatalogItem.pk.does_not_exist())
        happenings.confirm_created(transaction, confirm.code)
        if confirm.org is not None:
            transaction.put("listed", _listed(confirm))
        if along is not None:
            along(transaction, confirm)
        try:
            items.commit(transaction)
        except Cancelled as cancelled:
            if not cancelled.refused(LABEL):
                raise
            continue
        return confirm
    raise Unavailable("no free code was found")


def new_code() -> str:
    """Eight digits that nobody can foresee."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def find(code: str) -> Confirm | None:
    """The Confirm with this code; one consistent read. Raises `Unavailable`."""
    item = items.read(ConfirmItem, *_key(code))
    return None if item is None else _confirm(item)


def open_of(org: int, *operations: str) -> list[Confirm]:
    """Those of these operations in the org's list that are still open, the oldest first. Raises `Unavailable`."""
    try:
        listed = list(ListedItem.query(f"confirms#{org}", consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None
    found = items.read_many(_key(item.code) for item in listed) if listed else {}
    known = [_confirm(item) for item in found.values() if isinstance(item, ConfirmItem)]
    now_ms = clock.now_ms()
    wanted = [each for each in known if each.org == org and each.is_open(now_ms) and each.operation in operations]
    return sorted(wanted, key=lambda confirm: confirm.id or 0)


def use(transaction: Transaction, confirm: Confirm) -> None:
    """It is accepted once more, in this transaction; refused under the label `confirm` when it was used up or ended
    meanwhile.
    """
    item = ConfirmItem(*_key(confirm.code))
    transaction.update(LABEL, item, [ConfirmItem.charges.add(-1)], ConfirmItem.charges == confirm.charges)
    if confirm.charges == 1:
        _unlist(transaction, confirm)


def end(transaction: Transaction, confirm: Confirm) -> None:
    """It may not be accepted any more, from this transaction on; refused under the label `confirm` when it is gone."""
    item = ConfirmItem(*_key(confirm.code))
    transaction.update(LABEL, item, [ConfirmItem.charges.set(0)], CatalogItem.pk.exists())
    _unlist(transaction, confirm)


def _unlist(transaction: Transaction, confirm: Confirm) -> None:
    if confirm.org is not None:
        transaction.delete("listed", _listed(confirm))


def _key(code: str) -> tuple[str, str]:
    return f"confirm#{code}", SK


def _listed(confirm: Confirm) -> ListedItem:
    item = ListedItem(pk=f"confirms#{confirm.org}", sk=padded(confirm.id or 0), code=confirm.code)
    if confirm.expires is not None:
        item.expires = datetime.fromtimestamp(confirm.expires, UTC)
    return item


def _item(confirm: Confirm) -> ConfirmItem:
    pk, sk = _key(confirm.code)
    item = ConfirmItem(
        pk=pk,
        sk=sk,
        operation=confirm.operation,
        subject_id=confirm.subject,
        object_id=confirm.object,
        email=confirm.email,
        message=confirm.message,
        creator=confirm.creator,
        charges=confirm.charges,
        org=confirm.org,
        id=confirm.id,
    )
    if confirm.expires is not None:
        item.expires = datetime.fromtimestamp(confirm.expires, UTC)
    return item


def _confirm(item: ConfirmItem) -> Confirm:
    return Confirm(
        code=item.pk.removeprefix("confirm#"),
        operation=item.operation,
        subject=int(item.subject_id),
        object=None if item.object_id is None else int(item.object_id),
        email=item.email,
        message=item.message,
        creator=None if item.creator is None else int(item.creator),
        charges=int(item.charges),
        expires=None if item.expires is None else int(item.expires.timestamp()),
        org=None if item.org is None else int(item.org),
        id=None if item.id is None else int(item.id),
    )
