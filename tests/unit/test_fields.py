"""Custom fields are a flat map of bounded size (domain 3.5, design 8)."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.actions.fields import MAX_BYTES, as_json, field_failures
from proca_common.failures import Failure

FLAT = "must be a map of string to values of strings or numbers, or lists of them"


@pytest.mark.parametrize(
    "value",
    [
        "", "text", "ø😀", "two\nlines\r\n\ttab", "\x7f", 0, -1, 1.5, -0.0, 1e308, 2**53 + 1, 10**300, True, False,
        [], ["a"], ["a", ""], [1], [1, 2.5], [-1e-300],
    ],
)  # fmt: skip
def test_flat_values(value: object) -> None:
    assert field_failures({"key": value}) == []


@pytest.mark.parametrize(
    "value",
    [
        None, {}, {"a": 1}, [None], [[]], [["a"]], [{}], ["a", 1], [1, "a"], [True], [True, False], [1, True],
        ["a", None],
    ],
)  # fmt: skip
def test_values_that_are_not_flat(value: object) -> None:
    assert field_failures({"key": value, "other": "text"}) == [Failure("", "not_flat", FLAT)]


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 10**309, -(10**309), [1, math.inf], "a\x00", "\x1b[2J", "\ufffe", ["a", "\uffff"]],
)
def test_numbers_no_double_holds_and_texts_no_message_carries(value: object) -> None:
    assert field_failures({"key": value}) == [Failure("", "invalid", "is invalid")]


def test_keys_are_texts_like_others() -> None:
    assert field_failures({"": "a", "any key / ø": 1}) == []
    assert field_failures({"a\x00": 1}) == [Failure("", "invalid", "is invalid")]


def test_no_fields_are_fine() -> None:
    assert field_failures({}) == []


@pytest.mark.parametrize("char", ["a", "ø", "😀", '"'])
def test_5120_bytes_of_json_are_the_most(char: str) -> None:
    size = len(as_json({"k": char})) - len(as_json({"k": ""}))
    longest = char * ((MAX_BYTES - len(as_json({"k": ""}))) // size)
    padding = "x" * (MAX_BYTES - len(as_json({"k": longest})))
    assert field_failures({"k": longest + padding}) == []
    assert field_failures({"k": longest + padding + "x"}) == [Failure("", "too_large", "is invalid")]


VALUES = st.one_of(
    st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.lists(st.text())
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES))
def test_stored_json_says_the_same(fields: dict[str, object]) -> None:
    assert json.loads(as_json(fields)) == fields


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES | st.none() | st.lists(VALUES), max_size=3))
def test_accepted_fields_fit_into_a_message(fields: dict[str, object]) -> None:
    if not field_failures(fields):
        assert len(as_json(fields)) <= MAX_BYTES
        assert json.loads(json.dumps(fields, allow_nan=False)) == fields
