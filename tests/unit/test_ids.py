"""Ids of actions and supporters: 53 bits, in the order of time, clashes possible (design 3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.ids import EPOCH_MS, RANDOM_BITS, created_at, created_ms, hour_of, new_id, padded

NOW_MS = int(datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC).timestamp() * 1000)
END_MS = EPOCH_MS + 2**41 - 1  # the year 2093
TIMES = st.integers(EPOCH_MS, END_MS)
BITS = st.integers(0, 2**32)


def test_the_epoch_is_2024() -> None:
    assert datetime.fromtimestamp(EPOCH_MS / 1000, UTC) == datetime(2024, 1, 1, tzinfo=UTC)
    assert new_id(EPOCH_MS, 0) == 0


@given(TIMES, BITS)
def test_an_id_is_exact_in_javascript_and_tells_its_millisecond(now_ms: int, bits: int) -> None:
    identifier = new_id(now_ms, bits)
    assert 0 <= identifier < 2**53
    assert int(float(identifier)) == identifier
    assert created_ms(identifier) == now_ms


@given(TIMES, TIMES, BITS, BITS)
def test_ids_are_in_the_order_of_time(one_ms: int, other_ms: int, one_bits: int, other_bits: int) -> None:
    one, other = new_id(one_ms, one_bits), new_id(other_ms, other_bits)
    if one_ms < other_ms:
        assert one < other
        assert padded(one) < padded(other)


def test_the_same_millisecond_with_the_same_random_bits_is_the_same_id() -> None:
    assert new_id(NOW_MS, 7) == new_id(NOW_MS, 7)
    assert new_id(NOW_MS, 7) == new_id(NOW_MS, 7 + (1 << RANDOM_BITS))
    assert len({new_id(NOW_MS, bits) for bits in range(1 << RANDOM_BITS)}) == 4096


@given(st.integers(0, 2**53 - 1))
def test_padded_ids_have_16_digits(identifier: int) -> None:
    assert len(padded(identifier)) == 16
    assert int(padded(identifier)) == identifier


@pytest.mark.parametrize(
    ("moment", "created", "hour"),
    [
        (datetime(2026, 3, 1, 12, 0, 0, 999_000, UTC), datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC), "2026-03-01T12"),
        (
            datetime(2026, 12, 31, 23, 59, 59, 999_000, UTC),
            datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
            "2026-12-31T23",
        ),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "2027-01-01T00"),
    ],
)
def test_the_moment_and_the_hour_of_an_id_are_in_utc(moment: datetime, created: datetime, hour: str) -> None:
    identifier = new_id(round(moment.timestamp() * 1000), 4095)
    assert created_at(identifier) == created
    assert hour_of(identifier) == hour
