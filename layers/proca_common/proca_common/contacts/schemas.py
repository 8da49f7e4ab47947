"""The contact schemas by name. A campaign's schema decides, never the org's (domain 2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib import import_module

from proca_common.contacts import basic
from proca_common.contacts.contact import Contact
from proca_common.contacts.input import ContactInput
from proca_common.failures import Failure

Check = Callable[[ContactInput, date], Contact | list[Failure]]

# Each is a module of this package with a function `check`; all but the usual one are imported by whom they are for.
SCHEMAS = ("basic", "popular_initiative", "eci", "it_ci")
_checks: dict[str, Check] = {"basic": basic.check}


class UnsupportedSchema(LookupError):
    """A campaign asks for a contact schema that this instance does not have."""


def check(schema: str, contact: ContactInput, today: date) -> Contact | list[Failure]:
    """The contact as its schema stores it, or the failed rules, with pointers into the contact (`/firstName`).

    `today` is the date in UTC, by which ages are told. Raises UnsupportedSchema.
    """
    rules = _checks.get(schema) or _imported(schema)
    return rules(contact, today)


def _imported(schema: str) -> Check:
    if schema not in SCHEMAS:
        raise UnsupportedSchema(schema)
    rules: Check = import_module(f"proca_common.contacts.{schema}").check
    _checks[schema] = rules
    return rules
