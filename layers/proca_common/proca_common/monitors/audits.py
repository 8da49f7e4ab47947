"""The records of audits, in the Stats table: what was found in a campaign's numbers, and when.

pk                  sk              attributes
<campaign>#audits   <id, padded>    document (JSON of `audit.Audit`), version
"""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from proca_common.aws.dynamo import StatsItem, Transaction, translated
from proca_common.ids import padded
from proca_common.monitors.audit import MAX_LISTED, Audit

LABEL = "audit"


class AuditItem(StatsItem):
    """The record of an audit."""

    document = UnicodeAttribute()
    version = NumberAttribute()


def find(campaign: int, audit: int) -> Audit | None:
    """The audit with this id, as last written; raises `Unavailable`."""
    try:
        return _audit(AuditItem.get(_partition(campaign), padded(audit), consistent_read=True))
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise translated(error) from None


def newest(campaign: int, before: int | None = None, limit: int = MAX_LISTED) -> list[Audit]:
    """The newest audits of a campaign, or the newest before the one with this id. Raises `Unavailable`."""
    condition = None if before is None else AuditItem.sk < padded(before)
    try:
        found = AuditItem.query(
            _partition(campaign), condition, scan_index_forward=False, limit=limit, consistent_read=True
        )
        return [_audit(item) for item in found]
    except PynamoDBException as error:
        raise translated(error) from None


def put(transaction: Transaction, audit: Audit) -> Audit:
    """Write the audit in this transaction, on condition that it stands as this copy was read; refused under `LABEL`. As
    it is then.
    """
    stored = audit.model_copy(update={"version": audit.version + 1})
    item = AuditItem(
        pk=_partition(audit.campaign), sk=padded(audit.id), document=stored.model_dump_json(), version=stored.version
    )
    new = audit.version == 0
    transaction.put(LABEL, item, AuditItem.pk.does_not_exist() if new else AuditItem.version == audit.version)
    return stored


def _partition(campaign: int) -> str:
    return f"{campaign}#audits"


def _audit(item: AuditItem) -> Audit:
    return Audit.model_validate_json(item.document)
