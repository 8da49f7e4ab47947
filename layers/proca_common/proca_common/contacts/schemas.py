"""The contact schemas by name. A campaign's schema decides, never the org's (domain 2)."""

from __future__ import annotations

from collections.abc import Callable

from proca_common.contacts import basic
from proca_common.contacts.contact import Contact
from proca_common.contacts.input import ContactInput
from proca_common.failures import Failure

SCHEMAS: dict[str, Callable[[ContactInput], Contact | list[Failure]]] = {"basic": basic.check}


class UnsupportedSchema(LookupError):
    """A campaign asks for a contact schema that this instance does not have."""


def check(schema: str, contact: ContactInput) -> Contact | list[Failure]:
    """The contact as its schema stores it, or every failed rule, with pointers into the contact (`/firstName`).

    Raises UnsupportedSchema.
    """
    rules = SCHEMAS.get(schema)
    if rules is None:
        raise UnsupportedSchema(schema)
    return rules(contact)
