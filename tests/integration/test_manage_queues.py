"""How an org gets to its queues by itself: AWS principals, credentials for an hour, HTTPS (design 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proca_common.management import queues as managed
from proca_common.management.queue_credentials import MAX_POLICY, MAX_SESSION_NAME, session_name, session_policy
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes import readings, topology
from proca_common.pipes.routing import Queue
from proca_common.pipes.topology import NAMES, READER_ACTIONS
from proca_common.users import store as users
from proca_common.users.permissions import Role
from tests.desks import Desk, desk
from tests.harness.calls import calls, unseen_client
from tests.harness.faults import faults, refuse
from tests.simulated import SimulatedTime
from tests.world import QUEUE_ARN_PREFIX, Answer, World

QUEUES = "/v1/orgs/bees/queues"
MESSAGES = f"{QUEUES}/deliver/messages"
ACKNOWLEDGEMENTS = f"{QUEUES}/deliver/acknowledgements"
LEASES = f"{QUEUES}/deliver/leases"
OWN = "arn:aws:iam::111111111111:root"
ROLE = "arn:aws:iam::222222222222:role/crm/reader"


@pytest.fixture
def org(world: World) -> Org:
    readings.forget()
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


@pytest.fixture
def other(world: World, org: Org) -> Desk:
    """Somebody of another org."""
    world.org("birds")
    return desk("ole@example.org", birds=Role.OWNER)


def send(world: World, org: Org, *bodies: object, queue: str = "deliver") -> None:
    for number, body in enumerate(bodies):
        attribute = {"DataType": "String", "StringValue": f"{number}.deliver.{org.id}"}
        unseen_client("sqs").send_message(
            QueueUrl=f"{world.prefix}{org.id}-{queue}",
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={"MessageId": attribute},
        )


def take(who: Desk, path: str = MESSAGES, **query: str) -> list[dict[str, Any]]:
    answer = who.get(path, wait="0", **query)
    assert answer.status == 200, answer.body
    return answer.body["items"]  # type: ignore[no-any-return]


def receipts(taken: list[dict[str, Any]]) -> dict[str, Any]:
    return {"receipts": [message["receipt"] for message in taken]}


def results(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["result"] for item in answer.body["items"]]


class TestReading:
    def test_a_message_comes_as_it_was_sent_with_a_receipt(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, {"actionId": 1})

        [message] = take(ida)

        assert message.pop("receipt")
        assert message == {
            "messageId": f"0.deliver.{org.id}",
            "attributes": {"MessageId": f"0.deliver.{org.id}"},
            "body": {"actionId": 1},
            "receiveCount": 1,
        }
        assert take(ida) == []

    def test_what_is_no_json_is_handed_out_as_text(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, "not JSON")
        assert take(ida)[0]["body"] == "not JSON"

    def test_an_acknowledged_message_is_gone_and_doing_so_twice_is_harmless(
        self, world: World, org: Org, ida: Desk
    ) -> None:
        send(world, org, {"n": 0}, {"n": 1})
        done = receipts(take(ida, lease="30")[:1])

        assert results(ida.post(ACKNOWLEDGEMENTS, done)) == ["done"]
        assert results(ida.post(ACKNOWLEDGEMENTS, done)) == ["done"]
        assert topology.depth(world.prefix, org.id, "deliver") == topology.Depth(0, 1, 0)

    def test_no_more_come_than_were_asked_for(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, *range(5))
        assert [len(take(ida, limit="3")), len(take(ida))] == [3, 2]

    def test_a_lease_is_as_long_as_asked_and_may_be_made_longer(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, {})
        with calls() as seen:
            taken = take(ida, lease="77")
            assert results(ida.post(LEASES, {**receipts(taken), "lease": 999})) == ["done"]
            ida.post(LEASES, receipts(taken))
        [received] = seen.of("ReceiveMessage")
        assert received.params["VisibilityTimeout"] == 77
        extended = [call.params["Entries"][0] for call in seen.of("ChangeMessageVisibilityBatch")]
        assert [entry["VisibilityTimeout"] for entry in extended] == [999, 300]

    def test_a_message_that_is_done_cannot_be_kept_longer(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, {})
        taken = take(ida)
        ida.post(ACKNOWLEDGEMENTS, receipts(taken))
        assert results(ida.post(LEASES, receipts(taken))) == ["over"]

    def test_a_dead_letter_queue_is_read_in_the_same_way(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, {"n": 1}, queue="deliver-dlq")
        taken = take(ida, f"{QUEUES}/deliver-dlq/messages")
        assert results(ida.post(f"{QUEUES}/deliver-dlq/acknowledgements", receipts(taken))) == ["done"]
        assert topology.depth(world.prefix, org.id, "deliver-dlq") == topology.Depth(0, 0, 0)

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ({"limit": "0"}, ["/limit"]),
            ({"limit": "11"}, ["/limit"]),
            ({"wait": "21"}, ["/wait"]),
            ({"wait": "-1"}, ["/wait"]),
            ({"lease": "29"}, ["/lease"]),
            ({"lease": "43201"}, ["/lease"]),
            ({"limit": "x", "wait": "1.0", "lease": ""}, ["/limit", "/wait", "/lease"]),
        ],
    )
    def test_numbers_out_of_range_are_refused_all_at_once(
        self, ida: Desk, query: dict[str, str], wrong: list[str]
    ) -> None:
        answer = ida.get(MESSAGES, **query)
        assert (answer.status, [pointer for pointer, _ in answer.codes]) == (422, wrong)

    @pytest.mark.parametrize("body", [{}, {"receipts": []}, {"receipts": ["x"] * 11}, {"receipts": [1]}])
    def test_one_to_ten_receipts_are_taken(self, ida: Desk, body: dict[str, Any]) -> None:
        assert [ida.post(path, body).status for path in (ACKNOWLEDGEMENTS, LEASES)] == [422, 422]

    @pytest.mark.parametrize("queue", ["nothing", "event", "deliver-dlq-dlq", "..", "1-deliver"])
    def test_a_queue_that_is_not_there_is_not_found(self, ida: Desk, queue: str) -> None:
        assert ida.get(f"{QUEUES}/{queue}/messages", wait="0").status == 404

    def test_nothing_reaches_sqs_but_receipts_of_this_very_queue(
        self, world: World, org: Org, ida: Desk, other: Desk
    ) -> None:
        send(world, org, {})
        [mine] = receipts(take(ida))["receipts"]
        flipped = mine[:5] + ("A" if mine[5] != "A" else "B") + mine[6:]
        with calls() as seen:
            for path, who, text in (
                ("/v1/orgs/birds/queues/deliver", other, mine),
                (f"{QUEUES}/deliver-dlq", ida, mine),
                (f"{QUEUES}/deliver", ida, flipped),
                (f"{QUEUES}/deliver", ida, "AAAA"),
                (f"{QUEUES}/deliver", ida, ""),
                (f"{QUEUES}/deliver", ida, "ä"),
                (f"{QUEUES}/deliver", ida, mine * 20),
            ):
                for end in ("acknowledgements", "leases"):
                    answer = who.post(f"{path}/{end}", {"receipts": [text]})
                    assert (answer.status, answer.codes) == (422, [("/receipts/0", "invalid")])
            answer = ida.post(ACKNOWLEDGEMENTS, {"receipts": [mine, "AAAA"]})
            assert answer.codes == [("/receipts/1", "invalid")]
        assert not seen.of("sqs")

    @pytest.mark.parametrize("code", ["ThrottlingException", "InternalError"])
    def test_a_queue_that_does_not_answer_is_unavailable(self, ida: Desk, code: str) -> None:
        with faults(refuse(code, on="ReceiveMessage", nth=None)):
            assert ida.get(MESSAGES, wait="0").status == 503

    def test_waiting_is_longer_than_a_client_waits_otherwise(self, ida: Desk) -> None:
        with calls() as seen:
            ida.get(MESSAGES)
        assert seen.of("ReceiveMessage")[0].params["WaitTimeSeconds"] == 1


class TestOverview:
    def test_each_queue_shows_how_it_stands(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, *range(3))
        send(world, org, 0, queue="deliver-dlq")
        take(ida, limit="1")
        readings.forget()

        answer = ida.get(QUEUES)

        [found] = answer.body["items"]
        assert abs(found.pop("oldestAgeSeconds")) <= 5
        assert found.pop("lastReadAt").startswith("20")
        url = f"{world.prefix}{org.id}-deliver"
        assert found == {
            "queue": "deliver",
            "url": url,
            "messages": 2,
            "inFlight": 1,
            "isOn": True,
            "deadLetters": {
                "queue": "deliver-dlq",
                "url": f"{url}-dlq",
                "messages": 1,
                "inFlight": 0,
                "oldestAgeSeconds": None,
                "lastReadAt": None,
            },
        }

    def test_the_age_is_what_cloudwatch_knows_and_else_that_of_what_was_read_last(
        self, world: World, org: Org, ida: Desk, time: SimulatedTime
    ) -> None:
        send(world, org, 1, 2)
        take(ida, limit="1")
        time.forward(minutes=10)
        [found] = ida.get(QUEUES).body["items"]
        assert abs(found["oldestAgeSeconds"] - 600) <= 5
        unseen_client("cloudwatch").put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": f"test-org-{org.id}-deliver"}],
                    "Timestamp": time.now_ms // 1000 - 60,
                    "Value": 42,
                }
            ],
        )
        assert ida.get(QUEUES).body["items"][0]["oldestAgeSeconds"] == 42

    def test_an_empty_queue_has_no_age(self, world: World, org: Org, ida: Desk) -> None:
        send(world, org, 1)
        ida.post(ACKNOWLEDGEMENTS, receipts(take(ida)))
        assert ida.get(QUEUES).body["items"][0]["oldestAgeSeconds"] is None

    def test_it_is_shown_although_cloudwatch_does_not_answer(self, ida: Desk) -> None:
        with faults(refuse("InternalError", on="GetMetricData", nth=None)):
            assert ida.get(QUEUES).status == 200

    def test_a_reading_is_written_at_most_once_a_minute(self, ida: Desk, time: SimulatedTime) -> None:
        with calls() as seen:
            for _ in range(3):
                take(ida)
        assert len(seen.of("PutItem")) == 1
        readings.forget()  # another environment
        first = ida.get(QUEUES).body["items"][0]["lastReadAt"]
        time.forward(seconds=30)
        take(ida)
        assert ida.get(QUEUES).body["items"][0]["lastReadAt"] == first
        time.forward(seconds=61)
        take(ida)
        assert ida.get(QUEUES).body["items"][0]["lastReadAt"] > first

    def test_a_queue_that_is_off_is_shown_until_it_is_gone(self, world: World, ida: Desk) -> None:
        org = orgs.find("bees")
        changed = orgs.replace(org.model_copy(update={"event_queue": True}))
        topology.sync(world.prefix, changed)
        orgs.replace(changed.model_copy(update={"event_queue": False}))
        assert [(found["queue"], found["isOn"]) for found in ida.get(QUEUES).body["items"]] == [
            ("deliver", True),
            ("event", False),
        ]

    def test_what_was_read_goes_with_the_org(self, world: World, org: Org, ida: Desk) -> None:
        take(ida)
        orgs.delete(orgs.get(org.id))
        assert not [item for item in world.tables.all_items("CatalogTable") if item["pk"]["S"] == f"org#{org.id}"]


class TestPrincipals:
    def policy(self, world: World, org: Org, queue: str = "deliver") -> list[str]:
        """Whom the queue's policy lets read it."""
        url = f"{world.prefix}{org.id}-{queue}"
        found = unseen_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
        statements = json.loads(found["Policy"])["Statement"]
        return [
            arn for statement in statements if statement["Sid"] == "OrgReads" for arn in statement["Principal"]["AWS"]
        ]

    def test_every_queue_lets_in_whom_the_org_names_and_no_others(self, world: World, org: Org, ida: Desk) -> None:
        path = f"{QUEUES}/principals"
        assert ida.get(path).body == {"principals": []}

        answer = ida.put(path, {"principals": [ROLE, OWN, OWN]})

        assert (answer.status, answer.body) == (200, {"principals": [OWN, ROLE]})
        assert ida.get(path).body == answer.body
        for queue in ("deliver", "deliver-dlq"):
            assert self.policy(world, org, queue) == [OWN, ROLE]
        assert ida.put(path, {"principals": []}).status == 200
        assert self.policy(world, org) == []

    @pytest.mark.parametrize(
        "arn",
        [
            "*",
            "arn:aws:iam::*:root",
            "111111111111",
            "arn:aws:iam::111111111111:role/*",
            "arn:aws:iam::111111111111:user/",
            "arn:aws:sts::111111111111:assumed-role/reader/x",
            "",
            1,
        ],
    )
    def test_nobody_but_accounts_roles_and_users_is_let_in(self, world: World, org: Org, ida: Desk, arn: Any) -> None:
        answer = ida.put(f"{QUEUES}/principals", {"principals": [OWN, arn]})
        assert (answer.status, answer.codes) == (422, [("/principals/1", "invalid")])
        assert self.policy(world, org) == []
        assert orgs.get(org.id).queue_principals == ()

    def test_there_are_fifty_at_most(self, ida: Desk) -> None:
        many = [f"arn:aws:iam::{number:012}:root" for number in range(51)]
        assert ida.put(f"{QUEUES}/principals", {"principals": many}).codes == [("/principals", "invalid")]
        assert ida.put(f"{QUEUES}/principals", {"principals": many[:50]}).status == 200

    def test_whom_aws_does_not_know_is_refused_and_what_held_before_holds(
        self, world: World, org: Org, ida: Desk
    ) -> None:
        path = f"{QUEUES}/principals"
        ida.put(path, {"principals": [OWN]})
        with faults(refuse("InvalidAttributeValue", on="SetQueueAttributes", nth=2)):
            answer = ida.put(path, {"principals": [ROLE]})
        assert (answer.status, answer.codes) == (422, [("/principals", "not_found")])
        assert ida.get(path).body == {"principals": [OWN]}
        assert [self.policy(world, org, queue) for queue in ("deliver", "deliver-dlq")] == [[OWN], [OWN]]

    def test_a_break_off_is_made_good_by_asking_once_more(self, world: World, org: Org, ida: Desk) -> None:
        path = f"{QUEUES}/principals"
        with faults(refuse("InternalError", on="SetQueueAttributes", nth=None)):
            assert ida.put(path, {"principals": [OWN]}).status == 503
        assert self.policy(world, org) == []
        assert ida.put(path, {"principals": [OWN]}).status == 200
        assert self.policy(world, org) == [OWN]

    def test_who_has_seen_another_version_changes_nothing(self, world: World, org: Org, ida: Desk) -> None:
        path = f"{QUEUES}/principals"
        seen = {"If-Match": ida.get(path).headers["ETag"]}
        assert ida.put(path, {"principals": [OWN]}, seen).status == 200
        assert ida.put(path, {"principals": [ROLE]}, seen).status == 412
        assert self.policy(world, org) == [OWN]

    def test_of_two_at_once_the_policy_is_what_is_stored_in_the_end(
        self, world: World, org: Org, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller = users.caller(ida.user)[0]
        real, rivals = topology.set_policies, [(ROLE,)]

        def slow(prefix: str, changed: Org) -> None:
            if rivals:  # somebody else is quicker
                now = orgs.get(org.id).model_copy(update={"queue_principals": rivals.pop()})
                real(prefix, orgs.replace(now))
            real(prefix, changed)

        monkeypatch.setattr(topology, "set_policies", slow)
        managed.set_principals(caller, "bees", {"principals": [OWN]}, lambda _: None, world.prefix)
        assert list(orgs.get(org.id).queue_principals) == self.policy(world, org) == [ROLE]

    def test_it_is_in_the_audit_trail(self, ida: Desk) -> None:
        ida.put(f"{QUEUES}/principals", {"principals": [OWN]})
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["who"], entry["action"]) == (ida.user, "org.update")
        assert (entry["before"], entry["after"]) == ({"queuePrincipals": []}, {"queuePrincipals": [OWN]})


