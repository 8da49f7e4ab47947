"""What each country asks of its citizens: age, address, documents, postcodes (domain 2.7.1)."""

# ruff: noqa: RUF001 - the look-alikes are what is tested

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from proca_common.contacts import Contact, ContactInput, check
from proca_common.contacts.countries import COUNTRIES, Needs, is_postcode

TODAY = date(2026, 8, 1)
AGES = {
    16: "AT DE EE MT",
    17: "GR",
    18: "BE BG CY CZ DK ES FI FR HR HU IE IT LT LU LV NL PL PT RO SE SI SK",
}
ADDRESS_AND_BIRTH_DATE = ["DE", "DK", "FI", "FR", "IE", "LU", "NL", "SK"]
POSTCODES = {
    **dict.fromkeys(("DE", "FI", "FR", "GR"), "10115"),
    **dict.fromkeys(("DK", "LU", "NL"), "2100"),
    "IE": "D02 AF30",
    "SK": "81101",
}

# Nationality, document type: numbers of every form that it can have, and numbers that miss a form narrowly.
NUMBERS = {
    ("AT", "id.card"): ("1234567 12345678", "123456 123456789 1234567a A12345678 R1234567"),
    ("AT", "passport"): ("R1234567 r12345678", "AB12345 AB1234567 R123456 R123456789 1234567"),
    ("BE", "national.id.number"): (
        "00010112345 99123112345 85110112345 00.01.01-123.45 000010112345",
        "00130112345 00000112345 00013212345 0001011234 00010112345x x00010112345",
    ),
    ("BG", "personal.number"): (
        "0701270855 0948220092 9926177023 0802290844 0052214707 0409197132 070127-0855",
        "0248126491 0701270845 0775270849 0702290849 0703320847 07033 0703320_47 3043290844 07012708555 a701270855",
    ),
    ("CY", "id.card"): ("1 123456 1234567890", "12345678901 12345a"),
    ("CY", "passport"): (
        "B123456 c123456 E123456 J123456 K12345678 k12345678 DP1234567 sp1234567",
        "A123456 B1234567 B12345 K1234567 xK12345678 K123456789 KP1234567 D1234567 DP12345678 DP123456",
    ),
    ("CZ", "id.card"): (
        "123456789 123456ab12 123456ab ab123456",
        "12345678 1234567890 123456789x 123456AB12 123456AB AB123456 x123456ab12 123456ab1 123456abc xab123456",
    ),
    ("CZ", "passport"): ("1234567 12345678", "123456 123456789 A1234567"),
    ("EE", "personal.number"): ("12345678901", "1234567890 123456789012 1234567890a"),
    ("ES", "id.card"): ("12345678Z 12345678z 12345678-Z", "1234567Z 123456789 123456789Z X1234567L 12345678ZZ"),
    ("ES", "passport"): ("AAA000000 1 a_b", ""),
    ("HR", "personal.id"): ("12345678901", "1234567890 123456789012 1234567890a"),
    ("HR", "passport"): ("007007007 1 a_b", ""),
    ("HU", "id.card"): (
        "123456AB 123456ab ABC123456 ABCD123456 abcde123456 AB123456",
        "12345AB 123456A 123456ABC xx123456AB A123456 ABCDEF123456 AB12345 AB1234567 123456",
    ),
    ("HU", "passport"): ("AB123456 ab1234567", "A123456 ABC123456 AB12345 AB12345678"),
    ("HU", "personal.number"): ("12345678901", "1234567890 123456789012 1234567890a"),
    ("IT", "id.card"): (
        "AB123456 ab1234567 AB12345678 1234567AB AB12345CD",
        "AB12345 AB123456789 A123456 123456AB 1234567A 12345678AB AB1234CD AB123456CD A12345CD",
    ),
    ("IT", "passport"): (
        "AA1234567 a123456 123456A",
        "AA123456 AA12345678 A1234567 A12345 xA123456 12345A 1234567A 123456AA",
    ),
    ("LT", "personal.number"): ("12345678901", "1234567890 123456789012 1234567890a"),
    ("LV", "personal.id"): ("12345612345 123456-12345", "1234561234 123456123456 1234561234a"),
    ("MT", "id.card"): ("1234567M m 1", "12_34"),
    ("PL", "national.id.number"): ("12345678901", "1234567890 123456789012 1234567890a"),
    ("PT", "citizens.card"): ("123456789AB1 123456789ab1", "12345678AB1 123456789A12 123456789ABC 123456789AB12"),
    ("PT", "id.card"): ("1 12345678", "123456789 1234567a"),
    ("PT", "passport"): ("A123456 ab123456", "123456 ABC123456 A12345 A1234567 AB1234567"),
    ("RO", "id.card"): ("AB123456 ab123456", "A123456 ABC123456 AB12345 AB1234567"),
    ("RO", "passport"): ("12345678 a AB1234", "12_34"),
    ("RO", "personal.id"): ("1234567890123", "123456789012 12345678901234 123456789012a"),
    ("SE", "personal.number"): (
        "1234567890 123456789012 123456-7890",
        "123456789 12345678901 1234567890123 123456789a",
    ),
    ("SI", "personal.number"): ("1234567890123", "123456789012 12345678901234 123456789012a"),
}  # fmt: skip
ANY_LETTERS_AND_DIGITS = [("ES", "passport"), ("HR", "passport"), ("MT", "id.card"), ("RO", "passport")]
MATCHING = [(*key, number) for key, (matching, _) in NUMBERS.items() for number in matching.split()]
OTHERS = [(*key, number) for key, (_, others) in NUMBERS.items() for number in others.split()]


