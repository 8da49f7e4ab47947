"""Contact schema `popular_initiative`: rules, payload and fingerprint (domain 2.6, 2.9, 2.10, 2.11, 16.1)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from proca_common.contacts import Contact, ContactInput, check, contact_ref

TODAY = date(2026, 8, 1)
URS: dict[str, Any] = {
    "firstName": "Urs",
    "lastName": "Keller",
    "birthDate": "1979-08-01",
    "email": "urs@localhost",
    "address": {"country": "CH", "postcode": "3011", "locality": "Bern", "region": "BE"},
}


def checked(fields: dict[str, Any]) -> Contact | list[Any]:
    return check("popular_initiative", ContactInput.model_validate(fields), TODAY)


def accepted(fields: dict[str, Any]) -> Contact:
    contact = checked(fields)
    assert isinstance(contact, Contact)
    return contact


def refused(fields: dict[str, Any]) -> list[tuple[str, str]]:
    failures = checked(fields)
    assert isinstance(failures, list)
    return [(failure.pointer, failure.code) for failure in failures]


def test_whole_payload() -> None:
    contact = accepted(URS)
    assert contact.payload == {
        "firstName": "Urs",
        "lastName": "Keller",
        "birthDate": "1979-08-01",
        "email": "urs@localhost",
        "postcode": "3011",
        "locality": "Bern",
        "region": "BE",
    }
    assert contact.area is None
    assert contact.first_name == "Urs"
    assert contact.email == "urs@localhost"


def test_least_payload() -> None:
    contact = accepted({"firstName": "Urs", "email": "urs@localhost", "address": {"postcode": "3011"}})
    assert contact.payload == {"firstName": "Urs", "email": "urs@localhost", "postcode": "3011"}


def test_what_is_not_kept() -> None:
    nationality = {"country": "CH", "documentType": "passport", "documentNumber": "S0000000"}
    address = {**URS["address"], "street": "Gasse", "streetNumber": "1"}
    rest = {"name": "Urs Keller", "phone": "+41 31", "nationality": nationality, "address": address}
    assert accepted({**URS, **rest}) == accepted(URS)


@pytest.mark.parametrize("email", ["urs@localhost", "Urs.Keller@Example.ORG"])
def test_an_address_of_mail_stays_as_it_was_typed(email: str) -> None:
    contact = accepted({**URS, "email": email})
    assert contact.payload["email"] == contact.email == email
    assert contact.fingerprint_text == f"UrsKeller{email}1979-08-01"


def test_names_are_trimmed_but_never_split_or_joined() -> None:
    assert accepted({**URS, "firstName": " Urs ", "lastName": "Keller\u00a0"}) == accepted(URS)
    assert refused({**URS, "firstName": None, "name": "Urs Keller"}) == [("/firstName", "blank")]


@pytest.mark.parametrize(
    ("changes", "ref"),
    [
        ({"lastName": None, "birthDate": None}, "8HcowBa3cgJAUhHHGNjzAdnfPOMej7QFcr7Cd36lHvw"),
        ({"lastName": "", "birthDate": None}, "8HcowBa3cgJAUhHHGNjzAdnfPOMej7QFcr7Cd36lHvw"),
        ({}, "oUux2dPFtvQzp5QMr5MZ5UMTkRZ43rKg-3UIVlUX_CA"),
        ({"address": {"postcode": "8001"}}, "oUux2dPFtvQzp5QMr5MZ5UMTkRZ43rKg-3UIVlUX_CA"),
    ],
)
def test_vectors(changes: dict[str, Any], ref: str) -> None:
    assert contact_ref("unit-seed", accepted({**URS, **changes}).fingerprint_text) == ref


@pytest.mark.parametrize("postcode", ["3011", "0000", "9999"])
def test_postcodes_accepted(postcode: str) -> None:
    assert accepted({**URS, "address": {"postcode": postcode}}).payload["postcode"] == postcode


@pytest.mark.parametrize(
    "postcode", ["301", "30111", "30 11", "3011 ", " 3011", "CH-3011", "301A", "\uff13\uff10\uff11\uff11", "3011\n"]
)
def test_postcodes_refused(postcode: str) -> None:
    assert refused({**URS, "address": {"postcode": postcode}}) == [("/address/postcode", "format")]


@pytest.mark.parametrize(
    ("changes", "failures"),
    [
        ({"firstName": None}, [("/firstName", "blank")]),
        ({"firstName": ""}, [("/firstName", "blank")]),
        ({"email": None}, [("/email", "blank")]),
        ({"address": None}, [("/address", "blank")]),
        ({"address": {}}, [("/address/postcode", "blank")]),
        ({"address": {"postcode": "", "country": "CH"}}, [("/address/postcode", "blank")]),
        ({"address": {"postcode": " "}}, [("/address/postcode", "blank"), ("/address/postcode", "format")]),
        ({"email": " urs@localhost"}, [("/email", "format")]),
        ({"email": "urs"}, [("/email", "format")]),
        ({"phone": "x"}, [("/phone", "format")]),
        ({"nationality": {}}, [("/nationality/country", "blank")]),
        ({"firstName": "Urs2", "address": None}, [("/firstName", "format"), ("/address", "blank")]),
        ({"firstName": " ", "email": None}, [("/firstName", "format"), ("/firstName", "blank"), ("/email", "blank")]),
        # The postcode's own rules are asked when all others hold.
        ({"firstName": None, "address": {"postcode": "1"}}, [("/firstName", "blank")]),
        ({"phone": "x", "address": {}}, [("/phone", "format")]),
    ],
)
def test_refused(changes: dict[str, Any], failures: list[tuple[str, str]]) -> None:
    assert refused({**URS, **changes}) == failures


def test_nobody_is_too_young() -> None:
    assert accepted({**URS, "birthDate": "2026-08-01"}).payload["birthDate"] == "2026-08-01"
