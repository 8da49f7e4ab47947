"""What happens with a request for objects of Stripe, whoever speaks for the widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from proca_common.action_pages.context import page_context
from proca_common.aws.secrets import secret
from proca_common.intake.clients import admit
from proca_common.payments.create import account_of, create
from proca_common.payments.input import (
    StripeObjectInput,
    StripePaymentIntentInput,
    StripeSubscriptionInput,
    parse,
)
from proca_common.payments.stripe import Created

Model = type[StripePaymentIntentInput | StripeSubscriptionInput | StripeObjectInput]


@dataclass(frozen=True, slots=True)
class Wish:
    """A request: its JSON body, the client's address, its Idempotency-Key, and how many ms are left for it."""

    body: bytes
    client: str | None
    key: str | None
    left_ms: Callable[[], int]


def fulfil(page: int, model: Model, wish: Wish, guard_secret: str, passwords_secret: str) -> Created:
    """Check everything, count the client's network, then ask Stripe in the name of the page's org.

    The two secrets are entries, read where they are needed. Raises `NotFound` (page), `Malformed`, `Refused`,
    `NotOffered`, `PaymentRefused`, `ProviderUnavailable`, `TooMany` and `Unavailable`.
    """
    context = page_context(page)
    wanted = parse(model, wish.body).wanted()
    admit(context, wish.client, guard_secret)
    stripe = account_of(
        context,
        testing=wanted.testing,
        passwords_secret=partial(secret, passwords_secret),
        remaining_ms=wish.left_ms,
    )
    return create(stripe, wanted, context, wish.key)
