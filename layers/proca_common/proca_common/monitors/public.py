"""The numbers of a campaign that anybody may see (domain 10.1), kept in warm memory so that many may ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from proca_common.aws.errors import Unavailable
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.monitors import extra
from proca_common.orgs import titles

if TYPE_CHECKING:
    from proca_common.monitors.shapes import PublicNumbers

FRESH_MS: Final = 5_000
MAX_AGE_S: Final = 5
"""How long others may keep numbers: an answer that was kept has numbers of at most ten seconds ago."""
MAX_ENTRIES: Final = 2_000
AT_ONCE: Final = 5
"""Campaigns whose shards are read by one call."""
PERSONS: Final = "persons:total"

_numbers: FreshOrKnown[int, PublicNumbers] = FreshOrKnown(FRESH_MS, MAX_ENTRIES)


def forget() -> None:
    """Empty the cache (tests)."""
    _numbers.forget()
    titles.forget()


def public_numbers(campaign: int, others: Collection[int] = ()) -> PublicNumbers:
    """The campaign's numbers, at most 5 s old; one call where they are older, and one in five minutes for the names of
    its orgs. With those of `others`, which will be asked for next, in as many calls as there are fives of campaigns.

    When the store does not answer, those that are known are used on. Raises `Unavailable` where none are.
    """
    if others:
        _learn(sorted(each for each in others if not _numbers.has(each)))
    return _numbers.get(campaign, lambda: _made(extra.read_shown(campaign)))


def numbers_if_known(campaign: int) -> PublicNumbers | None:
    """The same for whoever can do without them: None where the store does not answer and none are known."""
    try:
        return public_numbers(campaign)
    except Unavailable:
        return None


def but_of(numbers: PublicNumbers, org: str) -> PublicNumbers:
    """The numbers with `supporterCountByOthers`: the people of all orgs but the one with this name, in any case of
    letters; all people where no such org brought any.
    """
    own = (entry["count"] for entry in numbers["supporterCountByOrg"] if entry["org"]["name"].lower() == org.lower())
    return {**numbers, "supporterCountByOthers": numbers["supporterCount"] - sum(own)}


def _learn(campaigns: Sequence[int]) -> None:
    for start in range(0, len(campaigns), AT_ONCE):
        try:
            read = extra.read_all_shown(campaigns[start : start + AT_ONCE])
            titles.titles_of({int(org) for found in read.values() for org in _of_kind(found, "org")})
        except Unavailable:
            return  # each is asked for by itself, and may be known from before
        for campaign, found in read.items():
            _numbers.get(campaign, partial(_made, found))


def _made(found: Mapping[str, int]) -> PublicNumbers:
    by_org = {int(org): number for org, number in _of_kind(found, "org").items()}
    known = titles.titles_of(by_org)
    return {
        "supporterCount": found.get(PERSONS, 0),
        "supporterCountByOrg": [
            {"org": {"name": known[org].name, "title": known[org].title}, "count": number}
            for org, number in by_org.items()
            if org in known
        ],
        "supporterCountByArea": [{"area": area, "count": number} for area, number in _of_kind(found, "area").items()],
        "actionCount": _of_kind(found, "type"),
    }


def _of_kind(found: Mapping[str, int], kind: str) -> dict[str, int]:
    """The numbers of a kind by name, the greatest first."""
    named = {name.removeprefix(f"{kind}:"): number for name, number in found.items() if name.startswith(f"{kind}:")}
    return dict(sorted(named.items(), key=lambda item: (-item[1], item[0])))
