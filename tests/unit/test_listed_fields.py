"""The legacy list of fields and how `customFields` is merged over it (domain 3.5.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.actions.input import ActionInput, parse_action
from proca_common.failures import Refused

REF = "abcd"


def read(fields: object, **more: Any) -> ActionInput:
    return parse_action(json.dumps({"action": {"actionType": "a", "fields": fields, **more}}).encode(), REF).action


def refused(fields: object, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refusal:
        read(fields, **more)
    return [(failure.pointer.removeprefix("/action"), failure.code) for failure in refusal.value.failures]


def listed(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs]


@pytest.mark.parametrize(
    ("pairs", "fields"),
    [
        ([], {}),
        ([("color", "red")], {"color": "red"}),
        ([("color", "red"), ("color", "blue")], {"color": ["blue", "red"]}),
        ([("n", "1"), ("n", "2"), ("n", "3")], {"n": ["3", "2", "1"]}),
        ([("a", "1"), ("b", "2"), ("a", "3")], {"a": ["3", "1"], "b": "2"}),
        ([("a", ""), ("a", "")], {"a": ["", ""]}),
        ([("", "x")], {"": "x"}),
    ],
)
def test_as_a_map_the_newest_first(pairs: list[tuple[str, str]], fields: dict[str, object]) -> None:
    assert read(listed(*pairs)).all_fields == fields


def test_custom_fields_win() -> None:
    action = read(listed(("color", "red"), ("size", "L")), customFields={"color": "blue", "age": 41})
    assert action.all_fields == {"color": "blue", "size": "L", "age": 41}


def test_without_a_list_they_are_the_custom_fields() -> None:
    assert read(None, customFields={"age": 41}).all_fields == {"age": 41}
    assert read(None).all_fields == {}


def test_transient_is_ignored() -> None:
    assert read(
        [{"key": "a", "value": "b", "transient": True}, {"key": "c", "value": "d", "transient": None}]
    ).all_fields == {
        "a": "b",
        "c": "d",
    }


@pytest.mark.parametrize(
    ("fields", "failures"),
    [
        ({}, [("/fields", "invalid")]),
        ("a=b", [("/fields", "invalid")]),
        ([1], [("/fields/0", "invalid")]),
        ([None], [("/fields/0", "blank")]),
        ([{}], [("/fields/0/key", "blank"), ("/fields/0/value", "blank")]),
        ([{"key": "a", "value": None}], [("/fields/0/value", "blank")]),
        ([{"key": "a", "value": 1}], [("/fields/0/value", "invalid")]),
        ([{"key": "a", "value": ["b"]}], [("/fields/0/value", "invalid")]),
        ([{"key": 1, "value": "b"}], [("/fields/0/key", "invalid")]),
        ([*listed(("a", "b")), {"key": "a", "value": "b", "x": 1}], [("/fields/1/x", "unknown_field")]),
        ([{"key": "a", "value": "b", "transient": 1}], [("/fields/0/transient", "invalid")]),
        (listed(("a", "b\x00")), [("/fields", "invalid")]),
        (listed(*[("a", "b")] * 1001), [("/fields", "invalid")]),
        (listed(("a", "x" * 5120)), [("/fields", "too_large")]),
    ],
)
def test_what_is_no_list_of_fields(fields: object, failures: list[tuple[str, str]]) -> None:
    assert refused(fields) == failures


def test_the_limit_is_that_of_all_fields_together() -> None:
    assert refused(listed(("a", "x" * 3000)), customFields={"b": "x" * 3000}) == [("/fields", "too_large")]
    assert read(listed(("a", "x" * 3000)), customFields={"a": "x" * 3000})


def test_both_are_told() -> None:
    assert refused([{"key": "a"}], customFields={"a": None}) == [
        ("/customFields", "not_flat"),
        ("/fields/0/value", "blank"),
    ]


def test_of_many_failures_twenty_are_told() -> None:
    assert len(refused([{"key": 1, "value": 1}] * 900)) == 20


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz", max_size=2)), max_size=20))
def test_every_value_stays_in_the_order_of_time(pairs: list[tuple[str, str]]) -> None:
    fields = read(listed(*pairs)).all_fields
    values = {key: [value] if isinstance(value, str) else value for key, value in fields.items()}
    assert values == {
        key: [value for found, value in reversed(pairs) if found == key] for key in {key for key, _ in pairs}
    }
