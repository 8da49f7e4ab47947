"""Confirms in the Catalog table: `confirm#<code>`. They disappear some days after their time is over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.aws import dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.catalog import happenings, items
from proca_common.confirms.confirm import CODE_DIGITS, Confirm

SK = "confirm"
TRIES = 8


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


def create(wanted: Confirm) -> Confirm:
    """Store it under a new code, whatever code is asked for; whoever is to hear of it is told. Raises `Unavailable`."""
    for _ in range(TRIES):
        confirm = replace(wanted, code=new_code())
        transaction = Transaction()
        transaction.put("confirm", _item(confirm), CatalogItem.pk.does_not_exist())
        happenings.confirm_created(transaction, confirm.code)
        try:
            items.commit(transaction)
        except Cancelled:
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


def use(confirm: Confirm) -> None:
    """It was accepted once more; whoever was quicker has used it up already."""
    _change(confirm, [ConfirmItem.charges.add(-1)], ConfirmItem.charges > 0)


def end(confirm: Confirm) -> None:
    """It may not be accepted any more."""
    _change(confirm, [ConfirmItem.charges.set(0)], CatalogItem.pk.exists())


def _change(confirm: Confirm, changes: Sequence[UpdateAction], condition: Condition) -> None:
    try:
        dynamo.update(ConfirmItem(*_key(confirm.code)), changes, condition)
    except Cancelled:
        return


def _key(code: str) -> tuple[str, str]:
    return f"confirm#{code}", SK


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
    )
