"""What is to be told of an event, and to whom: read from the catalogue as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proca_common.action_pages.context import PageContext, page_context
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog.happenings import EventItem, EventType
from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import Confirm
from proca_common.confirms.links import code_links
from proca_common.errors import NotFound
from proca_common.events.messages import (
    SYSTEM,
    CampaignUpdatedEvent,
    ConfirmCreatedEvent,
    Message,
    SupporterErasedEvent,
    SystemMessage,
)
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.publish import Outgoing
from proca_common.stages.event_messages import SCHEMA
from proca_common.stages.messages import SCHEMA as ACTION_SCHEMA
from proca_common.users import store as users

LAUNCH_PAGE = "launch_page"
ADD_STAFFER = "add_staffer"
TWITTER = ("name", "screen_name", "picture", "description", "url", "followers_count")


@dataclass(frozen=True, slots=True)
class Tidings:
    """A message for these orgs. `about`: the org it names; `campaign`: the campaign's name."""

    message: Message
    receivers: tuple[Org, ...]
    about: Org | None = None
    campaign: str = ""

    def outgoing(self, event: EventItem, receiver: Org) -> Outgoing:
        """The message as it is sent to a receiver (attributes: design 6)."""
        message = self.message
        identifier = f"{event.sk}.{event.event_type}.{receiver.id}"
        system = isinstance(message, SystemMessage)
        return Outgoing(
            id=identifier,
            body=message.model_dump_json(by_alias=True, exclude_unset=True),
            attributes={
                "Schema": message.schema_,
                "Stage": SYSTEM if system else "",
                "EventType": event.event_type,
                "CampaignName": self.campaign,
                "ActionType": event.event_type if system else "",
                "OrgName": "" if self.about is None else self.about.name,
                "MessageId": identifier,
            },
            group=self.campaign or EventType(event.event_type).value,
        )


def tidings(event: EventItem, link_base_url: str) -> Tidings | None:
    """What is to be told; None where what it is about is gone. Raises `Unavailable`.

    `link_base_url`: what the links of an operation begin with.
    """
    try:
        match EventType(event.event_type):
            case EventType.CAMPAIGN_UPDATED:
                told = _campaign_updated(event)
            case EventType.CONFIRM_CREATED:
                told = _confirm_created(event, link_base_url)
            case EventType.NEW_USER:
                told = _new_user(event)
            case EventType.NEW_ORG:
                told = _new_org(event)
            case EventType.JOIN_CAMPAIGN:
                told = _join_campaign(event)
            case EventType.SUPPORTER_ERASED:
                return _supporter_erased(event)
    except NotFound:
        return None
    instance = _instance()
    if instance.instance_events and instance.id not in {org.id for org in told.receivers}:
        return Tidings(told.message, (*told.receivers, instance), told.about, told.campaign)
    return told


def _instance() -> Org:
    return orgs.get(instances.get().org)


def _campaign_updated(event: EventItem) -> Tidings:
    campaign = campaigns.get(event.subject["campaign"])
    lead = orgs.get(campaign.org)
    message = CampaignUpdatedEvent.model_validate(
        {
            "schema": SCHEMA,
            "event_type": event.event_type,
            "timestamp": _moment(event),
            "campaign_id": campaign.id,
            "org_id": lead.id,
            "campaign": {
                "id": campaign.id,
                "external_id": campaign.external_id,
                "contact_schema": campaign.contact_schema.value,
                "config": campaign.config,
                "org": _named(lead),
                **_named(campaign),
            },
        }
    )
    return Tidings(message, (lead,), lead, campaign.name)


def _confirm_created(event: EventItem, link_base_url: str) -> Tidings:
    """To the lead org of the campaign that a page is to be launched in, else to the instance's (domain 7.4)."""
    confirm = confirms.find(event.subject["code"])
    if confirm is None:
        raise NotFound("code")
    blocks: dict[str, object] = {}
    receiver, about, campaign = None, None, ""
    if confirm.operation == LAUNCH_PAGE:
        context = page_context(_object(confirm))
        receiver, about, campaign = context.lead, context.org, context.campaign.name
        blocks = {
            "campaign": _named(context.campaign),
            "org": {**_named(context.org), "twitter": _twitter(context.org)},
        }
    elif confirm.operation == ADD_STAFFER:
        about = orgs.get(confirm.subject)
        blocks = {"org": _named(about)}
    message = ConfirmCreatedEvent.model_validate(
        {
            "schema": SCHEMA,
            "event_type": event.event_type,
            "timestamp": _moment(event),
            "confirm": {**_confirm(confirm, link_base_url), **blocks},
        }
    )
    return Tidings(message, (receiver or _instance(),), about, campaign)


