"""The contact schemas by name, what their code costs, and what holds for each of them whatever is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.actions.input import parse_action_contact
from proca_common.aws import clock
from proca_common.campaigns.campaign import ContactSchema
from proca_common.contacts import Contact, ContactInput, check
from proca_common.contacts.countries import COUNTRIES
from proca_common.contacts.it_ci import DOCUMENTS
from proca_common.contacts.schemas import SCHEMAS
from proca_common.failures import Failure, Refused

TODAY = date(2026, 8, 1)
LAYER = Path(__file__).parents[2] / "layers" / "proca_common"


def checked(schema: str, fields: dict[str, Any]) -> Contact | list[Failure]:
    return check(schema, ContactInput.model_validate(fields), TODAY)


def test_a_campaign_can_have_each_schema_and_no_other() -> None:
    assert tuple(ContactSchema) == SCHEMAS
    for schema in ContactSchema:
        assert isinstance(checked(schema, {}), list)


def imported(schema: str) -> set[str]:
    """The modules of this package that a signature of the schema imports, in a process of its own."""
    program = f"""
import sys
from datetime import date
from proca_common.contacts import ContactInput, check
before = set(sys.modules)
check({schema!r}, ContactInput(), date(2026, 8, 1))
print(*(set(sys.modules) - before))
"""
    env = {"PYTHONPATH": str(LAYER)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)
    return {name.removeprefix("proca_common.contacts.") for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("schema", "modules"),
    [
        ("basic", set()),
        ("popular_initiative", {"popular_initiative"}),
        ("eci", {"eci", "citizens", "countries", "egn"}),
        ("it_ci", {"it_ci", "citizens", "countries", "egn"}),
    ],
)
def test_a_schema_is_imported_by_whom_it_is_for(schema: str, modules: set[str]) -> None:
    assert imported(schema) == modules


@pytest.mark.parametrize(
    ("now", "today"),
    [
        ("1970-01-01T00:00:00.000", "1970-01-01"),
        ("2026-07-31T23:59:59.999", "2026-07-31"),
        ("2026-08-01T00:00:00.000", "2026-08-01"),
        ("2028-02-29T12:00:00.000", "2028-02-29"),
    ],
)
def test_today_is_the_date_in_utc(now: str, today: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = round(datetime.fromisoformat(f"{now}+00:00").timestamp() * 1000)
    monkeypatch.setattr(clock, "now_ms", lambda: moment)
    assert clock.today() == date.fromisoformat(today)


def signature(contact: dict[str, Any]) -> bytes:
    return json.dumps({"action": {"actionType": "sign"}, "privacy": {}, "contact": contact}).encode()


def refused(schema: str, contact: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refusal:
        parse_action_contact(signature(contact), schema, TODAY)
    return [(failure.pointer, failure.code) for failure in refusal.value.failures]


FRENCH: dict[str, Any] = {
    "firstName": "Nele",
    "lastName": "De Smet",
    "birthDate": "1985-11-30",
    "nationality": {"country": "FR"},
    "address": {"country": "BE", "locality": "Gent", "postcode": "9000", "street": "Veldstraat"},
}
DOCUMENT = {"country": "IT", "documentType": "passport", "documentNumber": "AA1234567"}


@pytest.mark.parametrize(
    ("schema", "contact", "failures"),
    [
        ("eci", {**FRENCH, "birthDate": ""}, [("/contact/birthDate", "invalid")]),
        ("it_ci", {**FRENCH, "nationality": DOCUMENT, "birthDate": ""}, [("/contact/birthDate", "invalid")]),
        ("eci", {**FRENCH, "nationality": "FR"}, [("/contact/nationality", "invalid")]),
        ("eci", {**FRENCH, "nationality": {"country": 1}}, [("/contact/nationality/country", "invalid")]),
        ("eci", {**FRENCH, "address": []}, [("/contact/address", "invalid")]),
        ("it_ci", {**FRENCH, "nationality": DOCUMENT, "address": []}, [("/contact/address", "invalid")]),
        (
            "eci",
            {**FRENCH, "nationality": {"country": "AT", "documentType": 1, "documentNumber": "R1234567"}},
            [("/contact/nationality/documentType", "invalid")],
        ),
        (
            "it_ci",
            {"birthDate": "2020-01-01", "nationality": {**DOCUMENT, "documentNumber": 1}, "address": {"x": 1}},
            [
                ("/contact/address/x", "unknown_field"),
                ("/contact/nationality/documentNumber", "invalid"),
                *[(f"/contact/address/{name}", "blank") for name in ("country", "locality", "postcode", "street")],
                ("/contact/firstName", "blank"),
                ("/contact/lastName", "blank"),
                ("/contact/birthDate", "age"),
            ],
        ),
        ("popular_initiative", {**FRENCH, "email": 1}, [("/contact/email", "invalid")]),
    ],
)
def test_what_only_follows_from_a_wrong_type_is_not_told(
    schema: str, contact: dict[str, Any], failures: list[tuple[str, str]]
) -> None:
    assert refused(schema, contact) == failures


def test_a_signature_of_every_schema_is_read() -> None:
    contacts = {
        "basic": {"name": "Ida Holm", "email": "ida@example.org"},
        "popular_initiative": {"firstName": "Urs", "email": "urs@localhost", "address": {"postcode": "3011"}},
        "eci": FRENCH,
        "it_ci": {**FRENCH, "nationality": DOCUMENT},
    }
    for schema in ContactSchema:
        _, contact = parse_action_contact(signature(contacts[schema]), schema, TODAY)
        assert contact.first_name == contacts[schema].get("firstName", "Ida")


def shaped(texts: st.SearchStrategy[Any], dates: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Contacts with these texts anywhere."""
    address = dict.fromkeys(["country", "postcode", "region", "locality", "street", "streetNumber"], texts)
    nationality = dict.fromkeys(["country", "documentType", "documentNumber"], texts)
    return st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(["name", "firstName", "lastName", "email", "phone"], texts),
            "birthDate": dates,
            "address": st.fixed_dictionaries({}, optional=address),
            "nationality": st.fixed_dictionaries({}, optional=nationality),
        },
    )


