"""Lists, a part at a time: `?limit=&cursor=` is answered with `{"items": […], "next": cursor or null}`.

A cursor says after which of the things the next part begins, so what is added or removed meanwhile shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.failures import Failure, Refused
from proca_common.http.answers import answer

MAX_ITEMS = 100
USUAL_ITEMS = 50
_LIMIT = re.compile(r"[0-9]{1,3}")
_ID = re.compile(r"[0-9]{1,16}")
Thing = TypeVar("Thing")
Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a list is asked for: at most `limit` things, after the one that `after` names."""

    limit: int = USUAL_ITEMS
    after: str | None = None

    @property
    def one_more(self) -> int:
        """How many to look for, so that it is known whether there are more than fit."""
        return self.limit + 1

    @property
    def after_id(self) -> int:
        """The id after which the part begins, for things in the order of their ids. Raises `Refused`."""
        if self.after is None:
            return 0
        if not _ID.fullmatch(self.after):
            raise Refused([Failure.bad_format("/cursor")])
        return int(self.after)


def asked(
    event: APIGatewayProxyEvent, most: int = MAX_ITEMS, usual: int = USUAL_ITEMS, others: Sequence[Failure] = ()
) -> Asked:
    """What the request asks for: `most` things at most, `usual` without a limit. Raises `Refused` for a limit that is
    none of 1 to `most`, for what is no cursor, and for what else is wrong with the request (`others`).
    """
    given = event.query_string_parameters or {}
    failures = [*others]
    limit, cursor = given.get("limit"), given.get("cursor")
    if limit is not None and not (_LIMIT.fullmatch(limit) and 1 <= int(limit) <= most):
        failures.append(Failure("/limit", "invalid", f"should be a number from 1 to {most}"))
    after = None if cursor is None else _opened(cursor)
    if cursor is not None and after is None:
        failures.append(Failure.bad_format("/cursor"))
    if failures:
        raise Refused(failures)
    return Asked(usual if limit is None else int(limit), after)


def listed(
    found: Sequence[Thing],
    part: Asked,
    key: Callable[[Thing], str | int],
    show: Callable[[Sequence[Thing]], list[dict[str, object]]],
) -> Response[str]:
    """The answer with this part of a list, of which up to `part.one_more` things were found. `key`: what a cursor keeps
    of a thing; `show`: makes JSON of those that are in the part.
    """
    return answer(200, part_of(found, part, key, show))


def part_of(
    found: Sequence[Thing],
    part: Asked,
    key: Callable[[Thing], str | int],
    show: Callable[[Sequence[Thing]], Sequence[Shown]],
) -> dict[str, object]:
    """This part of a list as JSON, for answers of other kinds; the same as with `listed`."""
    shown = found[: part.limit]
    following = _cursor(str(key(shown[-1]))) if len(found) > part.limit else None
    return {"items": show(shown), "next": following}


def _cursor(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).rstrip(b"=").decode()


def _opened(cursor: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,1000}", cursor):
        return None
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode() or None
    except (binascii.Error, ValueError):
        return None
