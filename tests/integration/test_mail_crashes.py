"""Whatever happens to the function that sends mails, at whichever step: no mail is missing in the end, and one goes out
twice only if nobody was left to write down the provider's answer; that is counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proca_common.mails import counts
from proca_common.mails.backends import smtp
from proca_common.orgs.org import Org
from tests.disasters import mishaps
from tests.harness import faults
from tests.harness.calls import Calls, unseen_client
from tests.harness.faults import Killed, Plan
from tests.harness.interleave import probe, run, schedules
from tests.mail_server import MailServer
from tests.post import PostOffice
from tests.simulated import SimulatedTime

MAILS = {"email_backend": "smtp", "email_from": "mail@bees.example.org"}
KEYS = {"supporter_confirm", "thank_you"}

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none


@pytest.fixture
def org(office: PostOffice, mail_server: MailServer) -> Org:
    org = office.world.org("bees", **MAILS, supporter_confirm_template="confirm")
    office.smtp(org, mail_server)
    for name in ("thanks", "confirm"):
        office.template(org, name)
    return org


class Case:
    """A batch that is to be broken: three people to be thanked, one of them also asked by a mail that is late."""

    def __init__(self, office: PostOffice, org: Org, server: MailServer) -> None:
        self.office, self.server, self.org = office, server, org
        self.page = office.world.page(org, thank_you_template="thanks")
        world = office.world
        for name in ("ida", "per", "siri"):
            world.sign(self.page, email=f"{name}@example.org")
        world.run()
        office.collect()
        self.orders = [message.body for message in office.waiting.values()]
        assert len(self.orders) == 3
        self.items = world.tables.all_items("ActionsTable")

    def again(self) -> None:
        """As at the beginning."""
        client, table = unseen_client("dynamodb"), self.office.world.tables["ActionsTable"]
        for item in self.items:
            client.put_item(TableName=table, Item=item)
        self.office.waiting.clear()
        stats = self.office.world.tables["StatsTable"]
        client.delete_item(TableName=stats, Key={"pk": {"S": f"org#{self.org.id}"}, "sk": {"S": "mails"}})
        self.server.taken.clear()
        for body in self.orders:
            self.office.put(body)
        self.office.forget()

    def calls(self) -> Calls:
        """What the batch calls, when nothing happens; secrets are known already."""
        for _ in range(2):
            self.again()
            recorded = probe(self.office.step)
        return recorded

    @property
    def sent(self) -> list[str]:
        """Who got a mail, in alphabetical order."""
        return sorted(taken.recipients[0] for taken in self.server.taken)

    @property
    def possibly_twice(self) -> int:
        """How many mails are counted as sent although they may have gone out before."""
        return counts.read(self.org.id)["possibly_twice"]

    def settled(self) -> bool:
        """Whether everything is recorded, and no address is left."""
        supporters = self.office.world.items("S#")
        return all(
            supporter["mailed"] == ["thank_you"] and not {"mail", "mail_claim"} & supporter.keys()
            for supporter in supporters
        )


EACH_ONCE = ["ida@example.org", "per@example.org", "siri@example.org"]


def broken(case: Case, plan: Plan) -> bool:
    """Run a batch with one disaster; whether the function was killed."""
    try:
        with faults.faults(plan):
            case.office.step()
    except Killed:
        case.office.forget()
        return True
    return False


def crashes(recorded: Calls) -> Iterator[tuple[str, Plan]]:
    for nth, call in enumerate(recorded, 1):
        yield f"killed before {nth}. {call.operation}", faults.crash_before(nth=nth)
        yield f"killed after {nth}. {call.operation}", faults.crash_after(nth=nth)


def test_killed_at_every_call(office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    case = Case(office, org, mail_server)
    recorded = case.calls()
    assert case.sent == EACH_ONCE
    assert case.settled()
    possible = 0

    for disaster, plan in crashes(recorded):
        case.again()
        broken(case, plan)
        sent_before = len(case.sent)
        office.run(time)
        assert set(case.sent) == set(EACH_ONCE), disaster
        assert case.settled(), disaster
        twice = len(case.sent) - len(EACH_ONCE)
        assert twice <= case.possibly_twice <= 1, disaster
        if twice:
            assert disaster.startswith("killed before"), disaster
            assert disaster.endswith("UpdateItem"), disaster
            assert sent_before > 0
        possible += twice
    assert possible == len(EACH_ONCE)  # between each answer and its record


@pytest.mark.parametrize("step", ["_connect", "_envelope", "send"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_while_the_mail_server_is_asked(
    office: PostOffice,
    org: Org,
    time: SimulatedTime,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    before: bool,
) -> None:
    case = Case(office, org, mail_server)
    for nth in range(1 if step == "_connect" else len(EACH_ONCE)):
        case.again()
        with monkeypatch.context() as patched:
            patched.setattr(smtp.Smtp, step, killed_at(getattr(smtp.Smtp, step), nth, before=before))
            with pytest.raises(Killed):
                office.step()
        office.forget()
        office.run(time)

        assert set(case.sent) == set(EACH_ONCE)
        assert case.settled()
        taken = step == "send" and not before
        assert len(case.sent) == len(EACH_ONCE) + taken
        assert case.possibly_twice == 1  # nobody can tell whether it was asked


def killed_at(method: Callable[..., Any], nth: int, *, before: bool) -> Callable[..., Any]:
    seen = 0

    def call(*given: Any, **named: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen - 1 == nth and before:
            raise Killed("before")
        answer = method(*given, **named)
        if seen - 1 == nth:
            raise Killed("after")
        return answer

    return call


def test_aws_lets_every_call_down(office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    case = Case(office, org, mail_server)
    recorded = case.calls()

    for disaster, plan in mishaps(recorded):
        case.again()
        broken(case, plan)
        office.run(time)
        assert set(case.sent) == set(EACH_ONCE), disaster
        assert case.settled(), disaster
        twice = len(case.sent) - len(EACH_ONCE)
        assert twice <= case.possibly_twice, disaster


def test_killed_again_and_again(office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    case = Case(office, org, mail_server)
    recorded = case.calls()
    updates = [nth for nth, call in enumerate(recorded, 1) if call.operation == "UpdateItem"]

    case.again()
    for _ in range(3):
        broken(case, faults.crash_before(nth=updates[1]))  # sent, and nobody writes it down
        time.now_ms = max(message.visible_ms for message in office.waiting.values())
    office.run(time)

    assert set(case.sent) == set(EACH_ONCE)
    assert case.settled()
    assert len(case.sent) - len(EACH_ONCE) == case.possibly_twice == 3


def test_a_late_mail_that_may_have_gone_out_stays_known_as_such(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    settings = {"supporter_confirm": True, "supporter_confirm_template": "confirm"}
    org = office.world.org("bees", **MAILS, **settings)
    office.smtp(org, mail_server)
    office.template(org, "confirm")
    page = office.world.page(org, thank_you_template="thanks")
    office.world.sign(page)
    office.world.run()
    office.collect()
    [order] = office.orders()

    with faults.faults(faults.crash_before("UpdateItem", nth=2)), pytest.raises(Killed):
        office.step()
    office.forget()
    time.now_ms += 200_000
    office.put(json.dumps({**order, "mail": "reminder", "key": "reminder.1"}))
    office.run(time)

    assert len(mail_server.taken) == 3  # asked, reminded, and asked once more
    assert counts.read(org.id)["possibly_twice"] == 1


def test_two_at_once_send_each_mail_once(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    """Both functions got the same message, at every order of their calls with one change of turns."""
    page = office.world.page(org, thank_you_template="thanks")
    office.world.sign(page)
    office.world.run()
    office.collect()
    [order] = [message.body for message in office.waiting.values()]
    items = office.world.tables.all_items("ActionsTable")
    client, table = unseen_client("dynamodb"), office.world.tables["ActionsTable"]

    def attempt() -> None:
        office.put(order)
        office.step(batch=1)

    office.waiting.clear()
    alone = len(probe(attempt))
    for schedule in schedules(alone, alone, preemptions=1):
        for item in items:
            client.put_item(TableName=table, Item=item)
        office.waiting.clear()
        mail_server.taken.clear()
        made = run(attempt, attempt, schedule)
        office.run(time)

        assert made.a.error is None, made
        assert made.b.error is None, made
        assert len(mail_server.taken) == 1, made
        assert counts.read(org.id)["possibly_twice"] == 0, made
