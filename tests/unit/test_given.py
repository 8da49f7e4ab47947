"""What somebody gives to make or change a record: every failed rule, never a value (domain 0.4; RFC 7396)."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import CONDITION_FAILED, Cancelled
from proca_common.catalog import changes, items
from proca_common.catalog.entity import Config, Entity
from proca_common.catalog.given import checked, json_object, merge, patched
from proca_common.errors import Outdated, Taken
from proca_common.failures import Malformed, Refused


class Limits(Entity):
    most: Annotated[int, Field(gt=0)] = 10
    least: int | None = None


class Boat(Entity):
    name: Annotated[str, Field(min_length=1, max_length=8, pattern=r"^[a-z]+$")]
    home_port: str | None = None
    limits: Limits = Limits()
    config: Config = Field(default_factory=dict)


class StoredBoat(Boat):
    id: int
    version: int = 1


def codes(model: type[Entity], values: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        checked(model, values)
    return [(failure.pointer, failure.code) for failure in refused.value.failures]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [("/name", "blank")]),
        ({"name": ""}, [("/name", "blank")]),
        ({"name": "Ida"}, [("/name", "format")]),
        ({"name": "a" * 9}, [("/name", "too_long")]),
        ({"name": 1}, [("/name", "invalid")]),
        (
            {"name": "a", "limits": {"most": 0, "least": "x"}},
            [("/limits/most", "invalid"), ("/limits/least", "invalid")],
        ),
        ({"name": "a", "colour": 1}, [("/colour", "unknown_field")]),
        ({"name": "a", "limits": {"colour": 1}}, [("/limits/colour", "unknown_field")]),
        ({"name": "a", "home_port": "b"}, [("/home_port", "unknown_field")]),
        ({"name": "a", "x y": 1}, [("", "unknown_field")]),
        (
            {"name": "", "homePort": 1, "id": 2},
            [("/name", "blank"), ("/homePort", "invalid"), ("/id", "unknown_field")],
        ),
    ],
)
def test_every_failed_rule_is_told(values: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert codes(Boat, values) == expected


def test_no_failure_repeats_a_value() -> None:
    with pytest.raises(Refused) as refused:
        checked(Boat, {"name": "Secret Name", "homePort": ["hidden"], "limits": "concealed"})

    told = repr(refused.value.failures)
    assert not [word for word in ("Secret", "hidden", "concealed") if word in told]


@pytest.mark.parametrize(
    "body",
    [b"nope", b"[]", b"1", b'"a"', b"null", b'{"a":NaN}', b'{"a":"\\ud800"}', b"\xff", b'{"a":' * 9 + b"1" + b"}" * 9],
)
def test_what_is_no_object(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(body)


@pytest.mark.parametrize(("body", "expected"), [(b"", {}), (b"{}", {}), (b'{"a":[1,{}]}', {"a": [1, {}]})])
def test_what_is_an_object(body: bytes, expected: dict[str, Any]) -> None:
    assert json_object(body) == expected


# --- merge patch


@pytest.mark.parametrize(
    ("known", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_as_the_rfc_shows_it(known: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]) -> None:
    assert merge(known, patch) == merged


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_merging_twice_changes_nothing_more(known: dict[str, Any], patch: dict[str, Any]) -> None:
    before = repr(known)
    once = merge(known, patch)

    assert merge(once, patch) == once
    assert repr(known) == before


def test_a_patch_changes_what_it_names_and_takes_back_what_is_null() -> None:
    boat = StoredBoat(
        id=3, version=7, name="ida", home_port="Kiel", limits=Limits(most=3, least=1), config={"a": 1, "b": 2}
    )

    changed = patched(boat, Boat, {"homePort": None, "limits": {"least": None}, "config": {"a": None, "c": {}}})

    assert changed == StoredBoat(id=3, version=7, name="ida", limits=Limits(most=3), config={"b": 2, "c": {}})


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"name": None}, [("/name", "blank")]),
        ({"id": 4, "version": None}, [("/id", "unknown_field"), ("/version", "unknown_field")]),
        ({"colour": None}, [("/colour", "unknown_field")]),
        ({"home_port": None}, [("/home_port", "unknown_field")]),
        ({"limits": "none"}, [("/limits", "invalid")]),
    ],
)
def test_a_patch_keeps_the_rules(patch: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    with pytest.raises(Refused) as refused:
        patched(StoredBoat(id=3, name="ida"), Boat, patch)

    assert [(failure.pointer, failure.code) for failure in refused.value.failures] == expected


# --- what refuses a change


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        ({"name": CONDITION_FAILED}, Taken),
        ({"external_id": CONDITION_FAILED, "campaign": CONDITION_FAILED}, Taken),
        ({"campaign": CONDITION_FAILED}, Outdated),
        ({"audit 1": CONDITION_FAILED}, Outdated),
    ],
)
def test_a_refused_change_says_why(
    monkeypatch: pytest.MonkeyPatch, refused: dict[str, str], error: type[Exception]
) -> None:
    def refuse(_: Transaction) -> None:
        raise Cancelled(refused, {})

    monkeypatch.setattr(items, "commit", refuse)

    with pytest.raises(error):
        changes.commit(Transaction())
