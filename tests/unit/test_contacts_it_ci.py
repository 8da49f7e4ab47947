"""Contact schema `it_ci`: rules, regions, payload and fingerprint (domain 2.8 to 2.11)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from proca_common.contacts import Contact, ContactInput, check
from proca_common.failures import Failure

TODAY = date(2026, 8, 1)
GIULIA: dict[str, Any] = {
    "firstName": "Giulia",
    "lastName": "Rossi",
    "birthDate": "1985-11-30",
    "email": "giulia@example.org",
    "nationality": {"country": "IT", "documentType": "id.card", "documentNumber": "CA12345AB"},
    "address": {"country": "IT", "locality": "Roma", "postcode": "00184", "street": "Via Cavour", "streetNumber": "1"},
}
COUNTRY, TYPE, NUMBER = (f"/nationality/{name}" for name in ("country", "documentType", "documentNumber"))


def changed(pointer: str, value: object) -> dict[str, Any]:
    """Giulia with another value at the pointer."""
    *parents, name = pointer.strip("/").split("/")
    return {**GIULIA, parents[0]: {**GIULIA[parents[0]], name: value}} if parents else {**GIULIA, name: value}


def checked(fields: dict[str, Any], today: date = TODAY) -> Contact | list[Failure]:
    return check("it_ci", ContactInput.model_validate(fields), today)


def accepted(fields: dict[str, Any]) -> Contact:
    contact = checked(fields)
    assert isinstance(contact, Contact)
    return contact


def refused(fields: dict[str, Any], today: date = TODAY) -> list[tuple[str, str]]:
    failures = checked(fields, today)
    assert isinstance(failures, list)
    return [(failure.pointer, failure.code) for failure in failures]


def test_whole_payload() -> None:
    contact = accepted(GIULIA)
    assert contact.payload == {
        "firstName": "Giulia",
        "lastName": "Rossi",
        "birthDate": "1985-11-30",
        "country": "IT",
        "postcode": "00184",
        "city": "Roma",
        "street": "Via Cavour",
        "streetNumber": "1",
        "area": "Lazio",
        "nationality": {"country": "IT", "documentType": "id.card", "documentNumber": "CA12345AB"},
    }
    assert contact.area == "Lazio"
    assert contact.first_name == "Giulia"
    assert contact.email is None


def test_what_is_not_kept() -> None:
    assert accepted({**GIULIA, "email": None}) == accepted(GIULIA)
    assert accepted({**GIULIA, "name": "Giulia Rossi", "phone": "+39 06"}) == accepted(GIULIA)
    assert accepted(changed("/address/region", "Lazio")) == accepted(GIULIA)


def prefixes(first: int, last: int) -> list[str]:
    return [f"{number:02}" for number in range(first, last + 1)]


REGIONS = {
    "Lazio": prefixes(0, 4),
    "Umbria": prefixes(5, 6),
    "Sardinia": prefixes(7, 9),
    "Piedmont": ["10", *prefixes(12, 15), "28"],
    "Aosta Valley": ["11"],
    "Liguria": prefixes(16, 19),
    "Lombardy": [*prefixes(20, 27), "46"],
    "Emilia-Romagna": ["29", *prefixes(40, 44), *prefixes(47, 48)],
    "Veneto": [*prefixes(30, 32), *prefixes(35, 37), "45"],
    "Friuli-Venezia Giulia": prefixes(33, 34),
    "Trentino-Alto Adige/Südtirol": prefixes(38, 39),
    "Tuscany": prefixes(50, 59),
    "Marche": prefixes(60, 63),
    "Abruzzo": prefixes(64, 67),
    "Apulia": [*prefixes(70, 74), "76"],
    "Basilicata": ["75", "85"],
    "Campania": prefixes(80, 84),
    "Molise": ["86"],
    "Calabria": prefixes(87, 89),
    "Sicily": prefixes(90, 98),
}
UNASSIGNED = ["49", "68", "69", "77", "78", "79", "99"]


@pytest.mark.parametrize(
    ("prefix", "region"), [(prefix, region) for region, of_region in REGIONS.items() for prefix in of_region]
)
def test_the_area_is_the_region(prefix: str, region: str) -> None:
    contact = accepted(changed("/address/postcode", f"{prefix}100"))
    assert contact.area == region
    assert contact.payload["area"] == region


@pytest.mark.parametrize("postcode", [*(f"{prefix}100" for prefix in UNASSIGNED), "1", "1 0100", "I-00184", "AB 1"])
def test_a_postcode_without_a_region_has_no_area(postcode: str) -> None:
    contact = accepted(changed("/address/postcode", postcode))
    assert contact.area is None
    assert "area" not in contact.payload


def test_every_prefix_is_in_the_table_once() -> None:
    assert sorted([*(prefix for of_region in REGIONS.values() for prefix in of_region), *UNASSIGNED]) == prefixes(0, 99)


def test_a_region_fits_into_an_area() -> None:
    assert max(map(len, REGIONS)) <= 32


@pytest.mark.parametrize(
    ("residence", "postcode", "stored"),
    [
        ("IT", "00184", "00184"),
        ("IT", "001-84", "001-84"),
        ("IT", "00 184", "00 184"),
        ("NL", "1012 ab", "1012 AB"),
        ("NL", "1012", "1012"),
        ("DE", "10115", "10115"),
        ("CH", "8001", "8001"),
    ],
)
def test_postcodes_keep_their_signs(residence: str, postcode: str, stored: str) -> None:
    fields = {**GIULIA, "address": {**GIULIA["address"], "country": residence, "postcode": postcode}}
    assert accepted(fields).payload["postcode"] == stored


@pytest.mark.parametrize(
    ("residence", "postcode"), [("DE", "101 15"), ("DE", "1011"), ("GR", "123-45"), ("NL", "0012"), ("SK", "11101")]
)
def test_postcodes_are_those_of_the_residence(residence: str, postcode: str) -> None:
    fields = {**GIULIA, "address": {**GIULIA["address"], "country": residence, "postcode": postcode}}
    assert refused(fields) == [("/address/postcode", "format")]


def with_document(kind: str, number: str) -> dict[str, Any]:
    return {**GIULIA, "nationality": {"country": "it", "documentType": kind, "documentNumber": number}}


@pytest.mark.parametrize(
    ("kind", "number", "stored"),
    [
        ("driving.licence", "U1A23B456C", "U1A23B456C"),
        ("driving.licence", "u1-a23 b456c", "u1a23b456c"),
        ("passport", "YA1234567", "YA1234567"),
        ("passport", "A123456", "A123456"),
        ("passport", "123456a", "123456a"),
        ("id.card", "ca 12345 ab", "ca12345ab"),
        ("id.card", "AB123456", "AB123456"),
        ("id.card", "AB12345678", "AB12345678"),
        ("id.card", "1234567AB", "1234567AB"),
    ],
)
def test_documents_accepted(kind: str, number: str, stored: str) -> None:
    contact = accepted(with_document(kind, number))
    assert contact.payload["nationality"] == {"country": "IT", "documentType": kind, "documentNumber": stored}
    assert contact.fingerprint_text == f"IT{kind}{stored}"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("driving.licence", "U1A23B456"),
        ("driving.licence", "U1A23B456C7"),
        ("driving.licence", "U1A23B_56C"),
        ("passport", "AA123456"),
        ("passport", "CA12345AB"),
        ("id.card", "A123456"),
        ("id.card", "AB12345"),
    ],
)
def test_documents_refused(kind: str, number: str) -> None:
    assert refused(with_document(kind, number)) == [(NUMBER, "format")]


@pytest.mark.parametrize("kind", ["residence.permit", "personal.number", "national.id.number", "pesel"])
def test_other_documents(kind: str) -> None:
    assert refused(changed(TYPE, kind)) == [(TYPE, "invalid")]


@pytest.mark.parametrize(
    ("pointer", "value", "failures"),
    [
        ("/nationality", None, [("/nationality", "blank")]),
        ("/nationality", {}, [(COUNTRY, "blank")]),
        ("/nationality", {"country": "IT"}, [(TYPE, "blank"), (NUMBER, "blank")]),
        (COUNTRY, "AT", [(COUNTRY, "invalid")]),
        (COUNTRY, "ITA", [(COUNTRY, "format"), (COUNTRY, "invalid")]),
        (TYPE, None, [(TYPE, "blank")]),
        (NUMBER, "", [(NUMBER, "blank")]),
        (NUMBER, "<", [(NUMBER, "format")]),
        ("/address", None, [("/address", "blank")]),
        ("/address", {}, [(f"/address/{name}", "blank") for name in ("country", "locality", "postcode", "street")]),
        ("/address/country", None, [("/address/country", "blank")]),
        ("/address/locality", "", [("/address/locality", "blank")]),
        ("/address/postcode", None, [("/address/postcode", "blank")]),
        ("/address/postcode", "12_34", [("/address/postcode", "format")]),
        ("/address/street", " ", [("/address/street", "blank")]),
        ("/firstName", None, [("/firstName", "blank")]),
        ("/lastName", None, [("/lastName", "blank")]),
        ("/birthDate", None, [("/birthDate", "blank")]),
        ("/birthDate", "2008-08-02", [("/birthDate", "age")]),
        ("/email", "giulia", [("/email", "format")]),
    ],
)
def test_refused(pointer: str, value: object, failures: list[tuple[str, str]]) -> None:
    assert refused(changed(pointer, value)) == failures


def test_a_street_needs_no_number() -> None:
    assert "streetNumber" not in accepted(changed("/address/streetNumber", None)).payload


def test_every_failed_rule_is_told_at_once() -> None:
    assert refused({
        "phone": "x",
        "birthDate": "2020-01-01",
        "nationality": {"country": "IT", "documentType": "pesel"},
        "address": {"country": "DE", "postcode": "1_"},
    }) == [
        ("/phone", "format"),
        ("/address/postcode", "format"),
        (NUMBER, "blank"),
        (TYPE, "invalid"),
        ("/address/locality", "blank"),
        ("/address/street", "blank"),
        ("/firstName", "blank"),
        ("/lastName", "blank"),
        ("/birthDate", "age"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("birth_date", "today", "old_enough"),
    [
        ("2008-08-01", date(2026, 7, 31), False),
        ("2008-08-01", date(2026, 8, 1), True),
        ("2008-02-29", date(2026, 2, 28), False),
        ("2008-02-29", date(2026, 3, 1), True),
    ],
)
def test_eighteen_years(birth_date: str, today: date, old_enough: bool) -> None:
    assert isinstance(checked(changed("/birthDate", birth_date), today), Contact) is old_enough
