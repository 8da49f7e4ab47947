"""Nothing that is answered tells what is stored about a person: on every endpoint of the API's document, whoever asks
about somebody known gets the status, body, headers and DynamoDB calls of somebody unknown (design 7.7).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.contacts.fingerprint import contact_ref
from proca_common.monitors import public, public_actions
from proca_common.stages import decide
from tests.api import endpoints_of_template, without_chance
from tests.harness.calls import calls
from tests.harness.context import LambdaContext
from tests.world import SEED, World, api_event, function, signature
from tools import openapi

JSON = {"Content-Type": "application/json", "Origin": "https://campaign.example.org"}
ENDPOINTS = {
    operation["operationId"]: (method.upper(), path)
    for path, operations in openapi.document()["paths"].items()
    for method, operation in operations.items()
    if "security" not in operation
}

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody of whom nothing is stored yet. `own_ref` is one that the widget made."""

    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def address(self) -> str:
        return f"mara.{self.number}@example.org"

    @property
    def ref(self) -> str:
        return contact_ref(SEED, self.address)

    @property
    def own_ref(self) -> str:
        return f"own-ref-{self.number:06}"

    @property
    def signature(self) -> dict[str, Any]:
        return signature(email=self.address, opt_in=True)

    def unnamed(self, body: Any) -> Any:
        """An answer without this person's ref, which it repeats."""
        return json.loads(json.dumps(without_chance(body)).replace(self.ref, "ref").replace(self.own_ref, "own"))


Request = tuple[dict[str, str], Any]
SHARE = {"action": {"actionType": "share"}}
REFUSED = {"action": {"actionType": "no spaces"}}

REQUESTS: dict[str, list[Callable[[Person], Request]]] = {
    "addActionContact": [
        lambda mara: ({}, mara.signature),
        lambda mara: ({"Idempotency-Key": mara.own_ref}, mara.signature),
        lambda mara: ({}, {**mara.signature, "contactRef": mara.own_ref}),
        lambda mara: ({}, {**mara.signature, "contactRef": mara.ref}),
        lambda mara: ({}, {**mara.signature, **REFUSED}),
    ],
    "addAction": [
        lambda _: ({}, SHARE),
        lambda mara: ({"Idempotency-Key": mara.own_ref}, SHARE),
        lambda _: ({}, REFUSED),
    ],
    "linkActions": [
        lambda mara: ({}, {"linkRefs": [mara.own_ref]}),
        lambda mara: ({}, {"linkRefs": [mara.ref]}),
        lambda _: ({}, {"linkRefs": []}),
    ],
    "createStripePaymentIntent": [lambda mara: ({}, {"amount": 1, "currency": "EUR", "contactRef": mara.ref})],
    "createStripeSubscription": [
        lambda mara: ({}, {"amount": 1, "currency": "EUR", "frequencyUnit": "weekly", "contactRef": mara.ref})
    ],
    "createStripeObjects": [lambda mara: ({}, {"customer": {"email": mara.address}, "contactRef": mara.ref})],
    "getChallenge": [lambda _: ({}, None)],
    "getPage": [lambda _: ({}, None)],
    "findPage": [lambda _: ({}, None)],
    "getNumbers": [lambda _: ({}, None)],
    "getStaticPage": [lambda _: ({}, None)],
    "getPublicCampaign": [lambda _: ({}, None)],
    "findCampaign": [lambda _: ({}, None)],
    "getCampaignNumbers": [lambda _: ({}, None)],
    "getPublicActions": [lambda _: ({}, None)],
    "getTargets": [lambda _: ({}, None)],
    "getMessageNumbers": [lambda _: ({}, None)],
    "getOpenapi": [lambda _: ({}, None)],
    "health": [lambda _: ({}, None)],
}
"""What is asked of each endpoint about a person: (headers, body). Where nobody can be named, the same of everybody."""
SHOWING_NUMBERS = {operation for operation in REQUESTS if "Page" in operation or "Campaign" in operation} | {
    "getNumbers",
    "getPublicActions",
}


