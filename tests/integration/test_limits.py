"""Crowds, hostile or not: nobody else's signature fails and no item grows without bound (design 4, 5)."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from proca_common.action_pages.context import page_context
from proca_common.action_pages.page import ActionPage
from proca_common.actions.input import AddActionContactInput, AddActionInput
from proca_common.actions.source import Source
from proca_common.contacts import Contact
from proca_common.ids import hour_of
from proca_common.intake import add
from proca_common.monitors import persons
from proca_common.monitors import store as stats
from proca_common.monitors.persons import MAX_MEMBERS
from proca_common.orgs.encryption import Encryptor
from proca_common.stages import decide, memberships
from proca_common.stages.binding import MAX_ACTIONS, MAX_WAITING
from proca_common.stages.deliver import CHUNK
from tests.harness.calls import calls, unseen_client
from tests.harness.interleave import run
from tests.world import SEED, World, signature

ITEM_LIMIT = 16_000  # bytes: far below DynamoDB's 400 KB, and what one write may cost
REF = "one-text-for-all"
VAULT = add.Vault(SEED, Encryptor())


def sign_directly(
    page: ActionPage, email: str = "ida.holm@example.org", action_type: str = "register", source: str = ""
) -> int:
    """A signature without the HTTP around it."""
    request = AddActionContactInput.model_validate_json(json.dumps(signature(email=email, action_type=action_type)))
    payload = {"firstName": "Ida", "email": email, "area": "DK"}
    contact = Contact(payload=payload, fingerprint_text=email, area="DK", first_name="Ida", email=email)
    origin = Source(source=source) if source else None
    return add.add_action_contact(page_context(page.id), request, contact, origin, None, VAULT).action


def share_directly(page: ActionPage, ref: str) -> int:
    request = AddActionInput.model_validate_json('{"action": {"actionType": "share"}}')
    return add.add_action(page_context(page.id), request, ref, None, None).action


def largest(world: World, table: str) -> int:
    """Bytes of the largest item of a table, about as DynamoDB counts them."""
    return max(len(json.dumps(item, default=repr)) for item in world.tables.all_items(table))


def run_with_figures(world: World, what: str) -> None:
    """Deliver all that waits, and print how long it took and how large the items are: the figures of `make soak`."""
    started = time.monotonic()
    world.run()
    sizes = ", ".join(f"{table} {largest(world, table)}" for table in ("ActionsTable", "StatsTable"))
    print(f"{what}: {time.monotonic() - started:.1f} s; bytes of the largest items: {sizes}")  # noqa: T201


def test_a_supporter_has_at_most_200_actions_and_nobody_else_is_affected(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    signed = world.sign(page)
    count_actions(world, MAX_ACTIONS - 1)
    assert world.act(page, signed.contact_ref).status == 201
    before = world.items()
    refused = world.act(page, signed.contact_ref)
    assert (refused.status, refused.body["type"]) == (429, "urn:proca:problem:too-many")
    assert int(refused.headers["Retry-After"]) > 0
    assert world.items() == before
    assert world.act(page, "bm9ib2R5").status == 201
    again = world.sign(page)  # a new supporter of the same person, with room of its own
    assert world.act(page, again.contact_ref).status == 201
    world.run()
    assert len(world.messages(org)) == 4
    assert world.numbers(page.campaign)["type:share"] == 2


def count_actions(world: World, number: int) -> None:
    """Let the one supporter have this many actions."""
    [supporter] = world.items("S#")
    unseen_client("dynamodb").update_item(
        TableName=world.tables["ActionsTable"],
        Key={"ref": {"S": supporter["ref"]}, "sk": {"S": supporter["sk"]}},
        UpdateExpression="SET actions = :number",
        ExpressionAttributeValues={":number": {"N": str(number)}},
    )


def test_at_most_80_actions_wait_for_a_supporter_and_all_go_on_together(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    for _ in range(MAX_WAITING - 1):
        share_directly(page, signed.contact_ref)
    assert world.act(page, signed.contact_ref).status == 429
    assert decide.accept_supporter(signed.action)
    assert world.act(page, signed.contact_ref).status == 201
    world.run()
    assert len(world.messages(org)) == MAX_WAITING + 1


def test_80_waiting_actions_are_rejected_together(world: World) -> None:
    page = world.page(world.org("ngo", custom_supporter_confirm=True))
    signed = world.sign(page)
    for _ in range(MAX_WAITING - 1):
        share_directly(page, signed.contact_ref)
    assert decide.reject_supporter(signed.action)
    world.run()
    assert Counter(action["status"] for action in world.items("A#")) == {"rejected": MAX_WAITING}
    assert not world.pending()


@pytest.mark.parametrize("crowd", [150, pytest.param(1_000, marks=pytest.mark.soak)])
def test_very_many_signatures_with_one_address_are_one_person(world: World, crowd: int) -> None:
    org = world.org("ngo")
    page = world.page(org)
    ids = [sign_directly(page) for _ in range(crowd)]
    bo = world.sign(page, email="bo.berg@example.org")
    run_with_figures(world, f"{crowd} signatures with one address")
    messages = world.bodies(org)
    ranks = sorted(message["contact"]["dupeRank"] for message in messages if message["actionId"] != bo.action)
    assert {message["actionId"] for message in messages} == {*ids, bo.action}
    assert ranks == list(range(crowd))
    statuses = Counter(action["status"] for action in world.items("A#"))
    assert statuses == {"delivered": 2, "repeat": crowd - 1}
    assert world.numbers(page.campaign) == {"persons:total": 2, f"org:{org.id}": 2, "area:DK": 2, "type:register": 2}
    members = max(world.items("M#"), key=lambda item: int(item["n"]))
    assert int(members["n"]) == crowd
    assert len(json.loads(members["members"])) == MAX_MEMBERS
    assert largest(world, "ActionsTable") < ITEM_LIMIT
    assert decide.reject_action(min(ids))
    assert world.numbers(page.campaign)["persons:total"] == 2  # the next one with this address counts now
    assert not world.pending()


@pytest.mark.parametrize("crowd", [500, pytest.param(10_000, marks=pytest.mark.soak)])
def test_thousands_of_unbound_actions_under_one_ref_hold_nobody_up(world: World, crowd: int) -> None:
    org = world.org("ngo")
    page = world.page(org)
    copy_unbound(world, share_directly(page, REF), crowd - 1)
    ida = world.sign(page, contactRef=REF)
    bo = world.sign(page, email="bo.berg@example.org", contactRef=REF)
    run_with_figures(world, f"linking among {crowd} unbound actions")
    owners = Counter(action.get("supporter") for action in world.items("A#") if action["with_consent"] is False)
    assert owners == {str(ida.action): 25, str(bo.action): 25, None: crowd - 50}
    assert len(world.messages(org)) == 52
    assert world.numbers(page.campaign)["type:share"] == 50
    assert largest(world, "ActionsTable") < ITEM_LIMIT


def copy_unbound(world: World, action: int, copies: int) -> None:
    """As many more unbound actions like this one, with lower ids: written as they are, because asking takes minutes."""
    stored = world.tables.all_items("ActionsTable")
    originals = [json.dumps(item) for item in stored if str(action) in f"{item['ref']} {item['sk']}"]
    ids = range(action - copies, action)
    items = [json.loads(text.replace(str(action), str(copy))) for copy in ids for text in originals]
    table = world.tables["ActionsTable"]
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        answer = unseen_client("dynamodb").batch_write_item(RequestItems={table: requests})
        assert not answer["UnprocessedItems"]


@pytest.mark.parametrize("kinds", [120, pytest.param(500, marks=pytest.mark.soak)])
def test_types_and_sources_are_counted_by_name_up_to_a_limit_and_the_rest_together(world: World, kinds: int) -> None:
    org = world.org("ngo")
    page = world.page(org)
    signed = [
        sign_directly(page, f"p{index}@example.org", f"type_{index:035}", f"source {index}") for index in range(kinds)
    ]
    run_with_figures(world, f"{kinds} types and sources")
    sign_directly(page, "bo.berg@example.org", "type_" + "0" * 35, "source 0")
    last = sign_directly(page, "ea.lund@example.org", "yet_another", "and another")
    world.run()
    assert len(world.messages(org)) == kinds + 2
    numbers = world.numbers(page.campaign)
    types = {name: number for name, number in numbers.items() if name.startswith("type:")}
    assert len(types) == stats.MAX_NAMES["type"] + 1
    assert types.pop("type:other") == kinds - stats.MAX_NAMES["type"] + 1
    assert sorted(types.values()) == [1] * 99 + [2]
    assert numbers["persons:total"] == kinds + 2
    hours = [stats.read_hour(page.campaign, hour) for hour in {*map(hour_of, signed), hour_of(last)}]
    sources = Counter[str]()
    for hour in hours:
        sources.update({name: number for name, number in hour.items() if name.startswith("source:")})
    assert (len(sources), sources.total()) == (stats.MAX_NAMES["source"] + 1, kinds + 2)
    assert largest(world, "StatsTable") < ITEM_LIMIT
    assert largest(world, "ActionsTable") < ITEM_LIMIT
    assert not world.pending()


@pytest.mark.usefixtures("world")
def test_of_two_new_types_at_once_only_one_gets_the_last_place() -> None:
    most = stats.MAX_NAMES["type"]
    for number in range(most - 1):
        stats.bounded(type_number(f"type_{number}"))
    outcome = run(lambda: stats.bounded(type_number("a")), lambda: stats.bounded(type_number("b")), "ABAB")
    names = {label.name for result in (outcome.a, outcome.b) for label in result.value}
    assert names in ({"a", stats.OTHER}, {"b", stats.OTHER})
    stats.forget()
    assert stats.bounded(type_number("c")) == type_number(stats.OTHER)
    assert stats.bounded(type_number("type_7")) == type_number("type_7")


def type_number(name: str) -> persons.Numbers:
    return Counter({persons.Label(5, "type", name): 1})


def test_a_batch_of_many_campaigns_fits_into_its_transactions(world: World) -> None:
    """25 signatures of 25 people in 25 campaigns write 100 items, which is what a transaction takes."""
    org = world.org("ngo")
    pages = [world.page(org, world.campaign(org, f"c{number}"), f"ngo/c{number}") for number in range(CHUNK + 1)]
    for number, page in enumerate(pages):
        sign_directly(page, f"p{number}@example.org", source="mail")
    with calls() as recorded:
        world.run()
    sizes = [len(call.params["TransactItems"]) for call in recorded.of("TransactWriteItems")]
    assert sizes == [4 * CHUNK, 4]
    assert len(world.messages(org)) == CHUNK + 1
    assert {world.numbers(page.campaign)["persons:total"] for page in pages} == {1}


def test_rejecting_takes_back_what_was_counted_as_other(world: World) -> None:
    page = world.page(world.org("ngo"))
    signed = [
        sign_directly(page, f"p{index}@example.org", f"type_{index}") for index in range(stats.MAX_NAMES["type"] + 2)
    ]
    world.run()
    assert world.numbers(page.campaign)["type:other"] == 2
    assert decide.reject_action(signed[-1])
    assert decide.reject_action(signed[0])
    numbers = world.numbers(page.campaign)
    assert numbers["type:other"] == 1
    assert sum(number for name, number in numbers.items() if name.startswith("type:")) == len(signed) - 2


def test_when_all_known_members_are_rejected_the_next_are_read_from_the_actions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (persons, memberships):
        monkeypatch.setattr(module, "MAX_MEMBERS", 2)
    lead = world.org("lead")
    campaign = world.campaign(lead)
    signers = [world.org(f"partner{number}") for number in range(5)]
    signed = []
    for number, org in enumerate(signers):
        page = world.page(org, campaign)
        signed.append(world.sign(page, country=f"A{'ABCDE'[number]}").action)
        world.act(page, world.sign(page, testing=True).contact_ref)  # neither a test nor a share makes a member
    world.run()
    for number, action in enumerate(signed):
        totals = {name: count for name, count in world.numbers(campaign).items() if not name.startswith("type:")}
        assert totals == {"persons:total": 1, f"org:{signers[number].id}": 1, f"area:A{'ABCDE'[number]}": 1}
        assert decide.reject_action(action)
    assert {name: count for name, count in world.numbers(campaign).items() if not name.startswith("type:")} == {}
    assert not world.pending()
