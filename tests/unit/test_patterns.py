"""Blocked patterns: what matches, what decides, and that nothing takes long."""

from __future__ import annotations

import fnmatch
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proca_common.guards.patterns import Pattern, Signer, first_match, matches, plain
from proca_common.guards.settings import checked, effective

IDA = Signer(plain("Ida.Holm@Mail.example.org"), plain("Ida  Holm"), "192.0.2.77")


def pattern(kind: Any, text: str, action: Any = "hold", number: int = 1) -> Pattern:
    return Pattern(id=number, kind=kind, pattern=text, action=action)


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("address", "ida.holm@mail.example.org", True),
        ("address", "IDA.HOLM@mail.example.org", True),
        ("address", "ida*@mail.example.org", True),
        ("address", "*@mail.example.org", True),
        ("address", "ida.holm@example.org", False),
        ("address", "holm", False),
        ("domain", "mail.example.org", True),
        ("domain", "*.example.org", True),
        ("domain", "example.org", False),
        ("domain", "*example.org", True),
        ("domain", "*", True),
        ("name", "ida holm", True),
        ("name", "Ida Holm", True),
        ("name", "IDA \u3000 HOLM", True),
        ("name", "\uff29da Holm", True),
        ("name", "* holm", True),
        ("name", "*d*h*l*", True),
        ("name", "ida", False),
        ("name", "*l*d*", False),
        ("network", "192.0.2.0/24", True),
        ("network", "192.0.2.1/24", True),
        ("network", "192.0.2.77", True),
        ("network", "192.0.3.0/24", False),
        ("network", "2001:db8::/32", False),
    ],
)
def test_a_pattern_finds_what_it_is_for(kind: str, text: str, found: bool) -> None:
    assert (first_match([pattern(kind, text)], IDA) is not None) is found


def test_networks_of_version_6_are_found() -> None:
    signer = Signer("", "", "2001:db8:1:2::3")

    assert first_match([pattern("network", "2001:db8:1::/48")], signer)
    assert not first_match([pattern("network", "2001:db8:2::/48")], signer)


@pytest.mark.parametrize("client", [None, "", "unknown", "192.0.2.77, 198.51.100.1"])
def test_a_client_without_an_address_is_in_no_network(client: str | None) -> None:
    assert not first_match([pattern("network", "0.0.0.0/0"), pattern("network", "::/0")], Signer("", "", client))


def test_refusing_comes_before_holding_and_the_first_of_each_counts() -> None:
    hold, refuse = pattern("name", "ida*", "hold", 1), pattern("domain", "*", "refuse", 2)

    assert first_match([hold, refuse, pattern("name", "*", "refuse", 3)], IDA) == refuse
    assert first_match([hold, pattern("name", "*", "hold", 3)], IDA) == hold
    assert first_match([], IDA) is None


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_star_stands_for_any_characters(text: str, value: str) -> None:
    assert matches(text, value) == fnmatch.fnmatchcase(value, text)


@given(st.text(max_size=20))
def test_a_text_matches_itself_and_a_star(text: str) -> None:
    assert matches("*", plain(text))
    assert matches(text.replace("*", ""), plain(text.replace("*", "")))


def test_no_pattern_takes_long() -> None:
    worst, text = "*a" * 127 + "b", "a" * 1000
    begun = time.perf_counter()
    for _ in range(500):
        assert not matches(worst, text)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "network", "pattern": "192.0.2.0/33"},
        {"kind": "network", "pattern": "192.0.2.*"},
        {"kind": "regex", "pattern": "a"},
        {"kind": "name", "pattern": ""},
        {"kind": "name", "pattern": "a" * 256},
        {"kind": "name", "pattern": "a", "action": "log"},
    ],
)
def test_a_wrong_pattern_cannot_be_set(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Pattern.model_validate({"id": 1, "action": "hold", **wrong})


def test_patterns_of_campaign_and_instance_both_hold() -> None:
    own, general = ({"patterns": [pattern("name", "a", number=n).model_dump()]} for n in (1, 2))

    for campaign, instance, found in ((own, general, [1, 2]), (own, {}, [1]), ({}, general, [2])):
        guards = effective(campaign, instance)
        assert guards is not None
        assert [each.id for each in guards.patterns] == found
    assert checked({"patterns": []}) == {}


def test_a_signer_shows_nothing_of_itself() -> None:
    assert repr(IDA) == "Signer()"
