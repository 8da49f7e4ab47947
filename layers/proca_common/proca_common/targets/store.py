"""Targets in the Catalog table.

pk             sk                        holds
campaign#<c>   target#<target>           the target
campaign#<c>   external#<external id>    which target has this external id: unique in the campaign, and one short item
                                         each, so that all ids of a campaign are read at once

Both are written and removed together. How many messages a target has changes with each of them, so it stands with them,
in the Actions table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import uuid4

from pydantic import TypeAdapter
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws.dynamo import MAX_TRANSACTION_ITEMS, CatalogItem, Transaction, keys_under, translated, update
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.campaigns.store import CampaignItem, campaign_key
from proca_common.catalog import items
from proca_common.catalog.changes import Along, nothing
from proca_common.errors import NotFound, Outdated, Taken
from proca_common.targets.target import Target, TargetEmail, TargetInput, given_emails

KIND = "target"
TRIES = 5
Emails = tuple[TargetEmail, ...]
_EMAILS = TypeAdapter(Emails)


class TargetItem(CatalogItem, discriminator="target"):
    """A target. `emails`: its addresses as JSON."""

    document = UnicodeAttribute()
    emails = UnicodeAttribute()
    version = NumberAttribute(default=1)


class ExternalIdItem(CatalogItem, discriminator="target_external_id"):
    """That the target has this external id."""

    target = UnicodeAttribute()


def target_key(campaign: int, target: str) -> tuple[str, str]:
    """Where a target stands in the table."""
    return campaign_key(campaign)[0], f"target#{target}"


def _external_item(campaign: int, external_id: str, target: str) -> ExternalIdItem:
    return ExternalIdItem(campaign_key(campaign)[0], f"external#{external_id}", target=target)


def to_target(item: TargetItem) -> Target:
    """The target of a stored item."""
    return Target.load(
        item.document,
        id=item.sk.removeprefix("target#"),
        campaign=int(item.pk.removeprefix("campaign#")),
        emails=_EMAILS.validate_json(item.emails),
        version=int(item.version),
    )


# --- reading


def get(campaign: int, target: str) -> Target:
    """The target of the campaign with this id (a UUID in any case of letters); raises `NotFound`."""
    item = items.read(TargetItem, *target_key(campaign, target.lower()))
    if item is None:
        raise NotFound(KIND)
    return to_target(item)


def get_many(campaign: int, targets: Iterable[str]) -> dict[str, Target]:
    """The targets of the campaign with these ids, those that exist, by id."""
    keys = [target_key(campaign, target) for target in dict.fromkeys(targets)]
    found = items.read_many(keys) if keys else {}
    known = (to_target(item) for item in found.values() if isinstance(item, TargetItem))
    return {target.id: target for target in known}


def listed(campaign: int, after: str = "", limit: int | None = None) -> list[Target]:
    """The targets of the campaign in the order of their ids: at most `limit` after this one."""
    start = f"target#{after}~" if after else "target#"
    try:
        found = TargetItem.query(
            campaign_key(campaign)[0], TargetItem.sk.between(start, "target#~"), limit=limit, consistent_read=True
        )
        return [to_target(item) for item in found]
    except PynamoDBException as error:
        raise translated(error) from None


def ids(campaign: int) -> dict[str, str]:
    """The ids of all targets of the campaign, by external id."""
    try:
        found = ExternalIdItem.query(
            campaign_key(campaign)[0], ExternalIdItem.sk.startswith("external#"), consistent_read=True
        )
        return {item.sk.removeprefix("external#"): item.target for item in found}
    except PynamoDBException as error:
        raise translated(error) from None


# --- writing


def new(campaign: int, given: TargetInput) -> Target:
    """The target that will be, with its id."""
    settings = given.model_dump(exclude={"emails"})
    return Target(id=str(uuid4()), campaign=campaign, emails=given_emails((), given.emails or ()), **settings)


def put_new(transaction: Transaction, target: Target) -> None:
    """Write a new target in this transaction; refused under `external_label` when another has its external id."""
    pk, sk = target_key(target.campaign, target.id)
    item = TargetItem(pk, sk, document=target.document(), emails=_stored(target.emails))
    transaction.put(sk, item, CatalogItem.pk.does_not_exist())
    _claim(transaction, target)


def put_changed(transaction: Transaction, old: Target, target: Target) -> None:
    """Write a target that is to be as it was read in this transaction."""
    pk, sk = target_key(target.campaign, target.id)
    changes = [
        TargetItem.document.set(target.document()),
        TargetItem.emails.set(_stored(target.emails)),
        TargetItem.version.set(target.version + 1),
    ]
    transaction.update(sk, TargetItem(pk, sk), changes, TargetItem.version == target.version)
    if old.external_id != target.external_id:
        _claim(transaction, target)
        transaction.delete(f"{sk} old external id", _external_item(old.campaign, old.external_id, old.id))


def put_gone(transaction: Transaction, target: Target) -> None:
    """Remove a target that is to be as it was read in this transaction. Whether it has messages is for the caller to
    check.
    """
    pk, sk = target_key(target.campaign, target.id)
    transaction.delete(sk, TargetItem(pk, sk), TargetItem.version == target.version)
    transaction.delete(f"{sk} external id", _external_item(target.campaign, target.external_id, target.id))


def must_have_campaign(transaction: Transaction, campaign: int) -> None:
    """Only go through while the campaign is there; refused under `campaign`."""
    transaction.check("campaign", CampaignItem, campaign_key(campaign), CatalogItem.pk.exists())


def external_label(external_id: str) -> str:
    """Under which a transaction is refused when another target has the external id."""
    return f"external#{external_id}"


def _claim(transaction: Transaction, target: Target) -> None:
    item = _external_item(target.campaign, target.external_id, target.id)
    transaction.put(external_label(target.external_id), item, CatalogItem.pk.does_not_exist())


def create(target: Target, along: Along = nothing) -> Target:
    """Store a new target; raises `Taken` (external id), `NotFound` (campaign)."""
    transaction = Transaction()
    must_have_campaign(transaction, target.campaign)
    put_new(transaction, target)
    along(transaction)
    _commit(transaction, target)
    return target


def replace(old: Target, target: Target, along: Along = nothing) -> Target:
    """Store the changed target that is as it was read. Raises `Taken` (external id), `Outdated`."""
    transaction = Transaction()
    put_changed(transaction, old, target)
    along(transaction)
    _commit(transaction, target)
    return target.model_copy(update={"version": target.version + 1})


def remove_all(campaign: int) -> None:
    """Remove all targets of a campaign that ends, with whatever stands beside them. Raises `Unavailable`."""
    pk = campaign_key(campaign)[0]
    keys = [(pk, sk) for pk, sk in keys_under(CatalogItem, pk) if sk.startswith(("target#", "external#"))]
    for start in range(0, len(keys), MAX_TRANSACTION_ITEMS):
        transaction = Transaction()
        for key in keys[start : start + MAX_TRANSACTION_ITEMS]:
            transaction.delete(key[1], TargetItem(*key))
        items.commit(transaction)


def change_emails(campaign: int, target: str, change: Callable[[Emails], Emails]) -> None:
    """Change the addresses of a target, whatever else happens to it at the same time; nothing where it is gone, or
    where nothing changes. `change` may be called more than once. Raises `Unavailable`.
    """
    for _ in range(TRIES):
        try:
            known = get(campaign, target)
        except NotFound:
            return
        changed = change(known.emails)
        if changed == known.emails:
            return
        item = TargetItem(*target_key(campaign, known.id))
        actions = [TargetItem.emails.set(_stored(changed)), TargetItem.version.set(known.version + 1)]
        try:
            update(item, actions, TargetItem.version == known.version)
        except Cancelled:
            continue
        return
    raise Unavailable("other writes were in the way")


def _stored(emails: Emails) -> str:
    return _EMAILS.dump_json(emails).decode()


def _commit(transaction: Transaction, target: Target) -> None:
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused("campaign"):
            raise NotFound("campaign") from None
        if cancelled.refused(external_label(target.external_id)):
            raise Taken("externalId") from None
        raise Outdated from None
