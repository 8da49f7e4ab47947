"""Field rules common to all contact schemas (domain 2.2)."""

# ruff: noqa: RUF001 - the look-alikes are what is tested

from __future__ import annotations

import pytest

from proca_common.contacts import ContactInput
from proca_common.contacts.rules import FIELD_RULES, apply_field_rules, texts_of
from proca_common.failures import BAD_FORMAT, BLANK, Failure


def contact_with(pointer: str, text: str | None) -> ContactInput:
    """A contact of which only this field is given (and a country, where a nationality needs one)."""
    *parents, name = pointer.strip("/").split("/")
    fields: dict[str, object] = {name: text}
    if parents == ["nationality"]:
        fields = {"country": "AT", name: text}
    return ContactInput.model_validate({parents[0]: fields} if parents else fields)


def normalised(pointer: str, text: str | None) -> tuple[str | None, list[Failure]]:
    contact = contact_with(pointer, text)
    texts, failures = apply_field_rules(contact, texts_of(contact))
    return texts.get(pointer), failures


NAMES = [
    "J", "O’Brien", "O'Brien", "Anne-Marie", "Mr. Something", "Jr.", "李", "'", "’", "’t Hart", "Łucja", "Ida, Holm",
    "d'Arc-en-Ciel", "Müller", "Ñandú", "ʻOkina", "م", "A.",
]  # fmt: skip
NOT_NAMES = [
    "A-", "a,", "A'", "A’", "<SCRIPT>alert()", "'-alert(1)-'", "http://example.org", "https://example.org/x",
    "%77%77", "Ida2", "2", "-A", ".A", ",A", "A B-", "A\nB", "A\tB", "A_B", "Ⅷ", "x²", "½", "e\u0301", "A\x00B",
    "Ida\u200b", "😀", "a@b", "A/B", "A;B", '"A"',
]  # fmt: skip


@pytest.mark.parametrize("pointer", ["/name", "/firstName", "/lastName"])
@pytest.mark.parametrize("name", NAMES)
def test_names_accepted(pointer: str, name: str) -> None:
    assert normalised(pointer, name) == (name, [])


@pytest.mark.parametrize("pointer", ["/name", "/firstName", "/lastName"])
@pytest.mark.parametrize("name", NOT_NAMES)
def test_names_rejected(pointer: str, name: str) -> None:
    assert normalised(pointer, name)[1] == [Failure(pointer, "format", BAD_FORMAT)]


@pytest.mark.parametrize("pointer", ["/name", "/firstName", "/lastName"])
def test_names_are_trimmed_of_unicode_white_space(pointer: str) -> None:
    assert normalised(pointer, "\u00a0\tIda Holm\u3000\n") == ("Ida Holm", [])


