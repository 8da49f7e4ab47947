"""Cursors of readers: what was made comes back, all else is refused at its place."""

import pytest

from proca_common.failures import Refused
from proca_common.management.places import cursor_of, place_of
from proca_common.orgs.encryption import to_text


@pytest.mark.parametrize("place", [(0, 0), (374025039162536, 9_999_999_999_999_999)])
def test_a_cursor_says_how_far_it_was(place: tuple[int, int]) -> None:
    assert place_of(cursor_of(*place)) == place


@pytest.mark.parametrize("cursor", ["", "?", "bm90aGluZw", to_text(b"1.2.3"), to_text(b"-1.2"), to_text(b"1.\xff")])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        place_of(cursor)

    assert [failure.pointer for failure in refused.value.failures] == ["/cursor"]
