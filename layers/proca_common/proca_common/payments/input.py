"""Bodies of the Stripe endpoints: what a widget may ask of Stripe in the name of an org, and no more (domain 13.9).

Whoever sends them is anonymous while the key that they are sent with may do everything. So each object of Stripe has a
list of fields that may be set; none of them charges anybody: that takes a payment method, which only Stripe's own
widget has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, model_validator

from proca_common.actions import refusals
from proca_common.actions.donation import amount_failures, currency_failures
from proca_common.actions.input import absent, contact_ref_failures, keep_or_raise, rule
from proca_common.contacts.input import Input
from proca_common.documents import json_object
from proca_common.failures import Failure, Refused

MAX_METADATA = 40
MAX_METADATA_KEY = 40
MAX_TEXT = 500
MAX_ITEMS = 20
PRODUCT = "Donation"
NOTHING = "Provide Stripe objects to create"
NOT_TOGETHER = "cannot be created together with the other objects"
INVOICE_WITH_PAYMENT: Final = "latest_invoice.payment_intent"
INTERVALS = {"weekly": "week", "monthly": "month"}

_METADATA_KEY = re.compile(r"[A-Za-z0-9_.-]+")

T = TypeVar("T", bound=Input)
Params = dict[str, Any]


def metadata_failures(metadata: Mapping[str, object]) -> list[Failure]:
    """At most 40 texts of 500 characters, so that there is room for ours among Stripe's 50."""
    sound = len(metadata) <= MAX_METADATA and all(
        isinstance(value, str)
        and len(value) <= MAX_TEXT
        and len(key) <= MAX_METADATA_KEY
        and _METADATA_KEY.fullmatch(key)
        for key, value in metadata.items()
    )
    return [] if sound else [Failure.invalid("")]


def _lower_currency(currency: str) -> str:
    return keep_or_raise(currency.lower(), currency_failures(currency.upper()))


