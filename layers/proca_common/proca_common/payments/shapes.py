"""Shape of what is created at Stripe: for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class StripePayment(TypedDict):
    """A payment that Stripe waits for."""

    id: str
    status: NotRequired[str | None]
    client_secret: NotRequired[str | None]
    """What Stripe's own widget pays with."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class StripeInvoice(TypedDict):
    """The first invoice of a subscription."""

    id: str
    status: NotRequired[str | None]
    payment_intent: NotRequired[StripePayment | str | None]
    """How it is to be paid."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class StripeCreated(TypedDict):
    """The object that was created last, in Stripe's names; of it ids, states, amounts and the client's secret."""

    id: str
    object: NotRequired[str]
    """What it is: `payment_intent`, `subscription`, `customer` or `price`."""
    status: NotRequired[str | None]
    amount: NotRequired[int | None]
    unit_amount: NotRequired[int | None]
    currency: NotRequired[str | None]
    livemode: NotRequired[bool]
    """Whether it is about real money."""
    customer: NotRequired[str | None]
    """The customer's id."""
    client_secret: NotRequired[str | None]
    """What Stripe's own widget pays with."""
    latest_invoice: NotRequired[StripeInvoice | str | None]
    """Of a subscription: its first invoice, with the payment that it waits for."""
