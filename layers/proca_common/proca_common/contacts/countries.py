"""What each country of the Union asks of its citizens, and how postcodes look (domain 2.7.1).

Patterns are those of the reference without their anchors: a text must match as a whole, which also groups the
alternatives as the reference advises. `(?i)` is its mark `i`. They are compiled when first needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from proca_common.contacts.egn import is_egn

ANYTHING = r".*"


class Needs(Enum):
    """By what a country tells its citizens apart."""

    DOCUMENT = "document"
    ADDRESS = "address"
    ADDRESS_AND_BIRTH_DATE = "address and birth date"


class Document(NamedTuple):
    """A type of document: the form of its numbers, a number for tests, and a rule beyond the form.

    Numbers come here without spaces, dots and hyphens.
    """

    pattern: str
    example: str
    rule: Callable[[str, date], bool] | None = None

    def accepts(self, number: str, today: date) -> bool:
        """Whether a document of this type can have this number; `today` is the date in UTC."""
        return re.fullmatch(self.pattern, number) is not None and (self.rule is None or self.rule(number, today))


class Country(NamedTuple):
    """The least age of a citizen, what identifies one, and the types of documents that do."""

    min_age: int
    needs: Needs
    documents: Mapping[str, Document] = MappingProxyType({})


COUNTRIES = {
    "AT": Country(16, Needs.DOCUMENT, {
        "id.card": Document(r"[0-9]{7}|[0-9]{8}", "1234567"),
        "passport": Document(r"(?i)[a-z][0-9]{7,8}", "R1234567"),
    }),
    "BE": Country(18, Needs.DOCUMENT, {
        "national.id.number": Document(
            r"([0-9][0-9])(0?0[1-9]|1[0-2])([0-2]?[0-2][0-9]|3[0-1])[0-9]{3}[0-9]{2}", "00010112345"
        ),
    }),
    "BG": Country(18, Needs.DOCUMENT, {
        "personal.number": Document(r"[0-9]{10}", "0701270855", is_egn),
    }),
    "CY": Country(18, Needs.DOCUMENT, {
        "id.card": Document(r"[0-9]{1,10}", "123456"),
        "passport": Document(r"(?i)([bcej][0-9]{6})|(k[0-9]{8})|([ds]p[0-9]{7})", "K12345678"),
    }),
    "CZ": Country(18, Needs.DOCUMENT, {
        "id.card": Document(
            r"([0-9]{9})|([0-9]{6}[a-z]{2}[0-9]{2})|([0-9]{6}[a-z]{2})|([a-z]{2}[0-9]{6})", "123456789"
        ),
        "passport": Document(r"[0-9]{7,8}", "12345678"),
    }),
    "DE": Country(16, Needs.ADDRESS_AND_BIRTH_DATE),
    "DK": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
    "EE": Country(16, Needs.DOCUMENT, {
        "personal.number": Document(r"[0-9]{11}", "12345678901"),
    }),
    "ES": Country(18, Needs.DOCUMENT, {
        "id.card": Document(r"(?i)[0-9]{8}[a-z]", "12345678Z"),
        "passport": Document(ANYTHING, "AAA000000"),
    }),
    "FI": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
    "FR": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
    "GR": Country(17, Needs.ADDRESS),
    "HR": Country(18, Needs.DOCUMENT, {
        "personal.id": Document(r"[0-9]{11}", "12345678901"),
        "passport": Document(ANYTHING, "007007007"),
    }),
    "HU": Country(18, Needs.DOCUMENT, {
        "id.card": Document(
            r"(?i)([0-9]{6}[a-z]{2})|([a-z]{2}[a-z][0-9]{6})|([a-z]{2}[a-z]{2}[0-9]{6})|([a-z]{2}[a-z]{3}[0-9]{6})"
            r"|([a-z]{2}[0-9]{6})",
            "123456AB",
        ),
        "passport": Document(r"(?i)([a-z]{2}[0-9]{6})|([a-z]{2}[0-9]{7})", "AB123456"),
        "personal.number": Document(r"[0-9][0-9]{6}[0-9]{4}", "12345678901"),
    }),
    "IE": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
    "IT": Country(18, Needs.DOCUMENT, {
        "id.card": Document(r"(?i)([a-z]{2}[0-9]{6,8})|([0-9]{7}[a-z]{2})|([a-z]{2}[0-9]{5}[a-z]{2})", "CA12345AB"),
        "passport": Document(r"(?i)([a-z]{2}[0-9]{7})|([a-z][0-9]{6})|([0-9]{6}[a-z])", "AA1234567"),
    }),
    "LT": Country(18, Needs.DOCUMENT, {
        "personal.number": Document(r"[0-9]{11}", "12345678901"),
    }),
    "LU": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
    "LV": Country(18, Needs.DOCUMENT, {
        "personal.id": Document(r"[0-9]{6}[0-9]{5}", "12345612345"),
    }),
    "MT": Country(16, Needs.DOCUMENT, {
        "id.card": Document(r"(?i)[a-z0-9]*", "1234567M"),
    }),
    "NL": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
    "PL": Country(18, Needs.DOCUMENT, {
        "national.id.number": Document(r"[0-9]{11}", "12345678901"),
    }),
    "PT": Country(18, Needs.DOCUMENT, {
        "citizens.card": Document(r"(?i)[0-9]{9}[a-z]{2}[0-9]", "123456789AB1"),
        "id.card": Document(r"[0-9]{1,8}", "12345678"),
        "passport": Document(r"(?i)([a-z]{1}[0-9]{6})|([a-z]{2}[0-9]{6})", "A123456"),
    }),
    "RO": Country(18, Needs.DOCUMENT, {
        "id.card": Document(r"(?i)[a-z]{2}[0-9]{6}", "AB123456"),
        "passport": Document(r"(?i)[a-z0-9]*", "12345678"),
        "personal.id": Document(r"[0-9]{13}", "1234567890123"),
    }),
    "SE": Country(18, Needs.DOCUMENT, {
        "personal.number": Document(r"([0-9]{12}|[0-9]{10})", "1234567890"),
    }),
    "SI": Country(18, Needs.DOCUMENT, {
        "personal.number": Document(r"[0-9]{13}", "1234567890123"),
    }),
    "SK": Country(18, Needs.ADDRESS_AND_BIRTH_DATE),
}  # fmt: skip

ANY_POSTCODE = r"(?i)[A-Z0-9 -]{1,10}"
POSTCODES = {
    **dict.fromkeys(("DE", "FI", "FR", "GR"), r"[0-9]{5}"),
    **dict.fromkeys(("DK", "LU"), r"[0-9]{4}"),
    "NL": r"(?i)[1-9][0-9]{3}( ?[a-z]{2})?",
    "SK": r"[089][0-9]{4}",
}


def is_postcode(postcode: str, residence: str | None) -> bool:
    """Whether the country of residence can have this postcode; of an unknown one only the alphabet is asked."""
    return re.fullmatch(POSTCODES.get(residence or "", ANY_POSTCODE), postcode) is not None
