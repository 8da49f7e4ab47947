"""The personal number of Bulgarian citizens, EGN: a birth date, three digits and a check digit (domain 2.7.2)."""

from __future__ import annotations

from datetime import date

WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6)


def is_egn(number: str, today: date) -> bool:
    """Whether these ten ASCII digits are an EGN of somebody born before `today` (UTC)."""
    born = birth_date(number)
    return born is not None and born < today and check_digit(number) == int(number[9])


def birth_date(number: str) -> date | None:
    """The day in the first six digits; the month also tells the century: +20 the 19th, +40 the 21st."""
    year, month, day = (int(number[at : at + 2]) for at in (0, 2, 4))
    if month > 40:
        year, month = year + 2000, month - 40
    elif month > 20:
        year, month = year + 1800, month - 20
    else:
        year += 1900
    try:
        return date(year, month, day)
    except ValueError:
        return None


def check_digit(number: str) -> int:
    """The tenth digit that the first nine ask for: their weighted sum modulo 11, where 10 counts as 0."""
    return sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number, strict=False)) % 11 % 10