def strewn(text: str) -> st.SearchStrategy[str]:
    """The text with signs that a document number loses, in either case."""
    return st.sampled_from([text, text.lower(), f" {text[:1]}-{text[1:]}. "])


LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=20)
BIRTH_DATES = st.dates(date(1900, 1, 1), date(2012, 1, 1)).map(str)
TYPES = {country: [*rules.documents.items(), ("passport", None)] for country, rules in COUNTRIES.items()}
TYPES["IT"] += DOCUMENTS.items()


HOMES = [
    ("it", "00184"),
    ("CH", "3011"),
    ("CH", "3011"),
    ("NL", "9876 ab"),
    ("de", "10115"),
    ("SK", "811-01"),
    ("SK", ""),
]


@st.composite
def citizens(draw: st.DrawFn) -> dict[str, Any]:
    """Contacts that often pass: a sound document or none, an address or none, of all ages."""
    country = draw(st.sampled_from([*sorted(TYPES), *["IT"] * 20]))
    kind, document = draw(st.sampled_from(TYPES[country]))
    number = document.example if document else "AB1234567"
    residence, postcode = draw(st.sampled_from(HOMES))
    address = {"country": residence, "postcode": postcode, "locality": draw(LETTERS), "street": draw(LETTERS)}
    sound = {
        "firstName": draw(LETTERS),
        "lastName": draw(LETTERS),
        "birthDate": draw(BIRTH_DATES),
        "email": "urs@localhost",
        "phone": "+41",
        "address": address,
        "nationality": {"country": country, "documentType": kind, "documentNumber": draw(strewn(number))},
    }
    for left_out in draw(st.lists(st.sampled_from(list(sound)), max_size=2)):
        sound.pop(left_out, None)
    if draw(st.integers(0, 4)) == 0:
        sound["nationality"] = {"country": country}
    return sound


TEXTS = st.none() | st.just("") | st.text(max_size=12) | st.sampled_from(["AT", "FR", "IT", "passport", "id.card"])
ANY = shaped(TEXTS, st.none() | st.dates().map(str))
EVERY_SCHEMA = pytest.mark.parametrize("schema", SCHEMAS)


@EVERY_SCHEMA
@settings(deadline=None)
@given(fields=citizens() | ANY)
def test_whatever_is_sent_is_stored_whole_or_refused_with_reasons(schema: str, fields: dict[str, Any]) -> None:
    contact = checked(schema, fields)
    if isinstance(contact, list):
        assert contact
        assert len(set(contact)) == len(contact)
        return
    nationality = contact.payload.get("nationality", {})
    assert isinstance(nationality, dict)
    assert all(contact.payload.values())
    assert all(nationality.values())
    assert contact.first_name == contact.payload["firstName"]
    assert contact.fingerprint_text
    assert contact.area == contact.payload.get("area")
    assert contact.email == contact.payload.get("email")
    assert (contact.email is None) == (schema in {"eci", "it_ci"})
    json.dumps(contact.payload, ensure_ascii=False).encode()
    contact.fingerprint_text.encode()
    assert repr(contact) == "Contact()"


@EVERY_SCHEMA
@settings(deadline=None)
@given(fields=citizens())
def test_what_was_stored_can_be_sent_again(schema: str, fields: dict[str, Any]) -> None:
    contact = checked(schema, fields)
    if isinstance(contact, list):
        return
    again = dict(contact.payload)
    again.pop("area", None)
    again["address"] = {
        "locality" if key == "city" else key: again.pop(key)
        for key in ("country", "postcode", "locality", "city", "street", "region")
        if key in again
    } | again.get("address", {})  # type: ignore[operator]
    if not again["address"]:
        del again["address"]
    assert checked(schema, again) == contact


@EVERY_SCHEMA
@settings(deadline=None)
@given(fields=shaped(st.text("QX<9 ", min_size=1, max_size=40), st.just("2019-09-09")))
def test_a_refusal_repeats_no_value(schema: str, fields: dict[str, Any]) -> None:
    failures = checked(schema, fields)
    if isinstance(failures, list):
        assert not set("QX<9") & set(str(failures))
