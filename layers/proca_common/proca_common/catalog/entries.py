"""What belongs to what: one small item under the owner for each thing that it has, so that lists need no scan.

pk               sk                        says that
orgs             org#<org>                 there is this org
campaigns        campaign#<campaign>       there is this campaign, which `org` leads
org#<org>        campaign#<campaign>       the org leads this campaign
org#<org>        page#<page>               the page is this org's, of `campaign`
campaign#<c>     page#<page>               the page is of this campaign, and is `org`'s
mtt              campaign#<campaign>       the campaign, which `org` leads, takes messages to targets

Each is written and removed in the transaction that makes or removes the thing.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.ids import padded

ORGS = "orgs"
CAMPAIGNS = "campaigns"
LAST = "~"


class EntryItem(CatalogItem, discriminator="entry"):
    """An entry of a list."""

    id = NumberAttribute()
    org = NumberAttribute(null=True)
    campaign = NumberAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """That `owner` (a partition) has the thing of this kind and id; `org`, `campaign`: what a list of it can be
    filtered by.
    """

    owner: str
    kind: str
    id: int
    org: int | None = None
    campaign: int | None = None


def put(transaction: Transaction, entry: Entry) -> None:
    """Write it in this transaction."""
    transaction.put(_label(entry), _item(entry))


def remove(transaction: Transaction, entry: Entry) -> None:
    """Remove it in this transaction."""
    transaction.delete(_label(entry), _item(entry))


def under(
    owner: str, kind: str, *, after: int = 0, limit: int | None = None, campaign: int | None = None
) -> list[EntryItem]:
    """The entries of this kind with an id above `after`, in the order of ids, `limit` at most; of one campaign, if one
    is given. As last written. Raises `Unavailable`.
    """
    start = f"{kind}#{padded(after + 1)}"
    condition = EntryItem.sk.between(start, f"{kind}#{LAST}")
    wanted = None if campaign is None else EntryItem.campaign == campaign
    try:
        return list(EntryItem.query(owner, condition, wanted, limit=limit, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None


def _label(entry: Entry) -> str:
    return f"entry {entry.owner} {entry.kind} {entry.id}"


def _item(entry: Entry) -> EntryItem:
    return EntryItem(
        pk=entry.owner, sk=f"{entry.kind}#{padded(entry.id)}", id=entry.id, org=entry.org, campaign=entry.campaign
    )
