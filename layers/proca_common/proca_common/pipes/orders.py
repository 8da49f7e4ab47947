"""What stands in our own queues: orders to mail, to push a message on, to look up details (design 5). Never an address.

`schemas` of these are the models here: whoever takes an order reads it with the same one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from proca_common.pipes.publish import Outgoing

AFTER_S = 2
"""How long after an action was ordered to be expanded it is surely delivered, in the usual case."""


class StaffMail(StrEnum):
    """A mail to somebody who works with the instance; the name of its template (domain 7.4, 8.5)."""

    CONFIRM_EMAIL = "user_confirm_email"
    EXISTS = "user_exists"
    RESET_PASSWORD = "user_reset_password"  # noqa: S105 - the name of a template
    CHANGE_EMAIL = "user_change_email"
    ADD_STAFFER = "add_staffer"
    LAUNCH_PAGE = "launch_page"
    ADD_PARTNER = "add_partner"
    UNREAD_QUEUE = "unread_queue"


class Order(BaseModel):
    """Base of all orders."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class MailOrder(Order):
    """A mail of this kind to the supporter of a signature. `key` tells it from all other mails to this supporter."""

    mail: Literal["supporter_confirm", "thank_you", "duplicate", "reminder"]
    key: str
    action: int
    ref: str
    supporter: int
    org: int
    page: int
    rank: int

    def outgoing(self) -> Outgoing:
        """As it is sent."""
        return Outgoing(f"{self.action}.{self.key}", self.model_dump_json(), {}, str(self.org))


class Unread(Order):
    """A queue that its org does not read: its oldest message waits for so many hours."""

    org: int
    queue: str
    hours: int


class StaffMailOrder(Order):
    """A mail to somebody who works with the instance. `key` tells it from all others, `org` is that of the instance.

    To whom: who the Confirm with this `code` is for, or the `user` who may agree to it; the `user` who is to know of
    what is `unread`; else the address in `sealed`, as `orgs.encryption.seal` seals it for the instance, in base64url.
    `user` is then whose address it is to become.
    """

    mail: StaffMail
    key: str
    org: int
    user: int | None = None
    sealed: str | None = None
    code: str | None = None
    unread: Unread | None = None

    def outgoing(self) -> Outgoing:
        """As it is sent."""
        return Outgoing(self.key, self.model_dump_json(exclude_none=True), {}, str(self.org))


class PushOrder(Order):
    """A message for an org's backend: `push` for actions, `event` for events. `body` is the message as text."""

    org: int
    backend: Literal["push", "event"]
    id: str
    attributes: dict[str, str]
    body: str

    def outgoing(self) -> Outgoing:
        """As it is sent: those for the same backend stay in order."""
        return Outgoing(self.id, self.model_dump_json(), {}, f"{self.org}.{self.backend}", in_order=True)


class TargetsOrder(Order):
    """Make the mails to targets of what was written with this action; `org`, the campaign's lead, sends them."""

    targets_of: int
    ref: str
    org: int
    campaign: int

    def outgoing(self) -> Outgoing:
        """As it is sent: a moment later, because the action is not stored as delivered yet."""
        return Outgoing(f"{self.targets_of}.targets", self.model_dump_json(), {}, str(self.campaign), delay_s=AFTER_S)


class TargetMailOrder(Order):
    """Send this mail to a target, before this moment (ms since 1970): then it is in the next plan."""

    org: int
    campaign: int
    target: str
    action: int
    before: int

    def outgoing(self, delay_s: int = 0) -> Outgoing:
        """As it is sent, to be received after so many seconds."""
        name = f"{self.campaign}.{self.target}.{self.action}"
        return Outgoing(name, self.model_dump_json(), {}, str(self.campaign), delay_s=delay_s)


class DetailOrder(Order):
    """Ask the page org what it knows of the supporter of this signature."""

    action: int
    ref: str
    supporter: int
    org: int
    page: int

    def outgoing(self) -> Outgoing:
        """As it is sent."""
        return Outgoing(f"{self.action}.detail", self.model_dump_json(), {}, str(self.org))
