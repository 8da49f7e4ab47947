"""Donations: what an action says of money that was given (domain 1.15, 3.5.4), and what of it may stand in clear.

Of the payload, which is the payment provider's or the widget's own, only what `KEPT` lists stays with the action. All
else (bank data, names, addresses) travels inside the contact that each receiving org gets (design 7.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from proca_common.actions.currencies import CURRENCIES
from proca_common.actions.fields import MAX_BYTES, as_json, is_sendable
from proca_common.actions.input import absent, keep_or_raise, rule
from proca_common.contacts.input import Input
from proca_common.documents import MAX_DEPTH, is_deeper
from proca_common.failures import INVALID, Failure

STRIPE_PAYMENT_INTENT = "stripe_payment_intent"
MAX_AMOUNT = 2**53 - 1
PAYLOAD_DEPTH = MAX_DEPTH - len(("body", "action", "donation"))
NOT_POSITIVE = "must be positive"
NOT_A_CURRENCY = "does not exist"

_CURRENCY = re.compile(r"[A-Z]{3}")

FrequencyUnit = Literal["one_off", "weekly", "monthly", "daily"]
Clear = Callable[[object], bool]


def _text(pattern: str) -> Clear:
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_word, _code, _id_text = _text(r"[A-Za-z0-9_.-]{1,40}"), _text(r"[A-Za-z]{3}"), _text(r"[A-Za-z0-9_.:-]{1,255}")


def _id(value: object) -> bool:
    return _is_number(value) or _id_text(value)


KEPT: Mapping[str, Clear] = {
    "provider": _word,
    "status": _word,
    "amount": _is_number,
    "currency": _code,
    "id": _id,
    "order_id": _id,
    "orderId": _id,
    "payment_id": _id,
    "paymentId": _id,
    "payment_intent_id": _id,
    "paymentIntentId": _id,
    "subscription_id": _id,
    "subscriptionId": _id,
    "transaction_id": _id,
    "transactionId": _id,
}
"""The keys of a payload that may stand in clear (design 7.1), each with the form its value must have: a word of at most
40 letters, digits, `_`, `.` or `-`; a number; three letters; an id (a number, or 255 such characters and `:`). So an
address or a whole name in the place of an id does not stay either.
"""


def currency_failures(currency: str) -> list[Failure]:
    """Three capital letters, and a code of ISO 4217."""
    if not _CURRENCY.fullmatch(currency):
        return [Failure.bad_format("")]
    return [] if currency in CURRENCIES else [Failure("", "unknown_currency", NOT_A_CURRENCY)]


def amount_failures(amount: int) -> list[Failure]:
    """More than nothing, in minor units, and exact for every consumer."""
    if amount <= 0:
        return [Failure("", "not_positive", NOT_POSITIVE)]
    return [Failure("", "too_large", INVALID)] if amount > MAX_AMOUNT else []


def payload_failures(payload: dict[str, Any], schema: str | None) -> list[Failure]:
    """At most 5,120 bytes as JSON, finite numbers, texts that a message can carry, no deeper than a body may be; of a
    payment intent its amount and currency too.
    """
    failures = []
    if is_deeper(payload, PAYLOAD_DEPTH) or not is_sendable(payload):
        failures.append(Failure.invalid(""))
    elif len(as_json(payload)) > MAX_BYTES:
        failures.append(Failure("", "too_large", INVALID))
    if schema == STRIPE_PAYMENT_INTENT:
        found = extracted(payload)
        failures += [
            Failure("", f"no_{name}", f"payload does not contain {name}, schema: {schema}")
            for name in ("amount", "currency")
            if name not in found
        ]
    return failures


def extracted(payload: Mapping[str, object]) -> dict[str, object]:
    """What a payment intent says of amount (an integer) and currency (a text), as far as it does."""
    amount, currency = payload.get("amount"), payload.get("currency")
    found: dict[str, object] = {}
    if isinstance(amount, int) and not isinstance(amount, bool):
        found["amount"] = amount
    if isinstance(currency, str) and currency:
        found["currency"] = currency.upper()
    return found


def _sound_payload(payload: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    return keep_or_raise(payload, payload_failures(payload, info.data.get("schema_")))


class DonationInput(Input):
    """A donation. `amount` is in minor units; amount and currency of a payment intent are those of its payload."""

    schema_: Annotated[Literal["stripe_payment_intent"] | None, absent("")] = Field(default=None, alias="schema")
    payload: Annotated[dict[str, Any], AfterValidator(_sound_payload)]
    amount: Annotated[int, rule(amount_failures)]
    currency: Annotated[str, rule(currency_failures), absent(None, "", default=lambda: "EUR")] = "EUR"
    frequency_unit: Annotated[FrequencyUnit, absent(None, "", default=lambda: "one_off")] = "one_off"

    @model_validator(mode="before")
    @classmethod
    def _of_payment_intent(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("schema") != STRIPE_PAYMENT_INTENT:
            return given
        payload = given.get("payload")
        return {**given, **extracted(payload)} if isinstance(payload, dict) else given


@dataclass(frozen=True, slots=True)
class Donation:
    """A donation as it is stored: `clear` with the action, in the form of the message (domain 5.1); `rest`, what of its
    payload only the receiving orgs may read.
    """

    clear: dict[str, object]
    rest: dict[str, object]


def donation_of(given: DonationInput) -> Donation:
    """The donation, taken apart."""
    kept = {key: value for key, value in given.payload.items() if key in KEPT and KEPT[key](value)}
    clear: dict[str, object] = {
        "payload": kept,
        "amount": given.amount,
        "currency": given.currency,
        "frequencyUnit": given.frequency_unit,
    }
    if given.schema_ is not None:
        clear["schema"] = given.schema_
    return Donation(clear, {key: value for key, value in given.payload.items() if key not in kept})
