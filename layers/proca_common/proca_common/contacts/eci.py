"""Contact schema `eci`: a European citizens' initiative asks what the citizen's country asks (domain 2.7)."""

from __future__ import annotations

from datetime import date

from proca_common.contacts.citizens import (
    WHOLE_ADDRESS,
    age_failures,
    citizen,
    document_failures,
    postcode_failures,
)
from proca_common.contacts.contact import Contact
from proca_common.contacts.countries import COUNTRIES, Country, Needs
from proca_common.contacts.input import ContactInput
from proca_common.contacts.rules import Texts, apply_field_rules, birth_date_of, missing, texts_of
from proca_common.failures import Failure

_in_postcodes = str.maketrans("", "", " -")


def check(contact: ContactInput, today: date) -> Contact | list[Failure]:
    """The contact as it is stored, or the rules it breaks of the first step in which it breaks one.

    The steps: fields, nationality and document, address, person. `today` is the date in UTC.
    """
    texts, failures = apply_field_rules(contact, texts_of(contact))
    if contact.nationality is None:
        failures.append(Failure.blank("/nationality"))
    if failures:
        return failures
    nationality = texts["/nationality/country"]
    country = COUNTRIES.get(nationality)
    if country is None:
        return [Failure.invalid("/nationality/country")]
    texts |= birth_date_of(contact)
    failures = (
        document_failures(texts, country.documents, today)
        or _address_failures(contact, texts, country)
        or _person_failures(contact, texts, country, today)
    )
    return failures or citizen(texts, nationality)


def _address_failures(contact: ContactInput, texts: Texts, country: Country) -> list[Failure]:
    """An address is whole where the country needs one; any postcode loses its spaces and hyphens here."""
    needed = country.needs is not Needs.DOCUMENT
    if contact.address is None:
        return [Failure.blank("/address")] if needed else []
    failures = missing(texts, WHOLE_ADDRESS) if needed else []
    if "/address/postcode" in texts:
        texts["/address/postcode"] = texts["/address/postcode"].translate(_in_postcodes)
    return failures + postcode_failures(texts)


def _person_failures(contact: ContactInput, texts: Texts, country: Country, today: date) -> list[Failure]:
    required = ["/firstName", "/lastName"]
    if country.needs is Needs.ADDRESS_AND_BIRTH_DATE:
        required.append("/birthDate")
    return missing(texts, required) + age_failures(contact.birth_date, country.min_age, today)
