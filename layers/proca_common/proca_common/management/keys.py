"""Keys of an org, as its staff make, activate and end them (domain 6.3 as design 7.3 changes it)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from proca_common.aws.dynamo import Transaction
from proca_common.catalog.changes import Along
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import NotAllowed
from proca_common.failures import Failure, Refused
from proca_common.management import audit
from proca_common.management.access import org_of
from proca_common.management.audit import Change
from proca_common.orgs import encryption, keys
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Encryption, Org, PublicKey
from proca_common.stages import encrypt_later
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

NEEDED = (Permission.CHANGE_ORG_SETTINGS, Permission.EXPORT_CONTACTS)
FLAG_NEEDED = "must be true: the org will store new contacts in clear text"


class NewKey(Entity):
    """A key to be: with `public`, base64url, it is imported; else a pair is made."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    public: Annotated[str, Field(max_length=100)] | None = None


class Deactivation(Entity):
    """What must be said to have new contacts stored in clear text."""

    to_clear_text: bool = False


def listed(caller: Caller, org_name: str, before: int, limit: int) -> tuple[Org, list[PublicKey]]:
    """The org, and its keys with an id below `before` (0: all), the newest first."""
    org = org_of(caller, org_name, *NEEDED)
    return org, [key for key in orgs.keys(org.id) if not before or key.id < before][:limit]


def get(caller: Caller, org_name: str, key: int) -> tuple[Org, PublicKey]:
    """The org, and one of its keys. Raises `NotFound`."""
    org = org_of(caller, org_name, *NEEDED)
    return org, keys.own(org, key)


def create(caller: Caller, org_name: str, given: Mapping[str, Any]) -> tuple[Org, PublicKey, bytes | None]:
    """The org, its new key, not active, and the private part if it was made here: it is told this once and kept
    nowhere. Raises `Refused`.
    """
    org = org_of(caller, org_name, *NEEDED)
    wanted = checked(NewKey, given)

    def along(transaction: Transaction, key: PublicKey) -> None:
        made = {"name": key.name, "public": encryption.to_text(key.public)}
        how = "key.generate" if wanted.public is None else "key.add"
        audit.record(transaction, Change(caller.user.id, org.id, how, f"key#{key.id}", {}, made))

    if wanted.public is None:
        return (org, *keys.generate(org, wanted.name, along))
    try:
        return org, keys.add(org, wanted.name, wanted.public, along), None
    except NotAllowed as refused:
        raise Refused([Failure("/public", "format", str(refused))]) from None


def activate(caller: Caller, org_name: str, key: int, queue_url: str) -> tuple[Org, PublicKey, datetime]:
    """Encrypt for this key: the org and the key as they are then, and the moment at which it holds everywhere.

    What is stored before that is encrypted by a job. Raises `NotFound`, and `NotAllowed` for an expired key.
    """
    org = org_of(caller, org_name, *NEEDED)
    found = keys.own(org, key)
    if found.expired:
        raise NotAllowed("Public key expired")
    encrypt_later.order(queue_url, org.id)
    after = {"activeKey": key, "encryption": Encryption.ENCRYPTED}
    holds_at = keys.activate(org, key, _along(caller, org, "key.activate", f"key#{key}", _mode(org), after))
    return orgs.get(org.id), found, holds_at.replace(microsecond=0) + timedelta(seconds=1)


def expire(caller: Caller, org_name: str, key: int) -> tuple[Org, PublicKey]:
    """Never use this key again: the org and the key as they are then. Raises `NotFound`, `NotAllowed`."""
    org = org_of(caller, org_name, *NEEDED)
    before = {"expired": keys.own(org, key).expired}
    keys.expire(org, key, _along(caller, org, "key.expire", f"key#{key}", before, {"expired": True}))
    org = orgs.get(org.id)
    return org, keys.own(org, key)


def deactivate(caller: Caller, org_name: str, given: Mapping[str, Any]) -> None:
    """Take the active key away, and store clear text from now on: only if that is said. Raises `Refused`."""
    org = org_of(caller, org_name, *NEEDED)
    if not checked(Deactivation, given).to_clear_text:
        raise Refused([Failure("/toClearText", "invalid", FLAG_NEEDED)])
    after = {"activeKey": None, "encryption": Encryption.CLEAR}
    along = _along(caller, org, "key.deactivate", f"org#{org.id}", _mode(org), after)
    keys.deactivate_all(org, along, to_clear_text=True)


def shown(key: PublicKey, org: Org) -> dict[str, object]:
    """A key of the org."""
    active = org.active_key is not None and org.active_key.id == key.id
    public = encryption.to_text(key.public)
    return {"id": key.id, "name": key.name, "public": public, "active": active, "expired": key.expired}


def _mode(org: Org) -> dict[str, Any]:
    return {"activeKey": None if org.active_key is None else org.active_key.id, "encryption": org.encryption}


def _along(
    caller: Caller, org: Org, action: str, what: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Along:
    return lambda transaction: audit.record(transaction, Change(caller.user.id, org.id, action, what, before, after))
