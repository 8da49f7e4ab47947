"""The endpoints: what each takes, what it answers, which problems it may have."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from proca_common.action_pages.shapes import PublicPage, StaticPage
from proca_common.actions.input import AddActionContactInput, AddActionInput
from proca_common.campaigns.shapes import PublicCampaign
from proca_common.guards.shapes import PageChallenge
from proca_common.intake.link import LinkActionsInput
from proca_common.intake.shapes import ActionTaken, LinksAsked
from proca_common.monitors.shapes import Health, PublicActions, PublicNumbers
from proca_common.payments.input import StripeObjectInput, StripePaymentIntentInput, StripeSubscriptionInput
from proca_common.payments.shapes import StripeCreated
from proca_common.targets.shapes import MessageNumbers, PublicTargets


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answers when all is well.

    `shape`: the type of its JSON; None where it is any JSON object. `headers`: those that not every answer has.
    `cached`: caches may keep it, so there is an ETag, and 304 for who has it already.
    """

    status: int = 200
    shape: type | None
    description: str
    headers: tuple[str, ...] = ()
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint. Parameters of its path are found there; `parameters` are the others, by their names."""

    operation: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    answer: Answer
    problems: tuple[str, ...]
    body: type[BaseModel] | None = None
    parameters: tuple[str, ...] = ()


ANY = ("too-many", "unavailable")
POST = ("malformed", "not-found", "too-large", "unsupported-media-type", "invalid-input", *ANY)
PAYING = (*POST, "not-allowed", "payment-refused")
WIDGET = ("Idempotency-Key", "Referer")
TAKEN = Answer(
    status=201,
    shape=ActionTaken,
    description="It is stored. The answer is the same whether the person was known or not.",
    headers=("Idempotent-Replay",),
)
PAYMENT = ("Idempotency-Key",)
CREATED = Answer(
    status=201,
    shape=StripeCreated,
    description="Stripe has it. Nobody has paid yet: that is for Stripe's own widget, with the client's secret.",
    headers=("Idempotent-Replay",),
)
PAGE = Answer(shape=PublicPage, description="The page with its campaign, orgs and numbers.", cached=True)
CAMPAIGN = Answer(shape=PublicCampaign, description="The campaign with its lead org and numbers.", cached=True)
NUMBERS = Answer(shape=PublicNumbers, description="Counts over all pages of the campaign.", cached=True)

ENDPOINTS = (
    Endpoint(
        operation="addActionContact",
        method="POST",
        path="/v1/pages/{page}/actions",
        tag="Actions",
        summary="Sign: a new supporter with contact and action",
        description=(
            "Which personal data is required depends on the campaign's `contactSchema`: `basic` needs an e-mail "
            "address and a name, in one or in parts. White space around names is dropped, an empty text is an absent "
            "one. Rules of the contact schema are not in the schema of this body: a request that follows it may still "
            "be refused with 422."
        ),
        body=AddActionContactInput,
        parameters=WIDGET,
        answer=TAKEN,
        problems=(*POST, "not-allowed"),
    ),
    Endpoint(
        operation="addAction",
        method="POST",
        path="/v1/pages/{page}/contacts/{contactRef}/actions",
        tag="Actions",
        summary="Act again: a further action of whoever has this contact ref",
        description=(
            "With the `contactRef` of an answer it becomes an action of that supporter. With any other ref it waits up "
            "to 90 days for a signature that names it as `contactRef`."
        ),
        body=AddActionInput,
        parameters=WIDGET,
        answer=TAKEN,
        problems=(*POST, "not-allowed"),
    ),
    Endpoint(
        operation="linkActions",
        method="POST",
        path="/v1/pages/{page}/contacts/{contactRef}/links",
        tag="Actions",
        summary="Link earlier actions after the signature",
        description=(
            "For a widget that learns only after the signature under which refs the same person had acted. Up to the "
            "newest 25 actions of pages of the same org become this supporter's, within seconds."
        ),
        body=LinkActionsInput,
        parameters=("Idempotency-Key",),
        answer=Answer(
            status=202, shape=LinksAsked, description="The same whether there is such a person or action or not."
        ),
        problems=(*POST, "not-allowed"),
    ),
    Endpoint(
        operation="getChallenge",
        method="GET",
        path="/v1/challenge",
        tag="Actions",
        summary="What a browser has to compute before it may sign",
        description=(
            "For campaigns that ask for proof of work, with ALTCHA's protocol. A solution is good for one signature on "
            "this page. 404 where the campaign asks for none."
        ),
        parameters=("of-page",),
        answer=Answer(shape=PageChallenge, description="A challenge that nobody else got."),
        problems=("not-found", "invalid-input", *ANY),
    ),
    Endpoint(
        operation="createStripePaymentIntent",
        method="POST",
        path="/v1/pages/{page}/stripe/payment-intents",
        tag="Payments",
        summary="A single payment with Stripe",
        description=(
            "Created with the key of the page's org; 404 where it has none. Stripe's own widget pays it with the "
            "`client_secret`. Then the donation is an action like any other."
        ),
        body=StripePaymentIntentInput,
        parameters=PAYMENT,
        answer=CREATED,
        problems=PAYING,
    ),
    Endpoint(
        operation="createStripeSubscription",
        method="POST",
        path="/v1/pages/{page}/stripe/subscriptions",
        tag="Payments",
        summary="A payment with Stripe that comes again each week or month",
        description="A customer, a price and a subscription of both, which begins when somebody has paid.",
        body=StripeSubscriptionInput,
        parameters=PAYMENT,
        answer=CREATED,
        problems=PAYING,
    ),
    Endpoint(
        operation="createStripeObjects",
        method="POST",
        path="/v1/pages/{page}/stripe/objects",
        tag="Payments",
        summary="Objects of Stripe in its own names",
        description=(
            "A payment intent or a subscription, with a customer and, for a subscription, a price that are created "
            "first and put into it; or a customer or a price alone. Only the fields in this document may be set."
        ),
        body=StripeObjectInput,
        parameters=PAYMENT,
        answer=CREATED,
        problems=PAYING,
    ),
    Endpoint(
        operation="getPage",
        method="GET",
        path="/v1/pages/{page}",
        tag="Pages",
        summary="An action page by its id",
        description="What a widget needs to show itself. Configs are public.",
        parameters=("If-None-Match",),
        answer=PAGE,
        problems=("not-found", *ANY),
    ),
    Endpoint(
        operation="findPage",
        method="GET",
        path="/v1/pages",
        tag="Pages",
        summary="An action page by its name",
        description="The same, for widgets that know only the name.",
        parameters=("name", "If-None-Match"),
        answer=PAGE,
        problems=("not-found", "invalid-input", *ANY),
    ),
    Endpoint(
        operation="getNumbers",
        method="GET",
        path="/v1/pages/{page}/numbers",
        tag="Pages",
        summary="How many signed the campaign of an action page",
        description="At most five seconds old on our side. Ask seldom, with `If-None-Match`.",
        parameters=("others", "If-None-Match"),
        answer=NUMBERS,
        problems=("not-found", *ANY),
    ),
    Endpoint(
        operation="getStaticPage",
        method="GET",
        path="/v1/pages/{page}/static",
        tag="Pages",
        summary="All that a widget shows, to be hosted elsewhere",
        description=(
            "The page as `getPage` answers it, and the newest actions of each type that the campaign shows. Fetched "
            "every few minutes and put beside the widget, it keeps the addresses of visitors from us."
        ),
        parameters=("limit", "If-None-Match"),
        answer=Answer(shape=StaticPage, description="The page with everything.", cached=True),
        problems=("not-found", "invalid-input", *ANY),
    ),
    Endpoint(
        operation="getPublicCampaign",
        method="GET",
        path="/v1/campaigns/{campaign}",
        tag="Campaigns",
        summary="A campaign by its id",
        description="Its config is public.",
        parameters=("If-None-Match",),
        answer=CAMPAIGN,
        problems=("not-found", *ANY),
    ),
    Endpoint(
        operation="findCampaign",
        method="GET",
        path="/v1/campaigns",
        tag="Campaigns",
        summary="A campaign by its name",
        description="The same, for those who know only the name.",
        parameters=("campaign-name", "If-None-Match"),
        answer=CAMPAIGN,
        problems=("not-found", "invalid-input", *ANY),
    ),
    Endpoint(
        operation="getCampaignNumbers",
        method="GET",
        path="/v1/campaigns/{campaign}/numbers",
        tag="Campaigns",
        summary="How many signed a campaign",
        description="At most five seconds old on our side. Ask seldom, with `If-None-Match`.",
        parameters=("others", "If-None-Match"),
        answer=NUMBERS,
        problems=("not-found", *ANY),
    ),
    Endpoint(
        operation="getPublicActions",
        method="GET",
        path="/v1/campaigns/{campaign}/actions",
        tag="Campaigns",
        summary="What people did and said, such as the signatures of an open letter",
        description=(
            "The delivered actions of a type that the campaign shows, the newest first, with the custom fields that it "
            "shows; nothing for other types. At most 30 seconds old on our side."
        ),
        parameters=("type", "limit", "cursor", "If-None-Match"),
        answer=Answer(shape=PublicActions, description="A part of the list.", cached=True),
        problems=("not-found", "invalid-input", *ANY),
    ),
    Endpoint(
        operation="getTargets",
        method="GET",
        path="/v1/campaigns/{campaign}/targets",
        tag="Campaigns",
        summary="To whom supporters of a campaign write",
        description=(
            "The targets that a message may be sent to, in the order of their ids, without addresses. At most 30 "
            "seconds old on our side."
        ),
        parameters=("area", "locale", "targets-limit", "cursor", "If-None-Match"),
        answer=Answer(shape=PublicTargets, description="A part of the list.", cached=True),
        problems=("not-found", "invalid-input", *ANY),
    ),
    Endpoint(
        operation="getMessageNumbers",
        method="GET",
        path="/v1/campaigns/{campaign}/targets/numbers",
        tag="Campaigns",
        summary="How many messages went to the targets of a campaign",
        description="At most 30 seconds old on our side.",
        parameters=("If-None-Match",),
        answer=Answer(shape=MessageNumbers, description="Counts over all targets of the campaign.", cached=True),
        problems=("not-found", *ANY),
    ),
    Endpoint(
        operation="getOpenapi",
        method="GET",
        path="/v1/openapi.json",
        tag="System",
        summary="This document",
        description="It changes only when the API does.",
        parameters=("If-None-Match",),
        answer=Answer(shape=None, description="An OpenAPI 3.1 document.", cached=True),
        problems=ANY,
    ),
    Endpoint(
        operation="health",
        method="GET",
        path="/health",
        tag="System",
        summary="Whether the system can do its work",
        description="For monitors.",
        answer=Answer(shape=Health, description="It can."),
        problems=ANY,
    ),
)
