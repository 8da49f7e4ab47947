"""Contact schema `it_ci`: an Italian citizens' initiative, counted by region (domain 2.8)."""

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
from proca_common.contacts.countries import COUNTRIES, Document
from proca_common.contacts.input import ContactInput
from proca_common.contacts.rules import Texts, apply_field_rules, birth_date_of, missing, texts_of
from proca_common.failures import Failure

MIN_AGE = 18
DOCUMENTS = {
    "driving.licence": Document(r"(?i)[a-z0-9]{10}", "U1A23B456C"),
    **COUNTRIES["IT"].documents,
}
PREFIXES = {
    "Lazio": "00 01 02 03 04",
    "Umbria": "05 06",
    "Sardinia": "07 08 09",
    "Piedmont": "10 12 13 14 15 28",
    "Aosta Valley": "11",
    "Liguria": "16 17 18 19",
    "Lombardy": "20 21 22 23 24 25 26 27 46",
    "Emilia-Romagna": "29 40 41 42 43 44 47 48",
    "Veneto": "30 31 32 35 36 37 45",
    "Friuli-Venezia Giulia": "33 34",
    "Trentino-Alto Adige/Südtirol": "38 39",
    "Tuscany": "50 51 52 53 54 55 56 57 58 59",
    "Marche": "60 61 62 63",
    "Abruzzo": "64 65 66 67",
    "Apulia": "70 71 72 73 74 76",
    "Basilicata": "75 85",
    "Campania": "80 81 82 83 84",
    "Molise": "86",
    "Calabria": "87 88 89",
    "Sicily": "90 91 92 93 94 95 96 97 98",
}
REGIONS = {prefix: region for region, prefixes in PREFIXES.items() for prefix in prefixes.split()}


def check(contact: ContactInput, today: date) -> Contact | list[Failure]:
    """The contact as it is stored, or every rule it breaks. `today` is the date in UTC."""
    texts, failures = apply_field_rules(contact, texts_of(contact))
    texts |= birth_date_of(contact)
    failures += _nationality_failures(contact, texts, today)
    failures += _address_failures(contact, texts)
    failures += missing(texts, ("/firstName", "/lastName", "/birthDate"))
    failures += age_failures(contact.birth_date, MIN_AGE, today)
    if failures:
        # A text of a wrong form may fail its field's rule and its country's.
        return list(dict.fromkeys(failures))
    return citizen(texts, REGIONS.get(texts["/address/postcode"][:2]))


def _nationality_failures(contact: ContactInput, texts: Texts, today: date) -> list[Failure]:
    """Without the right country nothing can be said about the document."""
    if contact.nationality is None:
        return [Failure.blank("/nationality")]
    country = texts.get("/nationality/country")
    if country != "IT":
        return [] if country is None else [Failure.invalid("/nationality/country")]
    return document_failures(texts, DOCUMENTS, today)


def _address_failures(contact: ContactInput, texts: Texts) -> list[Failure]:
    if contact.address is None:
        return [Failure.blank("/address")]
    return missing(texts, WHOLE_ADDRESS) + postcode_failures(texts)
