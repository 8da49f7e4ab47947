"""What stands in our own queues: orders to mail, to push a message on, to look up details (design 5). Never an address.

`schemas` of these are the models here: whoever takes an order reads it with the same one.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from proca_common.pipes.publish import Outgoing


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
