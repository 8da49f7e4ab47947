"""Whatever happens to what plans, makes and sends mails to targets, at whichever call: no mail goes out twice, none is
lost, and sent + uncertain + unsent are all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proca_common.mtt import expand, numbers
from proca_common.orgs.org import Org
from proca_common.targets.target import Target
from tests import mtt
from tests.disasters import kills, mishaps
from tests.harness import faults
from tests.harness.calls import Calls, unseen_client
from tests.harness.faults import Killed, Plan
from tests.harness.interleave import probe, run, schedules
from tests.mail_server import MailServer
from tests.simulated import SimulatedTime
from tests.target_post import TargetPost, target_post

NOON_MS = 12 * 3_600_000
DONE = {"sent", "uncertain"}

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none


@pytest.fixture
def post(world: Any, time: SimulatedTime) -> Iterator[TargetPost]:
    """It is just after noon."""
    time.now_ms += (NOON_MS - time.now_ms) % mtt.DAY_MS + 1_000
    with target_post(world) as made:
        yield made


class Case:
    """Something that is to be broken, in a campaign with so many targets that somebody wrote to."""

    def __init__(self, post: TargetPost, time: SimulatedTime, server: MailServer, targets: int, **given: Any) -> None:
        self.post, self.time, self.server = post, time, server
        world = post.world
        self.org: Org = world.org("bees", email_backend="smtp", email_from="mail@bees.example.org")
        post.smtp(self.org, server)
        self.campaign = mtt.campaign(world, self.org, dripDelivery=False, **given)
        self.to: list[Target] = [mtt.target(self.campaign, f"T{number}") for number in range(targets)]
        mtt.write(world, world.page(self.org, self.campaign), *self.to)
        world.run()
        time.forward(seconds=3)

    def keep(self) -> None:
        """From now on `again` leads back to this moment."""
        self.items = self.post.world.tables.all_items("ActionsTable")
        self.bodies = [message.body for message in self.post.waiting.values()]
        self.begun = self.time.now_ms

    def again(self) -> None:
        """As it was when it was kept."""
        client, table = unseen_client("dynamodb"), self.post.world.tables["ActionsTable"]
        kept = {(item["ref"]["S"], item["sk"]["S"]) for item in self.items}
        for item in self.post.world.tables.all_items("ActionsTable"):
            if (item["ref"]["S"], item["sk"]["S"]) not in kept:
                client.delete_item(TableName=table, Key={name: item[name] for name in ("ref", "sk")})
        for item in self.items:
            client.put_item(TableName=table, Item=item)
        key = {"pk": {"S": f"mtt#{self.campaign.id}"}, "sk": {"S": "total"}}
        client.delete_item(TableName=self.post.world.tables["StatsTable"], Key=key)
        self.server.taken.clear()
        self.post.waiting.clear()
        self.time.now_ms = self.begun
        for body in self.bodies:
            self.post.put(body)
        self.post.forget()

    def calls(self, operation: Callable[[], Any]) -> Calls:
        """What the operation calls, when nothing happens; secrets are known already."""
        self.again()
        operation()
        self.again()
        return probe(operation)

    def broken(self, operation: Callable[[], Any], plan: Plan) -> None:
        """Run the operation with one disaster."""
        self.again()
        try:
            with faults.faults(plan):
                operation()
        except Killed:
            self.post.forget()
        except Exception:  # noqa: BLE001 - Lambda has it noted, and the schedule calls again
            self.post.forget()

    def recover(self) -> None:
        """What the system does by itself until an hour and a half later."""
        self.post.work()
        self.post.schedule()
        self.post.work()
        self.time.forward(minutes=69)
        self.post.schedule()
        self.time.forward(minutes=8)
        self.post.work()
        self.post.schedule()
        self.post.work()

    def check(self, disaster: str, *, uncertain: int = 0) -> None:
        """No mail twice, none lost, all counted, and nothing kept that nobody needs."""
        sent = Counter(str(taken.mail["X-Proca-Custom-Id"]) for taken in self.server.taken)
        assert not [mail for mail, number in sent.items() if number > 1], disaster
        statuses = self.post.statuses()
        assert statuses.keys() <= DONE, (disaster, statuses)
        assert statuses.total() == len(self.to), (disaster, statuses)
        assert statuses["uncertain"] <= uncertain, (disaster, statuses)
        assert statuses["sent"] <= len(sent) <= statuses.total(), disaster
        assert numbers.sent_in(self.campaign.id) == statuses["sent"], disaster
        counted: Counter[str] = Counter()
        for each in self.to:
            counted.update(self.post.numbers(self.campaign.id, each.id))
        assert counted == {"total": len(self.to), "taken": len(self.to), **statuses}, disaster
        [message] = self.post.world.items("T#")
        assert not {"text", "sender"} & message.keys(), disaster


def test_killed_at_every_call_while_mails_are_sent(
    post: TargetPost, time: SimulatedTime, mail_server: MailServer
) -> None:
    case = Case(post, time, mail_server, targets=2)
    post.work()
    post.schedule()
    case.keep()
    recorded = case.calls(post.step)
    seen = set()
    for disaster, plan in kills(recorded):
        case.broken(post.step, plan)
        case.recover()
        case.check(disaster, uncertain=1)
        seen.add((len(mail_server.taken), post.statuses()["uncertain"]))
    assert seen == {(2, 0), (2, 1), (1, 1)}  # nothing happened; sent, and nobody wrote it down; claimed and never sent


@pytest.mark.soak
def test_aws_lets_every_call_down_while_mails_are_sent(
    post: TargetPost, time: SimulatedTime, mail_server: MailServer
) -> None:
    case = Case(post, time, mail_server, targets=2)
    post.work()
    post.schedule()
    case.keep()
    for disaster, plan in mishaps(case.calls(post.step)):
        case.broken(post.step, plan)
        case.recover()
        case.check(disaster, uncertain=1)


@pytest.mark.soak
def test_killed_at_every_call_while_mails_are_made(
    post: TargetPost, time: SimulatedTime, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 2)
    case = Case(post, time, mail_server, targets=3)
    case.keep()
    for disaster, plan in kills(case.calls(post.step)):
        case.broken(post.step, plan)
        case.recover()
        case.check(disaster)


@pytest.mark.soak
def test_killed_at_every_call_while_mails_are_planned(
    post: TargetPost, time: SimulatedTime, mail_server: MailServer
) -> None:
    case = Case(post, time, mail_server, targets=2)
    post.work()
    case.keep()
    for disaster, plan in kills(case.calls(post.schedule)):
        case.broken(post.schedule, plan)
        case.recover()
        case.check(disaster)


def test_two_senders_of_one_mail_send_it_once(post: TargetPost, time: SimulatedTime, mail_server: MailServer) -> None:
    """Both got the same order, at every order of their calls with one change of turns."""
    case = Case(post, time, mail_server, targets=1)
    post.work()
    post.schedule()
    [order] = [message.body for message in post.waiting.values()]
    case.keep()

    def attempt() -> None:
        post.put(order)
        post.step(batch=1)

    case.again()
    post.waiting.clear()
    alone = len(probe(attempt))
    for schedule in schedules(alone, alone, preemptions=1):
        case.again()
        post.waiting.clear()
        made = run(attempt, attempt, schedule)
        assert made.a.error is None, made
        assert made.b.error is None, made
        case.check(str(made))


def test_two_runs_of_the_schedule_at_once_plan_an_hour_once(
    post: TargetPost, time: SimulatedTime, mail_server: MailServer
) -> None:
    """Whatever the order of their calls, both order the same mails: 70 % of 4 at noon, and no more until one."""
    case = Case(post, time, mail_server, targets=1, maxEmailsPerHour=4)
    page = case.post.world.page(case.org, case.campaign, name="bees/more")
    for number in range(3):
        mtt.write(post.world, page, case.to[0], name=f"per{number}")
    post.world.run()
    time.forward(seconds=3)
    post.work()
    case.keep()
    case.again()
    alone = len(probe(post.schedule))
    for schedule in schedules(alone, alone, preemptions=1):
        case.again()
        made = run(post.schedule, post.schedule, schedule)
        assert made.a.error is None, made
        assert made.b.error is None, made
        [item] = [item for item in post.world.items("numbers") if "planned" in item]
        planned = [int(next(iter(number.values()))) for number in item["planned"]]
        assert len(planned) == 2 * 2
        ordered = {order["action"] for order in post.orders()}
        assert ordered <= {*planned[1::2]}, made
        assert planned[1] in ordered, made
