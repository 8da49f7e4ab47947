"""What happened in the catalogue reaches whoever is to hear of it, sooner or later (domain 5.5 to 5.7, 7.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.admin.__main__ import main
from proca_common.aws import dynamo
from proca_common.aws.dynamo import CatalogItem, Transaction
from proca_common.aws.errors import CloudError
from proca_common.campaigns import store as campaigns
from proca_common.catalog import happenings, items
from proca_common.catalog.happenings import EventItem
from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import Confirm
from proca_common.events.messages import json_schemas
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes import topology
from proca_common.pipes.routing import Queue
from proca_common.users import store as users
from tests.disasters import kills, mishaps
from tests.harness.calls import unseen_client
from tests.harness.faults import Killed, faults
from tests.harness.interleave import probe
from tests.simulated import SimulatedTime
from tests.world import World

HEARING = {"event_queue": True}
TWITTER = {"name": "Lakes", "screen_name": "lakes", "followers_count": 12, "url": 17, "secret": "x"}


@pytest.fixture
def lead(world: World, time: SimulatedTime) -> Org:
    return world.org("riverwatch", **HEARING)


@pytest.fixture
def instance(world: World, time: SimulatedTime) -> Org:
    """The instance's org, which hears of what is for it."""
    hearing(world, event_queue=True)
    return orgs.get(world.instance.org)


def hearing(world: World, **settings: Any) -> None:
    orgs.replace(orgs.get(world.instance.org).model_copy(update=settings))
    topology.sync(world.prefix, orgs.get(world.instance.org))


def told(world: World, org: Org, queue: Queue = Queue.EVENT) -> list[dict[str, Any]]:
    """The events in a queue, each validated by `World.bodies`, after the functions did their work."""
    world.run()
    return world.bodies(org, queue)


def owed(world: World) -> list[dict[str, Any]]:
    """The events that are not told yet."""
    return [item for item in world.tables.all_items("CatalogTable") if item["pk"] == {"S": "events"}]


def commit(*happened: Any) -> None:
    transaction = Transaction()
    for each in happened:
        each(transaction)
    items.commit(transaction)


def partner_page(world: World, lead: Org) -> ActionPage:
    """A page of a partner in a campaign of the lead."""
    partner = world.org("lakefriends", config={"twitter": TWITTER})
    return world.page(partner, world.campaign(lead, "clean_rivers", external_id=5501))


# --- 5.5


def test_the_lead_hears_that_its_campaign_was_changed_but_not_that_it_was_added(world: World, lead: Org) -> None:
    config = {"hero": {"image_url": "https://cdn.example.org/x.png"}, "locales": {"sv": {"intro_text": "Hej"}}}
    campaign = world.campaign(lead, "clean_rivers", external_id=5501, config=config)
    assert told(world, lead) == []
    campaigns.replace(campaign.model_copy(update={"title": "Clean rivers now"}))
    world.run()
    [message] = world.received(lead, Queue.EVENT)
    event = json.loads(message["Body"])
    assert event.pop("timestamp")
    assert event == {
        "schema": "proca:event:2",
        "eventType": "campaign_updated",
        "campaignId": campaign.id,
        "orgId": lead.id,
        "campaign": {
            "id": campaign.id,
            "name": "clean_rivers",
            "externalId": 5501,
            "title": "Clean rivers now",
            "contactSchema": "basic",
            "config": config,
            "org": {"name": "riverwatch", "title": "Riverwatch"},
        },
    }
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes.pop("MessageId").endswith(f".campaign_updated.{lead.id}")
    assert attributes == {
        "Schema": "proca:event:2",
        "EventType": "campaign_updated",
        "CampaignName": "clean_rivers",
        "OrgName": "riverwatch",
    }
    assert owed(world) == []


def test_a_change_that_is_refused_is_not_told(world: World, lead: Org) -> None:
    campaign = world.campaign(lead, "one")
    world.campaign(lead, "two")
    with pytest.raises(Exception, match="taken"):
        campaigns.replace(campaign.model_copy(update={"name": "two"}))
    assert told(world, lead) == []


