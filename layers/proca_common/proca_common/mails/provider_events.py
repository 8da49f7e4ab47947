"""What Amazon SES tells of a mail, as JSON through SNS (domain 8.9). Pure: reads it, and says what it means.

It may hold addresses; what is read here has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from proca_common.mails.backends.ses import ACTION_TAG
from proca_common.mails.letter import CUSTOM_ID, action_of

ACTION = re.compile(r"[0-9]{1,16}")
SUPPRESSED = frozenset({"Suppressed", "OnAccountSuppressionList"})
ABOUT_THE_MAIL = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
NOT_SPAM = "not-spam"


class Told(StrEnum):
    """What became of a mail, as far as it says something of the address, or of us."""

    BOUNCED = "bounced"
    BLOCKED = "blocked"
    SOFTLY_BOUNCED = "softly_bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class MailEvent:
    """`action`: whose mail it was; None: none of ours, or not one to a supporter."""

    told: Told
    action: int | None


class _Read(BaseModel):
    model_config = ConfigDict(
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )


class _Header(_Read):
    name: str
    value: str


class _Mail(_Read):
    tags: dict[str, list[str]] = Field(default_factory=dict)
    headers: list[_Header] = Field(default_factory=list)


class _Bounce(_Read):
    bounce_type: str
    bounce_sub_type: str = ""


class _Complaint(_Read):
    complaint_feedback_type: str | None = None


class _Preferences(_Read):
    unsubscribe_all: bool = False


class _Subscription(_Read):
    new_topic_preferences: _Preferences


class _Event(_Read):
    """An event of a configuration set; a notification of an identity differs in one name."""

    event_type: str = Field(validation_alias=AliasChoices("eventType", "notificationType"))
    mail: _Mail
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    subscription: _Subscription | None = None


def mail_event(text: str) -> MailEvent:
    """The event of this text. Raises pydantic's `ValidationError`, which hides the text."""
    event = _Event.model_validate_json(text)
    return MailEvent(_told(event), _action(event.mail))


def _told(event: _Event) -> Told:
    match event.event_type:
        case "Bounce" if event.bounce is not None:
            return _bounced(event.bounce)
        case "Complaint" if event.complaint is not None and event.complaint.complaint_feedback_type != NOT_SPAM:
            return Told.COMPLAINED
        case "Subscription" if event.subscription is not None:
            ended = event.subscription.new_topic_preferences.unsubscribe_all
            return Told.UNSUBSCRIBED if ended else Told.NOTHING
        case "Reject":
            return Told.REFUSED
        case _:
            return Told.NOTHING


def _bounced(bounce: _Bounce) -> Told:
    """A hard bounce is one for good; blocked is what the provider did not even try, because of earlier mails. All other
    bounces are soft, unless they are about the mail rather than about the address.
    """
    if bounce.bounce_type == "Permanent":
        return Told.BLOCKED if bounce.bounce_sub_type in SUPPRESSED else Told.BOUNCED
    return Told.NOTHING if bounce.bounce_sub_type in ABOUT_THE_MAIL else Told.SOFTLY_BOUNCED


def _action(mail: _Mail) -> int | None:
    """By our tag, else by our header, else by our Message-ID: notifications of an identity come without tags."""
    for text in mail.tags.get(ACTION_TAG, ()):
        if ACTION.fullmatch(text):
            return int(text)
    headers = {header.name.lower(): header.value for header in mail.headers}
    for name in (CUSTOM_ID.lower(), "message-id"):
        found = action_of(headers.get(name, ""))
        if found is not None:
            return found
    return None
