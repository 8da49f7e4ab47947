"""Contact data as it comes in: its rules per contact schema, the fingerprint of a person (domain 2)."""

from __future__ import annotations

from proca_common.contacts.contact import Contact
from proca_common.contacts.fingerprint import contact_ref, fingerprint
from proca_common.contacts.input import ContactInput
from proca_common.contacts.schemas import UnsupportedSchema, check

__all__ = ["Contact", "ContactInput", "UnsupportedSchema", "check", "contact_ref", "fingerprint"]
