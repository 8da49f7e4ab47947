"""Creating objects at Stripe in the name of a page's org (domain 13.9).

What is answered are ids, states and client secrets, which is what a widget needs: an object of Stripe may hold more
about people than whoever sent the request should see.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from proca_common.action_pages.context import PageContext
from proca_common.errors import NotAllowed, NotOffered, ProviderUnavailable
from proca_common.failures import Failure, Refused
from proca_common.orgs import services
from proca_common.orgs.services import ServiceName
from proca_common.payments.input import Wanted
from proca_common.payments.stripe import UNUSABLE, Created, Stripe, StripeRefused

NO_STRIPE = "Action Page does not support Stripe"
KEY_REUSED = Failure("", "idempotency_key", "Idempotency-Key was used for a different request")
ORDER = ("customer", "price", "payment_intent", "subscription")
SHOWN = frozenset(
    {
        "id",
        "object",
        "status",
        "amount",
        "unit_amount",
        "currency",
        "livemode",
        "customer",
        "client_secret",
        "latest_invoice",
        "payment_intent",
    }
)


def account_of(
    context: PageContext, *, testing: bool, passwords_secret: Callable[[], bytes], remaining_ms: Callable[[], int]
) -> Stripe:
    """The page org's account at Stripe, for tests the one for tests.

    Raises `NotOffered` when it has none, `ProviderUnavailable` when its key cannot be opened, `Unavailable`.
    """
    service = services.latest(context.org.id, ServiceName.TEST_STRIPE if testing else ServiceName.STRIPE)
    if service is None:
        raise NotOffered(NO_STRIPE)
    try:
        key = services.opened(service, passwords_secret())
    except NotAllowed:
        raise ProviderUnavailable(UNUSABLE) from None
    return Stripe(key, service.host, remaining_ms)


def create(stripe: Stripe, wanted: Wanted, context: PageContext, idempotency_key: str | None) -> Created:
    """Create all that is wanted, customer and price first; the last object, which has the ids of the others.

    Each object has a key of its own, made of the page, the object's kind and the key of the request, so a repeated
    request creates nothing twice. Raises `Refused`, `PaymentRefused`, `ProviderUnavailable`.
    """
    asked = idempotency_key or secrets.token_urlsafe(24)
    metadata = _metadata(context, wanted.contact_ref)
    made: dict[str, Created] = {}
    for kind in (kind for kind in ORDER if kind in wanted.objects):
        params = _with_ids(kind, wanted.objects[kind], made)
        params["metadata"] = {**params.get("metadata", {}), **metadata}
        try:
            made[kind] = stripe.create(kind, params, f"{context.page.id}-{kind}-{asked}")
        except StripeRefused as refused:
            raise _in_our_words(refused, kind, wanted) from None
    return made[kind]


def shown(made: Mapping[str, Any]) -> dict[str, Any]:
    """What a widget may see of an object of Stripe."""
    return {
        name: shown(value) if isinstance(value, dict) else value
        for name, value in made.items()
        if name in SHOWN and not isinstance(value, list)
    }


def _metadata(context: PageContext, contact_ref: str | None) -> dict[str, str]:
    known = {
        "actionPageName": context.page.name,
        "actionPageId": str(context.page.id),
        "campaignName": context.campaign.name,
    }
    return known if contact_ref is None else {**known, "contactRef": contact_ref}


def _with_ids(kind: str, params: Mapping[str, Any], made: Mapping[str, Created]) -> dict[str, Any]:
    """The parameters with the ids of what was created before."""
    found = dict(params)
    if kind in ("payment_intent", "subscription") and "customer" in made:
        found["customer"] = made["customer"].made["id"]
    if kind == "subscription" and "price" in made:
        found["items"] = [{"price": made["price"].made["id"]}]
    return found


def _in_our_words(refused: StripeRefused, kind: str, wanted: Wanted) -> Refused:
    if refused.code == "idempotency_error":
        return Refused([KEY_REUSED])
    pointer = wanted.pointer_of(kind, refused.param)
    return Refused([Failure(pointer, "payment", refused.message)], provider_code=refused.code)