@pytest.mark.parametrize(
    ("pointer", "text", "stored"),
    [
        ("/email", "jane@example.org", "jane@example.org"),
        ("/email", "Jane.Doe+Tag@Example.ORG", "Jane.Doe+Tag@Example.ORG"),
        ("/email", "urs@localhost", "urs@localhost"),
        ("/email", "a.!#$%&'*+/=?^_`{|}~-@e-x.example.org", "a.!#$%&'*+/=?^_`{|}~-@e-x.example.org"),
        ("/phone", "+45 20 00 00 00", "+45 20 00 00 00"),
        ("/phone", "(030) 12-34", "(030) 12-34"),
        ("/phone", "0", "0"),
        ("/address/country", "DK", "DK"),
        ("/address/country", "dk", "DK"),
        ("/address/postcode", "2100", "2100"),
        ("/address/postcode", "sw1a 1aa", "SW1A 1AA"),
        ("/address/postcode", "123-45", "123-45"),
        ("/address/postcode", "1234567890", "1234567890"),
        ("/address/region", "Île-de-France", "Île-de-France"),
        ("/address/locality", "København", "København"),
        ("/address/locality", " ", " "),
        ("/address/street", "Østerbrogade 7 (c/o O’Brien & “Sons“), `2.", "Østerbrogade 7 (c/o O’Brien & “Sons“), `2."),
        ("/address/street", "\"'‘’-", "\"'‘’-"),
        ("/address/streetNumber", "7B", "7B"),
        ("/address/streetNumber", "12/3-4", "12/3-4"),
        ("/nationality/documentType", "national.id.number", "national.id.number"),
        ("/nationality/documentType", "pesel_x", "pesel_x"),
        ("/nationality/documentNumber", "00.01.01-123.45", "00010112345"),
        ("/nationality/documentNumber", "K 76 54-321", "K7654321"),
        ("/nationality/documentNumber", "ab_1", "ab_1"),
    ],
)  # fmt: skip
def test_texts_accepted(pointer: str, text: str, stored: str) -> None:
    assert normalised(pointer, text) == (stored, [])


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        *[(pointer, "<b>") for pointer in FIELD_RULES if pointer != "/nationality/country"],
        ("/email", "jane"),
        ("/email", "jane@"),
        ("/email", "@example.org"),
        ("/email", "jane@example..org"),
        ("/email", "jane@example.org."),
        ("/email", "jane@example_x.org"),
        ("/email", "jane@exämple.org"),
        ("/email", "jäne@example.org"),
        ("/email", "jane@example.org\n"),
        ("/email", " jane@example.org"),
        ("/email", "jane@ex@mple.org"),
        ("/phone", "++45"),
        ("/phone", "+"),
        ("/phone", "12a"),
        ("/phone", "٣"),
        ("/phone", "1\n"),
        ("/address/country", "D"),
        ("/address/country", "DNK"),
        ("/address/country", "D1"),
        ("/address/country", " DK"),
        ("/address/country", "ÆØ"),
        ("/address/country", "<SCRIPT>"),
        ("/address/postcode", "12345678901"),
        ("/address/postcode", "12_34"),
        ("/address/postcode", "１２"),
        ("/address/postcode", "12\n"),
        ("/address/street", "a;b"),
        ("/address/street", "“Sons”"),
        ("/address/street", "a=b"),
        ("/address/street", "١"),
        ("/address/street", "a\nb"),
        ("/address/street", "a\u200b"),
        ("/address/streetNumber", "7#"),
        ("/nationality/documentType", "Passport"),
        ("/nationality/documentType", "id1"),
        ("/nationality/documentNumber", "12/3"),
        ("/nationality/documentNumber", "\u212a1"),
        ("/nationality/documentNumber", " .-"),
    ],
)  # fmt: skip
def test_texts_rejected(pointer: str, text: str) -> None:
    assert normalised(pointer, text)[1] == [Failure(pointer, "format", BAD_FORMAT)]


@pytest.mark.parametrize(
    ("pointer", "limit", "char"),
    [
        ("/name", 128, "ø"),
        ("/firstName", 64, "a"),
        ("/lastName", 64, "李"),
        ("/email", 64, "a"),
        ("/phone", 20, "1"),
        ("/address/region", 64, "a"),
        ("/address/locality", 64, "ø"),
        ("/address/street", 128, "1"),
        ("/address/streetNumber", 6, "1"),
        ("/nationality/documentType", 20, "a"),
        ("/nationality/documentNumber", 32, "1"),
    ],
)
def test_longest_text_of_a_field(pointer: str, limit: int, char: str) -> None:
    ending = "@example.org" if pointer == "/email" else ""
    longest = char * (limit - len(ending)) + ending
    assert normalised(pointer, longest) == (longest, [])
    assert normalised(pointer, char + longest)[1] == [
        Failure(pointer, "too_long", f"should be at most {limit} character(s)")
    ]


def test_signs_of_a_document_number_do_not_count_as_its_length() -> None:
    assert normalised("/nationality/documentNumber", "1-" * 32) == ("1" * 32, [])


def test_each_broken_rule_of_a_field_is_told() -> None:
    assert normalised("/firstName", "%" * 65)[1] == [
        Failure("/firstName", "format", BAD_FORMAT),
        Failure("/firstName", "too_long", "should be at most 64 character(s)"),
    ]


@pytest.mark.parametrize("pointer", list(FIELD_RULES))
@pytest.mark.parametrize("absent", ["", None])
def test_empty_and_null_are_absent(pointer: str, absent: str | None) -> None:
    if pointer == "/nationality/country":
        return
    assert normalised(pointer, absent) == (None, [])


def test_blank_name_is_empty_after_trimming_and_has_no_valid_form() -> None:
    assert normalised("/lastName", "  ") == ("", [Failure("/lastName", "format", BAD_FORMAT)])


@pytest.mark.parametrize("country", [None, ""])
def test_a_nationality_needs_its_country(country: str | None) -> None:
    contact = ContactInput.model_validate({"nationality": {"country": country}})
    assert apply_field_rules(contact, texts_of(contact))[1] == [Failure("/nationality/country", "blank", BLANK)]