def failures(fields: dict[str, Any], today: date = TODAY) -> list[tuple[str, str]]:
    checked = check("eci", ContactInput.model_validate(fields), today)
    return [] if isinstance(checked, Contact) else [(failure.pointer, failure.code) for failure in checked]


def citizen(nationality: str, /, **changes: Any) -> dict[str, Any]:
    """Somebody of this nationality who gives what is asked, and lives there where an address is."""
    country = COUNTRIES[nationality]
    fields: dict[str, Any] = {"firstName": "Nele", "lastName": "De Smet", "nationality": {"country": nationality}}
    if country.needs is Needs.DOCUMENT:
        document_type, document = next(iter(country.documents.items()))
        fields["nationality"] |= {"documentType": document_type, "documentNumber": document.example}
    else:
        address = {"locality": "Athens", "street": "Stadiou", "postcode": POSTCODES[nationality]}
        fields["address"] = {"country": nationality, **address}
    if country.needs is Needs.ADDRESS_AND_BIRTH_DATE:
        fields["birthDate"] = "1985-11-30"
    return fields | changes


def test_there_are_27_countries() -> None:
    assert sorted(COUNTRIES) == sorted(" ".join(AGES.values()).split())
    assert len(COUNTRIES) == 27


@pytest.mark.parametrize("nationality", COUNTRIES)
def test_what_a_country_needs(nationality: str) -> None:
    needs = COUNTRIES[nationality].needs
    if nationality in ADDRESS_AND_BIRTH_DATE:
        assert needs is Needs.ADDRESS_AND_BIRTH_DATE
    else:
        assert needs is (Needs.ADDRESS if nationality == "GR" else Needs.DOCUMENT)
    assert bool(COUNTRIES[nationality].documents) == (needs is Needs.DOCUMENT)
    assert failures(citizen(nationality)) == []


def test_the_types_of_documents() -> None:
    assert [(name, kind) for name, country in COUNTRIES.items() for kind in country.documents] == list(NUMBERS)


@pytest.mark.parametrize(("nationality", "kind"), NUMBERS)
def test_the_examples_of_the_table_are_accepted(nationality: str, kind: str) -> None:
    assert COUNTRIES[nationality].documents[kind].accepts(COUNTRIES[nationality].documents[kind].example, TODAY)


def with_document(nationality: str, kind: str, number: str) -> dict[str, Any]:
    document = {"country": nationality, "documentType": kind, "documentNumber": number}
    return citizen(nationality, nationality=document)


@pytest.mark.parametrize(("nationality", "kind", "number"), MATCHING)
def test_document_numbers_accepted(nationality: str, kind: str, number: str) -> None:
    assert failures(with_document(nationality, kind, number)) == []


@pytest.mark.parametrize(("nationality", "kind", "number"), OTHERS)
def test_document_numbers_refused(nationality: str, kind: str, number: str) -> None:
    assert failures(with_document(nationality, kind, number)) == [("/nationality/documentNumber", "format")]


def form(number: str) -> str:
    """The number with a 9 for each digit and an A for each letter."""
    return "".join("9" if sign.isdigit() else "A" for sign in number)


@pytest.mark.parametrize(("nationality", "kind"), [key for key in NUMBERS if key not in ANY_LETTERS_AND_DIGITS])
def test_a_letter_for_a_digit_is_another_form(nationality: str, kind: str) -> None:
    numbers = [number for number in NUMBERS[nationality, kind][0].split() if number.isalnum()]
    forms = {form(number) for number in numbers}
    for number in numbers:
        for place, sign in enumerate(number):
            other = number[:place] + ("a" if sign.isdigit() else "1") + number[place + 1 :]
            assert form(other) in forms or failures(with_document(nationality, kind, other)), other


def test_every_type_of_document_is_tried_both_ways() -> None:
    unrefused = {key for key, (_, others) in NUMBERS.items() if not others}
    assert unrefused == {("ES", "passport"), ("HR", "passport")}  # these take any number


@pytest.mark.parametrize("number", ["1234567\n", "\n1234567", "１２３４５６７", "\u212a1234567"])
def test_a_pattern_is_of_the_whole_number_in_ascii(number: str) -> None:
    assert failures(with_document("AT", "id.card", number)) == [("/nationality/documentNumber", "format")]


BIRTHDAYS = [(nationality, age) for age, names in AGES.items() for nationality in names.split()]