def test_where_nobody_wants_to_hear_nothing_is_left(world: World, time: SimulatedTime) -> None:
    org = world.org("deaf")
    campaigns.replace(world.campaign(org))
    assert len(owed(world)) == 1
    world.run()
    assert owed(world) == []
    assert world.bodies(org) == []


def test_an_event_about_something_that_is_gone_is_dropped(world: World, lead: Org) -> None:
    campaign = campaigns.replace(world.campaign(lead))
    campaigns.delete(campaign)
    assert told(world, lead) == []
    assert owed(world) == []


@pytest.mark.parametrize(
    ("settings", "queue"),
    [({"event_queue": True}, Queue.EVENT), ({"event_queue": True, "custom_event_deliver": True}, Queue.DELIVER)],
)
def test_an_org_that_wants_one_stream_hears_there(
    world: World, time: SimulatedTime, settings: dict[str, bool], queue: Queue
) -> None:
    org = world.org("ngo", **settings)
    campaigns.replace(world.campaign(org))
    assert [event["eventType"] for event in told(world, org, queue)] == ["campaign_updated"]


def test_an_org_with_a_backend_is_pushed_to(world: World, time: SimulatedTime) -> None:
    org = world.org("ngo", event_backend="webhook")
    campaigns.replace(world.campaign(org))
    world.run()
    [order] = world.orders("push")
    assert (order["org"], order["backend"]) == (org.id, "event")
    assert json.loads(order["body"])["eventType"] == "campaign_updated"
    assert order["attributes"]["MessageId"] == order["id"]
    assert all(order["attributes"].values())


def test_the_instance_hears_of_all_if_it_wants_to(world: World, lead: Org, instance: Org) -> None:
    campaign = campaigns.replace(world.campaign(lead))
    assert told(world, instance) == []
    hearing(world, instance_events=True)
    campaigns.replace(campaign)
    [event] = told(world, instance)
    assert event["campaignId"] == campaign.id
    assert len(world.bodies(lead, Queue.EVENT)) == 2


# --- 5.6


def test_the_lead_hears_that_a_page_is_to_be_launched(world: World, lead: Org, instance: Org) -> None:
    page = partner_page(world, lead)
    creator = users.create("tom@partner.example.org", None)
    wanted = Confirm(
        code="",
        operation="launch_page",
        subject=page.campaign,
        object=page.id,
        message="please add us",
        creator=creator.id,
    )
    confirm = confirms.create(wanted)
    [event] = told(world, lead)
    assert event.pop("timestamp")
    link = f"https://api.example.org/v1/link/%s/{confirm.code}?id={page.id}"
    assert event == {
        "schema": "proca:event:2",
        "eventType": "confirm_created",
        "confirm": {
            "operation": "launch_page",
            "email": "",
            "message": "please add us",
            "subjectId": page.campaign,
            "objectId": page.id,
            "code": confirm.code,
            "creator": {"email": "tom@partner.example.org", "jobTitle": None},
            "acceptLink": link % "accept",
            "rejectLink": link % "reject",
            "campaign": {"name": "clean_rivers", "title": "Clean_Rivers"},
            "org": {
                "name": "lakefriends",
                "title": "Lakefriends",
                "twitter": {
                    "name": "Lakes",
                    "screenName": "lakes",
                    "picture": None,
                    "description": None,
                    "url": None,
                    "followersCount": 12,
                },
            },
        },
    }
    assert told(world, instance) == []


def test_the_instance_hears_of_an_invitation(world: World, lead: Org, instance: Org) -> None:
    wanted = Confirm(code="", operation="add_staffer", subject=lead.id, object=1_541_760, email="new@lead.example.org")
    confirm = confirms.create(wanted)
    [event] = told(world, instance)
    said = event["confirm"]
    assert said["org"] == {"name": "riverwatch", "title": "Riverwatch"}
    assert (said["creator"], said["message"], said["objectId"]) == ({}, "", 1_541_760)
    assert said["acceptLink"].endswith(f"/link/accept/{confirm.code}?email=new%40lead.example.org")
    assert "campaign" not in said
    assert told(world, lead) == []


