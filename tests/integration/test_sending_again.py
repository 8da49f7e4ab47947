"""Sending again through the management API: what an org lost, a request at a time (domain 4.8)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from proca_common.users.permissions import Role
from tests.desks import Desk, desk
from tests.harness.calls import calls, unseen_client
from tests.harness.context import LambdaContext
from tests.simulated import SimulatedTime
from tests.world import World, api_event, function

REQUEUES = "/v1/orgs/bees/requeues"
REDRIVE = "/v1/orgs/bees/queues/deliver/redrive"
DELIVER = {"target": "custom_action_deliver"}


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def signed(world: World, page: ActionPage, number: int = 3) -> list[int]:
    answers = [world.sign(page, email=f"ida{index}@example.org") for index in range(number)]
    world.run()
    return sorted(answer.action for answer in answers)


def ids_of(world: World, org: Org, queue: Queue = Queue.DELIVER) -> list[int]:
    return sorted(body["actionId"] for body in world.bodies(org, queue))


def in_a_hurry(who: Desk, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer of a function that has hardly time for one batch."""
    event = api_event(
        "POST", path, json.dumps(body), {"Content-Type": "application/json", "Authorization": f"Bearer {who.token}"}
    )
    answer = function("SendAgainFunction")(event, LambdaContext("SendAgainFunction", remaining_ms=11_999))
    assert answer["statusCode"] == 200, answer["body"]
    return json.loads(answer["body"])  # type: ignore[no-any-return]


class TestRequeue:
    def test_messages_of_these_actions_come_again(self, world: World, org: Org, ida: Desk) -> None:
        ids = signed(world, world.page(org))
        world.received(org)

        answer = ida.post(REQUEUES, {**DELIVER, "ids": ids[:2], "job": "night"})

        assert (answer.status, answer.body) == (
            200,
            {"job": "night", "dryRun": False, "count": 2, "sent": 2, "failed": {}, "next": None},
        )
        again = world.received(org)
        assert {message["MessageAttributes"]["Replay"]["StringValue"] for message in again} == {"night"}
        assert sorted(json.loads(message["Body"])["actionId"] for message in again) == ids[:2]

    def test_a_dry_run_counts_and_leaves_no_trace(self, world: World, org: Org, ida: Desk) -> None:
        ids = signed(world, world.page(org))
        world.received(org)
        answer = ida.post(REQUEUES, {**DELIVER, "ids": ids, "dryRun": True})
        assert (answer.body["count"], answer.body["sent"], answer.body["dryRun"]) == (3, 3, True)
        assert not world.received(org)
        assert not ida.everything("/v1/orgs/bees/audit")

    def test_who_sent_what_again_is_in_the_audit_trail(self, world: World, org: Org, ida: Desk) -> None:
        ids = signed(world, world.page(org), 1)
        job = ida.post(REQUEUES, {**DELIVER, "ids": ids}).body["job"]
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["who"], entry["action"], entry["object"]) == (ida.user, "queue.send_again", f"requeue#{job}")
        assert entry["after"] == {"target": "custom_action_deliver", "ids": 1}

    def test_a_campaign_is_chosen_by_time(self, world: World, org: Org, ida: Desk, time: SimulatedTime) -> None:
        page = world.page(org)
        early = signed(world, page, 2)
        time.forward(hours=1)
        between = datetime.fromtimestamp(time.now_ms / 1000 - 1800, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        late = signed(world, page, 1)
        world.received(org)

        assert ida.post(REQUEUES, {**DELIVER, "campaign": "bees", "since": between}).body["sent"] == 1
        assert ids_of(world, org) == late
        assert ida.post(REQUEUES, {**DELIVER, "campaign": "bees", "until": between}).body["sent"] == 2
        assert ids_of(world, org) == early
        assert ida.post(REQUEUES, {**DELIVER, "campaign": "bees", "until": "9999-01-01"}).body["sent"] == 3

    @pytest.mark.parametrize("chosen", ["ids", "campaign"])
    def test_what_a_request_has_no_time_for_the_next_one_does(
        self, world: World, org: Org, ida: Desk, chosen: str
    ) -> None:
        ids = signed(world, world.page(org), 30)
        world.received(org)
        asked = {**DELIVER, **({"ids": ids} if chosen == "ids" else {"campaign": "bees"})}

        answers, following = [], None
        while not answers or following is not None:
            job = {"job": answers[0]["job"], "cursor": following} if answers else {}
            answers.append(in_a_hurry(ida, REQUEUES, asked | job))
            following = answers[-1]["next"]
            assert len(answers) < 30

        assert len(answers) > 1
        assert {answer["job"] for answer in answers} == {answers[0]["job"]}
        assert sum(answer["sent"] for answer in answers) == 30
        assert ids_of(world, org) == ids

    def test_a_partner_gets_its_own_and_nothing_of_the_others(self, world: World, org: Org, ida: Desk) -> None:
        lead = world.org("lead")
        campaign = world.campaign(lead)
        shared = world.sign(world.page(org, campaign), lead_opt_in=True, opt_in=True).action
        own = world.sign(world.page(lead, campaign), email="ole@example.org").action
        world.run()
        for each in (org, lead):
            world.received(each)

        answer = ida.post(REQUEUES, {**DELIVER, "campaign": "bees"})
        by_ids = ida.post(REQUEUES, {**DELIVER, "ids": [own, shared, 12345]})

        assert answer.body["count"] == by_ids.body["count"] == len(ids_of(world, org)) // 2
        assert own not in ids_of(world, org)
        assert not world.received(lead)

    def test_of_a_campaign_of_others_nobody_is_told_whether_it_is_there(self, world: World, ida: Desk) -> None:
        world.page(world.org("birds"), world.campaign(world.org("trees"), "secret"), name="birds/secret")
        answers = [ida.post(REQUEUES, {**DELIVER, "campaign": name}) for name in ("secret", "nothing")]
        assert [answer.status for answer in answers] == [404, 404]
        assert answers[0].body == answers[1].body

    def test_supporters_get_their_links_and_mails_again(self, world: World) -> None:
        org = world.org("asking", custom_supporter_confirm=True)
        answer = world.sign(world.page(org))
        world.run()
        [before] = world.bodies(org, Queue.CONFIRM_SUPPORTER)
        who = desk("ida@example.org", asking=Role.OWNER)

        path = "/v1/orgs/asking/requeues"
        assert who.post(path, {"target": "custom_supporter_confirm", "ids": [answer.action]}).body["sent"] == 1
        assert world.bodies(org, Queue.CONFIRM_SUPPORTER) == [before]
        assert who.post(path, {"target": "email_supporter", "ids": [answer.action]}).body["failed"] == {"no_address": 1}

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({}, "/target"),
            ({"target": "nobody", "ids": [1]}, "/target"),
            (DELIVER, "/ids"),
            ({**DELIVER, "ids": [1], "campaign": "bees"}, "/ids"),
            ({**DELIVER, "ids": []}, "/ids"),
            ({**DELIVER, "ids": [1] * 1001}, "/ids"),
            ({**DELIVER, "ids": [1, 0]}, "/ids/1"),
            ({**DELIVER, "ids": [1], "since": "2026-01-01"}, "/since"),
            ({**DELIVER, "campaign": "bees", "until": "soon"}, "/until"),
            ({**DELIVER, "ids": [1], "job": "a b"}, "/job"),
            ({**DELIVER, "ids": [1], "cursor": "AAAA"}, "/cursor"),
            ({**DELIVER, "ids": [1], "cursor": "ä"}, "/cursor"),
            ({**DELIVER, "ids": [1], "to": "me"}, "/to"),
        ],
    )
    def test_input_that_breaks_rules(self, ida: Desk, body: dict[str, Any], wrong: str) -> None:
        answer = ida.post(REQUEUES, body)
        assert (answer.status, [pointer for pointer, _ in answer.codes]) == (422, [wrong])


