"""Leaving stage `detail`: what the org knows of the supporter is merged in, and the signature goes on (domain 4.5).

One transaction that holds only if everything is as read, as in `stages.decide`; doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.update import Action as UpdateAction

from proca_common.action_pages.context import page_context
from proca_common.actions import store
from proca_common.actions.fields import field_failures
from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.logs import logger
from proca_common.pipes.details import Details
from proca_common.stages import addresses
from proca_common.stages.binding import waits
from proca_common.stages.decision import action_and_supporter, as_read, decided, gone_on, unchanged, waiting_for

NOTHING = Details()


def settle(action_id: int, details: Details | None) -> bool:
    """The signature goes on with what its org knows of the supporter, or without; what waits for the supporter does so
    too, or waits for the same confirmation.

    False when it does not wait for details (any more). Raises `NotFound`, `Unavailable`.
    """

    def decide() -> Transaction | None:
        action, supporter = action_and_supporter(action_id)
        if action.stage != Stage.DETAIL:
            return None
        waiting = waiting_for(supporter)
        if waiting is None:
            return Transaction()  # one came or went while they were read
        fields = _merged(action, details or NOTHING)
        usable = NOTHING if details is None or fields is None else details
        return _transaction(action, supporter, waiting, usable, fields)

    return decided(decide)


def _merged(action: ActionItem, details: Details) -> dict[str, Any] | None:
    """The custom fields with those of the details over them; None when they break the limits of domain 3.5.

    Transient fields of the campaign are left out: they may stand in contacts only (design 7.1).
    """
    transient = page_context(int(action.page)).campaign.transient_actions
    told: Mapping[str, Any] = {
        key: value for key, value in details.custom_fields.items() if f"{action.action_type}:{key}" not in transient
    }
    fields = {**(action.fields or {}), **told}
    if told and field_failures(fields):
        logger.warning("details are not usable", extra={"action": int(action.id), "reason": "custom fields"})
        return None
    return fields


def _transaction(
    action: ActionItem,
    supporter: SupporterItem,
    waiting: list[ActionItem],
    details: Details,
    fields: dict[str, Any] | None,
) -> Transaction:
    now_ms = clock.now_ms()
    asked = SupporterItem.from_raw_data(supporter.serialize())
    asked.detailed, asked.waiting = True, 0
    transaction = Transaction()
    others = (each for each in waiting if each.id != action.id)
    for each in (action, *others):  # the signature decides for all
        known = ActionItem.from_raw_data(each.serialize())
        if each.id == action.id and fields:
            known.fields = fields
        after = gone_on(known, each.status, asked, now_ms)
        asked.waiting += waits(after)
        transaction.put(f"action {each.id}", after, unchanged(each))
    changes: list[UpdateAction] = [
        SupporterItem.status.set(asked.status),
        SupporterItem.waiting.set(asked.waiting),
        SupporterItem.detailed.set(True),
    ]
    condition = as_read(supporter)
    if details.email_status is not None and details.email_status_changed is not None:
        changes += [
            SupporterItem.email_status.set(details.email_status.value),
            SupporterItem.email_status_changed.set(int(details.email_status_changed.timestamp())),
        ]
        condition &= addresses.status_as_read(supporter)
    transaction.update("supporter", SupporterItem(supporter.ref, supporter.sk), changes, condition)
    if details.given_at is not None and int(action.org) in supporter.recipients:
        key = store.contact_key(action.ref, int(supporter.id), int(action.org))
        consent = [
            ContactItem.communication_consent.set(True),
            ContactItem.given_at.set(int(details.given_at.timestamp())),
        ]
        transaction.update("contact", ContactItem(*key), consent, ContactItem.ref.exists())
    return transaction
