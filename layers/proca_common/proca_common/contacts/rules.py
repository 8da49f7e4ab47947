"""Field rules that hold in every contact schema (domain 2.2).

The texts of a contact are handled as a flat dict by JSON Pointer, `{"/firstName": …, "/address/country": …}`, so that a
rule finds its text and a failure its place by the same key.
"""

# ruff: noqa: RUF001, RUF002 - the apostrophes and quotation marks of people's names and streets are meant

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from proca_common.contacts.input import ContactInput
from proca_common.contacts.text import letters_and, longer_than, trim
from proca_common.failures import Failure

Texts = dict[str, str]

POINTERS = {
    "name": "/name",
    "first_name": "/firstName",
    "last_name": "/lastName",
    "email": "/email",
    "phone": "/phone",
}
ADDRESS_POINTERS = {
    "country": "/address/country",
    "postcode": "/address/postcode",
    "region": "/address/region",
    "locality": "/address/locality",
    "street": "/address/street",
    "street_number": "/address/streetNumber",
}
NATIONALITY_POINTERS = {
    "country": "/nationality/country",
    "document_type": "/nationality/documentType",
    "document_number": "/nationality/documentNumber",
}

_inside_name = letters_and(" ,'’.-")
_document_signs = str.maketrans("", "", " .-")


def is_name(text: str) -> bool:
    r"""Starts with a letter or apostrophe, ends with a letter or dot, with letters and ` ,'’.-` between them.

    Python form of `^[\p{L}'’]([ \p{L},'’.-]*[\p{L}.])?$`.
    """
    if not text or not (text[0].isalpha() or text[0] in "'’"):
        return False
    return len(text) == 1 or ((text[-1].isalpha() or text[-1] == ".") and _inside_name(text))


def _unchanged(text: str) -> str:
    return text


def _document_number(text: str) -> str:
    return text.translate(_document_signs)


class FieldRule(NamedTuple):
    r"""How a text is normalised, then which form it must have, and how many characters at most.

    `sent`: the form of a text before it is normalised, in the language of JSON Schema (ECMA 262 with Unicode, where
    `\p{L}` is a letter); it must match as a whole. The API's document is made of it; a test compares it with the rule.
    """

    normalise: Callable[[str], str]
    accepts: Callable[[str], object]
    limit: int | None
    sent: str


def _like(pattern: str, limit: int | None) -> FieldRule:
    """A text that is taken as it is sent."""
    return FieldRule(_unchanged, re.compile(pattern).fullmatch, limit, pattern)


def _name(limit: int) -> FieldRule:
    return FieldRule(trim, is_name, limit, r"\s*[\p{L}'’]([ \p{L},'’.-]*[\p{L}.])?\s*")


def _part_of_address(limit: int) -> FieldRule:
    return FieldRule(_unchanged, _in_address, limit, r"""[ \p{L}0-9`“"‘’',.(&/)-]*""")


_in_address = letters_and(" 0123456789`“\"‘’',.(&/)-")
_COUNTRY = FieldRule(str.upper, re.compile(r"[A-Z]{2}").fullmatch, None, r"[A-Za-z]{2}")

FIELD_RULES: dict[str, FieldRule] = {
    "/name": _name(128),
    "/firstName": _name(64),
    "/lastName": _name(64),
    "/email": _like(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*", 64),
    "/phone": _like(r"\+?[0-9 ()-]+", 20),
    "/address/country": _COUNTRY,
    "/address/postcode": FieldRule(str.upper, re.compile(r"[A-Z0-9 -]{1,10}").fullmatch, None, r"[A-Za-z0-9 -]{1,10}"),
    "/address/region": _part_of_address(64),
    "/address/locality": _part_of_address(64),
    "/address/street": _part_of_address(128),
    "/address/streetNumber": _part_of_address(6),
    "/nationality/country": _COUNTRY,
    "/nationality/documentType": _like(r"[a-z_.]+", 20),
    "/nationality/documentNumber": FieldRule(
        _document_number, re.compile(r"[A-Za-z0-9._-]+").fullmatch, 32, r"[ .-]*[A-Za-z0-9_][A-Za-z0-9_ .-]*"
    ),
}


def texts_of(contact: ContactInput) -> Texts:
    """The texts that were sent by pointer, as sent: "" is still there, null is absent (domain 15.12)."""
    texts = {}
    for part, pointers in (
        (contact, POINTERS),
        (contact.address, ADDRESS_POINTERS),
        (contact.nationality, NATIONALITY_POINTERS),
    ):
        if part is not None:
            for name, pointer in pointers.items():
                text = getattr(part, name)
                if text is not None:
                    texts[pointer] = text
    return texts


def birth_date_of(contact: ContactInput) -> Texts:
    """The birth date as a text by its pointer, for the schemas that keep it; its form was checked with the input."""
    return {} if contact.birth_date is None else {"/birthDate": contact.birth_date.isoformat()}


def apply_field_rules(contact: ContactInput, texts: Texts) -> tuple[Texts, list[Failure]]:
    """The normalised texts without the empty ones, and every field rule that failed, in the order of the fields.

    A text that was sent as "" is absent (domain 0.3.5); one that only becomes "" by trimming is kept, and fails.
    """
    normalised = {}
    failures = []
    for pointer, sent in texts.items():
        if not sent:
            continue
        rule = FIELD_RULES[pointer]
        normalised[pointer] = text = rule.normalise(sent)
        if not rule.accepts(text):
            failures.append(Failure.bad_format(pointer))
        if rule.limit is not None and longer_than(text, rule.limit):
            failures.append(Failure.too_long(pointer, rule.limit))
    if contact.nationality is not None:
        failures += missing(normalised, ["/nationality/country"])
    return normalised, failures


def missing(texts: Texts, required: Iterable[str]) -> list[Failure]:
    """A failure for each required text that is absent or only blanks."""
    return [Failure.blank(pointer) for pointer in required if not trim(texts.get(pointer, ""))]


def picked(texts: Texts, pointers: Mapping[str, str]) -> dict[str, object]:
    """The texts that are there, by the keys that a payload has for them."""
    return {key: texts[pointer] for key, pointer in pointers.items() if pointer in texts}
