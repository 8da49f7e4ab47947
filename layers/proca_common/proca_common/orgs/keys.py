"""The life of an org's keys (domain 6.3 as design 7.3 changes it).

A new key does nothing until it is activated, because the receiving CRM must have its private part first. Which key is
active is a field of the org, so exactly one is. Without one, an `encrypted` org's contacts are sealed and wait; only an
explicit flag makes an org `clear`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pynamodb.expressions.update import Action as UpdateAction

from proca_common.aws import clock
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, nothing
from proca_common.errors import NotAllowed, NotFound
from proca_common.orgs import encryption, store
from proca_common.orgs.org import Encryption, Org, PublicKey

HOLDS_EVERYWHERE_AFTER = timedelta(seconds=60)
BAD_BASE64 = "Cannot decode public key using Base64"
BAD_SIZE = "must by 256 bits"
AlongKey = Callable[[Transaction, PublicKey], None]


def _alone(_: Transaction, __: PublicKey) -> None:
    """Nothing else is written with a new key."""


def generate(org: Org, name: str, along: AlongKey = _alone) -> tuple[PublicKey, bytes]:
    """A new key of the org, not active; its private part is shown this once and stored nowhere."""
    public, private = encryption.generate()
    return _store(org, name, public, along), private


def public_of(text: str) -> bytes:
    """The public key of its base64url; raises `NotAllowed` with the reference's wording, for weak keys too."""
    try:
        public = encryption.from_text(text)
    except ValueError:
        raise NotAllowed(BAD_BASE64) from None
    if len(public) != encryption.KEY_BYTES:
        raise NotAllowed(BAD_SIZE)
    if not encryption.is_usable(public):
        raise NotAllowed("public is invalid")
    return public


def add(org: Org, name: str, public_text: str, along: AlongKey = _alone) -> PublicKey:
    """Import a public key in base64url; raises `NotAllowed` as `public_of` does."""
    return _store(org, name, public_of(public_text), along)


def _store(org: Org, name: str, public: bytes, along: AlongKey) -> PublicKey:
    key = PublicKey(names.next_number("key"), org.id, name, public, expired=False)
    transaction = Transaction()
    transaction.put("key", store.key_item(key), CatalogItem.pk.does_not_exist())
    transaction.check("org", store.OrgItem, store.org_key(org.id), CatalogItem.pk.exists())
    along(transaction, key)
    _commit(transaction)
    return key


def activate(org: Org, key_id: int, along: Along = nothing) -> datetime:
    """Encrypt for this key from now on; answers the moment at which that holds in every warm environment.

    Sets the org to `encrypted`. Contacts that were stored in clear or sealed before are then encrypted by
    `stages.encrypt_contacts`. Raises `NotFound` and `NotAllowed` ("Public key expired").
    """
    key = own(org, key_id)
    transaction = Transaction()
    transaction.check("key", store.KeyItem, _at(key), store.KeyItem.expired == False)  # noqa: E712 - builds a condition
    transaction.update(
        "org",
        store.OrgItem(*store.org_key(org.id)),
        [
            store.OrgItem.active_key_id.set(key.id),
            store.OrgItem.active_key_public.set(key.public),
            store.OrgItem.encryption.set(Encryption.ENCRYPTED),
            store.OrgItem.version.add(1),
        ],
        CatalogItem.pk.exists(),
    )
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused("key"):
            raise NotAllowed("Public key expired") from None
        raise NotFound("org") from None
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC) + HOLDS_EVERYWHERE_AFTER


def deactivate_all(org: Org, along: Along = nothing, *, to_clear_text: bool) -> None:
    """Take the active key away. Without the flag this is refused, because new contacts would lose their encryption."""
    if not to_clear_text:
        raise NotAllowed("removing the last key makes the org store clear text: this needs the explicit flag")
    transaction = Transaction()
    transaction.update(
        "org",
        store.OrgItem(*store.org_key(org.id)),
        [
            store.OrgItem.active_key_id.remove(),
            store.OrgItem.active_key_public.remove(),
            store.OrgItem.encryption.set(Encryption.CLEAR),
            store.OrgItem.version.add(1),
        ],
        CatalogItem.pk.exists(),
    )
    along(transaction)
    _commit(transaction)


def expire(org: Org, key_id: int, along: Along = nothing) -> None:
    """Never use this key again (irreversible). If it was active, the org stays `encrypted`: contacts are sealed until a
    new one is. Raises `NotFound`, and `NotAllowed` when another key was activated at this moment.
    """
    key, at = own(org, key_id), store.org_key(org.id)
    active = store.get(org.id).active_key
    transaction = Transaction()
    transaction.update("key", store.key_item(key), [store.KeyItem.expired.set(True)], CatalogItem.pk.exists())
    if active is not None and active.id == key.id:
        removal: list[UpdateAction] = [
            store.OrgItem.active_key_id.remove(),
            store.OrgItem.active_key_public.remove(),
            store.OrgItem.version.add(1),
        ]
        transaction.update("org", store.OrgItem(*at), removal, store.OrgItem.active_key_id == key.id)
    else:
        other = store.OrgItem.active_key_id.does_not_exist() | (store.OrgItem.active_key_id != key.id)
        transaction.check("org", store.OrgItem, at, other)
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled:
        raise NotAllowed("the org's active key was changed at this moment") from None


def _commit(transaction: Transaction) -> None:
    try:
        items.commit(transaction)
    except Cancelled:
        raise NotFound("org") from None


def own(org: Org, key_id: int) -> PublicKey:
    """The org's key with this id; raises `NotFound`."""
    for key in store.keys(org.id):
        if key.id == key_id:
            return key
    raise NotFound("Public key")


def _at(key: PublicKey) -> tuple[str, str]:
    item = store.key_item(key)
    return item.pk, item.sk
