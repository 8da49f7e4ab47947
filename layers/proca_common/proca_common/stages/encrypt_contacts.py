"""Encrypts what an org kept in clear or sealed before its key held (design 7.3). Run after an activation: by a function
of its own (`encrypt_later`), or by the admin command.

Safe to repeat and to break off: each contact is one conditional write. A scan of the table, because it happens once in
an org's life and must miss nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nacl.public import PrivateKey
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition

from proca_common.actions import store
from proca_common.actions.protection import box_up
from proca_common.actions.store import ContactItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import translated
from proca_common.aws.errors import Cancelled
from proca_common.errors import NotAllowed
from proca_common.orgs import encryption
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Org
from proca_common.stages.sweep import wake

Rest = dict[str, Any]


@dataclass(slots=True)
class Done:
    """How many contacts were encrypted, and how many actions that had waited for it were woken. `rest`: the key after
    which to go on, when the time was over before all was done.
    """

    contacts: int = 0
    woken: int = 0
    rest: Rest | None = None


def encrypt_contacts(
    org: Org,
    instance: Instance,
    sealing_private: PrivateKey,
    progress: Callable[[Done], None] = lambda _: None,
    *,
    after: Rest | None = None,
    has_time: Callable[[], bool] = lambda: True,
) -> Done:
    """Encrypt every contact of the org that is not yet, for its active key. Raises `NotAllowed` when it has none.

    `after`: the `rest` of a run before. `has_time`: whether to go on, asked after each page of the scan.
    """
    if org.active_key is None:
        raise NotAllowed("the org has no active key")
    encryptor = encryption.Encryptor()
    done = Done()
    readable = ContactItem.clear.exists() | ContactItem.sealed.exists()
    try:
        wanted = (ContactItem.org == org.id) & readable
        pages = ContactItem.scan(filter_condition=wanted, consistent_read=True, last_evaluated_key=after).page_iter
        for page in pages:
            for contact in map(ContactItem.from_raw_data, page["Items"]):
                payload = _payload(contact, sealing_private)
                boxed = ContactItem.from_raw_data(contact.serialize())
                box_up(boxed, payload, org.active_key, instance, encryptor)
                if _replace(boxed, readable):
                    done.contacts += 1
                    done.woken += _wake_waiting(contact) if contact.sealed is not None else 0
                progress(done)
            if pages.last_evaluated_key is not None and not has_time():
                done.rest = pages.last_evaluated_key
                break
    except PynamoDBException as error:
        raise translated(error) from None
    return done


def _payload(contact: ContactItem, sealing_private: PrivateKey) -> bytes:
    if contact.clear is not None:
        return str(contact.clear).encode()
    return encryption.unseal(contact.sealed, sealing_private)


def _replace(contact: ContactItem, condition: Condition) -> bool:
    try:
        dynamo.save(contact, condition)
    except Cancelled:
        return False  # erased or encrypted meanwhile
    return True


def _wake_waiting(contact: ContactItem) -> int:
    supporter = int(contact.sk.split("#")[1])
    now_ms = clock.now_ms()
    return sum(wake(action, now_ms) for action in store.actions_of(contact.ref, supporter) if action.owed)
