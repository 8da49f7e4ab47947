"""What the API's document shows is what the functions answer: each of its examples is sent, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.actions import store
from proca_common.orgs import services
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.payments import stripe
from proca_common.stages.binding import MAX_ACTIONS
from tests.api import send, without_chance
from tests.harness.calls import calls, unseen_client
from tests.harness.context import LambdaContext
from tests.harness.faults import faults, throttle
from tests.stripe import CARD_DECLINED, Failure, stripe_stub
from tests.world import World, api_event, function
from tools import openapi
from tools.emulator import ROOT
from tools.openapi.examples import (
    BLOCKED,
    BLOCKED_NETWORK,
    CONTACT_REF,
    DECLINING,
    FULL_SUPPORTER,
    PROOF_OF_WORK,
    SIGNED,
    STORE_IS_BUSY,
    STRIPE,
    Example,
    every_example,
)
from tools.openapi.parameters import HEADERS

EXAMPLES = every_example()
GUARDS: dict[str, Any] = {
    PROOF_OF_WORK: {"proof_of_work": True},
    BLOCKED: {"patterns": [{"id": 1, "kind": "domain", "pattern": "example.org", "action": "refuse"}]},
    BLOCKED_NETWORK: {"patterns": [{"id": 1, "kind": "network", "pattern": "192.0.2.0/24", "action": "refuse"}]},
}


@pytest.fixture
def shown(world: World, example: Example) -> World:
    """The instance that the example is sent to."""
    bees = world.org("bees")
    shows = ["register:comment"] if example.given == SIGNED else []
    campaign = world.campaign(bees, "save_bees", guards=GUARDS.get(example.given, {}), public_actions=shows)
    page = world.page(bees, campaign, name="bees/en")
    assert page.id == 1
    return world


def fill(world: World) -> None:
    """The supporter of the examples signs, and has then done as much as one may."""
    answer = send(next(example for example in EXAMPLES if example.name == "least"))
    assert answer.contact_ref == CONTACT_REF
    [supporter] = [item for item in world.items("S#") if item["ref"] == CONTACT_REF]
    ref, sk = store.supporter_key(CONTACT_REF, int(supporter["org"]), int(supporter["id"]))
    unseen_client("dynamodb").update_item(
        TableName=world.tables["ActionsTable"],
        Key={"ref": {"S": ref}, "sk": {"S": sk}},
        UpdateExpression="SET actions = :full",
        ExpressionAttributeValues={":full": {"N": str(MAX_ACTIONS)}},
    )


@pytest.fixture
def given(shown: World, example: Example) -> Iterator[None]:
    """The state in which the example is sent."""
    with ExitStack() as stack:
        if example.given in (STRIPE, DECLINING):
            stub = stack.enter_context(stripe_stub())
            stack.callback(stripe._pool().clear)
            services.add(pages.get(1).org, ServiceInput(name=ServiceName.STRIPE, host=stub.url), stub.key)
            if example.given == DECLINING:
                stub.fail(Failure(402, {**CARD_DECLINED, "decline_code": "insufficient_funds"}))
        if example.given == FULL_SUPPORTER:
            fill(shown)
        if example.given == SIGNED:
            shown.sign(pages.get(1), country="SE", fields={"comment": "My kids swim here"})
            shown.run()
        if example.given == STORE_IS_BUSY:
            shown.forget()
            stack.enter_context(faults(throttle("dynamodb", nth=None)))
        yield


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.operation}-{example.name}")
def test_an_example_is_answered_as_shown(given: None, example: Example) -> None:
    answer = send(example)
    assert answer.status == example.status, answer.body
    assert without_chance(answer.body or None) == without_chance(example.answer)
    documented = openapi.document()["paths"][example.endpoint.path][example.endpoint.method.lower()]["responses"]
    response = documented[str(answer.status)]
    if "$ref" in response:
        response = openapi.document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if answer.body:
        assert answer.headers["Content-Type"] in response["content"]
    always = {name for name, header in response["headers"].items() if header.get("required")}
    assert always <= answer.headers.keys()
    assert {name for name in answer.headers if name in HEADERS} <= response["headers"].keys()


def test_the_document_is_served_as_it_is_committed(environment: None) -> None:
    handler = function("GetOpenapiFunction")
    event = api_event("GET", "/v1/openapi.json", headers={"Origin": "https://campaign.example.org"})
    answer = handler(event, LambdaContext("GetOpenapiFunction", 28))
    assert answer["statusCode"] == 200
    assert answer["body"] == (ROOT / "schemas" / "openapi.json").read_text()
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "public, max-age=300"
    assert headers["Access-Control-Allow-Origin"] == "*"

    event = api_event("GET", "/v1/openapi.json", headers={"If-None-Match": headers["ETag"]})
    again = handler(event, LambdaContext("GetOpenapiFunction", 28))
    assert (again["statusCode"], again["body"]) == (304, "")


def test_serving_the_document_asks_no_store(environment: None) -> None:
    with calls() as recorded:
        function("GetOpenapiFunction")(api_event("GET", "/v1/openapi.json"), LambdaContext("GetOpenapiFunction", 28))
    assert not recorded.operations