class TestCredentials:
    PATH = "/v1/orgs/bees/queue-credentials"

    def test_they_come_with_all_that_a_client_needs(self, world: World, org: Org, ida: Desk) -> None:
        with calls() as seen:
            answer = ida.post(self.PATH)

        assert answer.status == 201, answer.body
        assert answer.headers["Cache-Control"] == "no-store"
        assert {*answer.body} == {
            *("accessKeyId", "secretAccessKey", "sessionToken", "expiration", "region", "queues"),
        }
        assert answer.body["region"] == "eu-central-1"
        url = f"{world.prefix}{org.id}-deliver"
        assert answer.body["queues"] == {"deliver": url, "deliver-dlq": f"{url}-dlq"}
        [assumed] = seen.of("AssumeRole")
        assert assumed.params["DurationSeconds"] == 3600
        assert assumed.params["RoleSessionName"] == f"bees.{org.id}.{ida.user}"
        [allowed] = json.loads(assumed.params["Policy"])["Statement"]
        assert allowed == {
            "Effect": "Allow",
            "Action": READER_ACTIONS,
            "Resource": [f"{QUEUE_ARN_PREFIX}{org.id}-{name}" for name in NAMES],
        }

    def test_they_are_in_the_audit_trail_without_a_secret(self, org: Org, ida: Desk) -> None:
        answer = ida.post(self.PATH, {"durationSeconds": 900})
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert entry["action"] == "queue_credentials.create"
        assert entry["after"] == {
            "session": f"bees.{org.id}.{ida.user}",
            "expiration": answer.body["expiration"],
        }

    @pytest.mark.parametrize("seconds", [899, 3601, "long", None, 10**30])
    def test_they_last_from_a_quarter_of_an_hour_to_an_hour(self, ida: Desk, seconds: Any) -> None:
        assert ida.post(self.PATH, {"durationSeconds": seconds}).codes == [("/durationSeconds", "invalid")]

    def test_sts_that_refuses_is_unavailable(self, ida: Desk) -> None:
        with faults(refuse("AccessDenied", on="AssumeRole", nth=None)):
            assert ida.post(self.PATH).status == 503

    def test_the_policy_names_eight_queues_and_fits_with_the_longest_names(self) -> None:
        longest = max(NAMES, key=len)
        prefix = "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:" + "s" * (80 - len(f"9999999-{longest}"))
        policy = session_policy(prefix, 9_999_999)
        [allowed] = json.loads(policy)["Statement"]
        assert len(set(allowed["Resource"])) == 2 * len(Queue) == 8
        assert not [arn for arn in allowed["Resource"] if "*" in arn]
        assert len(policy) <= MAX_POLICY

    def test_the_session_is_named_after_org_and_user_as_aws_takes_it(self, org: Org, ida: Desk) -> None:
        user = users.get(ida.user)
        long = org.model_copy(update={"name": "a" * 100})
        assert session_name(org, user) == f"bees.{org.id}.{user.id}"
        assert len(session_name(long, user)) == MAX_SESSION_NAME
        assert session_name(long, user).endswith(f".{org.id}.{user.id}")