def _object(confirm: Confirm) -> int:
    if confirm.object is None:
        raise NotFound("action page")
    return confirm.object


def _confirm(confirm: Confirm, link_base_url: str) -> dict[str, object]:
    links = code_links(link_base_url, confirm)
    return {
        "operation": confirm.operation,
        "email": confirm.email or "",
        "message": confirm.message or "",
        "subject_id": confirm.subject,
        "object_id": "" if confirm.object is None else confirm.object,
        "code": confirm.code,
        "creator": {} if confirm.creator is None else _creator(confirm.creator),
        "accept_link": links.accept,
        "reject_link": links.reject,
    }


def _creator(user: int) -> dict[str, object]:
    try:
        creator = users.get(user)
    except NotFound:
        return {}
    return {"email": creator.email, "job_title": creator.profile.job_title}


def _twitter(org: Org) -> dict[str, object]:
    """What the org's config says of its account, as far as it has the right form."""
    said = org.config.get("twitter")
    known = said if isinstance(said, dict) else {}
    wanted = {name: int if name == "followers_count" else str for name in TWITTER}
    return {name: known[name] if type(known.get(name)) is kind else None for name, kind in wanted.items()}


def _new_user(event: EventItem) -> Tidings:
    return Tidings(_system(event), (_instance(),))


def _new_org(event: EventItem) -> Tidings:
    org = orgs.get(event.subject["org"])
    return Tidings(_system(event, org_id=org.id, org=_named(org)), (_instance(),), org)


def _join_campaign(event: EventItem) -> Tidings:
    context = page_context(event.subject["page"])
    page, campaign, org = context.page, context.campaign, context.org
    message = _system(
        event,
        action_page_id=page.id,
        action_page=_page(context),
        campaign_id=campaign.id,
        campaign={
            "external_id": campaign.external_id,
            "contact_schema": campaign.contact_schema.value,
            **_named(campaign),
        },
        org_id=org.id,
        org=_named(org),
    )
    return Tidings(message, (context.lead,), org, campaign.name)


def _supporter_erased(event: EventItem) -> Tidings:
    """To the org that got these actions, and nobody else: they are its own."""
    org, receiver = (orgs.get(event.subject[name]) for name in ("org", "receiver"))
    message = SupporterErasedEvent.model_validate(
        {
            "schema": SCHEMA,
            "event_type": event.event_type,
            "timestamp": _moment(event),
            "org_id": org.id,
            "org": _named(org),
            "data_erased": org.id == receiver.id,
            "action_ids": event.subject["actions"],
        }
    )
    return Tidings(message, (receiver,), org)


def _page(context: PageContext) -> dict[str, object]:
    return {
        "locale": context.page.locale,
        "name": context.page.name,
        "thank_you_template": context.page.thank_you_template,
        "thank_you_template_ref": None,
        "supporter_confirm_template": context.confirm_template,
    }


def _system(event: EventItem, **parts: Any) -> SystemMessage:
    email = event.subject["email"]
    nothing = dict.fromkeys(("action_page_id", "action_page", "campaign_id", "campaign", "org_id", "org"))
    return SystemMessage.model_validate(
        {
            "schema": ACTION_SCHEMA,
            "stage": SYSTEM,
            "event_type": event.event_type,
            "action_id": None,
            "action": {
                "action_type": event.event_type,
                "custom_fields": {},
                "created_at": _moment(event),
                "testing": False,
            },
            "contact": {
                "first_name": None if email is None else email.partition("@")[0],
                "email": email,
                "contact_ref": None,
                "dupe_rank": 0,
                "area": None,
            },
            "personal_info": None,
            "privacy": {},
            "tracking": {},
            **nothing,
            **parts,
        }
    )


def _moment(event: EventItem) -> datetime:
    return datetime.fromtimestamp(int(event.happened) // 1000, UTC)


def _named(entity: Org | Campaign) -> dict[str, object]:
    return {"name": entity.name, "title": entity.title}
