"""The rows of an export (domain 13.6): which of an org's actions it has, and what it says of them. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from proca_common.action_pages.context import PageContext
from proca_common.actions.private import DONATION, FIELDS
from proca_common.actions.status import EMITTED, ActionStatus, EmailStatus, SupporterStatus
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.ids import created_at, created_ms
from proca_common.orgs.encryption import to_text
from proca_common.stages.messages import clear_contact, given_at

Row = dict[str, Any]
SHOWN = frozenset({ActionStatus.ACCEPTED, *EMITTED})


class Kind(StrEnum):
    """What rows are of: all actions, or those with which a contact came."""

    ACTIONS = "actions"
    CONTACTS = "contacts"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows are wanted. `accepted_after_ms`: accepted at this moment or later (ms since 1970).

    `everything`: in whatever state and with whatever consent, to find all that there is of a person.
    """

    kind: Kind = Kind.ACTIONS
    only_opt_in: bool = True
    only_double_opt_in: bool = False
    include_testing: bool = False
    accepted_after_ms: int | None = None
    everything: bool = False


def may_be_wanted(action: ActionItem, org: int, filters: Filters) -> bool:
    """Whether there may be a row of this action for the org, as far as the action itself tells."""
    if action.supporter is None or org not in (action.recipients or ()):
        return False
    if action.testing and not filters.include_testing:
        return False
    if filters.everything:
        return True
    if filters.kind is Kind.CONTACTS and not action.with_consent:
        return False
    after = filters.accepted_after_ms
    return action.status in SHOWN and (after is None or _accepted_ms(action) >= after)


def is_wanted(supporter: SupporterItem, contact: ContactItem, filters: Filters) -> bool:
    """Whether there is a row of an action that may be wanted, as far as its supporter and the org's contact tell."""
    if filters.everything:
        return True
    if filters.only_opt_in and not contact.communication_consent:
        return False
    if filters.only_double_opt_in and supporter.email_status != EmailStatus.DOUBLE_OPT_IN:
        return False
    return supporter.status == SupporterStatus.ACCEPTED


def row(action: ActionItem, supporter: SupporterItem, contact: ContactItem, context: PageContext) -> Row:
    """What an org is told of an action of which it has a contact.

    The payload of a contact is a box with both its keys, or JSON text without any. It is null for one that was sealed
    because the org has no key yet.
    """
    known, private = clear_contact(action, contact)
    page, campaign, source = context.page, context.campaign, action.source
    return {
        "actionId": int(action.id),
        "actionType": action.action_type,
        "createdAt": _shown(created_at(int(action.id))),
        "customFields": {**(action.fields or {}), **private.get(FIELDS, {})},
        "contact": {
            "contactRef": action.ref,
            "dupeRank": None if action.dupe_rank is None else int(action.dupe_rank),
            **_payload(contact, known),
        },
        "privacy": {
            "optIn": contact.communication_consent,
            "givenAt": _shown(given_at(supporter, contact)),
            "emailStatus": supporter.email_status,
            "emailStatusChanged": _shown_s(supporter.email_status_changed),
            "withConsent": action.with_consent,
        },
        "tracking": source and {name: source[name] for name in ("source", "medium", "campaign", "content")},
        "campaign": {
            "id": campaign.id,
            "name": campaign.name,
            "title": campaign.title,
            "externalId": campaign.external_id,
        },
        "actionPage": {"id": page.id, "name": page.name, "locale": page.locale},
        "donation": action.donation
        and {**action.donation, "payload": {**action.donation["payload"], **private.get(DONATION, {})}},
    }


def _payload(contact: ContactItem, known: dict[str, object]) -> Row:
    if contact.payload is not None:
        return {
            "payload": to_text(contact.payload),
            "nonce": to_text(contact.nonce),
            "publicKey": {"id": int(contact.key_id), "public": to_text(contact.key_public)},
            "signKey": {"id": int(contact.sign_id), "public": to_text(contact.sign_public)},
        }
    text = None if contact.clear is None else json.dumps(known, ensure_ascii=False)
    return {"payload": text, "nonce": None, "publicKey": None, "signKey": None}


def _accepted_ms(action: ActionItem) -> int:
    """When it was accepted. One on its way is not yet; it counts from its creation, and again from its delivery."""
    return created_ms(int(action.id)) if action.accepted is None else int(action.accepted)


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown_s(seconds: float | None) -> str | None:
    return None if seconds is None else _shown(datetime.fromtimestamp(int(seconds), UTC))
