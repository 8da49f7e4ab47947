"""The wire form `proca:action:2` (domain 5.1), and how it is built from what is stored. `schemas/` is generated from
these models.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from proca_common.action_pages.context import PageContext
from proca_common.actions.private import DONATION, FIELDS
from proca_common.actions.status import EmailStatus, Stage
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.confirms.links import Links
from proca_common.ids import created_at
from proca_common.orgs.encryption import to_text
from proca_common.orgs.org import Org
from proca_common.pipes.publish import Outgoing

SCHEMA = "proca:action:2"
Timestamp = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"), return_type=str),
    Field(json_schema_extra={"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}),
]
Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
CustomFields = dict[str, str | bool | int | float | list[str] | list[int | float]]


class Part(BaseModel):
    """Base of all parts: camelCase keys. Keys may be added to a message later, never changed (design 6)."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class OrgPart(Part):
    """The page org, also in the lead's copy."""

    name: str
    title: str


class CampaignPart(Part):
    """The campaign; `externalId` is the id in the lead org's own system."""

    name: str
    title: str
    external_id: int | None
    contact_schema: str


class ActionPagePart(Part):
    """The page; `supporterConfirmTemplate` is the effective one (page, campaign, org)."""

    locale: str
    name: str
    thank_you_template: str | None
    thank_you_template_ref: str | None
    supporter_confirm_template: str | None


