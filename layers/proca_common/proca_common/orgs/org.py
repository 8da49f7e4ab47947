"""An org and its keys, as rules and messages see them (domain 1.2, 1.9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from proca_common.catalog.entity import Config, ContactSchema, Entity, Id, TemplateName, Title

PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9+=,.@_/-]{1,512})")


HOST_NAME = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


class Encryption(StrEnum):
    """How an org's personal data is stored: by its own explicit choice (design 7.3)."""

    ENCRYPTED = "encrypted"
    CLEAR = "clear"


def _is_principal(arn: str) -> str:
    if not PRINCIPAL.fullmatch(arn):
        raise ValueError("must be the ARN of an AWS account, role or user")
    return arn


Principal = Annotated[str, AfterValidator(_is_principal)]
EmailBackend = Literal["ses", "smtp", "system"]
PushBackend = Literal["sqs", "webhook"]
ADDRESS = r"^[^@\s<>\"(),:;\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,190}$"
Address = Annotated[str, Field(pattern=ADDRESS)]
HostName = Annotated[str, Field(pattern=HOST_NAME, max_length=253)]


class OrgSettings(Entity):
    """What an org decides about itself.

    Backends name one of its services; `system` is that of the instance org, `storage_backend` has the files that go
    with mails to targets. `doi_thank_you`: thank-you mails only with consent to communication. `sender_rewrite`: mails
    to targets come from an address made of the supporter's, else from one made of the org's name; `reply_enabled`:
    answers to them go to the supporter (domain 8.6). `one_click`: the pages behind links in mails press their button
    themselves. `redirect_hosts`: where these pages may lead to, besides the host in the page's name. `contact_schema`:
    that of its new campaigns that do not say one. `queue_notice_hours`: its owners are told of a queue that was not
    read for so long; 0: never. `retention_months`: how long after the end of a campaign its contacts are kept (domain
    13.8); None: as long as nobody asks to be erased.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]
    title: Title
    contact_schema: ContactSchema = ContactSchema.BASIC
    supporter_confirm: bool = False
    supporter_confirm_template: TemplateName | None = None
    custom_supporter_confirm: bool = False
    custom_action_confirm: bool = False
    custom_action_deliver: bool = True
    custom_event_deliver: bool = False
    event_queue: bool = False
    email_backend: EmailBackend | None = None
    transactional_email_backend: EmailBackend | None = None
    email_from: Address | None = None
    doi_thank_you: bool = False
    sender_rewrite: bool = True
    reply_enabled: bool = True
    push_backend: PushBackend | None = None
    event_backend: PushBackend | None = None
    detail_backend: Literal["webhook"] | None = None
    storage_backend: Literal["s3"] | None = None
    one_click: bool = False
    redirect_hosts: Annotated[tuple[HostName, ...], Field(max_length=100)] = ()
    queue_notice_hours: Annotated[int, Field(ge=0, le=240)] = 24
    retention_months: Annotated[int, Field(ge=1, le=240)] | None = None
    queue_principals: Annotated[tuple[Principal, ...], Field(max_length=50)] = ()
    config: Config = Field(default_factory=dict)


class OrgInput(OrgSettings):
    """What can be set of an org. `instance_events`: the instance org's own choice to hear the events of all orgs."""

    encryption: Encryption
    instance_events: bool = False


class ActiveKey(Entity):
    """The key that an org's contacts are encrypted with: `public` is 32 bytes."""

    id: Id
    public: Annotated[bytes, Field(min_length=32, max_length=32)]


class Org(OrgInput):
    """A stored org."""

    id: Id
    active_key: ActiveKey | None = None
    version: int = 1

    @classmethod
    def beside(cls) -> set[str]:
        """The key and the mode change together, by conditional writes."""
        return {"id", "encryption", "active_key", "version"}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of an org (domain 1.9). Whether it is active is told by the org alone, so that exactly one can be."""

    id: int
    org: int
    name: str
    public: bytes
    expired: bool
