"""Messages to targets as the lead org sees them: all of them, the next ones, the uncertain ones (domain 9.10)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import claims, store
from proca_common.mtt.store import MailId
from proca_common.orgs.encryption import to_text
from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests import mtt
from tests.desks import Desk, desk
from tests.harness.context import LambdaContext
from tests.simulated import SimulatedTime
from tests.target_post import TargetPost, target_post
from tests.world import World, api_event, function

NOON_MS = 12 * 3_600_000
BELOW = "/v1/orgs/bees/campaigns/bees"


@pytest.fixture
def post(world: World, time: SimulatedTime) -> Iterator[TargetPost]:
    """It is just after noon."""
    time.now_ms += (NOON_MS - time.now_ms) % mtt.DAY_MS + 1_000
    with target_post(world) as made:
        yield made


@pytest.fixture
def org(world: World, post: TargetPost) -> Org:
    return world.org("bees", email_backend="smtp", email_from="mail@bees.example.org")


@pytest.fixture
def campaign(world: World, org: Org) -> Campaign:
    return mtt.campaign(world, org, dripDelivery=False)


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def delivered(post: TargetPost, time: SimulatedTime) -> None:
    post.world.run()
    time.forward(seconds=3)
    post.work()


def asked(who: Desk, path: str, **query: str) -> Any:
    answer = who.ask("GET", f"{BELOW}/{path}", query=query or None)
    assert answer.status == 200, answer.body
    return answer.body


def file(who: Desk, file_format: str) -> tuple[str, str]:
    """A part of a file, and its type."""
    said = {"Authorization": f"Bearer {who.token}"}
    event = api_event("GET", f"{BELOW}/messages", None, said, {"format": file_format})
    answer = function("ManageMessagesFunction")(event, LambdaContext("ManageMessagesFunction", 28))
    return answer["body"], answer["multiValueHeaders"]["Content-Type"][0]


def test_messages_are_taken_out_with_what_became_of_them(
    world: World, post: TargetPost, campaign: Campaign, org: Org, ida: Desk, time: SimulatedTime
) -> None:
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo")
    pages = [world.page(org, campaign, name=f"bees/{number}") for number in (1, 2)]
    first = mtt.write(world, pages[0], anna, bo).action
    delivered(post, time)
    second = mtt.write(world, pages[1], anna).action
    delivered(post, time)
    waiting = mtt.write(world, pages[1], bo, name="per", subject="=Bees").action

    rows = asked(ida, "messages")["items"]

    assert [(row["actionId"], row["targetName"], row["status"]) for row in rows] == [
        (first, "Anna", "unsent"),
        (first, "Bo", "unsent"),
        (waiting, "Bo", None),
    ]
    assert rows[0]["firstName"] == "Ida"
    assert (rows[0]["email"], rows[0]["subject"]) == ("ida@example.org", "Bees")
    everything = asked(ida, "messages", includeDuplicates="true")["items"]
    assert [row["status"] for row in everything if row["actionId"] == second] == ["dupe"]
    only = asked(ida, "messages", target=bo.id.upper())["items"]
    assert [row["actionId"] for row in only] == [first, waiting]


def test_messages_come_in_parts_that_go_through_the_targets_of_one_action(
    world: World, post: TargetPost, campaign: Campaign, org: Org, ida: Desk, time: SimulatedTime
) -> None:
    to = [mtt.target(campaign, name) for name in ("Anna", "Bo", "Carl")]
    page = world.page(org, campaign)
    for name in ("ida", "per"):
        mtt.write(world, page, *to, name=name)
    world.sign(page, email="siri@example.org")
    found, cursor, parts = [], None, 0
    while parts == 0 or cursor is not None:
        part = asked(ida, "messages", limit="2", **({} if cursor is None else {"cursor": cursor}))
        found += [(row["actionId"], row["target"]) for row in part["items"]]
        cursor, parts = part["next"], parts + 1
        assert parts < 10

    assert len(found) == len(set(found)) == 6
    assert found == sorted(found, key=lambda row: (row[0], [each.id for each in to].index(row[1])))


def test_a_table_has_no_formulas(world: World, campaign: Campaign, org: Org, ida: Desk) -> None:
    anna = mtt.target(campaign, "Anna")
    mtt.write(world, world.page(org, campaign), anna, subject="=1+1", body='a, "b"\nc')
    text, kind = file(ida, "csv")

    assert kind.startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["msg_subject"], row["msg_body"]) == ("'=1+1", 'a, "b"\nc')
    assert list(row)[:9] == [
        *("first_name", "last_name", "email", "area", "campaign_name", "target_name", "msg_subject", "msg_body"),
        "created_at",
    ]
    [line] = file(ida, "ndjson")[0].splitlines()
    assert json.loads(line)["subject"] == "=1+1"


def test_what_is_not_kept_is_not_there(world: World, campaign: Campaign, org: Org, ida: Desk) -> None:
    answer = mtt.write(world, world.page(org, campaign), mtt.target(campaign, "Anna"))
    item = store.read_message(answer.contact_ref, answer.action)
    assert item is not None
    item.update(actions=[store.MessageItem.sender.remove()])

    [row] = asked(ida, "messages")["items"]
    assert (row["email"], row["firstName"], row["subject"]) == (None, None, "Bees")


def test_what_goes_next_is_shown_and_not_planned_by_looking(
    world: World, post: TargetPost, campaign: Campaign, org: Org, ida: Desk, time: SimulatedTime
) -> None:
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo", emails=[])
    page = world.page(org, campaign)
    actions = [mtt.write(world, page, anna, bo, name=name).action for name in ("ida", "per")]
    delivered(post, time)

    found = asked(ida, "mtt/next")

    assert (found["paused"], found["count"]) == (False, 2)
    assert (found["waiting"], found["unreachable"]) == (4, 2)
    end = datetime.fromisoformat(str((campaign.mtt or {})["endAt"]))
    assert found["expiresAt"] == f"{end + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    assert [each["actionId"] for each in found["items"]] == sorted(actions)
    assert {each["target"] for each in found["items"]} == {anna.id}
    assert found["items"][0]["at"] < found["items"][1]["at"]
    assert not [item for item in world.items("numbers") if "planned" in item]


def test_uncertain_mails_are_listed_in_parts(
    world: World, post: TargetPost, campaign: Campaign, org: Org, ida: Desk, time: SimulatedTime
) -> None:
    anna = mtt.target(campaign, "Anna")
    page = world.page(org, campaign)
    actions = [mtt.write(world, page, anna, name=name).action for name in ("ida", "per", "siri")]
    delivered(post, time)
    for action in actions:
        mail = MailId(campaign.id, anna.id, action)
        item = store.read_mail(mail)
        assert item is not None
        claims.claim(mail, item)
        time.forward(seconds=1)
    assert asked(ida, "mtt/uncertain")["items"] == []

    time.forward(minutes=61)
    post.schedule()
    part = asked(ida, "mtt/uncertain", limit="2")
    rest = asked(ida, "mtt/uncertain", limit="2", cursor=part["next"])
    assert [each["actionId"] for each in (*part["items"], *rest["items"])] == sorted(actions)
    assert rest["next"] is None
    assert post.numbers(campaign.id, anna.id) == {"total": 3, "taken": 3, "uncertain": 3}


@pytest.mark.parametrize(("path", "status"), [("messages", 403), ("mtt/next", 200), ("mtt/uncertain", 200)])
def test_only_who_may_export_sees_what_was_written(campaign: Campaign, path: str, status: int) -> None:
    coordinator = desk("per@example.org", bees=Role.COORDINATOR)
    assert coordinator.ask("GET", f"{BELOW}/{path}").status == status


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"cursor": "x"}, {"format": "xls"}, {"target": "x"}, {"email": "a@example.org"}]
)
def test_what_cannot_be_asked(campaign: Campaign, ida: Desk, query: dict[str, str]) -> None:
    assert ida.ask("GET", f"{BELOW}/messages", query=query).status == 422


def test_after_all_there_could_be_nothing_comes(campaign: Campaign, ida: Desk) -> None:
    beyond = to_text(b"9999999999999999.9999999999999999")
    assert asked(ida, "messages", cursor=beyond) == {"items": [], "next": None}


def test_a_campaign_without_messages_has_none_to_come(world: World, org: Org, ida: Desk) -> None:
    world.campaign(org)
    assert ida.ask("GET", f"{BELOW}/mtt/next").status == 404
