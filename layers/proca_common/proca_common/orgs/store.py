"""Orgs and their keys in the Catalog table: one org is one item collection, `org#<id>`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws import dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled
from proca_common.catalog import entries, items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.catalog.entries import ORGS, Entry
from proca_common.errors import InUse, NotFound, Taken
from proca_common.ids import padded
from proca_common.orgs.org import ActiveKey, Encryption, Org, OrgInput, PublicKey

SK = "org"
STAFFER = "staffer#"
MAX_AT_ONCE = 90


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
    entries.put(transaction, Entry(ORGS, "org", org.id))
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


def get_many(numbers: Iterable[int]) -> dict[int, Org]:
    """The orgs with these ids (at most 100 at once), those that exist."""
    keys = [org_key(number) for number in numbers]
    found = items.read_many(keys) if keys else {}
    return {org.id: org for org in map(to_org, (item for item in found.values() if isinstance(item, OrgItem)))}


def listed(after: int, limit: int) -> list[Org]:
    """The orgs with an id above `after`, in the order of ids, `limit` (at most 100) at most."""
    numbers = [int(entry.id) for entry in entries.under(ORGS, "org", after=after, limit=limit)]
    return sorted(get_many(numbers).values(), key=lambda org: org.id)


def every() -> list[Org]:
    """All orgs by id (admin only)."""
    return sorted((to_org(item) for item in items.every(OrgItem)), key=lambda org: org.id)


def replace(org: Org, along: Along = nothing) -> Org:
    """Store the changed settings of an org that is as it was read, a new name too; its mode and key stay as they are.

    Raises `NotFound`, `Taken` (name) and `Outdated`.
    """
    transaction = Transaction()
    put_changed(transaction, get(org.id), org)
    along(transaction)
    commit(transaction)
    return org.model_copy(update={"version": org.version + 1})


def put_changed(transaction: Transaction, old: Org, org: Org) -> None:
    """Write the settings of an org that is to be as it was read in this transaction; refused under the labels `org` and
    `name`.
    """
    changes = [OrgItem.document.set(org.document()), OrgItem.version.set(org.version + 1)]
    transaction.update("org", OrgItem(*org_key(org.id)), changes, OrgItem.version == org.version)
    names.rename(transaction, "org", old.name, org.name, org.id)


def delete(org: Org, along: Along = nothing) -> None:
    """Remove the org, its name, keys, services, templates and memberships; raises `InUse` while it has campaigns or
    pages (domain 1.18).

    What does not fit into one transaction goes before, in others; who belongs to the org goes last, so that whoever
    deletes it can go on after a break-off.
    """
    at = org_key(org.id)
    keys = [key for key in dynamo.keys_under(CatalogItem, at[0]) if key != at]
    keys.sort(key=lambda key: key[1].startswith(STAFFER))
    memberships = [(f"user#{int(sk.removeprefix(STAFFER))}", f"{STAFFER}{padded(org.id)}") for _, sk in keys
                   if sk.startswith(STAFFER)]  # fmt: skip
    gone = [*keys, *memberships]
    while len(gone) > MAX_AT_ONCE:
        transaction = Transaction()
        transaction.check("org", OrgItem, at, OrgItem.uses == 0)
        _remove(transaction, gone[:MAX_AT_ONCE])
        _unless_used(transaction)
        del gone[:MAX_AT_ONCE]
    transaction = Transaction()
    transaction.delete("org", OrgItem(*at), OrgItem.uses == 0)
    transaction.delete("name", names.guard("org", org.name, org.id))
    entries.remove(transaction, Entry(ORGS, "org", org.id))
    _remove(transaction, gone)
    along(transaction)
    _unless_used(transaction)


def _remove(transaction: Transaction, keys: Iterable[tuple[str, str]]) -> None:
    for pk, sk in keys:
        transaction.delete(f"{pk} {sk}", CatalogItem(pk, sk))


def _unless_used(transaction: Transaction) -> None:
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