def test_the_instance_hears_of_operations_without_more_to_say(world: World, instance: Org) -> None:
    confirms.create(Confirm(code="", operation="confirm_action", subject=17, creator=999))
    [event] = told(world, instance)
    assert event["confirm"]["objectId"] == ""
    assert event["confirm"]["creator"] == {}, "whoever it was is gone"
    assert not {"org", "campaign"} & event["confirm"].keys()


@pytest.mark.parametrize("about", [{"subject": 1}, {"subject": 1, "object": 999_999}])
def test_a_page_that_does_not_exist_is_no_event(world: World, lead: Org, instance: Org, about: dict[str, int]) -> None:
    confirms.create(Confirm(code="", operation="launch_page", **about))
    assert told(world, instance) == told(world, lead) == []
    assert owed(world) == []


# --- 5.7


def test_the_instance_hears_of_a_new_user(world: World, instance: Org) -> None:
    commit(lambda along: happenings.new_user(along, "ann.smith@example.org"))
    world.run()
    [message] = world.received(instance, Queue.EVENT)
    said = json.loads(message["Body"])
    assert said["contact"] == {
        "firstName": "ann.smith",
        "email": "ann.smith@example.org",
        "contactRef": None,
        "dupeRank": 0,
        "area": None,
    }
    nothing = ("org", "orgId", "campaign", "campaignId", "actionPage", "actionPageId", "actionId", "personalInfo")
    assert {said[name] for name in nothing} == {None}
    assert (said["privacy"], said["tracking"]) == ({}, {})
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (attributes["Schema"], attributes["Stage"]) == ("proca:action:2", "system")
    assert attributes["EventType"] == attributes["ActionType"] == "new_user"


