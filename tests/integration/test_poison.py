"""A record that cannot be worked on: the others get through, somebody is told, and it follows once it is healed."""

import logging
from typing import Any

import pytest

from proca_common.pipes.routing import Queue
from tests.coalition import Coalition, Petition, message_ids, spoil
from tests.harness.calls import calls, unseen_client
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import World

BATCH = ("ida", "per", "siri", "liv", "odd", "pia", "ole")
POISONED = 3


class Poison:
    """Something that is wrong with one action, and is put right later."""

    def __init__(self, petition: Petition, action: int) -> None:
        self.petition, self.world, self.action = petition, petition.world, action
        [self.item] = [item for item in self.items("ActionsTable") if item["sk"]["S"] == f"A#{action:016d}"]

    def items(self, table: str) -> list[dict[str, Any]]:
        return self.world.tables.all_items(table)

    def put(self, table: str, item: dict[str, Any]) -> None:
        unseen_client("dynamodb").put_item(TableName=self.world.tables[table], Item=item)


class BrokenFields(Poison):
    """The custom fields are no JSON."""

    def set(self) -> None:
        spoil(self.world, self.action, "fields", {"S": "{"})

    def heal(self) -> None:
        spoil(self.world, self.action, "fields", {"S": "{}"})


class UnknownStatus(Poison):
    """A status that no version of the code knows."""

    def set(self) -> None:
        spoil(self.world, self.action, "status", {"S": "lost"})

    def heal(self) -> None:
        spoil(self.world, self.action, "status", {"S": "accepted"})


class MessageCannotBeBuilt(Poison):
    """Custom fields that no message may have."""

    def set(self) -> None:
        spoil(self.world, self.action, "fields", {"S": '{"deep": {"down": {}}}'})

    def heal(self) -> None:
        spoil(self.world, self.action, "fields", {"S": '{"deep": "down"}'})


class MissingPage(Poison):
    """The page of the action is not in the catalogue."""

    def set(self) -> None:
        page = str(self.petition.partner_page.id)
        [self.page] = [item for item in self.items("CatalogTable") if item["pk"]["S"] == f"page#{page}"]
        key = {name: self.page[name] for name in ("pk", "sk")}
        unseen_client("dynamodb").delete_item(TableName=self.world.tables["CatalogTable"], Key=key)
        self.world.forget()

    def heal(self) -> None:
        self.put("CatalogTable", self.page)


class BrokenContact(Poison):
    """The contact is no JSON."""

    def set(self) -> None:
        contacts = [item for item in self.items("ActionsTable") if item["ref"] == self.item["ref"]]
        [self.contact] = [item for item in contacts if item["kind"]["S"] == "contact"]
        self.put("ActionsTable", self.contact | {"clear": {"S": "{"}})

    def heal(self) -> None:
        self.put("ActionsTable", self.contact)


class BrokenSupporter(Poison):
    """The supporter cannot be read."""

    def set(self) -> None:
        found = [item for item in self.items("ActionsTable") if item["ref"] == self.item["ref"]]
        [self.supporter] = [item for item in found if item["kind"]["S"] == "supporter"]
        self.put("ActionsTable", self.supporter | {"status": {"S": "lost"}})

    def heal(self) -> None:
        self.put("ActionsTable", self.supporter)


class NumberIsText(Poison):
    """A number cannot be added to, so that every transaction with this action is refused."""

    def set(self) -> None:
        campaign, org = self.petition.campaign.id, self.petition.partner_page.org
        self.number = f"org:{org}"
        for shard in range(16):
            total = {"pk": {"S": f"{campaign}#{shard}"}, "sk": {"S": "total"}}
            self.put("StatsTable", total | {self.number: {"S": "many"}})

    def heal(self) -> None:
        for item in self.items("StatsTable"):
            if item.pop(self.number, None):
                self.put("StatsTable", item)


POISONS = [NumberIsText, BrokenFields, UnknownStatus, MessageCannotBeBuilt, MissingPage, BrokenContact, BrokenSupporter]


