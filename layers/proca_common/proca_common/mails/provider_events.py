"""What Amazon SES tells of a mail, as JSON through SNS (domain 8.9). Pure: reads it, and says what it means.

It may hold addresses; what is read here has none, but those of targets, who may have several (domain 9.8).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from proca_common.mails.backends.ses import ACTION_TAG, TARGET_MAIL_TAG
from proca_common.mails.letter import CUSTOM_ID, action_of, target_mail_of

ACTION = re.compile(r"[0-9]{1,16}")
TARGET_MAIL = re.compile(r"[A-Za-z0-9_-]{1,100}")
SUPPRESSED = frozenset({"Suppressed", "OnAccountSuppressionList"})
ABOUT_THE_MAIL = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
NOT_SPAM = "not-spam"
OUR_HEADERS = (CUSTOM_ID.lower(), "message-id")


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
class Reported:
    """An address that something is told of, and what the provider says of it; neither shows itself in a repr."""

    email: str = field(repr=False)
    said: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MailEvent:
    """`action`: whose mail it was; None: none of ours, or not one to a supporter. `target_mail`: which mail to a target
    it was, if it was one, and `reported` are the addresses that it is about.
    """

    told: Told
    action: int | None
    target_mail: str | None = None
    reported: tuple[Reported, ...] = ()


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
    destination: list[str] = Field(default_factory=list)
    tags: dict[str, list[str]] = Field(default_factory=dict)
    headers: list[_Header] = Field(default_factory=list)


class _Recipient(_Read):
    email_address: str
    diagnostic_code: str | None = None


class _Bounce(_Read):
    bounce_type: str
    bounce_sub_type: str = ""
    bounced_recipients: list[_Recipient] = Field(default_factory=list)


class _Complaint(_Read):
    complaint_feedback_type: str | None = None
    complained_recipients: list[_Recipient] = Field(default_factory=list)


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
    target_mail = _target_mail(event.mail)
    if target_mail is None:
        return MailEvent(_told(event), _action(event.mail))
    reported = tuple(Reported(each.email_address, each.diagnostic_code) for each in _recipients(event))
    return MailEvent(_told(event), None, target_mail, reported)


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


def _recipients(event: _Event) -> Sequence[_Recipient]:
    """Whom it is about; who unsubscribes is whom the mail went to."""
    if event.bounce is not None:
        return event.bounce.bounced_recipients
    if event.complaint is not None:
        return event.complaint.complained_recipients
    return [_Recipient(email_address=address) for address in event.mail.destination]


def _target_mail(mail: _Mail) -> str | None:
    """By our tag, else by our header or our Message-ID."""
    for text in mail.tags.get(TARGET_MAIL_TAG, ()):
        if TARGET_MAIL.fullmatch(text):
            return text
    found = (target_mail_of(header.value) for header in mail.headers if header.name.lower() in OUR_HEADERS)
    return next(filter(None, found), None)


def _action(mail: _Mail) -> int | None:
    """By our tag, else by our header, else by our Message-ID: notifications of an identity come without tags."""
    for text in mail.tags.get(ACTION_TAG, ()):
        if ACTION.fullmatch(text):
            return int(text)
    headers = {header.name.lower(): header.value for header in mail.headers}
    for name in OUR_HEADERS:
        found = action_of(headers.get(name, ""))
        if found is not None:
            return found
    return None
