"""What widgets ask for and send: each field is a call of the layer, and no rule of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from proca_common.action_pages import store as pages
from proca_common.action_pages.context import page_context, page_context_by_name
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.campaigns.public import campaign_context, campaign_context_by_name
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.errors import NotFound
from proca_common.failures import Refused
from proca_common.graph.context import Context, Info
from proca_common.graph.errors import Named, one_of
from proca_common.graph.views import View, campaign_view, campaigns_view, page_of, page_view
from proca_common.intake import requests

Resolve = Callable[..., Any]
MOST_CAMPAIGNS = 1_000
"""How many of the newest campaigns are searched."""
MOST_FOUND = 100
NO_LINK = "ActionPage or contact not found"
"""The one thing that is said when nothing can be linked (domain 3.3)."""
FRESH_MS = 60_000
_newest: FreshOrKnown[None, list[Campaign]] = FreshOrKnown(FRESH_MS)


def forget() -> None:
    """Empty what is kept in warm memory (tests)."""
    _newest.forget()


def action_page(_: None, info: Info, **given: Any) -> View:
    """A page by its id or name; `url` is its name too. From warm memory, but for who says who that is: staff see their
    own changes at once.
    """
    name, value = one_of(**given)
    info.context.look_up()
    if info.context.caller is not None:
        page = pages.get(value) if name == "id" else pages.find(value)
        return page_view(info.context, page, campaigns.get(page.campaign))
    return page_of(info.context, page_context(value) if name == "id" else page_context_by_name(value))


def campaign(_: None, info: Info, **given: Any) -> View:
    """A campaign by its id or name, likewise."""
    name, value = one_of(**given)
    info.context.look_up()
    if info.context.caller is not None:
        return campaign_view(info.context, campaigns.get(value) if name == "id" else campaigns.find(value))
    known = campaign_context(value) if name == "id" else campaign_context_by_name(value)
    info.context.know(known.lead)
    return campaign_view(info.context, known.campaign)


def some_campaigns(_: None, info: Info, **given: Any) -> list[View]:
    """Campaigns by a part of their titles, the newest first; else the one with this id or name. Staff find what they
    made just now.
    """
    name, value = one_of(**given)
    if name != "title":
        return [campaign(None, info, **given)]
    info.context.look_up(MOST_FOUND)
    part = value.strip("%").lower()
    known = _newest.get(None, _read_newest) if info.context.caller is None else _read_newest()
    found = [each for each in known if part in each.title.lower()][:MOST_FOUND]
    return campaigns_view(info.context, found)


def _read_newest() -> list[Campaign]:
    return campaigns.newest(MOST_CAMPAIGNS)


def add_action_contact(_: None, info: Info, **given: Any) -> dict[str, object]:
    """A signature."""
    context, page = info.context, given.pop("actionPageId")
    body = {**given, **_captcha(context)}
    taken, first_name = _on_page(page, lambda: requests.sign(page, _wish(context, body), *_means(context)))
    return {"contactRef": taken.contact_ref, "firstName": first_name}


def add_action(_: None, info: Info, **given: Any) -> dict[str, object]:
    """A further action."""
    context, page, ref = info.context, given.pop("actionPageId"), given.pop("contactRef")
    taken = _on_page(page, lambda: requests.act(page, ref, _wish(context, given), *_means(context)))
    return {"contactRef": taken.contact_ref, "firstName": None}


def link_actions(_: None, info: Info, **given: Any) -> dict[str, object]:
    """Earlier actions of a supporter who has signed."""
    from proca_common.intake import clients, link  # noqa: PLC0415 - few ask for it

    context: Context = info.context
    ref, refs = given["contactRef"], given.get("linkRefs") or ()
    try:
        page = page_context(given["actionPageId"])
        wanted = link.parse_links(_json({"linkRefs": refs}), ref) if refs else None
    except (NotFound, Refused):
        raise Named(NO_LINK) from None
    if wanted is not None:
        clients.admit(page, context.request.client, context.settings.guard_key_secret)
        link.link_actions(page.org.id, ref, wanted.link_refs)
    return {"contactRef": ref, "firstName": None}


def add_stripe_payment_intent(_: None, info: Info, **given: Any) -> dict[str, Any]:
    """A single payment."""
    from proca_common.payments.input import StripePaymentIntentInput  # noqa: PLC0415 - few ask for it

    return _stripe(info.context, StripePaymentIntentInput, {**given.pop("input"), **given})


def add_stripe_subscription(_: None, info: Info, **given: Any) -> dict[str, Any]:
    """A payment that comes again and again."""
    from proca_common.payments.input import StripeSubscriptionInput  # noqa: PLC0415 - few ask for it

    return _stripe(info.context, StripeSubscriptionInput, {**given.pop("input"), **given})


def add_stripe_object(_: None, info: Info, **given: Any) -> dict[str, Any]:
    """Objects in Stripe's own names."""
    from proca_common.payments.input import StripeObjectInput  # noqa: PLC0415 - few ask for it

    return _stripe(info.context, StripeObjectInput, given)


def _stripe(context: Context, model: Any, given: dict[str, Any]) -> dict[str, Any]:
    from proca_common.payments.create import shown  # noqa: PLC0415 - few ask for it
    from proca_common.payments.requests import Wish, fulfil  # noqa: PLC0415

    page, settings = given.pop("actionPageId"), context.settings
    body = _json({name: value for name, value in given.items() if value is not None})
    wish = Wish(body, context.request.client, context.request.key, context.left_ms)
    made = _on_page(
        page, lambda: fulfil(page, model, wish, settings.guard_key_secret, settings.service_passwords_secret)
    )
    return shown(made.made)


def _on_page(page: int, work: Callable[[], Any]) -> Any:
    """What is done on a page; raises in the words that clients know where there is no such page."""
    try:
        return work()
    except NotFound:
        raise Named(f"action_page_id: Cannot find Action Page with id={page}") from None


def _wish(context: Context, given: Mapping[str, Any]) -> requests.Wish:
    request = context.request
    return requests.Wish(_json(given), request.referer, request.client, request.key)


def _means(context: Context) -> tuple[Any, str]:
    return context.vault, context.settings.guard_key_secret


def _captcha(context: Context) -> dict[str, str]:
    """The solution of a challenge, which clients send beside the query."""
    sent = context.request.extensions
    known = {"captcha": sent.get("captcha"), "captchaService": sent.get("captcha_service")}
    return {name: value for name, value in known.items() if isinstance(value, str)}


def _json(given: Mapping[str, Any]) -> bytes:
    return json.dumps(given, ensure_ascii=False, default=_day).encode()


def _day(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


FIELDS: dict[str, dict[str, Resolve]] = {
    "RootQueryType": {"actionPage": action_page, "campaign": campaign, "campaigns": some_campaigns},
    "RootMutationType": {
        "addActionContact": add_action_contact,
        "addAction": add_action,
        "linkActions": link_actions,
        "addStripePaymentIntent": add_stripe_payment_intent,
        "addStripeSubscription": add_stripe_subscription,
        "addStripeObject": add_stripe_object,
    },
}
