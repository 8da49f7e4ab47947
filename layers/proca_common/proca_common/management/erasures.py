"""Erasing a person for an org, the certificates of that, and all that an org has of a person (domain 13.7).

The person of an address is that of the contact schema `basic`; of other schemas it is found by the contact ref.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from proca_common.aws.dynamo import Transaction
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.contacts.fingerprint import contact_ref
from proca_common.contacts.text import trim
from proca_common.erasures import access, later, ledger
from proca_common.erasures.erase import HasTime, erase
from proca_common.erasures.ledger import ErasureItem
from proca_common.failures import Failure, Refused
from proca_common.management import audit
from proca_common.management.access import org_of
from proca_common.management.audit import Change
from proca_common.orgs.org import Org
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

MAX_EMAIL = 1_000


class WhoInput(Entity):
    """The person with this address, or with this ref."""

    email: Annotated[str, Field(max_length=MAX_EMAIL)] | None = None
    contact_ref: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")] | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What it takes: the seed of fingerprints, the key of the ledger, the queue of what takes longer, and whether there
    is time for a further step.
    """

    seed: Callable[[], str]
    key: Callable[[], bytes]
    queue_url: str
    has_time: HasTime


def ask(caller: Caller, name: str, given: Mapping[str, Any], means: Means) -> ErasureItem:
    """Erase a person: at once, and what takes longer goes on by itself. Raises `NotAllowed`, `Refused`,
    `Unavailable`.
    """
    org = org_of(caller, name, Permission.DELETE_CONTACTS)
    wanted = checked(WhoInput, given)
    order = partial(later.order, means.queue_url)
    entry = ledger.enter(org.id, _ref(wanted, means.seed), caller.user.id, means.key(), order)
    _record(caller, org, "contacts.erase", f"erasure#{entry.id}", wanted)
    erase(entry, means.has_time)
    return ledger.get(org.id, entry.id)


def get(caller: Caller, name: str, erasure: int) -> ErasureItem:
    """An erasure of the org. Raises `NotAllowed`, `NotFound`, `Unavailable`."""
    return ledger.get(org_of(caller, name, Permission.DELETE_CONTACTS).id, erasure)


def listed(caller: Caller, name: str, before: str | None, limit: int) -> list[ErasureItem]:
    """The newest erasures of the org, or those before one. Raises `NotAllowed`, `Unavailable`."""
    return ledger.listed(org_of(caller, name, Permission.DELETE_CONTACTS).id, before, limit)


def all_of(caller: Caller, name: str, given: Mapping[str, Any], seed: Callable[[], str]) -> dict[str, Any]:
    """All that the org has of a person, in one document. Raises `NotAllowed`, `Refused`, `Unavailable`."""
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(WhoInput, given)
    _record(caller, org, "contacts.access", "contacts", wanted)
    return access.all_of(_ref(wanted, seed), org)


def _ref(wanted: WhoInput, seed: Callable[[], str]) -> str:
    email = trim(wanted.email or "").lower()
    if bool(email) == (wanted.contact_ref is not None):
        raise Refused([Failure("/email", "invalid", "either this or contactRef")])
    return wanted.contact_ref or contact_ref(seed(), email)


def _record(caller: Caller, org: Org, action: str, what: str, wanted: WhoInput) -> None:
    transaction = Transaction()
    by = {"by": "contactRef" if wanted.contact_ref is not None else "email"}
    audit.record(transaction, Change(caller.user.id, org.id, action, what, {}, by))
    items.commit(transaction)
