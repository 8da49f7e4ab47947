"""Letters, white space and characters (domain 0.3.6, 0.3.7)."""

from __future__ import annotations

import unicodedata

import pytest

from proca_common.contacts.text import graphemes, letters_and, longer_than, trim


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Ida", 3),
        ("a\r\nb", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("e\u0301\u0323\u0308", 1),
        ("København", 9),
        ("李小龍", 3),
        ("한글", 2),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", 2),
        ("각\u11a8", 1),
        ("नमस्", 3),
        ("กำ", 1),
        ("ｶﾞ", 1),
        ("👍🏽", 1),
        ("👩\u200d👩\u200d👧\u200d👦", 1),
        ("❤️", 1),
        ("🇩🇰🇸🇪", 2),
        ("🇩🇰🇸", 2),
        ("\u0301a", 2),
        ("a\u200bb", 3),
        ("1\ufe0f\u20e3", 1),
    ],
)
def test_graphemes_are_what_a_reader_counts(text: str, count: int) -> None:
    assert graphemes(text) == count


def test_length_is_measured_in_graphemes() -> None:
    assert not longer_than("e\u0301" * 64, 64)
    assert longer_than("e\u0301" * 65, 64)
    assert not longer_than("a" * 64, 64)
    assert longer_than("a" * 65, 64)


def test_letters_are_the_general_categories_l() -> None:
    letters = letters_and("")
    wrong = [code for code in range(0x110000) if letters(chr(code)) != unicodedata.category(chr(code)).startswith("L")]
    assert wrong == []


def test_trim_takes_unicode_white_space_only() -> None:
    assert trim("\t\u00a0\u2003\u3000 Ida\u0085\n") == "Ida"
    assert trim("\x1fIda\u200b") == "\x1fIda\u200b"