class TestRedrive:
    def given_up(self, world: World, org: Org, number: int) -> None:
        sqs, url = unseen_client("sqs"), f"{world.prefix}{org.id}-deliver"
        for message in world.received(org)[:number]:
            attributes = message["MessageAttributes"]
            sqs.send_message(QueueUrl=f"{url}-dlq", MessageBody=message["Body"], MessageAttributes=attributes)

    def test_what_was_given_up_comes_back(self, world: World, org: Org, ida: Desk) -> None:
        ids = signed(world, world.page(org), 12)
        self.given_up(world, org, 12)

        dry = ida.post(REDRIVE, {"dryRun": True}).body
        answer = ida.post(REDRIVE, {"job": "night"})

        assert (dry["count"], dry["moved"]) == (12, 0)
        assert answer.body == {"job": "night", "dryRun": False, "count": 12, "moved": 12}
        assert ids_of(world, org) == ids
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["object"], entry["after"]) == ("redrive#night", {"queue": "deliver", "count": 12})

    def test_it_stops_when_its_time_is_over(self, world: World, org: Org, ida: Desk) -> None:
        signed(world, world.page(org), 12)
        self.given_up(world, org, 12)
        first = in_a_hurry(ida, REDRIVE, {})
        assert (first["count"], first["moved"]) == (12, 10)
        assert ida.post(REDRIVE, {"job": first["job"]}).body["moved"] == 2

    def test_a_queue_that_is_not_there_or_no_queue_is_not_found(self, ida: Desk) -> None:
        with calls() as seen:
            for queue in ("event", "deliver-dlq", "nothing"):
                assert ida.post(f"/v1/orgs/bees/queues/{queue}/redrive").status == 404
        assert len(seen.of("sqs")) == 1
