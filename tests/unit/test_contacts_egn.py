"""The Bulgarian personal number EGN (domain 2.7.2)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.contacts.egn import is_egn

TODAY = date(2026, 8, 1)


def remainder(nine: str) -> int:
    """Of the weighted sum of the first nine digits."""
    return sum(int(digit) * weight for digit, weight in zip(nine, (2, 4, 8, 5, 10, 9, 7, 3, 6), strict=True)) % 11


def completed(nine: str) -> str:
    """These nine digits and the check digit that they ask for."""
    return nine + str(remainder(nine))[-1]


def egn(born: date, serial: str = "085") -> str:
    """An EGN of somebody born on this day."""
    month = born.month + {18: 20, 19: 0, 20: 40}[born.year // 100]
    return completed(f"{born.year % 100:02}{month:02}{born.day:02}{serial}")


@pytest.mark.parametrize(
    "number",
    [
        "0701270855",
        "0948220092",  # 2009
        "9926177023",  # 1899
        "0802290844",  # a leap day
        "0052214707",
        "0409197132",
    ],
)
def test_numbers_accepted(number: str) -> None:
    assert is_egn(number, TODAY)


@pytest.mark.parametrize(
    "number",
    [
        "0701270845",  # check digit
        "0248126491",  # check digit
        "0775270849",  # month 75, that is 35
        "0702290849",  # 29 February 1907
        "0703320847",  # 32 March
        "3043290844",  # 29 March 2030
        completed("070027085"),  # month 0
        completed("071327085"),  # month 13
        completed("072027085"),  # month 20
        completed("074027085"),  # month 40, that is 20 of the 19th century
        completed("075327085"),  # month 53, that is 13 of the 21st century
        completed("070100085"),  # day 0
    ],
)
def test_numbers_refused(number: str) -> None:
    assert not is_egn(number, TODAY)


@pytest.mark.parametrize(
    ("born", "month"),
    [
        (date(1800, 1, 1), "21"),
        (date(1899, 12, 31), "32"),
        (date(1900, 1, 1), "01"),
        (date(1999, 12, 31), "12"),
        (date(2000, 1, 1), "41"),
        (date(2000, 2, 29), "42"),
        (date(2025, 12, 31), "52"),
    ],
)
def test_the_month_tells_the_century(born: date, month: str) -> None:
    assert egn(born)[2:4] == month
    assert is_egn(egn(born), TODAY)


def test_a_leap_day_is_one_of_its_own_century() -> None:
    assert not is_egn(completed("002229085"), TODAY)  # 1800
    assert not is_egn(completed("000229085"), TODAY)  # 1900
    assert is_egn(completed("004229085"), TODAY)  # 2000


def test_somebody_was_born_before_today() -> None:
    born = date(2030, 3, 29)
    assert not is_egn("3043290844", born - timedelta(days=1))
    assert not is_egn("3043290844", born)
    assert is_egn("3043290844", born + timedelta(days=1))


def test_a_remainder_of_ten_is_the_digit_zero() -> None:
    serial = next(f"{number:03}" for number in range(1000) if remainder(f"070127{number:03}") == 10)
    assert is_egn(f"070127{serial}0", TODAY)
    assert not any(is_egn(f"070127{serial}{digit}", TODAY) for digit in range(1, 10))


@settings(deadline=None)
@given(
    st.dates(date(1800, 1, 1), TODAY - timedelta(days=1)),
    st.text("0123456789", min_size=3, max_size=3),
    st.integers(1, 9),
)
def test_every_day_until_yesterday_has_numbers_with_one_check_digit_each(born: date, serial: str, other: int) -> None:
    number = egn(born, serial)
    assert is_egn(number, TODAY)
    assert not is_egn(f"{number[:9]}{(int(number[9]) + other) % 10}", TODAY)


@settings(deadline=None)
@given(st.text("0123456789", min_size=10, max_size=10))
def test_any_ten_digits_are_answered(number: str) -> None:
    assert is_egn(number, TODAY) in {True, False}