class TestWhoMay:
    READS = (Role.OWNER,)
    CASES = (
        ("GET", QUEUES, None, tuple(Role)),
        ("GET", f"{QUEUES}/principals", None, (Role.OWNER, Role.CAMPAIGNER)),
        ("PUT", f"{QUEUES}/principals", {"principals": []}, (Role.OWNER, Role.CAMPAIGNER)),
        ("GET", MESSAGES, None, READS),
        ("POST", ACKNOWLEDGEMENTS, {"receipts": ["x"]}, READS),
        ("POST", LEASES, {"receipts": ["x"]}, READS),
        ("POST", f"{QUEUES}/deliver/redrive", {"dryRun": True}, READS),
        ("POST", "/v1/orgs/bees/queue-credentials", {"durationSeconds": 1}, READS),
        ("POST", "/v1/orgs/bees/requeues", {}, READS),
    )

    @pytest.mark.parametrize(("method", "path", "body", "roles"), CASES)
    @pytest.mark.usefixtures("org")
    def test_members_by_their_role(self, method: str, path: str, body: Any, roles: tuple[Role, ...]) -> None:
        for role in Role:
            status = desk(f"{role}@example.org", bees=role).ask(method, path, body).status
            assert (status in {200, 201, 422}) is (role in roles), (role, status)
            assert status in {200, 201, 403, 422}

    @pytest.mark.parametrize(("method", "path", "body"), [case[:3] for case in CASES])
    def test_strangers_learn_nothing_and_nobody_is_asked_who_it_is(
        self, other: Desk, method: str, path: str, body: Any
    ) -> None:
        denied = [other.ask(method, path.replace("bees", org), body) for org in ("bees", "no-such-org")]
        assert [answer.status for answer in denied] == [403, 403]
        assert denied[0].body == denied[1].body
        assert Desk().ask(method, path, body).status == 401
