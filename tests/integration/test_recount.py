"""The recount sees whatever is wrong: a world is spoiled in one place, and is no longer sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proca_common.aws.dynamo import Transaction
from proca_common.monitors import extra, feed
from proca_common.stages import decide
from tests.coalition import Coalition, Petition, clear
from tests.harness.calls import unseen_client
from tests.recount import assert_sound
from tests.world import World


@pytest.fixture
def petition(world: World) -> Petition:
    petition = Coalition(world).petition()
    petition.crowd()
    world.act(petition.page, "somebody", "share")
    world.run()
    assert_sound(world, petition.campaign)
    return petition


def item(petition: Petition, kind: str) -> dict[str, Any]:
    """One item of this kind of somebody who counts, in DynamoDB's form."""
    items = petition.world.tables.all_items("ActionsTable")
    bound = [each for each in items if each.get("status", {}).get("S") == "delivered" and not each["testing"]["BOOL"]]
    of_kind = [each for each in items if each["kind"]["S"] == kind]
    return next(each for each in of_kind if kind == "id" or each["ref"] == bound[0]["ref"])


def put(petition: Petition, changed: dict[str, Any]) -> None:
    unseen_client("dynamodb").put_item(TableName=petition.world.tables["ActionsTable"], Item=changed)


def delete(petition: Petition, gone: dict[str, Any]) -> None:
    key = {name: gone[name] for name in ("ref", "sk")}
    unseen_client("dynamodb").delete_item(TableName=petition.world.tables["ActionsTable"], Key=key)


def fill(world: World, table: str, items: list[dict[str, Any]]) -> None:
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": each}} for each in items[start : start + 25]]
        unseen_client("dynamodb").batch_write_item(RequestItems={world.tables[table]: puts})


def count(petition: Petition, sk: str, number: str) -> None:
    unseen_client("dynamodb").update_item(
        TableName=petition.world.tables["StatsTable"],
        Key={"pk": {"S": f"{petition.campaign.id}#3"}, "sk": {"S": sk}},
        UpdateExpression="ADD #number :one",
        ExpressionAttributeNames={"#number": number},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def count_extra(petition: Petition) -> None:
    changes = Transaction()
    extra.add(changes, petition.campaign.id, {petition.page.org: 1})
    changes.commit()


def hide(petition: Petition) -> None:
    [shown, *_] = feed.newest(petition.campaign.id, "register", None, 1)
    changes = Transaction()
    feed.remove(changes, petition.campaign.id, "register", shown.id)
    changes.commit()


WRONG: dict[str, Callable[[Petition], None]] = {
    "a person too many": lambda p: count(p, "total", "persons:total"),
    "an area too many": lambda p: count(p, "total", "area:DK"),
    "a type too many in an hour": lambda p: count(p, "hour#2024-02-29T07", "type:share"),
    "a person too many in an hour": lambda p: count(p, "hour#2024-02-29T07", "persons:total"),
    "somebody extra": count_extra,
    "a comment is not shown": hide,
    "a supporter counts an action too many": lambda p: put(p, item(p, "supporter") | {"actions": {"N": "9"}}),
    "a supporter waits for nothing": lambda p: put(p, item(p, "supporter") | {"waiting": {"N": "1"}}),
    "an action became a repeat": lambda p: put(p, item(p, "action") | {"status": {"S": "repeat"}}),
    "an action is on its way without a stage": lambda p: put(p, item(p, "action") | {"status": {"S": "accepted"}}),
    "an action waits for nobody": lambda p: put(p, item(p, "action") | {"status": {"S": "new"}}),
    "a stage without the rest": lambda p: put(p, item(p, "action") | {"stage": {"S": "deliver"}}),
    "an action outside of its campaign": lambda p: put(p, item(p, "action") | {"campaign_bucket": {"S": "7#7"}}),
    "a bound action expires": lambda p: put(p, item(p, "action") | {"expires": {"N": "9999999999"}}),
    "an action is gone": lambda p: delete(p, item(p, "action")),
    "an id is gone": lambda p: delete(p, item(p, "id")),
    "a supporter is gone": lambda p: delete(p, item(p, "supporter")),
    "a contact is gone": lambda p: delete(p, item(p, "contact")),
    "a membership is gone": lambda p: delete(p, item(p, "membership")),
    "a member too many": lambda p: put(p, item(p, "membership") | {"n": {"N": "9"}}),
    "a member unknown": lambda p: put(p, item(p, "membership") | {"members": {"S": "{}"}}),
}


def is_seen(petition: Petition) -> bool:
    try:
        assert_sound(petition.world, petition.campaign)
    except AssertionError:
        return True
    return False


def test_all_that_is_wrong_is_seen(petition: Petition) -> None:
    world = petition.world
    sound = {table: world.tables.all_items(table) for table in ("ActionsTable", "StatsTable")}
    unseen = []
    for name, spoil in WRONG.items():
        spoil(petition)
        if not is_seen(petition):
            unseen.append(name)
        clear(world)
        for table, items in sound.items():
            fill(world, table, items)
    assert not unseen
    assert not is_seen(petition)


@pytest.fixture
def held(world: World) -> Petition:
    """Somebody signed, shared, and is held; two others are not held any more."""
    pattern = {"id": 7, "kind": "domain", "pattern": "spam.example.org", "action": "hold"}
    petition = Coalition(world).petition(guards={"patterns": [pattern]})
    petition.crowd()
    signed = [world.sign(petition.page, email=f"{name}@spam.example.org") for name in ("ida", "ola", "eva")]
    for each in signed:
        world.act(petition.page, each.contact_ref, "share")
    assert decide.release_supporter(signed[1].action)
    assert decide.refuse_supporter(signed[2].action)
    world.run()
    return petition


def of_held(petition: Petition, kind: str) -> dict[str, Any]:
    """An item of this kind of whoever is held: the signature, if it is an action."""
    items = petition.world.tables.all_items("ActionsTable")
    return next(each for each in items if each["kind"]["S"] == kind and "held" in each)


HELD_WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "held without a list": lambda item: {name: value for name, value in item.items() if name != "pending"},
    "held by nothing": lambda item: {name: value for name, value in item.items() if name != "held"},
    "held by another pattern": lambda item: {**item, "held": {"N": "8"}},
    "held, and on its way": lambda item: {**item, "status": {"S": "accepted"}},
    "held, and still to be sent": lambda item: {**item, "stage": {"S": "deliver"}},
    "held where the sweep sees it": lambda item: {**item, "pending": {"S": "emit#7"}},
}


def test_what_is_held_is_sound_and_owes_nothing(held: Petition) -> None:
    assert_sound(held.world, held.campaign)


@pytest.mark.parametrize("spoil", HELD_WRONG.values(), ids=HELD_WRONG)
def test_all_that_is_wrong_with_what_is_held_is_seen(
    held: Petition, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    put(held, spoil(of_held(held, "action")))
    assert is_seen(held)


def test_a_held_supporter_that_was_accepted_is_seen(held: Petition) -> None:
    put(held, of_held(held, "supporter") | {"status": {"S": "accepted"}})
    assert is_seen(held)


def test_what_is_owed_is_seen_unless_it_is_expected(world: World) -> None:
    petition = Coalition(world).petition()
    action = petition.sign("ida").action
    with pytest.raises(AssertionError, match="still owes deliver"):
        assert_sound(world, petition.campaign)
    assert_sound(world, petition.campaign, owed=[action])