Amount = Annotated[int, rule(amount_failures)]
Currency = Annotated[str, AfterValidator(_lower_currency)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Word = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
Words = Annotated[list[Word], Field(min_length=1, max_length=MAX_ITEMS)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,255}$")]
Suffix = Annotated[str, Field(max_length=22)]
Metadata = Annotated[dict[str, Any], rule(metadata_failures)]
ContactRef = Annotated[Annotated[str, rule(contact_ref_failures)] | None, absent("")]
Testing = Annotated[bool, absent(None, default=bool)]


class StripeParams(Input):
    """An object of Stripe, in Stripe's own names."""

    model_config = ConfigDict(alias_generator=None)


class StripeAddress(StripeParams):
    """Where a customer lives."""

    country: Text | None = None
    postal_code: Text | None = None
    city: Text | None = None
    state: Text | None = None
    line1: Text | None = None
    line2: Text | None = None


class StripeCustomer(StripeParams):
    """A customer."""

    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    address: StripeAddress | None = None
    description: Text | None = None
    preferred_locales: Words | None = None
    metadata: Metadata | None = None


class StripeAutomaticPaymentMethods(StripeParams):
    """Whether Stripe chooses from the payment methods that the org has switched on."""

    enabled: bool
    allow_redirects: Literal["always", "never"] | None = None


class StripePaymentIntent(StripeParams):
    """A payment that is to come."""

    amount: Amount
    currency: Currency
    customer: Id | None = None
    setup_future_usage: Literal["on_session", "off_session"] | None = None
    payment_method_types: Words | None = None
    automatic_payment_methods: StripeAutomaticPaymentMethods | None = None
    description: Text | None = None
    receipt_email: Text | None = None
    statement_descriptor: Suffix | None = None
    statement_descriptor_suffix: Suffix | None = None
    metadata: Metadata | None = None


class StripeRecurring(StripeParams):
    """How often it is paid."""

    interval: Literal["day", "week", "month", "year"]
    interval_count: Annotated[int, Field(ge=1, le=365)] | None = None


class StripeProductData(StripeParams):
    """What is paid for."""

    name: Text


class StripePrice(StripeParams):
    """A price of a product of the org, or of one that is made for it."""

    unit_amount: Amount
    currency: Currency
    product: Id | None = None
    product_data: StripeProductData | None = None
    recurring: StripeRecurring | None = None
    nickname: Text | None = None
    metadata: Metadata | None = None


class StripePriceData(StripeParams):
    """A price within a subscription."""

    unit_amount: Amount
    currency: Currency
    product: Id
    recurring: StripeRecurring


class StripeItem(StripeParams):
    """What is subscribed to: a price that is there, or one of its own."""

    price: Id | None = None
    price_data: StripePriceData | None = None
    quantity: Annotated[int, Field(ge=1, le=1000)] | None = None


class StripePaymentSettings(StripeParams):
    """How a subscription is paid."""

    payment_method_types: Words | None = None
    save_default_payment_method: Literal["off", "on_subscription"] | None = None


class StripeSubscription(StripeParams):
    """A subscription; it begins when somebody has paid for the first time, never by itself."""

    customer: Id | None = None
    items: Annotated[list[StripeItem], Field(min_length=1, max_length=MAX_ITEMS)] | None = None
    payment_behavior: Literal["default_incomplete"] = "default_incomplete"
    payment_settings: StripePaymentSettings | None = None
    expand: Annotated[tuple[Literal["latest_invoice.payment_intent"]], Field(strict=False)] = (INVOICE_WITH_PAYMENT,)
    description: Text | None = None
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be created at Stripe: parameters by kind of object. `pointer_of` finds the place in the body of what
    Stripe calls by this kind and parameter (`items[0][price]`).
    """

    objects: Mapping[str, Params]
    pointer_of: Callable[[str, str], str]
    contact_ref: str | None = None
    testing: bool = False


class StripePaymentIntentInput(Input):
    """A single payment."""

    amount: Amount
    currency: Currency
    payment_method_types: Words | None = None
    contact_ref: ContactRef = None
    testing: Testing = False

    def wanted(self) -> Wanted:
        """A payment intent."""
        given: Params = {"amount": self.amount, "currency": self.currency}
        if self.payment_method_types:
            given["payment_method_types"] = self.payment_method_types
        return Wanted({"payment_intent": given}, _of_amount, self.contact_ref, self.testing)


class StripeSubscriptionInput(Input):
    """A payment that comes again and again."""

    amount: Amount
    currency: Currency
    frequency_unit: Literal["weekly", "monthly"]
    contact_ref: ContactRef = None
    testing: Testing = False

    def wanted(self) -> Wanted:
        """A customer of its own, a price, and the subscription of both."""
        price: Params = {
            "unit_amount": self.amount,
            "currency": self.currency,
            "recurring": {"interval": INTERVALS[self.frequency_unit]},
            "product_data": {"name": PRODUCT},
        }
        objects = {"customer": {}, "price": price, "subscription": StripeSubscription().model_dump(exclude_none=True)}
        return Wanted(objects, _of_amount, self.contact_ref, self.testing)


class StripeObjectInput(Input):
    """Objects of Stripe, created in one go: a customer and a price are put into the payment intent or subscription."""

    payment_intent: StripePaymentIntent | None = None
    subscription: StripeSubscription | None = None
    customer: StripeCustomer | None = None
    price: StripePrice | None = None
    contact_ref: ContactRef = None
    testing: Testing = False

    @model_validator(mode="after")
    def _fit_together(self) -> StripeObjectInput:
        return keep_or_raise(self, list(self._misfits()))

    def _misfits(self) -> list[Failure]:
        if not (self.payment_intent or self.subscription or self.customer or self.price):
            return [Failure("", "blank", NOTHING)]
        misfits = []
        if self.payment_intent and self.subscription:
            misfits.append(Failure("/subscription", "invalid", NOT_TOGETHER))
        if self.price and not self.subscription and (self.payment_intent or self.customer):
            misfits.append(Failure("/price", "invalid", NOT_TOGETHER))
        if self.price and not (self.price.product or self.price.product_data):
            misfits.append(Failure.blank("/price/product"))
        if self.subscription and not (self.subscription.customer or self.customer):
            misfits.append(Failure.blank("/subscription/customer"))
        if self.subscription and not (self.subscription.items or self.price):
            misfits.append(Failure.blank("/subscription/items"))
        if self.subscription:
            for number, item in enumerate(self.subscription.items or ()):
                if (item.price is None) == (item.price_data is None):
                    misfits.append(Failure.invalid(f"/subscription/items/{number}"))
        return misfits

    def wanted(self) -> Wanted:
        """What was given, in Stripe's names."""
        given = self.model_dump(exclude_none=True, exclude={"contact_ref", "testing"})
        return Wanted(given, _of_objects, self.contact_ref, self.testing)


_OF_AMOUNT = {
    "amount": "/amount",
    "unit_amount": "/amount",
    "currency": "/currency",
    "recurring": "/frequencyUnit",
    "payment_method_types": "/paymentMethodTypes",
}
_OF_KIND = {"payment_intent": "/paymentIntent", "subscription": "/subscription"}


def _of_amount(_kind: str, param: str) -> str:
    return _OF_AMOUNT.get(param.partition("[")[0], "")


def _of_objects(kind: str, param: str) -> str:
    names = re.findall(r"[^\[\]]+", param)
    return "".join(f"/{name}" for name in (_OF_KIND.get(kind, f"/{kind}")[1:], *names))


def parse(model: type[T], body: bytes) -> T:
    """The checked body. Raises Malformed and Refused."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Refused(refusals.failures_of(error, json_object(body))) from None
