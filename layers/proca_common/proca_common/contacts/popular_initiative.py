"""Contact schema `popular_initiative`: a popular initiative in Switzerland (domain 2.6)."""

from __future__ import annotations

import re
from datetime import date

from proca_common.contacts.contact import Contact
from proca_common.contacts.input import ContactInput
from proca_common.contacts.rules import Texts, apply_field_rules, birth_date_of, missing, picked, texts_of
from proca_common.failures import Failure

POSTCODE = re.compile(r"[0-9]{4}")
PAYLOAD = {
    "firstName": "/firstName",
    "lastName": "/lastName",
    "birthDate": "/birthDate",
    "email": "/email",
    "postcode": "/address/postcode",
    "locality": "/address/locality",
    "region": "/address/region",
}
IDENTITY = ("/firstName", "/lastName", "/email", "/birthDate")


def check(contact: ContactInput, _today: date) -> Contact | list[Failure]:
    """The contact as it is stored, or every rule it breaks; the postcode's are asked when all others hold.

    Names and e-mail address stay as they were typed.
    """
    texts, failures = apply_field_rules(contact, texts_of(contact))
    failures += missing(texts, ("/firstName", "/email"))
    if contact.address is None:
        failures.append(Failure.blank("/address"))
    failures = failures or _postcode_failures(texts)
    if failures:
        return failures
    texts |= birth_date_of(contact)
    return Contact(
        payload=picked(texts, PAYLOAD),
        fingerprint_text="".join(texts.get(pointer, "") for pointer in IDENTITY),
        area=None,
        first_name=texts["/firstName"],
        email=texts["/email"],
    )


def _postcode_failures(texts: Texts) -> list[Failure]:
    failures = missing(texts, ["/address/postcode"])
    if "/address/postcode" in texts and not POSTCODE.fullmatch(texts["/address/postcode"]):
        failures.append(Failure.bad_format("/address/postcode"))
    return failures