class Site:
    """Pages of a campaign whose supporters have to confirm, and of one that asks for proof of work; all are warm."""

    def __init__(self, world: World) -> None:
        self.world = world
        org, stranger = world.org("ngo", custom_supporter_confirm=True), world.org("stranger")
        self.page = world.page(org)
        self.sister = world.page(org, world.campaign(org, "rivers"))
        self.asking = world.page(
            org, world.campaign(org, "birds", guards={"proof_of_work": True}, public_actions=["register:comment"])
        )
        self.strangers = world.page(stranger, world.campaign(stranger, "stars"))
        for page in (self.page, self.asking):
            world.get("/v1/pages", name=page.name)
        world.get("/v1/campaigns", name="birds")
        for what in ("targets", "targets/numbers"):
            world.get(f"/v1/campaigns/{self.page.campaign}/{what}")

    def ask(self, operation: str, request: Callable[[Person], Request], mara: Person) -> object:
        """All that a request about her shows: status, body, headers, calls."""
        method, path = ENDPOINTS[operation]
        name = endpoints_of_template()[method, path]
        headers, body = request(mara)
        text = None if body is None else json.dumps(body)
        query = {
            "getChallenge": {"page": str(self.asking.id)},
            "findPage": {"name": self.asking.name},
            "findCampaign": {"name": "birds"},
            "getPublicActions": {"type": "register"},
        }.get(operation)
        page = self.page
        if operation in SHOWING_NUMBERS:
            page = self.asking  # which nobody signs here, because how many signed is for everybody to see
            public.forget()
            public_actions.forget()
        path = path.format(page=page.id, campaign=page.campaign, contactRef=mara.ref)
        event = api_event(method, path, text, {**JSON, **headers}, query)
        with calls() as recorded:
            answer = function(name)(event, LambdaContext(name, 28))
        assert answer["statusCode"] < 500
        body = mara.unnamed(json.loads(answer["body"]))
        return answer["statusCode"], body, answer["multiValueHeaders"], recorded.operations

    # --- what may be stored about her

    def sign(self, mara: Person, page: ActionPage | None = None) -> int:
        action = self.world.sign(page or self.page, email=mara.address).action
        self.world.run()
        return action

    def confirmed(self, mara: Person) -> None:
        assert decide.accept_supporter(self.sign(mara))
        self.world.run()

    def rejected(self, mara: Person) -> None:
        assert decide.reject_supporter(self.sign(mara))
        self.world.run()

    def signed_many_times(self, mara: Person) -> None:
        for _ in range(3):
            self.confirmed(mara)

    def signed_another_campaign(self, mara: Person) -> None:
        self.sign(mara, self.sister)

    def signed_another_org(self, mara: Person) -> None:
        self.sign(mara, self.strangers)

    def acted_before(self, mara: Person) -> None:
        for ref in (mara.ref, mara.own_ref):
            self.world.act(self.page, ref)

    def acted_before_and_after(self, mara: Person) -> None:
        self.acted_before(mara)
        self.confirmed(mara)
        self.world.act(self.page, mara.ref)

    def is_being_linked(self, mara: Person) -> None:
        self.acted_before(mara)
        self.world.sign(self.page, email=mara.address, contactRef=mara.own_ref)


HISTORIES: list[Callable[[Site, Person], object]] = [
    Site.sign,
    Site.confirmed,
    Site.rejected,
    Site.signed_many_times,
    Site.signed_another_campaign,
    Site.signed_another_org,
    Site.acted_before,
    Site.acted_before_and_after,
    Site.is_being_linked,
]


def test_every_endpoint_of_the_document_is_asked() -> None:
    assert REQUESTS.keys() == ENDPOINTS.keys()


@pytest.mark.parametrize("operation", ENDPOINTS)
def test_the_answer_about_somebody_known_is_that_about_somebody_unknown(world: World, operation: str) -> None:
    site = Site(world)
    for request in REQUESTS[operation]:
        unknown = site.ask(operation, request, Person())
        for history in HISTORIES:
            mara = Person()
            history(site, mara)
            assert site.ask(operation, request, mara) == unknown, history.__name__
