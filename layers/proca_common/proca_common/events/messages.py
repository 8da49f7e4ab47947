"""The wire forms of what happened in the catalogue (domain 5.5 to 5.7). `schemas/` is generated from these models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue
from pydantic.json_schema import SkipJsonSchema

from proca_common.stages.event_messages import SCHEMA
from proca_common.stages.messages import SCHEMA as ACTION_SCHEMA
from proca_common.stages.messages import ActionPagePart, ActionPart, CampaignPart, OrgPart, Part, Timestamp

SYSTEM = "system"
Nothing = Annotated[dict[str, JsonValue], Field(max_length=0)]


class UpdatedCampaignPart(Part):
    """The campaign as it is now; `org` leads it. The keys of `config` are the campaigner's own."""

    id: int
    name: str
    external_id: int | None
    title: str
    contact_schema: str
    config: dict[str, JsonValue]
    org: OrgPart


class CampaignUpdatedEvent(Part):
    """A campaign was changed; what is told is how it is now."""

    schema_: Literal["proca:event:2"] = Field(alias="schema")
    event_type: Literal["campaign_updated"]
    timestamp: Timestamp
    campaign_id: int
    org_id: int
    campaign: UpdatedCampaignPart


class CreatorPart(Part):
    """The user who asked for an operation."""

    email: str
    job_title: str | None


class NamedPart(Part):
    """What the operation is about."""

    name: str
    title: str


class TwitterPart(Part):
    """An org's account, from its `config.twitter`; all null without."""

    name: str | None = None
    screen_name: str | None = None
    picture: str | None = None
    description: str | None = None
    url: str | None = None
    followers_count: int | None = None


class ConfirmOrgPart(NamedPart):
    """The org of the page, or that somebody is invited to. `twitter` is there for launch_page only."""

    twitter: TwitterPart | SkipJsonSchema[None] = Field(default_factory=lambda: None)


class ConfirmPart(Part):
    """What waits for a second person. Missing texts and ids are empty texts; `creator` is empty if unknown.

    `campaign` is there for launch_page only, `org` for launch_page and add_staffer.
    """

    operation: str
    email: str
    message: str
    subject_id: int
    object_id: int | Literal[""]
    code: str
    creator: CreatorPart | Nothing
    accept_link: str
    reject_link: str
    campaign: NamedPart | SkipJsonSchema[None] = Field(default_factory=lambda: None)
    org: ConfirmOrgPart | SkipJsonSchema[None] = Field(default_factory=lambda: None)


class ConfirmCreatedEvent(Part):
    """An operation waits for a second person, who has its code from here."""

    schema_: Literal["proca:event:2"] = Field(alias="schema")
    event_type: Literal["confirm_created"]
    timestamp: Timestamp
    confirm: ConfirmPart


class StaffPart(Part):
    """The user; `firstName` is what stands before the @. All null where an operator did it."""

    first_name: str | None
    email: str | None
    contact_ref: None
    dupe_rank: int
    area: None


class SystemMessage(Part):
    """Something that a user did. It has the form of an action, but is an event: it goes where events go."""

    schema_: Literal["proca:action:2"] = Field(alias="schema")
    stage: Literal["system"]
    event_type: Literal["new_user", "new_org", "join_campaign"]
    action_id: None
    action: ActionPart
    action_page_id: int | None
    action_page: ActionPagePart | None
    campaign_id: int | None
    campaign: CampaignPart | None
    org_id: int | None
    org: OrgPart | None
    contact: StaffPart
    personal_info: None
    privacy: Nothing
    tracking: Nothing


class SupporterErasedEvent(Part):
    """A supporter had itself erased for `org`. `actionIds` are its actions of which the receiver got a copy; nothing
    else tells who it was. `dataErased`: whether the receiver's own contacts of it went, or it alone may decide on them.
    """

    schema_: Literal["proca:event:2"] = Field(alias="schema")
    event_type: Literal["supporter.erased"]
    timestamp: Timestamp
    org_id: int
    org: OrgPart
    data_erased: bool
    action_ids: Annotated[list[int], Field(min_length=1, max_length=1000)]


Message = CampaignUpdatedEvent | ConfirmCreatedEvent | SupporterErasedEvent | SystemMessage


def json_schemas() -> dict[str, dict[str, JsonValue]]:
    """The JSON Schemas of all these, by the names of their files, as committed under schemas/."""
    return {
        "proca-event-2-campaign_updated": _schema(CampaignUpdatedEvent, f"{SCHEMA}:campaign_updated"),
        "proca-event-2-confirm_created": _schema(ConfirmCreatedEvent, f"{SCHEMA}:confirm_created"),
        "proca-event-2-supporter.erased": _schema(SupporterErasedEvent, f"{SCHEMA}:supporter.erased"),
        "proca-action-2-system": _schema(SystemMessage, f"{ACTION_SCHEMA}:{SYSTEM}"),
    }


def _schema(model: type[Part], urn: str) -> dict[str, JsonValue]:
    schema: dict[str, Any] = model.model_json_schema(by_alias=True, mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:{urn}"
    return schema
