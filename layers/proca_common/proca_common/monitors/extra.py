"""Extra supporters: people whom orgs counted elsewhere, and add to a campaign's numbers by a setting of their pages
(domain 10.2).

They stand in one item per campaign, kept by the transactions that make, change and remove pages. Its attributes are
named as in the shards of the numbers, so whoever shows numbers adds it like one more shard; what is counted from the
actions never knows of it.

pk                  sk      attributes
<campaign>#extra    org     persons:total, org:<id>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pynamodb.attributes import NumberAttribute

from proca_common.aws.dynamo import StatsItem, Transaction
from proca_common.monitors import store


def read_shown(campaign: int) -> dict[str, int]:
    """The campaign's totals as people are told them: with the extra supporters in the total and in the numbers of their
    orgs. One call. Raises `Unavailable`.
    """
    return store.read(campaign, _key(campaign))


def read_all_shown(campaigns: Iterable[int]) -> dict[int, dict[str, int]]:
    """The same of several campaigns, at most 5. One call. Raises `Unavailable`."""
    return store.read_many({campaign: [_key(campaign)] for campaign in campaigns})


def add(transaction: Transaction, campaign: int, differences: Mapping[int, int]) -> None:
    """Add to the extra supporters of these orgs, in one write of the transaction; nothing where nothing changes."""
    changed = {f"org:{org}": number for org, number in sorted(differences.items()) if number}
    if not changed:
        return
    added = {"persons:total": sum(changed.values()), **changed}
    actions = [NumberAttribute(attr_name=name).add(number) for name, number in added.items()]
    transaction.update(f"extra {campaign}", StatsItem(*_key(campaign)), actions)


def _key(campaign: int) -> tuple[str, str]:
    return f"{campaign}#extra", "org"
