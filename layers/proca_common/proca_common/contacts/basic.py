"""Contact schema `basic`: a person is an e-mail address (domain 2.3 to 2.5)."""

from __future__ import annotations

from datetime import date

from proca_common.contacts.contact import Contact
from proca_common.contacts.input import ContactInput
from proca_common.contacts.rules import Texts, apply_field_rules, missing, picked, texts_of
from proca_common.contacts.text import trim
from proca_common.failures import Failure

REQUIRED = ("/name", "/firstName", "/email")
PAYLOAD = {
    "firstName": "/firstName",
    "lastName": "/lastName",
    "email": "/email",
    "phone": "/phone",
    "country": "/address/country",
    "postcode": "/address/postcode",
    "area": "/address/country",
}
ADDRESS = {
    "region": "/address/region",
    "locality": "/address/locality",
    "street": "/address/street",
    "streetNumber": "/address/streetNumber",
}


def check(contact: ContactInput, _today: date) -> Contact | list[Failure]:
    """The contact as it is stored, or every rule it breaks."""
    texts = texts_of(contact)
    complete_names(texts)
    if "/email" in texts:
        texts["/email"] = trim(texts["/email"]).lower()
    texts, failures = apply_field_rules(contact, texts)
    failures += missing(texts, REQUIRED)
    if failures:
        return failures
    payload = picked(texts, PAYLOAD)
    address = picked(texts, ADDRESS)
    if address:
        payload["address"] = {**dict.fromkeys(ADDRESS), **address}
    email = texts["/email"]
    return Contact(
        payload=payload,
        fingerprint_text=email,
        area=texts.get("/address/country"),
        first_name=texts["/firstName"],
        email=email,
    )


def complete_names(texts: Texts) -> None:
    """Make the whole name of its parts, or its parts of the whole name, by which of them were sent (domain 2.3).

    The whole name is split at the first space before anything is trimmed: " Ida Holm" has an empty first name. What is
    sent as "" counts as sent.
    """
    if "/firstName" in texts:
        if "/lastName" in texts and "/name" not in texts:
            texts["/name"] = trim(f"{texts['/firstName']} {texts['/lastName']}")
        elif "/name" not in texts:
            texts["/name"] = trim(texts["/firstName"])
    elif "/name" in texts:
        texts["/firstName"], _, texts["/lastName"] = texts["/name"].partition(" ")
