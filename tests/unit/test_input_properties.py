"""Whatever is sent to intake is read, refused or called malformed, and a refusal repeats nothing of it (design 7.9)."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.actions.fields import UNSENDABLE
from proca_common.actions.input import AddActionContactInput, parse_action, parse_action_contact
from proca_common.contacts import Contact
from proca_common.failures import Failure, Malformed, Refused

TODAY = date(2026, 8, 1)
SOUND: dict[str, Any] = {
    "action": {
        "actionType": "register",
        "customFields": {"age": 41, "pets": ["cat"]},
        "testing": False,
        "fields": [{"key": "pets", "value": "dog", "transient": True}],
        "donation": {
            "payload": {"provider": "sepa", "iban": "SE35 5000", "of": [{"a": None}]},
            "amount": 1500,
            "currency": "SEK",
            "frequencyUnit": "monthly",
        },
        "mtt": {"subject": "Bees", "body": "Save them", "targets": ["0a0a0a0a-1b1b-2c2c-3d3d-4e4e4e4e4e4e"]},
    },
    "contact": {
        "firstName": "Mara",
        "lastName": "Lind",
        "email": "mara.lind@example.org",
        "phone": "+46 70",
        "birthDate": "1979-08-01",
        "address": {"country": "SE", "street": "Storgatan"},
        "nationality": {"country": "SE", "documentType": "passport", "documentNumber": "K 1"},
    },
    "privacy": {"optIn": True, "leadOptIn": None},
    "tracking": {"source": "newsletter", "location": "https://example.org/"},
    "contactRef": "abcd",
}
KNOWN = ["action", "actionType", "customFields", "contact", "name", "firstName", "address", "country", "privacy", "x"]


def places(document: dict[str, Any], parent: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in document.items():
        found.append((*parent, key))
        if isinstance(value, dict):
            found += places(value, (*parent, key))
    return found


def put(document: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    """Replace the value at this place, or let it be if the way there was replaced."""
    *parents, key = place
    node: Any = document
    for parent in parents:
        node = node.get(parent) if isinstance(node, dict) else None
    if isinstance(node, dict):
        node[key] = value


def json_values(texts: st.SearchStrategy[str], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )


FIELD_NAMES = st.sampled_from(KNOWN)


@st.composite
def bodies(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> dict[str, Any]:
    """A sound body in which some places hold something else."""
    document = copy.deepcopy(SOUND)
    targets = st.sampled_from(places(SOUND) + [(*place[:-1], "unknown") for place in places(SOUND)])
    for place, value in draw(st.lists(st.tuples(targets, values), max_size=4)):
        put(document, place, value)
    return document


def outcome(body: bytes) -> tuple[AddActionContactInput, Contact] | Malformed | Refused:
    """What parsing does: anything else than its documented results fails the test."""
    with suppress(Malformed, Refused):
        parse_action(body, "abcd")
    try:
        return parse_action_contact(body, "basic", TODAY)
    except (Malformed, Refused) as refusal:
        return refusal


def texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts_in(item)]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else []


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    assert not isinstance(outcome(body), tuple)


@settings(deadline=None)
@given(json_values(st.text(), FIELD_NAMES | st.text()))
def test_any_json(document: object) -> None:
    assert not isinstance(outcome(json.dumps(document).encode()), tuple)


@settings(deadline=None, max_examples=300)
@given(bodies(json_values(st.text() | st.text("Aé \u0000\ufffe\u0301'<", max_size=70), FIELD_NAMES | st.text())))
def test_bodies_that_are_nearly_sound(document: dict[str, Any]) -> None:
    result = outcome(json.dumps(document).encode())
    if isinstance(result, Refused):
        assert result.failures
        assert len(set(result.failures)) == len(result.failures)
    elif not isinstance(result, Malformed):
        request, contact = result
        for text in texts_in(request.action.custom_fields) + texts_in(contact.payload):
            text.encode()
            assert not UNSENDABLE.search(text)
        json.dumps(request.action.custom_fields, allow_nan=False)


@settings(deadline=None)
@given(st.text(st.characters(categories=["Cs", "L"]), max_size=5), st.sampled_from(places(SOUND)))
def test_surrogates_get_nowhere(text: str, place: tuple[str, ...]) -> None:
    document = copy.deepcopy(SOUND)
    put(document, place, text)
    for body in (
        json.dumps(document).encode(),
        json.dumps(document, ensure_ascii=False).encode(errors="surrogatepass"),
    ):
        result = outcome(body)
        if isinstance(result, tuple):
            result[0].model_dump_json().encode()


@settings(deadline=None)
@given(bodies(json_values(st.text("QX<", min_size=1, max_size=90), FIELD_NAMES)))
def test_a_refusal_repeats_no_value(document: dict[str, Any]) -> None:
    result = outcome(json.dumps(document).encode())
    if isinstance(result, Refused | Malformed):
        told = f"{result} {result.failures}" if isinstance(result, Refused) else str(result)
        assert not set("QX<") & set(told)


WRONG = st.sampled_from([1, "<b>", "x" * 200, {"unknown": 1}, ["a"], "A-"])


@settings(deadline=None)
@given(*[st.tuples(st.sampled_from(places(SOUND)), WRONG)] * 2)
def test_what_fails_alone_fails_together_too(
    one: tuple[tuple[str, ...], object], other: tuple[tuple[str, ...], object]
) -> None:
    def failures(*changes: tuple[tuple[str, ...], object]) -> set[Failure]:
        document = copy.deepcopy(SOUND)
        for place, value in changes:
            put(document, place, value)
        result = outcome(json.dumps(document).encode())
        return set(result.failures) if isinstance(result, Refused) else set()

    shorter, longer = sorted([one[0], other[0]], key=len)
    within = longer[: len(shorter)] == shorter
    both_names = {one[0][-1], other[0][-1]} == {"firstName", "lastName"}
    if not within and not both_names:
        assert failures(one) | failures(other) <= failures(one, other)
