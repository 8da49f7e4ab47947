"""How a contact's personal data is stored for its org: as a box, sealed, or in clear (design 7.2, 7.3)."""

from __future__ import annotations

from proca_common.actions.store import ContactItem
from proca_common.orgs.encryption import Encryptor, seal
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import ActiveKey, Encryption, Org


def protect(contact: ContactItem, payload: bytes, org: Org, instance: Instance, encryptor: Encryptor) -> None:
    """Put the payload (JSON) into the contact in the form that the org's mode and key ask for."""
    if org.encryption is Encryption.CLEAR:
        contact.clear = payload.decode()
    elif org.active_key is None:
        contact.sealed = seal(payload, instance.sealing_public)
    else:
        box_up(contact, payload, org.active_key, instance, encryptor)


def box_up(contact: ContactItem, payload: bytes, key: ActiveKey, instance: Instance, encryptor: Encryptor) -> None:
    """Put the payload into the contact as a box for this key, and nothing else."""
    box = encryptor.encrypt(payload, key.public)
    contact.payload, contact.nonce = box.payload, box.nonce
    contact.key_id, contact.key_public = key.id, key.public
    contact.sign_id, contact.sign_public = instance.key_id, box.sender
    contact.clear = contact.sealed = None
