"""Bodies of the intake endpoints: what is read, what is refused, and that a refusal names everything (domain 3.1)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from proca_common.actions.input import (
    AddActionContactInput,
    AddActionInput,
    ConsentInput,
    TrackingInput,
    parse_action,
    parse_action_contact,
)
from proca_common.contacts import Contact
from proca_common.failures import Malformed, Refused

TODAY = date(2026, 8, 1)
REF = "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo"
FLAT = "must be a map of string to values of strings or numbers, or lists of them"


def signature(**parts: object) -> dict[str, Any]:
    """A body of POST /v1/pages/{page}/actions, with these parts in place of the usual ones."""
    return {
        "action": {"actionType": "register"},
        "contact": {"firstName": "Mara", "lastName": "Lind", "email": "mara.lind@example.org"},
        "privacy": {"optIn": True, "leadOptIn": False},
        **parts,
    }


def parsed(body: object) -> tuple[AddActionContactInput, Contact]:
    return parse_action_contact(json.dumps(body).encode(), "basic", TODAY)


def refused(body: object) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refusal:
        parsed(body)
    return [(failure.pointer, failure.code) for failure in refusal.value.failures]


def message(body: object) -> str:
    with pytest.raises(Refused) as refusal:
        parsed(body)
    (failure,) = refusal.value.failures
    return failure.message


def test_whole_signature() -> None:
    request, contact = parsed(
        signature(
            action={"actionType": "sign-up_2", "customFields": {"age": 41, "pets": ["cat"]}, "testing": True},
            tracking={"source": "newsletter", "medium": None},
            contactRef=REF,
        )
    )
    assert request.action.action_type == "sign-up_2"
    assert request.action.custom_fields == {"age": 41, "pets": ["cat"]}
    assert request.action.testing is True
    assert request.privacy == ConsentInput.model_validate({"optIn": True, "leadOptIn": False})
    assert request.tracking == TrackingInput.model_validate({"source": "newsletter", "medium": None})
    assert request.contact_ref == REF
    assert contact.payload == {"firstName": "Mara", "lastName": "Lind", "email": "mara.lind@example.org"}


@pytest.mark.parametrize(
    "body",
    [
        signature(privacy={}),
        signature(
            action={"actionType": "register", "customFields": None, "testing": None},
            privacy={"optIn": None, "leadOptIn": None},
            tracking=None,
            contactRef=None,
        ),
        signature(privacy={"optIn": None}, contactRef=""),
    ],
)
def test_null_and_empty_are_absent(body: dict[str, Any]) -> None:
    request, _ = parsed(body)
    assert request.action.custom_fields == {}
    assert request.action.testing is False
    assert request.privacy.opt_in is None
    assert request.privacy.lead_opt_in is None
    assert request.tracking is None
    assert request.contact_ref is None


def test_two_bodies_never_share_their_custom_fields() -> None:
    assert parsed(signature())[0].action.custom_fields is not parsed(signature())[0].action.custom_fields


def test_a_birth_date_is_a_date() -> None:
    request, _ = parsed(signature(contact={**signature()["contact"], "birthDate": "1979-08-01"}))
    assert request.contact.birth_date == date(1979, 8, 1)


@pytest.mark.parametrize(
    "value", ["", " ", "1979", "1979-8-1", "1979-02-30", "0000-01-01", "19790801", "1979-W31-3", "1979-08-01T00:00:00Z",
              "1979-08-01\n", "\uff11979-08-01", 0, 302313600, True, [], {}]
)  # fmt: skip
def test_what_is_no_birth_date(value: object) -> None:
    body = signature(contact={**signature()["contact"], "birthDate": value})
    assert refused(body) == [("/contact/birthDate", "invalid")]
    assert message(body) == "is invalid"


@pytest.mark.parametrize("action_type", ["register", "mail2target", "a", "_", "-", "A-b_9", "x" * 40])
def test_action_types(action_type: str) -> None:
    assert parsed(signature(action={"actionType": action_type}))[0].action.action_type == action_type


@pytest.mark.parametrize(
    ("action_type", "codes"),
    [
        (None, ["blank"]),
        ("", ["blank"]),
        (" ", ["format"]),
        ("a b", ["format"]),
        ("a\n", ["format"]),
        ("é", ["format"]),
        ("٣", ["format"]),
        ("a:b", ["format"]),
        ("x" * 41, ["too_long"]),
        ("é" * 41, ["format", "too_long"]),
        (1, ["invalid"]),
        (True, ["invalid"]),
        (["register"], ["invalid"]),
    ],
)
def test_what_is_no_action_type(action_type: object, codes: list[str]) -> None:
    assert refused(signature(action={"actionType": action_type})) == [("/action/actionType", code) for code in codes]


@pytest.mark.parametrize("ref", [REF, "a0f4c2f6-0a54-4c9e-9a7c-3f1a2b4c5d6e", "ab", "a" * 64, "--__"])
def test_contact_refs(ref: str) -> None:
    assert parsed(signature(contactRef=ref))[0].contact_ref == ref
    assert parse_action(b'{"action":{"actionType":"share"}}', ref)


@pytest.mark.parametrize(
    "ref", ["a", "a" * 65, "a" * 66, REF + "=", "a+b/", "a b", "ab\n", "é€", "\ud800\udc00", "ab\x00"]
)
def test_what_is_no_contact_ref(ref: str) -> None:
    assert message(signature(contactRef=ref)) == "Cannot decode from Base64url"
    with pytest.raises(Refused) as refusal:
        parse_action(b'{"action":{"actionType":"share"}}', ref)
    assert [(failure.pointer, failure.message) for failure in refusal.value.failures] == [
        ("/contactRef", "Cannot decode from Base64url")
    ]


@pytest.mark.parametrize("ref", ["", "\ud800"])
def test_a_path_without_a_contact_ref(ref: str) -> None:
    with pytest.raises(Refused):
        parse_action(b'{"action":{"actionType":"share"}}', ref)


def test_custom_fields_are_flat_and_small() -> None:
    body = signature(action={"actionType": "register", "customFields": {"a": {"b": 1}}})
    assert refused(body) == [("/action/customFields", "not_flat")]
    assert message(body) == FLAT
    body = signature(action={"actionType": "register", "customFields": {"a": "x" * 5120}})
    assert refused(body) == [("/action/customFields", "too_large")]
    assert message(body) == "is invalid"
    body = signature(action={"actionType": "register", "customFields": {"a": "\x00"}})
    assert refused(body) == [("/action/customFields", "invalid")]


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        ({"action": {"actionType": "register", "testing": 1}}, "/action/testing"),
        ({"action": {"actionType": "register", "testing": "true"}}, "/action/testing"),
        ({"action": {"actionType": "register", "testing": ""}}, "/action/testing"),
        ({"action": {"actionType": "register", "customFields": "{}"}}, "/action/customFields"),
        ({"action": {"actionType": "register", "customFields": []}}, "/action/customFields"),
        ({"action": []}, "/action"),
        ({"action": "register"}, "/action"),
        ({"contact": []}, "/contact"),
        ({"contact": "Mara"}, "/contact"),
        ({"privacy": True}, "/privacy"),
        ({"privacy": {"optIn": 1}}, "/privacy/optIn"),
        ({"privacy": {"optIn": "true"}}, "/privacy/optIn"),
        ({"privacy": {"leadOptIn": 0}}, "/privacy/leadOptIn"),
        ({"tracking": "newsletter"}, "/tracking"),
        ({"tracking": []}, "/tracking"),
        ({"tracking": {"source": 1}}, "/tracking/source"),
        ({"tracking": {"location": ["https://example.org/"]}}, "/tracking/location"),
        ({"contactRef": 1}, "/contactRef"),
        ({"contactRef": {}}, "/contactRef"),
    ],
)
def test_no_type_is_converted(part: dict[str, object], pointer: str) -> None:
    body = signature(**part)
    assert refused(body) == [(pointer, "invalid")]
    assert message(body) == "is invalid"


@pytest.mark.parametrize("field", ["name", "firstName", "lastName", "email", "phone", "address", "nationality"])
@pytest.mark.parametrize("value", [1, 1.5, True, ["a"]])
def test_texts_and_parts_of_a_contact_are_not_converted(field: str, value: object) -> None:
    assert refused(signature(contact={**signature()["contact"], field: value})) == [(f"/contact/{field}", "invalid")]


@pytest.mark.parametrize(
    "pointer",
    ["/x", "/action/x", "/contact/x", "/contact/address/x", "/contact/nationality/x", "/privacy/x", "/tracking/x",
     "/action/fields/0/x", "/action/donation/x", "/action/mtt/x", "/contact/country", "/contact/first_name",
     "/action/action_type", "/action/donation/schema_", "/action/donation/frequency_unit"],
)  # fmt: skip
def test_unknown_fields_are_refused_at_every_level(pointer: str) -> None:
    body = signature(tracking={})
    body["contact"] |= {"address": {}, "nationality": {"country": "SE"}}
    body["action"] |= {
        "fields": [{"key": "a", "value": "b"}],
        "donation": {"amount": 1, "payload": {}},
        "mtt": {"targets": []},
    }
    *parents, name = pointer.strip("/").split("/")
    place: Any = body
    for parent in parents:
        place = place[int(parent) if isinstance(place, list) else parent]
    place[name] = 1
    assert refused(body) == [(pointer, "unknown_field")]
    assert message(body) == "is not a known field"


@pytest.mark.parametrize("name", ["", "a/b", "~", "mara.lind@example.org", "Mara Lind", "x" * 41, "\x00", "ø", "1"])
def test_a_name_that_is_no_field_name_is_not_repeated(name: str) -> None:
    assert refused(signature(**{name: 1})) == [("", "unknown_field")]
    assert refused(signature(contact={**signature()["contact"], name: 1})) == [("/contact", "unknown_field")]


def test_of_many_unknown_fields_twenty_are_named() -> None:
    body = signature(contact={f"k{number}": 1 for number in range(2000)}, **{f"k{number}": 1 for number in range(2000)})
    found = refused(body)
    assert sum(code == "unknown_field" for _, code in found) == 20
    assert [pointer for pointer, code in found if code == "blank"] == [
        "/contact/name", "/contact/firstName", "/contact/email"
    ]  # fmt: skip


@pytest.mark.parametrize("body", [{}, {"action": None, "contact": None, "privacy": None, "tracking": None}])
def test_three_parts_are_required(body: dict[str, object]) -> None:
    assert refused(body) == [("/action", "blank"), ("/contact", "blank"), ("/privacy", "blank")]


def test_null_everywhere() -> None:
    contact = {
        **dict.fromkeys(["name", "firstName", "lastName", "email", "phone", "birthDate"]),
        "address": dict.fromkeys(["country", "postcode", "region", "locality", "street", "streetNumber"]),
        "nationality": dict.fromkeys(["country", "documentType", "documentNumber"]),
    }
    body = {
        "action": dict.fromkeys(["actionType", "customFields", "fields", "donation", "mtt", "testing"]),
        "contact": contact,
        "privacy": dict.fromkeys(["optIn", "leadOptIn"]),
        "tracking": dict.fromkeys(["source", "medium", "campaign", "content", "location"]),
        "contactRef": None,
    }
    assert refused(body) == [
        ("/action/actionType", "blank"),
        ("/contact/nationality/country", "blank"),
        ("/contact/name", "blank"),
        ("/contact/firstName", "blank"),
        ("/contact/email", "blank"),
    ]


def test_all_that_is_wrong_in_every_part_is_told_at_once() -> None:
    assert refused(
        {
            "action": {"actionType": "a b", "customFields": {"a": None}, "testing": 1, "x": 1},
            "contact": {
                "firstName": "<SCRIPT>",
                "lastName": 5,
                "email": "mara",
                "address": {"country": "SWE", "zip": "1"},
                "nationality": [],
            },
            "privacy": {"optIn": "yes"},
            "tracking": {"source": 1},
            "contactRef": "a",
            "y": 1,
        }
    ) == [
        ("/action/actionType", "format"),
        ("/action/customFields", "not_flat"),
        ("/action/testing", "invalid"),
        ("/action/x", "unknown_field"),
        ("/tracking/source", "invalid"),
        ("/contact/lastName", "invalid"),
        ("/contact/address/zip", "unknown_field"),
        ("/contact/nationality", "invalid"),
        ("/privacy/optIn", "invalid"),
        ("/contactRef", "base64url"),
        ("/y", "unknown_field"),
        ("/contact/firstName", "format"),
        ("/contact/email", "format"),
        ("/contact/address/country", "format"),
        ("/contact/name", "format"),
    ]


@pytest.mark.parametrize(
    ("contact", "failures"),
    [
        ({"name": 5, "email": "a@example.org"}, [("/contact/name", "invalid")]),
        ({"firstName": 5, "email": "a@example.org"}, [("/contact/firstName", "invalid")]),
        ({"firstName": 5, "lastName": "Lind"}, [("/contact/firstName", "invalid"), ("/contact/email", "blank")]),
        ({"name": "Mara", "email": []}, [("/contact/email", "invalid")]),
        (
            {"name": "Mara", "address": 5, "phone": "x"},
            [("/contact/address", "invalid"), ("/contact/phone", "format"), ("/contact/email", "blank")],
        ),
    ],
)
def test_what_only_follows_from_a_wrong_type_is_not_told(
    contact: dict[str, object], failures: list[tuple[str, str]]
) -> None:
    assert refused(signature(contact=contact)) == failures


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b"{} {}",
        b"{'action': 1}",
        b'{"action": undefined}',
        b"[" * 60_000,
        b"[" * 100_000,
        b'{"action":' * 6_000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b'{"a":' * 9 + b"1" + b"}" * 9,
        b'{"action":{"actionType":"a","customFields":{"a":[[[[[[]]]]]]}}}',
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"NaN",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"action":{"actionType":"a","customFields":{"a":NaN}}}',
        b'{"action":{"actionType":"a","customFields":{"a":[Infinity]}}}',
        b'{"action":{"actionType":NaN}}',
        b'{"a":' + b"9" * 60_000 + b"}",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"\x00"}',
        b'{"a":"line\nbreak"}',
        b'{"a":01}',
        "{}".encode("utf-16"),
    ],
)
def test_malformed_bodies(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_action_contact(body, "basic", TODAY)
    with pytest.raises(Malformed):
        parse_action(body, REF)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "9" * 400 + ".5", "[1e999]"])
def test_numbers_that_no_double_holds(number: str) -> None:
    body = json.dumps(signature(action={"actionType": "a", "customFields": {"n": 0}})).replace(": 0}", f": {number}}}")
    with pytest.raises(Refused) as refusal:
        parse_action_contact(body.encode(), "basic", TODAY)
    assert [(failure.pointer, failure.code) for failure in refusal.value.failures] == [
        ("/action/customFields", "invalid")
    ]


def test_of_a_repeated_key_the_last_counts() -> None:
    body = b'{"action":{"actionType":1,"actionType":"a","actionType":"share"}}'
    assert parse_action(body, REF).action.action_type == "share"
    body = b'{"action":{"actionType":"share","actionType":1}}'
    with pytest.raises(Refused):
        parse_action(body, REF)


def test_a_further_action() -> None:
    request = parse_action(b'{"action":{"actionType":"share","testing":true},"tracking":{"source":"x"}}', REF)
    assert type(request) is AddActionInput
    assert request.action.testing is True
    assert request.tracking is not None


def test_a_further_action_takes_no_contact_and_tells_all_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        parse_action(json.dumps(signature(action={"actionType": ""})).encode(), "?")
    assert [(failure.pointer, failure.code) for failure in refusal.value.failures] == [
        ("/contactRef", "base64url"),
        ("/action/actionType", "blank"),
        ("/contact", "unknown_field"),
        ("/privacy", "unknown_field"),
    ]