@pytest.mark.parametrize("kind", POISONS)
def test_the_others_get_through_and_it_follows_when_it_is_healed(
    world: World, time: SimulatedTime, kind: type[Any], caplog: pytest.LogCaptureFixture
) -> None:
    coalition = Coalition(world, {"key": False}, {"key": False})
    petition = coalition.petition()
    actions = [petition.sign(name, partner=number == POISONED, lead=False).action for number, name in enumerate(BATCH)]
    poison = kind(petition, actions[POISONED])
    poison.set()
    others = set(actions) - {poison.action}

    world.run()
    assert {int(item["id"]) for item in world.items("A#") if item["status"] == "delivered"} == others
    assert message_ids(world, coalition.lead).keys() == {f"{action}.deliver.{coalition.lead.id}" for action in others}
    given_up = world.streams.failures[world.deliver]
    assert {document["requestContext"]["condition"] for document in given_up} == {"RetryAttemptsExhausted"}
    assert positions(world, poison.action) >= {
        document["DDBStreamBatchInfo"]["startSequenceNumber"] for document in given_up
    }

    for attempt in range(1, 6):
        time.to_next_sweep()
        assert world.sweep() == {"woken": 1, "stuck": 0}, attempt
        world.run()
    time.forward(minutes=2)
    with caplog.at_level(logging.ERROR):
        assert world.sweep() == {"woken": 0, "stuck": 1}
    [named] = [record for record in caplog.records if record.message == "actions are stuck"]
    assert named.actions == [poison.action]

    poison.heal()
    world.forget()
    time.forward(hours=6)
    assert world.sweep() == {"woken": 1, "stuck": 1}
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert stored.actions[poison.action]["status"] == "delivered"
    assert message_ids(world, coalition.partner).keys() == {f"{poison.action}.deliver.{coalition.partner.id}"}


def positions(world: World, action: int) -> set[str]:
    """The sequence numbers of the action's stream records."""
    mine = [record for record in world.streams.records() if record["dynamodb"]["Keys"]["sk"]["S"] == f"A#{action:016d}"]
    return {record["dynamodb"]["SequenceNumber"] for record in mine}


def test_a_confirm_stage_that_cannot_be_sent_holds_up_no_other(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world, {"custom_action_confirm": True})
    petition = coalition.petition()
    first, poisoned, last = (petition.sign(name).action for name in BATCH[:3])
    poison = MessageCannotBeBuilt(petition, poisoned)
    poison.set()
    world.run()
    asked = {f"{action}.action_confirm.{coalition.lead.id}" for action in (first, last)}
    assert message_ids(world, coalition.lead, Queue.CONFIRM_ACTION).keys() == asked
    assert len(world.streams.failures[world.confirm]) == 1
    poison.heal()
    time.recover()
    assert_sound(world, petition.campaign)
    asked = {f"{poisoned}.action_confirm.{coalition.lead.id}"}
    assert message_ids(world, coalition.lead, Queue.CONFIRM_ACTION).keys() == asked


def test_an_earlier_action_that_is_half_expired_holds_up_no_other(world: World, time: SimulatedTime) -> None:
    """Items expire one by one, and the id item may be the first to go."""
    petition = Coalition(world).petition()
    expiring, waiting = (world.act(petition.page, "earlier", "share").action for _ in range(2))
    items = {item["ref"]["S"]: item for item in world.tables.all_items("ActionsTable")}
    delete(world, items[f"id#{expiring}"])
    time.forward(seconds=5)
    signature = petition.sign("ida", contactRef="earlier").action
    world.run()
    assert world.action(waiting)["supporter"] == str(signature)
    [left] = [item for item in world.tables.all_items("ActionsTable") if item.get("id") == {"N": str(expiring)}]
    delete(world, left)
    assert_sound(world, petition.campaign)
    assert not world.streams.failures[world.deliver]


def delete(world: World, item: dict[str, Any]) -> None:
    key = {name: item[name] for name in ("ref", "sk")}
    unseen_client("dynamodb").delete_item(TableName=world.tables["ActionsTable"], Key=key)


def test_a_batch_that_is_too_large_for_one_transaction_takes_two(world: World) -> None:
    """Transient fields are wiped with the delivery, so 25 signatures for two orgs in clear are 102 writes."""
    coalition = Coalition(world, {"key": False}, {"key": False})
    petition = coalition.petition(transient_actions=("register:note",))
    for number in range(25):
        petition.sign(f"person{number}", partner=True, fields={"note": "not for long"})
    with calls() as recorded:
        world.run()
    assert len(recorded.of("TransactWriteItems")) == 2
    assert_sound(world, petition.campaign)
    assert len(coalition.received()) == 50
