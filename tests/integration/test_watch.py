"""Who does not read a queue hears of it by mail, once a day, and nobody else does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Unavailable
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes import readings, topology
from proca_common.users import store as users
from proca_common.users.permissions import Role
from tests.desks import Desk, desk, join
from tests.harness.calls import Answer, Call, Hook, calls, hooked, unseen_client
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed, crash_before, faults, refuse, throttle
from tests.mail_server import MailServer
from tests.metrics import counted
from tests.post import PostOffice
from tests.simulated import SimulatedTime
from tests.world import QUEUE_PREFIX, World, function

HOUR_S = 3_600

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none

TOLD = {"unread": 1, "told": 1}
SILENT = {"unread": 1, "told": 0}


class Ages(Hook):
    """What CloudWatch says of queues; it stamps by real time, so that no other way leads into a test's time."""

    def __init__(self, **ages_s: int) -> None:
        self.ages_s, self.asked = ages_s, []

    def around_call(self, call: Call, proceed: Any) -> Answer:
        if call.operation != "GetMetricData":
            return proceed()  # type: ignore[no-any-return]
        asked = call.params["MetricDataQueries"]
        names = {one["Id"]: one["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for one in asked}
        self.asked += names.values()
        found = {number: self.ages_s.get(name.removeprefix(QUEUE_PREFIX)) for number, name in names.items()}
        results = [{"Id": number, "Values": [] if age is None else [float(age)]} for number, age in found.items()]
        return {"MetricDataResults": results}


def run(ages: Ages | None = None, **ages_s: int) -> Any:
    with hooked(ages or Ages(**ages_s)):
        return function("WatchFunction")({}, LambdaContext("WatchFunction", 280))


@pytest.fixture
def bees(office: PostOffice, mail_server: MailServer, time: SimulatedTime) -> Org:
    """An org with a queue that has a message; the instance mails."""
    readings.forget()
    world = office.world
    instance = orgs.get(world.instance.org)
    orgs.replace(instance.model_copy(update={"email_backend": "smtp", "email_from": "staff@example.org"}))
    office.smtp(instance, mail_server)
    office.collect()
    office.waiting.clear()
    org = world.org("bees")
    fill(world, org)
    return org


@pytest.fixture
def ida(bees: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def fill(world: World, org: Org, queue: str = "deliver") -> None:
    unseen_client("sqs").send_message(QueueUrl=f"{world.prefix}{org.id}-{queue}", MessageBody="{}")


def of(org: Org, hours: float, queue: str = "deliver") -> dict[str, int]:
    return {f"{org.id}-{queue}": round(hours * HOUR_S)}


def recipients(office: PostOffice, time: SimulatedTime, server: MailServer) -> list[str]:
    office.collect()
    office.run(time)
    found = [str(mail["To"]) for mail in server.mails]
    server.mails.clear()
    return found


def test_its_owners_are_told_in_words(
    office: PostOffice, bees: Org, ida: Desk, time: SimulatedTime, mail_server: MailServer
) -> None:
    desk("per@example.org", bees=Role.CAMPAIGNER)
    desk("liv@example.org", bees=Role.OWNER)
    assert run(**of(bees, 30.5)) == {"unread": 1, "told": 2}
    office.collect()
    office.run(time)
    assert sorted(mail["To"] for mail in mail_server.mails) == ["ida@example.org", "liv@example.org"]
    mail = mail_server.mails[0]
    assert mail["Subject"] == "Nobody reads the queue deliver of Bees"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "waiting for 30 hours" in body.get_content().replace("\n", " ")


def test_once_a_day_for_as_long_as_it_lasts(
    office: PostOffice, bees: Org, ida: Desk, time: SimulatedTime, mail_server: MailServer
) -> None:
    found = []
    for hours in range(24, 24 + 49, 4):
        found.append(run(**of(bees, hours))["told"])
        time.forward(hours=4)
    assert [index * 4 for index, told in enumerate(found) if told] == [0, 24, 48]
    assert recipients(office, time, mail_server) == ["ida@example.org"] * 3


@pytest.mark.parametrize(
    ("setting", "hours", "told"), [(24, 23.99, 0), (24, 24, 1), (2, 2, 1), (0, 239, 0), (240, 239, 0)]
)
def test_the_org_says_after_how_long(ida: Desk, bees: Org, setting: int, hours: float, told: int) -> None:
    assert ida.patch("/v1/orgs/bees", {"queueNoticeHours": setting}).status == 200
    assert run(**of(bees, hours)) == {"unread": told, "told": told}


@pytest.mark.parametrize("hours", [-1, 241, "soon", 1.5])
def test_hours_that_make_no_sense_are_refused(ida: Desk, hours: Any) -> None:
    answer = ida.patch("/v1/orgs/bees", {"queueNoticeHours": hours})
    assert (answer.status, [pointer for pointer, _ in answer.codes]) == (422, ["/queueNoticeHours"])


def test_one_that_was_read_over_https_meanwhile_is_slow_but_not_unread(
    bees: Org, ida: Desk, time: SimulatedTime
) -> None:
    assert len(ida.get("/v1/orgs/bees/queues/deliver/messages", wait="0", lease="30").body["items"]) == 1
    assert run(**of(bees, 30)) == {"unread": 0, "told": 0}
    time.forward(hours=24)
    assert run(**of(bees, 54)) == TOLD


def test_an_empty_queue_is_not_asked_about_and_no_other_orgs_is_confused_with_it(
    office: PostOffice, bees: Org, ida: Desk
) -> None:
    lakes = office.world.org("lakes", event_queue=True, custom_event_deliver=True)
    ages = Ages(**of(bees, 1), **of(lakes, 300), **of(lakes, 300, "event"))
    assert run(ages) == {"unread": 0, "told": 0}
    assert ages.asked == [f"{QUEUE_PREFIX}{bees.id}-deliver"]


def test_each_queue_is_told_of_by_itself(office: PostOffice, bees: Org, ida: Desk) -> None:
    lakes = office.world.org("lakes", event_queue=True, custom_event_deliver=True)
    join(ida.user, "lakes", Role.OWNER)
    for queue in ("deliver", "event"):
        fill(office.world, lakes, queue)
    ages = {**of(bees, 50), **of(lakes, 50), **of(lakes, 50, "event")}
    assert run(**ages) == {"unread": 3, "told": 3}
    assert run(**ages) == {"unread": 3, "told": 0}


def test_an_instance_that_does_not_mail_orders_nothing(office: PostOffice, bees: Org, ida: Desk) -> None:
    instance = orgs.get(office.world.instance.org)
    orgs.replace(instance.model_copy(update={"email_backend": None}))
    assert run(**of(bees, 50)) == SILENT
    assert office.collect() == 0


def test_an_instance_that_was_not_set_up_yet_has_nothing_to_look_at(world: World) -> None:
    instances.InstanceItem(*instances.KEY).delete()
    assert run() == {"unread": 0, "told": 0}


def test_numbers_are_told_as_metrics(
    office: PostOffice, bees: Org, ida: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(office.world, bees)
    capsys.readouterr()
    run(**of(bees, 50))
    assert counted(capsys) == {"OrgQueueMessages": 2, "OrgQueueOldestAge": 50 * HOUR_S, "OrgQueuesUnread": 1}


def test_who_left_the_org_meanwhile_is_not_mailed(
    office: PostOffice, bees: Org, ida: Desk, time: SimulatedTime, mail_server: MailServer
) -> None:
    desk("per@example.org", bees=Role.OWNER)
    run(**of(bees, 50))
    leaving = Transaction()
    users.remove_staffer(leaving, ida.user, bees.id)
    leaving.commit()
    assert recipients(office, time, mail_server) == ["per@example.org"]


def test_a_run_that_was_killed_between_ordering_and_noting_mails_once(
    office: PostOffice, bees: Org, ida: Desk, time: SimulatedTime, mail_server: MailServer
) -> None:
    time.now_ms = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp() * 1000)
    with faults(crash_before("PutItem")), pytest.raises(Killed):
        run(**of(bees, 50))
    time.forward(minutes=5)
    assert run(**of(bees, 50)) == TOLD
    assert recipients(office, time, mail_server) == ["ida@example.org"]


def test_an_order_that_is_not_taken_is_tried_again_the_next_time(
    office: PostOffice, bees: Org, ida: Desk, time: SimulatedTime, mail_server: MailServer
) -> None:
    with faults(refuse("AccessDenied", on="SendMessageBatch")):
        assert run(**of(bees, 50)) == SILENT
    assert run(**of(bees, 50)) == TOLD
    assert recipients(office, time, mail_server) == ["ida@example.org"]


def test_a_queue_that_cannot_be_looked_at_hides_no_other(office: PostOffice, bees: Org, ida: Desk) -> None:
    lakes = office.world.org("lakes")
    join(ida.user, "lakes", Role.OWNER)
    fill(office.world, lakes)
    with faults(throttle(on="GetQueueAttributes")), pytest.raises(Unavailable):
        run(**of(bees, 50), **of(lakes, 50))
    assert run(**of(bees, 50), **of(lakes, 50)) == {"unread": 2, "told": 1}, "the other one was told before"


def test_a_queue_that_somebody_deleted_is_no_fault(office: PostOffice, bees: Org, ida: Desk) -> None:
    topology.remove(office.world.prefix, bees.id)
    with calls() as recorded:
        assert run(**of(bees, 50)) == {"unread": 0, "told": 0}
    assert not recorded.of("GetMetricData")
