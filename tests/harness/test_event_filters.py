"""The filter patterns, rule by rule."""

import json
from typing import Any

import pytest

from tests.harness.event_filters import accepts, matches, parse

RECORD = {
    "eventName": "INSERT",
    "dynamodb": {
        "Keys": {"ref": {"S": "abc"}},
        "NewImage": {
            "stage": {"S": "deliver"},
            "due": {"N": "100"},
            "flag": {"BOOL": True},
            "nothing": {"NULL": True},
            "tags": {"SS": ["red", "green"]},
            "empty": {"S": ""},
        },
        "SizeBytes": 26,
    },
}


def image(**attributes: Any) -> dict[str, Any]:
    return {"dynamodb": {"NewImage": attributes}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (image(stage={"S": ["deliver"]}), True),
        (image(stage={"S": ["link", "deliver"]}), True),
        (image(stage={"S": ["link"]}), False),
        (image(stage={"S": ["Deliver"]}), False),
        (image(empty={"S": [""]}), True),
        (image(flag={"BOOL": [True]}), True),
        (image(flag={"BOOL": [1]}), False),
        (image(flag={"BOOL": ["true"]}), False),
        (image(due={"N": ["100"]}), True),
        (image(due={"N": [100]}), False),
        (image(tags={"SS": ["green"]}), True),
        (image(tags={"SS": ["blue"]}), False),
        ({"eventName": ["INSERT"], **image(stage={"S": ["deliver"]})}, True),
        ({"eventName": ["REMOVE"], **image(stage={"S": ["deliver"]})}, False),
        ({"dynamodb": {"OldImage": {"stage": {"S": ["deliver"]}}}}, False),
        ({"dynamodb": {"SizeBytes": [26]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 20, "<=", 26]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["=", 27]}]}}, False),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["<", 26]}]}}, False),
        (image(due={"N": [{"numeric": ["=", 100]}]}), False),  # a DynamoDB number is a string
        (image(stage={"S": [{"prefix": "del"}]}), True),
        (image(stage={"S": [{"prefix": "liver"}]}), False),
        (image(stage={"S": [{"suffix": "liver"}]}), True),
        (image(stage={"S": [{"equals-ignore-case": "DELIVER"}]}), True),
        (image(stage={"S": [{"exists": True}]}), True),
        (image(stage={"S": [{"exists": False}]}), False),
        (image(other={"S": [{"exists": False}]}), True),
        (image(other={"S": [{"exists": True}]}), False),
        (image(stage=[{"exists": True}]), False),  # not a leaf
        (image(stage={"S": [{"anything-but": ["link", "wipe"]}]}), True),
        (image(stage={"S": [{"anything-but": ["link", "deliver"]}]}), False),
        (image(stage={"S": [{"anything-but": "deliver"}]}), False),
        (image(stage={"S": [{"anything-but": {"prefix": "del"}}]}), False),
        (image(stage={"S": [{"anything-but": {"prefix": "li"}}]}), True),
        (image(other={"S": [{"anything-but": ["link"]}]}), False),  # an absent key is not "anything"
        ({"$or": [image(stage={"S": ["link"]}), image(due={"N": ["100"]})]}, True),
        ({"$or": [image(stage={"S": ["link"]}), image(due={"N": ["1"]})]}, False),
    ],
)
def test_a_pattern_matches_or_not(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(parse(json.dumps(pattern)), RECORD) is expected


def test_filters_of_a_mapping_are_alternatives_and_none_is_all() -> None:
    deliver, link = image(stage={"S": ["deliver"]}), image(stage={"S": ["link"]})
    assert accepts([link, deliver], RECORD)
    assert not accepts([link], RECORD)
    assert accepts([], RECORD)


def test_a_removed_item_has_no_image_to_match() -> None:
    record = {"eventName": "REMOVE", "dynamodb": {"Keys": {"ref": {"S": "abc"}}}}
    assert not accepts([image(stage={"S": ["deliver"]})], record)


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": "text"},
        {"a": []},
        {"a": [["nested"]]},
        {"a": [{"wildcard": "*x"}]},
        {"a": [{"prefix": "x", "suffix": "y"}]},
        {"a": [{"numeric": [">"]}]},
        {"a": [{"numeric": ["~", 1]}]},
        ["a"],
    ],
)
def test_a_pattern_we_do_not_know_is_refused(pattern: Any) -> None:
    with pytest.raises(ValueError, match=r"a: |object"):
        parse(json.dumps(pattern))
