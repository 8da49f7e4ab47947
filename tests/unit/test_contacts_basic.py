"""Contact schema `basic`: names, e-mail, payload, fingerprint text and area (domain 2.3 to 2.5, 2.9, 2.10)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.contacts import Contact, ContactInput, UnsupportedSchema, check
from proca_common.failures import BAD_FORMAT, BLANK, Failure

TODAY = date(2026, 8, 1)
IDA = {"name": "Ida Holm", "email": "ida.holm@example.org"}


def checked(fields: dict[str, object]) -> Contact | list[Failure]:
    return check("basic", ContactInput.model_validate(fields), TODAY)


def accepted(fields: dict[str, object]) -> Contact:
    contact = checked(fields)
    assert isinstance(contact, Contact)
    return contact


def refused(fields: dict[str, object]) -> list[tuple[str, str]]:
    failures = checked(fields)
    assert isinstance(failures, list)
    return [(failure.pointer, failure.code) for failure in failures]


@pytest.mark.parametrize(
    ("sent", "first_name", "last_name"),
    [
        ({"name": "Someone Else", "firstName": "Ida"}, "Ida", None),
        ({"name": "Someone Else", "firstName": "Ida", "lastName": "Holm"}, "Ida", "Holm"),
        ({"firstName": "Ida", "lastName": "Holm"}, "Ida", "Holm"),
        ({"firstName": " Ida ", "lastName": "Holm "}, "Ida", "Holm"),
        ({"firstName": "Ida"}, "Ida", None),
        ({"firstName": " Ida "}, "Ida", None),
        ({"firstName": "Ida", "lastName": ""}, "Ida", None),
        ({"firstName": "Ida", "lastName": None, "name": None}, "Ida", None),
        ({"name": "Ida Holm"}, "Ida", "Holm"),
        ({"name": "Ida Marie Holm"}, "Ida", "Marie Holm"),
        ({"name": "Ida  Holm"}, "Ida", "Holm"),
        ({"name": "Ida Holm "}, "Ida", "Holm"),
        ({"name": "Ida\u00a0Holm Holm"}, None, None),
        ({"name": "Ida"}, "Ida", None),
        ({"name": "Ida Holm", "lastName": "Other"}, "Ida", "Holm"),
        ({"name": "Ida", "lastName": "Other"}, "Ida", None),
        ({"name": "Ida Holm", "firstName": None}, "Ida", "Holm"),
    ],
)
def test_names_are_completed(sent: dict[str, object], first_name: str | None, last_name: str | None) -> None:
    fields = {"email": "ida@example.org", **sent}
    if first_name is None:
        # A no-break space does not separate names, and is no character of one.
        assert ("/firstName", "format") in refused(fields)
        return
    payload = accepted(fields).payload
    assert payload["firstName"] == first_name
    assert payload.get("lastName") == last_name


@pytest.mark.parametrize(
    ("sent", "failures"),
    [
        ({}, [("/name", "blank"), ("/firstName", "blank")]),
        ({"lastName": "Holm"}, [("/name", "blank"), ("/firstName", "blank")]),
        ({"name": ""}, [("/name", "blank"), ("/firstName", "blank")]),
        ({"name": None, "firstName": None}, [("/name", "blank"), ("/firstName", "blank")]),
        ({"name": " Ida Holm"}, [("/firstName", "blank")]),
        ({"firstName": "", "lastName": "Holm"}, [("/firstName", "blank")]),
        ({"firstName": ""}, [("/name", "blank"), ("/firstName", "blank")]),
        ({"name": "", "firstName": "Ida"}, [("/name", "blank")]),
        ({"name": "A-", "firstName": "Ida"}, [("/name", "format")]),
        ({"name": "A-", "firstName": "Ida", "lastName": "Holm"}, [("/name", "format")]),
        ({"firstName": "  "}, [("/firstName", "format"), ("/name", "blank"), ("/firstName", "blank")]),
        ({"firstName": "Ida", "lastName": " "}, [("/lastName", "format")]),
        (
            {"name": "   "},
            [("/name", "format"), ("/lastName", "format"), ("/name", "blank"), ("/firstName", "blank")],
        ),
        ({"name": "Ida A-"}, [("/name", "format"), ("/lastName", "format")]),
        ({"firstName": "a" * 6000}, [("/firstName", "too_long"), ("/name", "too_long")]),
        ({"firstName": "a" * 64, "lastName": "b" * 64}, [("/name", "too_long")]),
    ],
)
def test_names_refused(sent: dict[str, object], failures: list[tuple[str, str]]) -> None:
    assert sorted(refused({"email": "ida@example.org", **sent})) == sorted(failures)


def test_6000_characters_are_too_many_for_a_first_name() -> None:
    assert Failure("/firstName", "too_long", "should be at most 64 character(s)") in (
        checked({"firstName": "a" * 6000, "email": "a@example.org"})  # type: ignore[operator]
    )


@pytest.mark.parametrize(
    ("email", "stored"),
    [
        ("ida@example.org", "ida@example.org"),
        (" Ida@Example.org ", "ida@example.org"),
        ("\u00a0IDA@EXAMPLE.ORG\n", "ida@example.org"),
        ("urs@localhost", "urs@localhost"),
    ],
)
def test_email_is_trimmed_and_lowered(email: str, stored: str) -> None:
    contact = accepted({"name": "Ida Holm", "email": email})
    assert contact.payload["email"] == stored
    assert contact.fingerprint_text == stored
    assert contact.email == stored


@pytest.mark.parametrize("email", [None, "", " ", "\t\u3000"])
def test_email_is_required(email: str | None) -> None:
    assert checked({"name": "Ida Holm", "email": email}) == [Failure("/email", "blank", BLANK)]


def test_whole_payload() -> None:
    contact = accepted(
        {
            "firstName": "Ida",
            "lastName": "Holm",
            "email": "ida.holm@example.org",
            "phone": "+45 20 00 00 00",
            "address": {
                "country": "dk",
                "postcode": "2100",
                "locality": "København",
                "street": "Østerbrogade",
                "streetNumber": "7B",
            },
        }
    )
    assert contact.payload == {
        "firstName": "Ida",
        "lastName": "Holm",
        "email": "ida.holm@example.org",
        "phone": "+45 20 00 00 00",
        "country": "DK",
        "postcode": "2100",
        "area": "DK",
        "address": {"region": None, "locality": "København", "street": "Østerbrogade", "streetNumber": "7B"},
    }
    assert contact.area == "DK"
    assert contact.first_name == "Ida"


def test_a_name_and_an_email_store_three_keys() -> None:
    assert accepted(dict(IDA)).payload == {"firstName": "Ida", "lastName": "Holm", "email": "ida.holm@example.org"}


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        (None, {}),
        ({}, {}),
        ({"country": "", "postcode": ""}, {}),
        ({"country": None, "street": None}, {}),
        ({"country": "se"}, {"country": "SE", "area": "SE"}),
        ({"postcode": "114 55"}, {"postcode": "114 55"}),
        (
            {"country": "SE", "region": "", "streetNumber": "3"},
            {
                "country": "SE",
                "area": "SE",
                "address": {"region": None, "locality": None, "street": None, "streetNumber": "3"},
            },
        ),
        (
            {"region": "Skåne"},
            {"address": {"region": "Skåne", "locality": None, "street": None, "streetNumber": None}},
        ),
    ],
)
def test_address_of_the_payload(address: dict[str, object] | None, stored: dict[str, object]) -> None:
    contact = accepted({**IDA, "address": address})
    expected = {"firstName": "Ida", "lastName": "Holm", "email": "ida.holm@example.org", **stored}
    assert contact.payload == expected
    assert contact.area == stored.get("area")


def test_birth_date_and_nationality_are_checked_but_not_kept() -> None:
    nationality = {"country": "at", "documentType": "passport", "documentNumber": "K 7654321"}
    contact = accepted({**IDA, "birthDate": "1979-08-01", "nationality": nationality})
    assert sorted(contact.payload) == ["email", "firstName", "lastName"]
    assert refused({**IDA, "nationality": {"documentNumber": "<SCRIPT>"}}) == [
        ("/nationality/documentNumber", "format"),
        ("/nationality/country", "blank"),
    ]


def test_every_failed_rule_is_told_at_once() -> None:
    assert checked(
        {
            "firstName": "<SCRIPT>",
            "phone": "x" * 21,
            "address": {"country": "DNK", "postcode": "?", "streetNumber": "1234567"},
        }
    ) == [
        Failure("/firstName", "format", BAD_FORMAT),
        Failure("/phone", "format", BAD_FORMAT),
        Failure("/phone", "too_long", "should be at most 20 character(s)"),
        Failure("/address/country", "format", BAD_FORMAT),
        Failure("/address/postcode", "format", BAD_FORMAT),
        Failure("/address/streetNumber", "too_long", "should be at most 6 character(s)"),
        Failure("/name", "format", BAD_FORMAT),
        Failure("/email", "blank", BLANK),
    ]  # fmt: skip


def test_an_unknown_schema_is_an_error_of_the_campaign() -> None:
    with pytest.raises(UnsupportedSchema, match="nonsense"):
        check("nonsense", ContactInput.model_validate(IDA), TODAY)


def test_a_contact_does_not_show_itself() -> None:
    assert repr(accepted(dict(IDA))) == "Contact()"


TEXT = st.one_of(st.none(), st.just(""), st.text(max_size=12))
LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=20)
SOUND_NAMES = st.one_of(
    st.fixed_dictionaries({"name": st.builds("{} {}".format, LETTERS, LETTERS)}),
    st.fixed_dictionaries({"firstName": LETTERS}, optional={"lastName": LETTERS}),
)
SOUND = st.builds(
    lambda names, rest: {**names, **rest},
    SOUND_NAMES,
    st.fixed_dictionaries(
        {"email": st.builds(" {}@Example.ORG".format, st.text("abcXYZ.+'", min_size=1, max_size=20))},
        optional={
            "phone": st.text("+ 0123456789()-", max_size=20),
            "address": st.fixed_dictionaries(
                {},
                optional={
                    "country": st.sampled_from(["dk", "DK", "", None, "ß"]),
                    "postcode": st.text("aZ09 -", max_size=10),
                    "region": LETTERS,
                    "locality": TEXT,
                    "street": LETTERS,
                    "streetNumber": st.text("aZ09/", max_size=6),
                },
            ),
        },
    ),
)
ANY = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["name", "firstName", "lastName", "email", "phone"], TEXT),
        "address": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(["country", "postcode", "region", "locality", "street", "streetNumber"], TEXT),
        ),
        "nationality": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(["country", "documentType", "documentNumber"], TEXT)
        ),
    },
)


@settings(deadline=None)
@given(SOUND | ANY)
def test_a_payload_has_no_null_at_its_top_and_no_empty_text(fields: dict[str, object]) -> None:
    contact = checked(fields)
    if isinstance(contact, Contact):
        assert None not in contact.payload.values()
        assert "" not in contact.payload.values()
        assert contact.first_name == contact.payload["firstName"]
        assert contact.payload["email"] == contact.fingerprint_text


@settings(deadline=None)
@given(SOUND)
def test_what_was_normalised_stays_as_it_is(fields: dict[str, object]) -> None:
    contact = checked(fields)
    if isinstance(contact, list):
        return
    payload = dict(contact.payload)
    address = dict(payload.pop("address", {}))  # type: ignore[call-overload]
    payload.pop("area", None)
    address |= {key: payload.pop(key) for key in ("country", "postcode") if key in payload}
    assert checked({**payload, "address": address}) == contact


@settings(deadline=None)
@given(ANY)
def test_every_refused_contact_says_why_once(fields: dict[str, object]) -> None:
    failures = checked(fields)
    if isinstance(failures, list):
        assert failures
        assert len(set(failures)) == len(failures)
