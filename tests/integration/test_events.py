"""Every event under events/ runs through its function, in the catalogue that it was recorded in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proca_common.orgs import services
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.payments import stripe
from proca_common.users import tokens
from proca_common.users.permissions import Role
from tests.desks import desk
from tests.harness.calls import unseen_client
from tests.harness.context import LambdaContext
from tests.stripe import stripe_stub
from tests.world import World, function

EVENTS = sorted((Path(__file__).parents[2] / "events").glob("*.json"))
MANAGER = tokens.API_PREFIX + bytes(range(32))
"""The token that is in the events of functions that manage."""
STATUS = {
    "add_action": 201,
    "add_action-of_unknown": 201,
    "add_action_contact": 201,
    "add_action_contact-refused": 422,
    "add_action_contact-to_confirm": 201,
    "add_action_contact-with_ref": 201,
    "confirm_link": 404,
    "confirm_link-code": 200,
    "create_stripe_object": 201,
    "get_challenge": 200,
    "get_openapi": 200,
    "get_page": 200,
    "link_actions": 202,
    "get_page-by_name": 200,
    "get_page-numbers": 200,
    "get_page-static": 200,
    "graphql": 200,
    "graphql-count": 200,
    "get_campaign": 200,
    "get_targets": 200,
    "get_campaign-by_name": 200,
    "get_campaign-numbers": 200,
    "get_campaign-actions": 200,
    "health": 200,
    "check_health": 403,
    "manage_templates": 200,
    "manage_services": 200,
    "manage_pages": 200,
    "manage_campaigns": 200,
    "manage_targets": 200,
    "manage_messages": 200,
    "manage_audits": 200,
    "read_statistics": 200,
    "manage_keys": 200,
    "lend_queue_credentials": 201,
    "account": 200,
    "manage_orgs": 200,
    "manage_staff": 200,
    "manage_confirms": 200,
    "manage_queues": 200,
    "read_queues": 200,
    "send_again": 200,
    "manage_exports": 200,
    "manage_erasures": 200,
}


def invoke(path: Path) -> Any:
    folder = path.stem.split("-")[0]
    name = "".join(word.title() for word in folder.split("_")) + "Function"
    return function(name)(json.loads(path.read_text()), LambdaContext(name, 28))


@pytest.fixture
def recorded_in(world: World) -> Iterator[World]:
    """Page 1 is an ordinary one, page 2 asks supporters to confirm, page 3 for proof of work. Page 1's org has Stripe,
    which it had not then: what came is the same.
    """
    bees = world.org("bees")
    world.page(bees, world.campaign(bees, "save_bees"), name="bees/en")
    birds = world.org("birds", supporter_confirm=True, custom_supporter_confirm=True)
    world.page(birds, world.campaign(birds, "save_birds"), name="birds/en")
    trees = world.org("trees")
    world.page(trees, world.campaign(trees, "save_trees", guards={"proof_of_work": True}), name="trees/en")
    ida = desk("ida@example.org", bees=Role.OWNER)
    tokens.add(ida.user, tokens.API, MANAGER, tokens.API_VALID_MS)
    with stripe_stub() as stub:
        services.add(bees.id, ServiceInput(name=ServiceName.STRIPE, host=stub.url), stub.key)
        yield world
        stripe._pool().clear()


def test_every_function_has_an_event() -> None:
    functions = {path.parent.name for path in (Path(__file__).parents[2] / "functions").glob("*/app.py")}
    assert {path.stem.split("-")[0] for path in EVENTS} == functions


ON_SCHEDULE = {
    "retain": {"people": 0, "contacts": 0, "mails": 0},
    "close_campaigns": {"closed": 0},
    "audit_counts-weekly": {"audits": 3},
    "watch": {"unread": 0, "told": 0},
    "sweep": {"woken": 0, "stuck": 0},
}
"""What functions on a schedule answer when nothing is to be done."""


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_event_runs(recorded_in: World, path: Path) -> None:
    event = json.loads(path.read_text())
    for record in event.get("Records", []):
        image = record.get("dynamodb", {}).get("NewImage")
        if image is None:
            continue
        table = "CatalogTable" if path.stem.startswith("emit_events") else "ActionsTable"
        unseen_client("dynamodb").put_item(TableName=recorded_in.tables[table], Item=image)
    answer = invoke(path)
    if path.stem.startswith("mail_events"):
        assert answer is None
    elif "Records" in event:
        assert answer == {"batchItemFailures": []}
    elif path.stem in ("remind", "schedule_target_mails"):
        assert not any(answer.values())
    elif path.stem in ON_SCHEDULE:
        assert answer == ON_SCHEDULE[path.stem]
    else:
        assert answer["statusCode"] == STATUS[path.stem]