def test_the_instance_hears_of_a_new_org(
    world: World, instance: Org, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable, name in world.tables.environment.items():
        monkeypatch.setenv(variable, name)
    assert main(["--json", "org", "create", "newcomers", "--encryption", "clear"]) == 0
    made = json.loads(capsys.readouterr().out)
    [said] = told(world, instance)
    assert (said["eventType"], said["stage"], said["orgId"]) == ("new_org", "system", made["id"])
    assert said["org"] == {"name": "newcomers", "title": "newcomers"}
    assert said["contact"]["email"] is None, "an operator did it"
    assert said["action"]["actionType"] == "new_org"


def test_the_lead_hears_that_a_partner_joined(world: World, lead: Org, instance: Org) -> None:
    page = partner_page(world, lead)
    commit(lambda along: happenings.join_campaign(along, page.id, "tom@partner.example.org"))
    [said] = told(world, lead)
    assert (said["eventType"], said["actionPageId"], said["campaignId"]) == ("join_campaign", page.id, page.campaign)
    assert said["orgId"] == page.org
    assert said["contact"]["firstName"] == "tom"
    assert said["campaign"]["externalId"] == 5501
    assert said["actionPage"]["locale"] == "en"
    assert told(world, instance) == []


def test_nobody_hears_that_a_partner_joined_by_itself(world: World, lead: Org) -> None:
    page = partner_page(world, lead)
    transaction = Transaction()
    happenings.join_campaign(transaction, page.id, None)
    assert not len(transaction)


def test_each_event_has_a_schema() -> None:
    assert set(json_schemas()) == {
        "proca-event-2-campaign_updated",
        "proca-event-2-confirm_created",
        "proca-event-2-supporter.erased",
        "proca-action-2-system",
    }


# --- nothing is lost


def test_an_org_whose_queue_is_gone_hears_later_and_nobody_twice(
    world: World, lead: Org, instance: Org, time: SimulatedTime
) -> None:
    hearing(world, instance_events=True)
    campaign = world.campaign(lead)
    topology.remove(world.prefix, lead.id)
    campaigns.replace(campaign)
    assert len(told(world, instance)) == 1
    waits = []
    for _ in range(7):
        [event] = owed(world)
        assert event["owed"] == {"SS": [f"{lead.id}/event"]}
        waits.append((int(event["due"]["N"]) - time.now_ms) / 60_000)
        time.now_ms = int(event["due"]["N"]) + 61_000
        world.sweep()
        world.run()
    for wait, least in zip(waits, [1, 2, 4, 8, 16, 360, 360], strict=True):
        assert least <= wait <= least * 1.1
    topology.sync(world.prefix, lead)
    recover(world, time)
    assert len(world.bodies(lead, Queue.EVENT)) == 1
    assert told(world, instance) == []


def test_an_org_that_does_not_want_to_hear_any_more_is_not_waited_for(
    world: World, lead: Org, time: SimulatedTime
) -> None:
    topology.remove(world.prefix, lead.id)
    campaigns.replace(world.campaign(lead))
    world.run()
    orgs.replace(orgs.get(lead.id).model_copy(update={"event_queue": False}))
    recover(world, time)
    assert owed(world) == []


def test_what_the_stream_lost_is_woken_by_the_sweep(world: World, lead: Org, time: SimulatedTime) -> None:
    for _ in range(3):
        campaigns.replace(world.campaign(lead, f"campaign{_}"))
    lose_records(world)
    world.sweep()
    assert told(world, lead) == [], "not overdue yet"
    time.forward(seconds=61)
    world.sweep()
    assert len(told(world, lead)) == 3
    assert owed(world) == []


def test_what_cannot_be_told_is_named_and_tried_every_six_hours(
    world: World, lead: Org, time: SimulatedTime, caplog: pytest.LogCaptureFixture
) -> None:
    campaigns.replace(world.campaign(lead))
    [event] = owed(world)
    dynamo.update(
        EventItem("events", event["sk"]["S"]), [EventItem.event_type.set("of another time")], CatalogItem.pk.exists()
    )
    for _ in range(6):
        time.forward(minutes=2)
        world.sweep()
        lose_records(world)
    caplog.clear()
    time.forward(minutes=2)
    world.sweep()
    assert "events of the catalogue are stuck" in caplog.text
    [event] = owed(world)
    assert event["attempt"] == {"N": "5"}
    time.forward(hours=6)
    world.sweep()
    [event] = owed(world)
    assert event["attempt"] == {"N": "6"}


@pytest.mark.parametrize("disasters", [kills, mishaps])
def test_whatever_happens_all_are_told(world: World, lead: Org, time: SimulatedTime, disasters: Any) -> None:
    campaign = world.campaign(lead)
    mapping = world.catalog_streams.mappings[0]

    def step() -> None:
        world.catalog_streams.step(mapping)

    campaign = campaigns.replace(campaign)
    recorded = probe(step)
    world.run()
    world.bodies(lead, Queue.EVENT)
    for name, disaster in disasters(recorded):
        campaign = campaigns.replace(campaign)
        try:
            with faults(disaster):
                step()
        except (Killed, CloudError):
            world.forget()
        recover(world, time)
        ids = {
            message["MessageAttributes"]["MessageId"]["StringValue"] for message in world.received(lead, Queue.EVENT)
        }
        assert len(ids) == 1, name
        assert owed(world) == [], name


def test_a_broken_event_does_not_hold_up_the_others(world: World, lead: Org, time: SimulatedTime) -> None:
    campaigns.replace(world.campaign(lead))
    unseen_client("dynamodb").put_item(
        TableName=world.tables["CatalogTable"],
        Item={
            "pk": {"S": "events"},
            "sk": {"S": "0-broken"},
            "kind": {"S": "event"},
            "due": {"N": "1"},
            "subject": {"S": "{"},
        },
    )
    campaigns.replace(world.campaign(lead, "other"))
    assert len(told(world, lead)) == 2
    lose_records(world)
    campaigns.replace(world.campaign(lead, "third"))
    lose_records(world)
    time.forward(minutes=2)
    world.sweep()
    assert len(told(world, lead)) == 1


def lose_records(world: World) -> None:
    """The stream's records come to nothing."""
    [mapping] = world.catalog_streams.mappings
    handler, mapping.handler = mapping.handler, lambda *_: None
    world.catalog_streams.run_until_idle()
    mapping.handler = handler


def recover(world: World, time: SimulatedTime) -> None:
    """What the system does by itself, until nothing is owed."""
    for _ in range(4):
        world.run()
        dues = [int(event["due"]["N"]) for event in owed(world)]
        if not dues:
            return
        time.now_ms = max(time.now_ms, max(dues) + 61_000)
        world.sweep()
    world.run()