@pytest.mark.parametrize(("nationality", "age"), BIRTHDAYS)
def test_least_age_is_reached_on_the_birthday(nationality: str, age: int) -> None:
    birthday = TODAY.replace(year=TODAY.year - age)
    assert failures(citizen(nationality, birthDate=f"{birthday - timedelta(days=1)}")) == []
    assert failures(citizen(nationality, birthDate=f"{birthday}")) == []
    assert failures(citizen(nationality, birthDate=f"{birthday + timedelta(days=1)}")) == [("/birthDate", "age")]


@pytest.mark.parametrize(
    ("birth_date", "today", "old_enough"),
    [
        ("2008-02-29", date(2026, 2, 28), False),
        ("2008-02-29", date(2026, 3, 1), True),
        ("2006-02-28", date(2024, 2, 29), True),
        ("2006-03-01", date(2024, 2, 29), False),
        ("2006-03-01", date(2024, 3, 1), True),
        ("2007-12-31", date(2025, 12, 30), False),
        ("2007-12-31", date(2025, 12, 31), True),
        ("2008-01-01", date(2025, 12, 31), False),
        ("2008-01-01", date(2026, 1, 1), True),
        ("2026-08-02", date(2026, 8, 1), False),
        ("9999-12-31", date(2026, 8, 1), False),
        ("0001-01-01", date(2026, 8, 1), True),
    ],
)
def test_birthdays_at_the_edges_of_the_calendar(birth_date: str, today: date, old_enough: bool) -> None:
    expected = [] if old_enough else [("/birthDate", "age")]
    assert failures(citizen("FR", birthDate=birth_date), today) == expected


def test_a_leap_day_as_least_birthday() -> None:
    # Sixteen years later there is a 29 February again.
    assert failures(citizen("DE", birthDate="2008-02-29"), date(2024, 2, 28)) == [("/birthDate", "age")]
    assert failures(citizen("DE", birthDate="2008-02-29"), date(2024, 2, 29)) == []


@pytest.mark.parametrize("nationality", COUNTRIES)
def test_who_must_give_a_birth_date(nationality: str) -> None:
    expected = [("/birthDate", "blank")] if nationality in ADDRESS_AND_BIRTH_DATE else []
    assert failures(citizen(nationality, birthDate=None)) == expected


@pytest.mark.parametrize("nationality", COUNTRIES)
def test_who_must_give_an_address(nationality: str) -> None:
    needed = nationality in {*ADDRESS_AND_BIRTH_DATE, "GR"}
    assert failures(citizen(nationality, address=None)) == ([("/address", "blank")] if needed else [])
    parts = [(f"/address/{name}", "blank") for name in ("country", "locality", "postcode", "street")]
    assert failures(citizen(nationality, address={})) == (parts if needed else [])


FIVE_DIGITS = ("10115 00000", "1011 101155 1011A A0115")
FOUR_DIGITS = ("2100 0000", "210 21000 210A L2100")
RESIDENCES = {
    **dict.fromkeys(("DE", "FI", "FR", "GR"), FIVE_DIGITS),
    **dict.fromkeys(("DK", "LU"), FOUR_DIGITS),
    "NL": ("9876 9876AB 9876ab", "0876 987 98765 9876A 9876ABC 0876AB AB9876"),
    "SK": ("01001 81101 97405", "11101 71101 8110 811011 8110A"),
    "AT": ("1010 A-1010", ""),
    "BE": ("1234 1 ABCDEFGHIJ", ""),
    "IE": ("D02AF30 D02-AF30", ""),
    "CH": ("8001 X", ""),
    "ZZ": ("0-0", ""),
}


@pytest.mark.parametrize(
    ("residence", "postcode", "good"),
    [
        (residence, postcode, good)
        for residence, both in RESIDENCES.items()
        for postcodes, good in zip(both, (True, False), strict=True)
        for postcode in postcodes.split()
    ],
)
def test_postcodes_are_those_of_the_residence(residence: str, postcode: str, good: bool) -> None:
    address = {"country": residence, "locality": "Gent", "street": "Veldstraat", "postcode": postcode}
    assert failures(citizen("FR", address=address)) == ([] if good else [("/address/postcode", "format")])
    # A country whose citizens need no address looks at one all the same.
    assert failures(citizen("PL", address=address)) == ([] if good else [("/address/postcode", "format")])


@pytest.mark.parametrize("residence", RESIDENCES)
@pytest.mark.parametrize("postcode", ["12345678901", "12_34", "12\n34", "１２３４", "12/34"])
def test_no_country_has_such_postcodes(residence: str, postcode: str) -> None:
    address = {"country": residence, "locality": "Gent", "street": "Veldstraat", "postcode": postcode}
    assert failures(citizen("FR", address=address)) == [("/address/postcode", "format")]


@pytest.mark.parametrize(
    ("residence", "postcode", "expected"),
    [
        (None, "1234 AB-12", True),
        (None, "", False),
        ("BE", "12345678901", False),
        ("BE", "12_34", False),
        ("NL", "9876 AB", True),
        ("NL", "9876  AB", False),
        ("DE", "10115\n", False),
        ("BE", "1234\n", False),
    ],
)
def test_a_postcode_is_matched_as_a_whole(residence: str | None, postcode: str, expected: bool) -> None:
    assert is_postcode(postcode, residence) is expected
