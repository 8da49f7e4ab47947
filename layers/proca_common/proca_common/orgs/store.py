"""Orgs and their keys in the Catalog table: one org is one item collection, `org#<id>`."""

from __future__ import annotations

from collections.abc import Callable

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws import dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.errors import InUse, NotFound, Taken
from proca_common.ids import padded
from proca_common.orgs.org import ActiveKey, Encryption, Org, OrgInput, PublicKey

SK = "org"


class OrgItem(CatalogItem, discriminator="org"):
    """An org. `uses` counts what must be gone before it may be deleted: its campaigns and pages."""

    document = UnicodeAttribute()
    encryption = UnicodeAttribute()
    active_key_id = NumberAttribute(null=True)
    active_key_public = BinaryAttribute(null=True, legacy_encoding=False)
    uses = NumberAttribute(default=0)
    version = NumberAttribute(default=1)


class KeyItem(CatalogItem, discriminator="key"):
    """A public key of an org; never a private one."""

    id = NumberAttribute()
    org = NumberAttribute()
    name = UnicodeAttribute()
    public = BinaryAttribute(legacy_encoding=False)
    expired = BooleanAttribute(default=False)


def org_key(org: int) -> tuple[str, str]:
    """Where an org stands in the table."""
    return f"org#{org}", SK


def to_org(item: OrgItem) -> Org:
    """The org of a stored item."""
    active = (
        None if item.active_key_id is None else ActiveKey(id=int(item.active_key_id), public=item.active_key_public)
    )
    return Org.load(
        item.document,
        id=int(item.pk.removeprefix("org#")),
        encryption=Encryption(item.encryption),
        active_key=active,
        version=int(item.version),
    )


def create(wanted: OrgInput, along: Callable[[Transaction, Org], None] | None = None) -> Org:
    """A new org without a key; raises `Taken` when its name is. `along` adds what is written with it."""
    org = Org(id=names.next_number("org"), **wanted.model_dump())
    pk, sk = org_key(org.id)
    transaction = Transaction()
    item = OrgItem(pk=pk, sk=sk, document=org.document(), encryption=org.encryption)
    transaction.put("org", item, CatalogItem.pk.does_not_exist())
    names.claim(transaction, "org", org.name, org.id)
    if along is not None:
        along(transaction, org)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        raise Taken("name") from cancelled
    return org


def get(org: int) -> Org:
    """The org with this id; raises `NotFound`."""
    item = items.read(OrgItem, *org_key(org))
    if item is None:
        raise NotFound("org")
    return to_org(item)


def find(name: str) -> Org:
    """The org with this name, in any case of letters; raises `NotFound`."""
    found = names.find("org", name)
    if found is None:
        raise NotFound("org")
    return get(found)


def every() -> list[Org]:
    """All orgs by id (admin only)."""
    return sorted((to_org(item) for item in items.every(OrgItem)), key=lambda org: org.id)


def replace(org: Org, along: Along = nothing) -> Org:
    """Store the changed settings of an org that is as it was read, a new name too; its mode and key stay as they are.

    Raises `NotFound`, `Taken` (name) and `Outdated`.
    """
    old = get(org.id)
    transaction = Transaction()
    changes = [OrgItem.document.set(org.document()), OrgItem.version.set(org.version + 1)]
    transaction.update("org", OrgItem(*org_key(org.id)), changes, OrgItem.version == org.version)
    names.rename(transaction, "org", old.name, org.name, org.id)
    along(transaction)
    commit(transaction)
    return org.model_copy(update={"version": org.version + 1})


def delete(org: Org, along: Along = nothing) -> None:
    """Remove the org, its name, keys and services; raises `InUse` while it has campaigns or pages (domain 1.18)."""
    transaction = Transaction()
    item = OrgItem(*org_key(org.id))
    transaction.delete("org", item, OrgItem.uses == 0)
    transaction.delete("name", names.guard("org", org.name, org.id))
    for pk, sk in dynamo.keys_under(CatalogItem, item.pk):
        if sk != SK:
            transaction.delete(sk, CatalogItem(pk, sk))
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        raise InUse("org has campaigns or action pages") from cancelled


def use(transaction: Transaction, label: str, org: int, difference: int) -> None:
    """Count a campaign or page of the org in the transaction that makes or removes it; refused when the org is gone."""
    transaction.update(label, OrgItem(*org_key(org)), [OrgItem.uses.add(difference)], CatalogItem.pk.exists())


def key_item(key: PublicKey) -> KeyItem:
    """The item of a key."""
    return KeyItem(
        pk=org_key(key.org)[0],
        sk=f"key#{padded(key.id)}",
        id=key.id,
        org=key.org,
        name=key.name,
        public=key.public,
        expired=key.expired,
    )


def keys(org: int) -> list[PublicKey]:
    """The org's keys, newest first (domain 6.3)."""
    condition = KeyItem.sk.startswith("key#")
    try:
        found = list(KeyItem.query(org_key(org)[0], condition, scan_index_forward=False, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None
    return [PublicKey(int(key.id), int(key.org), key.name, key.public, key.expired) for key in found]
