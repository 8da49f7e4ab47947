"""Which of the mails of an action go out (domain 9.2, 9.5)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.mtt.ranking import TESTS_MS, is_late, ranked, shown


@pytest.mark.parametrize(
    ("targets", "written", "first", "dupes"),
    [
        ("abc", "", "abc", ""),
        ("abc", "b", "ac", "b"),
        ("abc", "xabc", "", "abc"),
        ("cab", "a", "cb", "a"),
        ("aab", "", "ab", ""),
        ("", "a", "", ""),
    ],
)
def test_a_person_writes_to_a_target_once(targets: str, written: str, first: str, dupes: str) -> None:
    assert ranked(targets, set(written)) == (tuple(first), tuple(dupes))


@settings(deadline=None)
@given(st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=4))
def test_each_target_gets_one_mail_in_whatever_order_actions_are_ranked(actions: list[set[str]]) -> None:
    for order in itertools.permutations(actions):
        written: set[str] = set()
        mails: list[str] = []
        for targets in order:
            first, dupes = ranked(sorted(targets), written)
            assert sorted((*first, *dupes)) == sorted(targets)
            mails += first
            written |= set(first)
        assert sorted(mails) == sorted(set().union(*actions))


@pytest.mark.parametrize(
    ("locales", "found"),
    [
        ({"b": "de", "a": "de", "c": "fr"}, {"a", "c"}),
        ({"b": None, "a": "en"}, {"a"}),
        ({"a": None, "b": "en"}, {"a"}),
        ({"a": "de", "b": "de_CH"}, {"a", "b"}),
        ({}, set()),
    ],
)
def test_a_tester_gets_one_mail_for_each_locale(locales: dict[str, str | None], found: set[str]) -> None:
    assert shown(locales) == found


@pytest.mark.parametrize(("age_ms", "late"), [(0, False), (TESTS_MS, False), (TESTS_MS + 1, True)])
def test_tests_are_mailed_within_a_day(age_ms: int, late: bool) -> None:
    assert is_late(1_741_079_553_123, 1_741_079_553_123 + age_ms) is late
