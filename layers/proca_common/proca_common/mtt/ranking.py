"""Which of the mails of an action go out: duplicates do not, and of tests one for all (domain 9.2, 9.5). Pure.

A person writes to a target once. Who was ranked first stays first, so ranks are given once and never change: a message
of an earlier action that becomes deliverable later, because its supporter confirmed late, is a duplicate of one that is
on its way or sent (decision 25 of domain 15, which compares with all).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

TESTS_MS: Final = 24 * 3_600_000
LOCALE: Final = "en"
"""Of targets that have none (domain 9.6.5)."""


class Ranked(NamedTuple):
    """Targets of an action: those that this person writes to for the first time, and the others, both in order."""

    first: tuple[str, ...]
    dupes: tuple[str, ...]


def ranked(targets: Iterable[str], written: Collection[str]) -> Ranked:
    """The targets of an action, without repetitions. `written`: those that other actions of the same person in the
    same campaign were ranked first for.
    """
    each = tuple(dict.fromkeys(targets))
    return Ranked(
        tuple(target for target in each if target not in written), tuple(target for target in each if target in written)
    )


def shown(locales: Mapping[str, str | None]) -> frozenset[str]:
    """Of the targets of a test with their locales: those whose mail the tester gets, one for each locale (domain 9.5).

    The mails to the others count as sent with it (decision 27 of domain 15). Who is chosen depends on the targets
    alone, so it is the same in every try.
    """
    chosen = {locale_of(locales[target]): target for target in sorted(locales, reverse=True)}
    return frozenset(chosen.values())


def is_late(created_ms: int, now_ms: int) -> bool:
    """Whether a test is too old to be mailed: 24 hours (domain 9.5)."""
    return now_ms - created_ms > TESTS_MS


def locale_of(locale: str | None) -> str:
    """The locale of the mail to a target."""
    return locale or LOCALE
