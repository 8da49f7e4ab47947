"""Whether and when supporters who did not confirm are reminded (domain 7.6). Pure.

Unlike there, reminders are counted: as many go out as are configured (decision 19 of domain 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proca_common.action_pages.context import PageContext
from proca_common.actions.status import Stage

DAY_MS = 86_400_000
DELAY_DAYS = 2
MAX_COUNT = 3
LONGEST_DAYS = 365
MOST = 20


@dataclass(frozen=True, slots=True)
class Reminders:
    """The first one goes out `delay_ms` after the mail that asks to confirm, each other so long after the last."""

    delay_ms: int
    max_count: int


def reminders(context: PageContext) -> Reminders | None:
    """What holds for a page: `config.reminder` of its org, and of the campaign over it, key by key; None: no reminders.

    `enabled` has to be exactly true; `delay_days` and `max_count` are numbers, or texts of digits.
    """
    if not context.switches.supporter_confirm or not context.may_mail(Stage.SUPPORTER_CONFIRM):
        return None
    said = {**_said(context.org.config), **_said(context.campaign.config)}
    delay_days = _number(said.get("delay_days"), DELAY_DAYS, LONGEST_DAYS)
    max_count = _number(said.get("max_count"), MAX_COUNT, MOST)
    if said.get("enabled") is not True or not delay_days or not max_count:
        return None
    return Reminders(delay_days * DAY_MS, max_count)


def _said(config: dict[str, Any]) -> dict[str, Any]:
    said = config.get("reminder")
    return said if isinstance(said, dict) else {}


def _number(said: object, default: int, most: int) -> int | None:
    """What is said, at most `most`; None where it makes no sense: better none than at the wrong time."""
    if said is None:
        return default
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 9:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int) or said < 1:
        return None
    return min(said, most)