class DonationPart(Part):
    """What was given. An org with a key finds the rest of `payload` in the decrypted contact, under `donation`.

    `schema` is missing when the payload is the widget's own.
    """

    payload: dict[str, JsonValue]
    amount: Annotated[int, Field(gt=0, description="in minor units of the currency")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    frequency_unit: Literal["one_off", "weekly", "monthly", "daily"]
    schema_: Literal["stripe_payment_intent"] | SkipJsonSchema[None] = Field(
        alias="schema", default_factory=lambda: None
    )


class ActionPart(Part):
    """What was done. `donation` is there when there was one; `late`, and true, when the campaign was closed already."""

    action_type: str
    custom_fields: CustomFields
    created_at: Timestamp
    testing: bool
    donation: DonationPart | SkipJsonSchema[None] = Field(default_factory=lambda: None)
    late: Literal[True] = True


class ContactPart(Part):
    """Who did it. An org with a key finds name and address in `personalInfo` alone (design 7.1); else the payload is
    merged in.
    """

    model_config = ConfigDict(extra="allow")

    first_name: str | None
    email: str | None
    contact_ref: Base64Url
    dupe_rank: int
    area: str | None


class KeyPart(Part):
    """A public key, 32 bytes."""

    id: int
    public: Base64Url


class PersonalInfoPart(Part):
    """The payload as a NaCl box: open it with (payload, nonce, signKey.public, the org's own private key)."""

    payload: Base64Url
    nonce: Base64Url
    encrypt_key: KeyPart
    sign_key: KeyPart


class PrivacyPart(Part):
    """Consent to communication and what is known of the address; `optIn` null: not asked. All null without a
    contact.
    """

    opt_in: bool | None
    given_at: Timestamp | None
    email_status: EmailStatus | None
    email_status_changed: Timestamp | None
    with_consent: bool


class TrackingPart(Part):
    """Where the supporter came from."""

    source: str
    medium: str
    campaign: str
    content: str
    location: str


class LinksPart(Part):
    """Where the mail to the supporter is to lead: `redir` may be appended to each, `doi=1` to `accept`."""

    accept: str
    reject: str
    double_opt_in: str


class ActionMessage(Part):
    """One action for one org. Consumers drop what they have seen by the attribute MessageId.

    `links` is there only at the stage supporter_confirm.
    """

    schema_: Literal["proca:action:2"] = Field(alias="schema")
    stage: Literal["supporter_confirm", "action_confirm", "deliver"]
    action_id: int
    action_page_id: int
    campaign_id: int
    org_id: int
    org: OrgPart
    action: ActionPart
    action_page: ActionPagePart
    campaign: CampaignPart
    contact: ContactPart
    personal_info: PersonalInfoPart | None
    privacy: PrivacyPart
    tracking: TrackingPart | None
    links: LinksPart | SkipJsonSchema[None] = Field(default_factory=lambda: None)


class NotReadable(Exception):
    """The contact is sealed: the org has no key yet, so its message waits (design 7.3)."""


def action_message(
    stage: Stage,
    action: ActionItem,
    supporter: SupporterItem,
    contact: ContactItem | None,
    context: PageContext,
    dupe_rank: int,
    links: Links | None = None,
) -> ActionMessage:
    """The message for the org of `contact`; without one, all personal data is null (decision 3 of domain 15).

    `links`: those of the action, for an org that mails its supporters itself; moderators have no use for them.
    """
    if contact is not None and contact.sealed is not None:
        raise NotReadable
    page, campaign, org = context.page, context.campaign, context.org
    known, private = clear_contact(action, contact)
    return ActionMessage.model_validate(
        {
            "schema": SCHEMA,
            "stage": stage.value,
            "action_id": action.id,
            "action_page_id": page.id,
            "campaign_id": campaign.id,
            "org_id": org.id,
            "org": {"name": org.name, "title": org.title},
            "action": _action(action, private),
            "action_page": {
                "locale": page.locale,
                "name": page.name,
                "thank_you_template": page.thank_you_template,
                "thank_you_template_ref": None,
                "supporter_confirm_template": context.confirm_template,
            },
            "campaign": {
                "name": campaign.name,
                "title": campaign.title,
                "external_id": campaign.external_id,
                "contact_schema": campaign.contact_schema.value,
            },
            "contact": {
                "firstName": None,
                "email": None,
                "area": supporter.area,
                **known,
                "contactRef": supporter.ref,
                "dupeRank": dupe_rank,
            },
            "personal_info": _personal_info(contact),
            "privacy": _privacy(action, supporter, contact),
            "tracking": action.source,
            **_links(stage, links),
        }
    )


def outgoing(message: ActionMessage, receiver: Org) -> Outgoing:
    """The message as it is sent to a queue of the receiver (attributes: design 6)."""
    return Outgoing(
        id=f"{message.action_id}.{message.stage}.{receiver.id}",
        body=message.model_dump_json(by_alias=True, exclude_unset=True),
        attributes={
            "Schema": SCHEMA,
            "Stage": message.stage,
            "CampaignName": message.campaign.name,
            "ActionType": message.action.action_type,
            "OrgName": message.org.name,
            "Testing": "true" if message.action.testing else "false",
            "MessageId": f"{message.action_id}.{message.stage}.{receiver.id}",
        },
        group=str(message.campaign_id),
    )


def json_schema() -> dict[str, JsonValue]:
    """The JSON Schema of `proca:action:2`, as committed under schemas/."""
    schema: dict[str, Any] = ActionMessage.model_json_schema(by_alias=True, mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:{SCHEMA}"
    return schema


def _links(stage: Stage, links: Links | None) -> dict[str, object]:
    if links is None or stage is not Stage.SUPPORTER_CONFIRM:
        return {}
    part = {"accept": links.accept, "reject": links.reject, "double_opt_in": links.double_opt_in}
    return {"links": part}


def clear_contact(
    action: ActionItem, contact: ContactItem | None
) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """The personal data of a contact in clear, and beside it what it has of the signature it came with; a follow-up
    action has no part in that.
    """
    if contact is None or contact.clear is None:
        return {}, {}
    known: dict[str, Any] = json.loads(contact.clear)
    private = {name: known.pop(name) for name in (DONATION, FIELDS) if name in known}
    return known, private if action.with_consent else {}


def _action(action: ActionItem, private: dict[str, dict[str, object]]) -> dict[str, object]:
    part: dict[str, object] = {
        "action_type": action.action_type,
        "custom_fields": {**(action.fields or {}), **private.get(FIELDS, {})},
        "created_at": created_at(int(action.id)),
        "testing": action.testing,
    }
    if action.donation is not None:
        part["donation"] = {
            **action.donation,
            "payload": {**action.donation["payload"], **private.get(DONATION, {})},
        }
    if action.late:
        part["late"] = True
    return part


def _personal_info(contact: ContactItem | None) -> dict[str, object] | None:
    if contact is None or contact.payload is None:
        return None
    return {
        "payload": to_text(contact.payload),
        "nonce": to_text(contact.nonce),
        "encrypt_key": {"id": contact.key_id, "public": to_text(contact.key_public)},
        "sign_key": {"id": contact.sign_id, "public": to_text(contact.sign_public)},
    }


def _privacy(action: ActionItem, supporter: SupporterItem, contact: ContactItem | None) -> dict[str, object]:
    changed = supporter.email_status_changed
    return {
        "opt_in": None if contact is None else contact.communication_consent,
        "given_at": None if contact is None else given_at(supporter, contact),
        "email_status": supporter.email_status,
        "email_status_changed": None if changed is None else datetime.fromtimestamp(int(changed), UTC),
        "with_consent": action.with_consent,
    }


def given_at(supporter: SupporterItem, contact: ContactItem) -> datetime:
    """When consent to communication was given: with the signature, unless the org knew of an earlier or later consent
    (domain 4.5).
    """
    if contact.given_at is None:
        return created_at(int(supporter.id))
    return datetime.fromtimestamp(int(contact.given_at), UTC)
