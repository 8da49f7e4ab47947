"""Contact schema `eci`: its steps, payload and fingerprint (domain 2.7, 2.9 to 2.11, 16.1, decision 13)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from proca_common.contacts import Contact, ContactInput, check, contact_ref
from proca_common.failures import BAD_FORMAT, BLANK, INVALID, Failure

TODAY = date(2026, 8, 1)
AUSTRIAN: dict[str, Any] = {
    "firstName": "Maria",
    "lastName": "Huber",
    "nationality": {"country": "AT", "documentType": "passport", "documentNumber": "R1234567"},
}
GREEK: dict[str, Any] = {
    "firstName": "Eleni",
    "lastName": "Mr. Something",
    "nationality": {"country": "GR"},
    "address": {"country": "GR", "locality": "Athens", "postcode": "12345", "street": "Stadiou", "streetNumber": "7"},
}
FRENCH: dict[str, Any] = {
    "firstName": "Nele",
    "lastName": "De Smet",
    "birthDate": "1985-11-30",
    "nationality": {"country": "FR"},
    "address": {"country": "BE", "locality": "Gent", "postcode": "9000", "street": "Veldstraat", "streetNumber": "11"},
}
COUNTRY, TYPE, NUMBER = (f"/nationality/{name}" for name in ("country", "documentType", "documentNumber"))


def changed(fields: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    """These fields with another value at the pointer."""
    *parents, name = pointer.strip("/").split("/")
    if not parents:
        return {**fields, name: value}
    return {**fields, parents[0]: {**fields.get(parents[0], {}), name: value}}


def checked(fields: dict[str, Any]) -> Contact | list[Failure]:
    return check("eci", ContactInput.model_validate(fields), TODAY)


def accepted(fields: dict[str, Any]) -> Contact:
    contact = checked(fields)
    assert isinstance(contact, Contact)
    return contact


def refused(fields: dict[str, Any]) -> list[tuple[str, str]]:
    failures = checked(fields)
    assert isinstance(failures, list)
    return [(failure.pointer, failure.code) for failure in failures]


def test_payload_of_somebody_with_an_address() -> None:
    contact = accepted(FRENCH)
    assert contact.payload == {
        "firstName": "Nele",
        "lastName": "De Smet",
        "birthDate": "1985-11-30",
        "country": "BE",
        "postcode": "9000",
        "city": "Gent",
        "street": "Veldstraat",
        "streetNumber": "11",
        "area": "FR",
        "nationality": {"country": "FR"},
    }
    assert contact.area == "FR"
    assert contact.first_name == "Nele"
    assert contact.email is None


def test_payload_of_somebody_with_a_document() -> None:
    contact = accepted(AUSTRIAN)
    assert contact.payload == {
        "firstName": "Maria",
        "lastName": "Huber",
        "area": "AT",
        "nationality": {"country": "AT", "documentType": "passport", "documentNumber": "R1234567"},
    }
    assert contact.area == "AT"


def test_what_is_not_kept() -> None:
    rest = {"name": "Maria Huber", "email": "maria@example.org", "phone": "+43 1"}
    assert accepted({**AUSTRIAN, **rest}) == accepted(AUSTRIAN)
    assert accepted(changed(GREEK, "/address/region", "Attica")) == accepted(GREEK)


def test_who_needs_no_address_may_give_one() -> None:
    contact = accepted({**AUSTRIAN, "address": {"country": "DE", "postcode": "101 15"}, "birthDate": "1979-08-01"})
    assert contact.payload == {
        **accepted(AUSTRIAN).payload,
        "birthDate": "1979-08-01",
        "country": "DE",
        "postcode": "10115",
    }
    assert contact.fingerprint_text == accepted(AUSTRIAN).fingerprint_text
    assert accepted({**AUSTRIAN, "address": {}}) == accepted(AUSTRIAN)
    assert accepted({**AUSTRIAN, "address": {"locality": "Wien"}}).payload["city"] == "Wien"


WORKED_CASES = [
    (AUSTRIAN, NUMBER, "AB12345", [Failure(NUMBER, "format", BAD_FORMAT)]),
    (AUSTRIAN, NUMBER, None, [Failure(NUMBER, "blank", BLANK)]),
    (AUSTRIAN, TYPE, None, [Failure(TYPE, "blank", BLANK)]),
    (AUSTRIAN, "/nationality", {"country": "AT"}, [Failure(TYPE, "blank", BLANK), Failure(NUMBER, "blank", BLANK)]),
    (AUSTRIAN, TYPE, "id.card", [Failure(NUMBER, "format", BAD_FORMAT)]),
    (AUSTRIAN, TYPE, "pesel", [Failure(TYPE, "invalid", INVALID)]),
    (GREEK, "/address/postcode", "123", [Failure("/address/postcode", "format", BAD_FORMAT)]),
    (GREEK, "/address/country", None, [Failure("/address/country", "blank", BLANK)]),
    (GREEK, "/address/locality", None, [Failure("/address/locality", "blank", BLANK)]),
    (FRENCH, "/address/postcode", "0000-000000000000000-0000", [Failure("/address/postcode", "format", BAD_FORMAT)]),
]


@pytest.mark.parametrize(("fields", "pointer", "value", "failures"), WORKED_CASES)
def test_worked_cases_refused(fields: dict[str, Any], pointer: str, value: object, failures: list[Failure]) -> None:
    assert checked(changed(fields, pointer, value)) == failures


@pytest.mark.parametrize("postcode", ["12345", "123-45", "123 45"])
def test_a_greek_postcode_loses_its_signs(postcode: str) -> None:
    contact = accepted(changed(GREEK, "/address/postcode", postcode))
    assert contact.payload["postcode"] == "12345"
    assert contact.payload["city"] == "Athens"
    assert contact == accepted(GREEK)


def test_countries_are_stored_in_capitals() -> None:
    contact = accepted(changed(changed(GREEK, COUNTRY, "gr"), "/address/country", "gr"))
    assert contact == accepted(GREEK)
    assert contact.payload["nationality"] == {"country": "GR"}


def test_somebody_french_in_belgium_has_a_belgian_postcode() -> None:
    assert accepted(changed(FRENCH, "/address/postcode", "1234")).payload["postcode"] == "1234"


def test_somebody_dutch_may_leave_the_letters_out() -> None:
    address = {**FRENCH["address"], "country": "NL", "postcode": "9876"}
    assert accepted({**FRENCH, "nationality": {"country": "NL"}, "address": address}).payload["postcode"] == "9876"


def test_a_belgian_number_loses_its_signs() -> None:
    nationality = {"country": "BE", "documentType": "national.id.number", "documentNumber": "00.01.01-123.45"}
    payload = accepted({**AUSTRIAN, "nationality": nationality}).payload
    assert payload["nationality"] == {**nationality, "documentNumber": "00010112345"}


@pytest.mark.parametrize("country", ["GB", "CH", "NO", "UK", "EL", "EU", "ZZ"])
def test_other_countries(country: str) -> None:
    assert refused(changed(AUSTRIAN, COUNTRY, country)) == [(COUNTRY, "invalid")]


@pytest.mark.parametrize(
    ("fields", "pointer", "value", "failures"),
    [
        # Fields, and that there is a nationality.
        (AUSTRIAN, "/nationality", None, [("/nationality", "blank")]),
        (AUSTRIAN, "/nationality", {}, [(COUNTRY, "blank")]),
        (AUSTRIAN, COUNTRY, "", [(COUNTRY, "blank")]),
        (AUSTRIAN, COUNTRY, "AUT", [(COUNTRY, "format")]),
        (AUSTRIAN, TYPE, "Passport", [(TYPE, "format")]),
        (AUSTRIAN, TYPE, " ", [(TYPE, "format")]),
        (AUSTRIAN, NUMBER, "-", [(NUMBER, "format")]),
        (AUSTRIAN, NUMBER, "1" * 33, [(NUMBER, "too_long")]),
        (AUSTRIAN, "/email", "maria", [("/email", "format")]),
        (AUSTRIAN, "/email", " maria@example.org", [("/email", "format")]),
        # Document.
        (AUSTRIAN, TYPE, "residence.permit", [(TYPE, "invalid")]),
        (AUSTRIAN, TYPE, "personal.number", [(TYPE, "invalid")]),
        (AUSTRIAN, "/nationality", {"country": "AT", "documentType": "pesel"}, [(NUMBER, "blank"), (TYPE, "invalid")]),
        (AUSTRIAN, "/nationality", {"country": "AT", "documentNumber": "?"}, [(NUMBER, "format")]),
        (GREEK, TYPE, "passport", [(NUMBER, "blank")]),
        # Address.
        (GREEK, "/address", None, [("/address", "blank")]),
        (GREEK, "/address/street", "", [("/address/street", "blank")]),
        (GREEK, "/address/street", " ", [("/address/street", "blank")]),
        (GREEK, "/address/postcode", None, [("/address/postcode", "blank")]),
        (GREEK, "/address/postcode", " ", [("/address/postcode", "blank"), ("/address/postcode", "format")]),
        (GREEK, "/address/postcode", " - ", [("/address/postcode", "format")]),
        (AUSTRIAN, "/address", {"postcode": "-"}, [("/address/postcode", "format")]),
        (AUSTRIAN, "/address", {"country": "DE", "postcode": "1010"}, [("/address/postcode", "format")]),
        # Person.
        (AUSTRIAN, "/firstName", None, [("/firstName", "blank")]),
        (AUSTRIAN, "/lastName", "", [("/lastName", "blank")]),
        (FRENCH, "/birthDate", None, [("/birthDate", "blank")]),
        (FRENCH, "/birthDate", "2008-08-02", [("/birthDate", "age")]),
        (GREEK, "/birthDate", "2009-08-02", [("/birthDate", "age")]),
        (AUSTRIAN, "/birthDate", "2010-08-02", [("/birthDate", "age")]),
    ],
)
def test_each_step(fields: dict[str, Any], pointer: str, value: object, failures: list[tuple[str, str]]) -> None:
    assert refused(changed(fields, pointer, value)) == failures


def test_a_street_needs_no_number() -> None:
    assert "streetNumber" not in accepted(changed(GREEK, "/address/streetNumber", None)).payload


def test_the_age_is_told_in_words() -> None:
    assert checked(changed(FRENCH, "/birthDate", "2026-08-02")) == [Failure("/birthDate", "age", "Age below limit")]


def test_only_the_first_step_that_fails_is_told() -> None:
    fields: dict[str, Any] = {
        "phone": "x",
        "nationality": {"country": "XX", "documentType": "passport"},
        "address": {"country": "SK", "postcode": "1"},
        "birthDate": "2020-01-01",
    }
    assert refused(fields) == [("/phone", "format")]
    fields |= {"phone": None}
    assert refused(fields) == [(COUNTRY, "invalid")]
    fields = changed(fields, COUNTRY, "SK")
    assert refused(fields) == [(NUMBER, "blank")]
    fields = changed(fields, TYPE, None)
    address = [(f"/address/{name}", code) for name, code in
               (("locality", "blank"), ("street", "blank"), ("postcode", "format"))]  # fmt: skip
    assert refused(fields) == address
    fields["address"] = {"country": "SK", "postcode": "811 01", "locality": "Bratislava", "street": "Dunajská"}
    assert refused(fields) == [("/firstName", "blank"), ("/lastName", "blank"), ("/birthDate", "age")]
    fields |= {"firstName": "Jana", "lastName": "Nová", "birthDate": "2008-08-01"}
    assert accepted(fields).payload["postcode"] == "81101"


@pytest.mark.parametrize(
    ("fields", "ref"),
    [
        (
            {**AUSTRIAN, "nationality": {**AUSTRIAN["nationality"], "documentNumber": "K7654321"}},
            "YvhfdOVlhZr080MDZqaf46bEbz-YMFI_wkfHuPCJhG0",
        ),
        (
            {**AUSTRIAN, "nationality": {"country": "at", "documentType": "passport", "documentNumber": "K 765.43-21"}},
            "YvhfdOVlhZr080MDZqaf46bEbz-YMFI_wkfHuPCJhG0",
        ),
        (FRENCH, "XIPgS5H24g1wbHzPbuptNGKTBSx7UpJsgm97nFbTeYQ"),
        (changed(FRENCH, "/address/postcode", "90 0-0"), "XIPgS5H24g1wbHzPbuptNGKTBSx7UpJsgm97nFbTeYQ"),
    ],
)
def test_vectors(fields: dict[str, Any], ref: str) -> None:
    assert contact_ref("unit-seed", accepted(fields).fingerprint_text) == ref


def test_a_document_number_in_other_case_is_another_person() -> None:
    assert accepted(changed(AUSTRIAN, NUMBER, "r1234567")).fingerprint_text == "ATpassportr1234567"
    assert accepted(AUSTRIAN).fingerprint_text == "ATpassportR1234567"


def test_what_makes_two_people_the_same() -> None:
    same = {**changed(AUSTRIAN, "/lastName", "Other"), "firstName": "Other", "birthDate": "1979-08-01"}
    assert accepted(same).fingerprint_text == accepted(AUSTRIAN).fingerprint_text
    street = changed(changed(FRENCH, "/address/street", "Elsewhere"), "/address/locality", "Elsewhere")
    assert accepted(street).fingerprint_text == accepted(FRENCH).fingerprint_text
    # Where no document is needed, nationality tells nobody apart.
    assert accepted(changed(FRENCH, COUNTRY, "DE")).fingerprint_text == accepted(FRENCH).fingerprint_text


def test_a_missing_birth_date_is_empty_in_the_fingerprint() -> None:
    assert accepted(GREEK).fingerprint_text == "GREleniMr. Something12345"
    assert accepted({**GREEK, "birthDate": "1979-08-01"}).fingerprint_text == "GREleniMr. Something1979-08-0112345"


def test_a_document_that_nobody_asked_for_tells_a_person_apart_when_it_is_whole() -> None:
    nationality = {"country": "FR", "documentType": "passport", "documentNumber": "12-ab"}
    contact = accepted({**FRENCH, "nationality": nationality})
    assert contact.payload["nationality"] == {**nationality, "documentNumber": "12ab"}
    assert contact.fingerprint_text == "FRpassport12ab"
    number_alone = accepted(changed(FRENCH, NUMBER, "12ab"))
    assert number_alone.payload["nationality"] == {"country": "FR", "documentNumber": "12ab"}
    assert number_alone.fingerprint_text == accepted(FRENCH).fingerprint_text


def test_bulgaria_asks_the_egn_of_today() -> None:
    nationality = {"country": "BG", "documentType": "personal.number", "documentNumber": "3043290844"}
    contact = ContactInput.model_validate({**AUSTRIAN, "nationality": nationality})
    assert isinstance(check("eci", contact, date(2030, 3, 29)), list)
    assert isinstance(check("eci", contact, date(2030, 3, 30)), Contact)
