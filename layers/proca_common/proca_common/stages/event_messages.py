"""The wire form `proca:event:2` of what became known of an address (domain 5.3, 5.4), and how it is built from what is
stored. `schemas/` is generated from these models.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, JsonValue

from proca_common.action_pages.context import PageContext
from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.casing import camel_keys
from proca_common.orgs.org import Org
from proca_common.pipes.publish import Outgoing
from proca_common.stages.messages import (
    ActionPagePart,
    ActionPart,
    CampaignPart,
    ContactPart,
    Part,
    PersonalInfoPart,
    PrivacyPart,
    Timestamp,
    TrackingPart,
    action_message,
)

SCHEMA = "proca:event:2"
EMAIL_STATUS = "email_status"


class SupporterPart(Part):
    """Whose address it is, as this org may know: all null for an org without a contact of the supporter."""

    contact: ContactPart
    personal_info: PersonalInfoPart | None
    privacy: PrivacyPart


class EmailStatusEvent(Part):
    """What is known of a supporter's address changed; `supporter.privacy` says to what. `action` is the signature.

    The keys of its custom fields are in camelCase here, as they are in no action message (decision 10 of domain 15).
    """

    schema_: Literal["proca:event:2"] = Field(alias="schema")
    event_type: Literal["email_status"]
    timestamp: Timestamp
    action_id: int
    action: ActionPart
    action_page_id: int
    action_page: ActionPagePart
    campaign_id: int
    campaign: CampaignPart
    tracking: TrackingPart | None
    supporter: SupporterPart


def email_status_event(
    action: ActionItem, supporter: SupporterItem, contact: ContactItem | None, context: PageContext
) -> EmailStatusEvent:
    """The event for the org of `contact`. Raises `NotReadable` while that is sealed."""
    known = action_message(Stage.DELIVER, action, supporter, contact, context, int(action.dupe_rank or 0))
    done = known.action.model_dump(exclude_unset=True, exclude={"donation"})
    done["custom_fields"] = camel_keys(done["custom_fields"])
    return EmailStatusEvent.model_validate(
        {
            "schema": SCHEMA,
            "event_type": EMAIL_STATUS,
            "timestamp": datetime.fromtimestamp(int(supporter.email_status_changed or 0), UTC),
            "action_id": known.action_id,
            "action": done,
            "action_page_id": known.action_page_id,
            "action_page": known.action_page,
            "campaign_id": known.campaign_id,
            "campaign": known.campaign,
            "tracking": known.tracking,
            "supporter": {
                "contact": known.contact,
                "personal_info": known.personal_info,
                "privacy": known.privacy.model_copy(update={"with_consent": False}),
            },
        }
    )


def outgoing(event: EmailStatusEvent, context: PageContext, receiver: Org) -> Outgoing:
    """The event as it is sent to the receiver (attributes: design 6)."""
    changed = int(event.timestamp.timestamp())
    identifier = f"{event.action_id}.{EMAIL_STATUS}.{changed}.{receiver.id}"
    return Outgoing(
        id=identifier,
        body=event.model_dump_json(by_alias=True, exclude_unset=True),
        attributes={
            "Schema": SCHEMA,
            "EventType": EMAIL_STATUS,
            "CampaignName": event.campaign.name,
            "ActionType": event.action.action_type,
            "OrgName": context.org.name,
            "Testing": "true" if event.action.testing else "false",
            "MessageId": identifier,
        },
        group=str(event.campaign_id),
    )


def json_schema() -> dict[str, JsonValue]:
    """The JSON Schema of the event, as committed under schemas/."""
    schema: dict[str, Any] = EmailStatusEvent.model_json_schema(by_alias=True, mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:{SCHEMA}:{EMAIL_STATUS}"
    return schema
