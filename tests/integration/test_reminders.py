"""Reminders of supporters who did not confirm, over simulated days, and when addresses go (domain 7.6, 16.7 #8)."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.actions.status import EmailStatus
from proca_common.admin.__main__ import main
from proca_common.campaigns import store as campaigns
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.stages import decide
from tests import ses
from tests.coalition import clear
from tests.disasters import kills, mishaps
from tests.harness.calls import unseen_client
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed, faults, throttle
from tests.harness.interleave import probe
from tests.mail_server import MailServer
from tests.post import PostOffice
from tests.simulated import SimulatedTime
from tests.world import World, function

DAY_H = 24
CONFIRMING = {
    "supporter_confirm": True,
    "supporter_confirm_template": "confirm",
    "email_backend": "smtp",
    "email_from": "mail@bees.example.org",
}
ON = {"enabled": True}


def reminding(office: PostOffice, server: MailServer, name: str = "bees", **settings: Any) -> Org:
    """An org that mails its supporters through this server, and reminds them."""
    org = office.world.org(name, **{**CONFIRMING, "config": {"reminder": ON}, **settings})
    office.smtp(org, server)
    office.template(org, "confirm")
    office.template(org, "thanks")
    return org


def signed(office: PostOffice, page: ActionPage, time: SimulatedTime, name: str = "ida") -> int:
    """Somebody signs and gets the mail that asks to confirm."""
    action = office.world.sign(page, email=f"{name}@example.org").action
    office.world.run()
    work(office, time)
    return action


def work(office: PostOffice, time: SimulatedTime) -> None:
    """All mails that are ordered go out."""
    office.collect()
    office.run(time)


def live(office: PostOffice, time: SimulatedTime, days: float, *, step_h: float = 1) -> Counter[str]:
    """Let so many days pass, with the hourly function and the mails it orders; what it did."""
    done: Counter[str] = Counter()
    for _ in range(round(days * DAY_H / step_h)):
        time.forward(hours=step_h)
        done.update(office.world.remind())
        work(office, time)
    return done


def change(org: Org, reminder: Any) -> None:
    """What the org says of reminders from now on."""
    orgs.replace(orgs.get(org.id).model_copy(update={"config": {"reminder": reminder}}))


def supporter(world: World, action: int) -> dict[str, Any]:
    [found] = [item for item in world.items("S#") if int(item["id"]) == action]
    return found


def test_exactly_as_many_go_out_as_are_configured_and_then_the_address_goes(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    action = signed(office, world.page(reminding(office, mail_server)), time)
    assert len(mail_server.mails) == 1
    sent = []
    for hour in range(14 * DAY_H):
        time.forward(hours=1)
        world.remind()
        work(office, time)
        sent += [hour + 1] * (len(mail_server.mails) - 1 - len(sent))
    assert [round(hour / DAY_H) for hour in sent] == [2, 4, 6]
    assert world.action(action)["reminded"] == "3"
    assert "mail" in supporter(world, action), "the link still holds"

    done = live(office, time, 166, step_h=24)
    assert done["wiped"] == 0
    done = live(office, time, 2, step_h=24)
    assert done["wiped"] == 1
    assert "mail" not in supporter(world, action)
    assert not world.pending()
    assert len(mail_server.mails) == 4


def test_the_link_in_a_reminder_says_that_it_is_one(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    signed(office, office.world.page(reminding(office, mail_server)), time)
    live(office, time, 2, step_h=24)
    first, second = (str(mail) for mail in mail_server.mails)
    assert "reminder=1" not in first.replace("=\n", "").replace("=3D", "=")
    assert "reminder=1" in second.replace("=\n", "").replace("=3D", "=")


@pytest.mark.parametrize("end", ["accepted", "rejected", "unsubscribed", "bounced"])
def test_who_decided_or_cannot_be_reached_is_not_reminded(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer, end: str
) -> None:
    world = office.world
    action = signed(office, world.page(reminding(office, mail_server)), time)
    match end:
        case "accepted":
            decide.accept_supporter(action)
        case "rejected":
            decide.reject_supporter(action)
        case "unsubscribed":
            decide.set_email_status(action, EmailStatus.UNSUB)
        case "bounced":
            ses.tell(ses.bounced(action))
    world.run()
    live(office, time, 8, step_h=12)
    assert len(mail_server.mails) == 1
    assert "mail" not in supporter(world, action), "no mail will be due any more"


@pytest.mark.parametrize("settings", [{"config": {}}, {"config": {"reminder": {"enabled": "yes"}}}])
def test_without_reminders_the_address_stays_until_the_link_has_ended(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer, settings: dict[str, Any]
) -> None:
    world = office.world
    action = signed(office, world.page(reminding(office, mail_server, **settings)), time)
    assert world.action(action)["pending"].startswith("wipe#")
    live(office, time, 180, step_h=24)
    assert "mail" in supporter(world, action)
    assert live(office, time, 2, step_h=24)["wiped"] == 1
    assert "mail" not in supporter(world, action)
    assert len(mail_server.mails) == 1


def test_a_campaign_may_want_it_where_its_org_does_not(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    org = reminding(office, mail_server, config={}, supporter_confirm=False)
    said = {"reminder": {**ON, "delay_days": "1", "max_count": "2"}}
    campaign = world.campaign(org, "flowers", supporter_confirm=True, config=said)
    signed(office, world.page(org, campaign), time)
    signed(office, world.page(org, world.campaign(org, "trees", supporter_confirm=True)), time, "per")
    assert live(office, time, 6, step_h=6)["reminded"] == 2


def test_paused_reminders_go_on_where_they_were(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    org = reminding(office, mail_server)
    signed(office, world.page(org), time)
    assert live(office, time, 2.5, step_h=12)["reminded"] == 1
    change(org, {"enabled": False})
    assert live(office, time, 10, step_h=12)["reminded"] == 0
    change(org, ON)
    assert live(office, time, 10, step_h=12)["reminded"] == 2
    assert len(mail_server.mails) == 4


def test_a_campaign_is_paused_by_itself(office: PostOffice, time: SimulatedTime, mail_server: MailServer) -> None:
    world = office.world
    org = reminding(office, mail_server)
    flowers, trees = world.campaign(org, "flowers"), world.campaign(org, "trees")
    signed(office, world.page(org, flowers), time)
    signed(office, world.page(org, trees), time, "per")
    campaigns.replace(flowers.model_copy(update={"config": {"reminder": {"enabled": False}}}))
    assert live(office, time, 8, step_h=12)["reminded"] == 3


def test_paused_for_ever_ends_with_the_link(office: PostOffice, time: SimulatedTime, mail_server: MailServer) -> None:
    world = office.world
    org = reminding(office, mail_server)
    action = signed(office, world.page(org), time)
    change(org, {"enabled": False})
    done = live(office, time, 183, step_h=24)
    assert (done["reminded"], done["wiped"]) == (0, 1)
    assert "mail" not in supporter(world, action)


def test_nobody_is_reminded_of_a_link_that_has_ended(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    reminder = {**ON, "delay_days": 100, "max_count": 5}
    signed(office, office.world.page(reminding(office, mail_server, config={"reminder": reminder})), time)
    assert live(office, time, 400, step_h=48)["reminded"] == 1


def test_after_a_long_break_there_are_not_two_in_a_row(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    signed(office, office.world.page(reminding(office, mail_server)), time)
    time.forward(hours=20 * DAY_H)
    assert live(office, time, 1)["reminded"] == 1
    assert live(office, time, 2)["reminded"] == 1


def test_no_reminder_while_the_last_mail_is_still_on_its_way(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    world.sign(world.page(reminding(office, mail_server)))
    world.run()  # ordered, but nobody sends it
    time.forward(hours=3 * DAY_H)
    assert world.remind()["reminded"] == 0
    work(office, time)
    assert live(office, time, 2)["reminded"] == 1
    assert len(mail_server.mails) == 2


def test_a_mail_queue_that_refuses_is_asked_again_the_next_hour(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    action = signed(office, world.page(reminding(office, mail_server)), time)
    time.forward(hours=2 * DAY_H)
    with faults(throttle("sqs", nth=None)):
        assert world.remind()["refused"] == 1
    assert "reminded" not in world.action(action)
    time.forward(hours=1)
    assert world.remind()["reminded"] == 1


@pytest.mark.soak
@pytest.mark.parametrize("disasters", [kills, mishaps])
def test_whatever_happens_each_reminder_goes_out_once(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer, disasters: Any
) -> None:
    world = office.world
    page = world.page(reminding(office, mail_server, config={"reminder": {**ON, "max_count": 2}}))

    def sign_all() -> None:
        clear(world)
        for name in ("ida", "per", "liv"):
            signed(office, page, time, name)
        time.forward(hours=2 * DAY_H)

    sign_all()
    recorded = probe(world.remind)
    for name, disaster in disasters(recorded):
        sign_all()
        before = len(mail_server.mails)
        try:
            with faults(disaster):
                world.remind()
        except (Killed, Exception):  # noqa: BLE001 - the next hour runs again
            office.forget()
        live(office, time, 6, step_h=12)
        assert len(mail_server.mails) - before == 6, name
        assert {item["reminded"] for item in world.items("A#")} == {"2"}, name


def test_it_stops_in_time_and_goes_on_the_next_hour(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    page = world.page(reminding(office, mail_server))
    for number in range(103):
        world.sign(page, email=f"person{number}@example.org")
    world.run()
    work(office, time)
    time.forward(hours=2 * DAY_H)
    hurried = LambdaContext("RemindFunction", remaining_ms=15_000)
    assert function("RemindFunction")({}, hurried)["reminded"] == 100
    assert world.remind()["reminded"] == 3
    assert world.remind()["reminded"] == 0


def test_a_broken_item_does_not_hold_up_the_others(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    """Nor does one whose page, supporter or self is gone."""
    world = office.world
    page = world.page(reminding(office, mail_server))
    actions = [signed(office, page, time, name) for name in ("ida", "per", "liv")]
    dynamodb, table = unseen_client("dynamodb"), world.tables["ActionsTable"]
    gone = supporter(world, actions[0])
    dynamodb.delete_item(TableName=table, Key={"ref": {"S": gone["ref"]}, "sk": {"S": gone["sk"]}})
    lost = world.action(actions[1])
    dynamodb.update_item(
        TableName=table,
        Key={"ref": {"S": lost["ref"]}, "sk": {"S": lost["sk"]}},
        UpdateExpression="SET page = :gone",
        ExpressionAttributeValues={":gone": {"N": "999999"}},
    )
    time.forward(hours=2 * DAY_H)
    done = world.remind()
    assert (done["reminded"], done["ended"]) == (1, 2)


def test_a_dry_run_says_how_many_and_changes_nothing(
    office: PostOffice,
    time: SimulatedTime,
    mail_server: MailServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = office.world
    for variable, name in world.tables.environment.items():
        monkeypatch.setenv(variable, name)
    page = world.page(reminding(office, mail_server))
    for name in ("ida", "per"):
        signed(office, page, time, name)
    time.forward(hours=2 * DAY_H)
    before = world.items()
    capsys.readouterr()
    assert main(["--json", "reminders", "--dry-run"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["reminded"], shown["campaigns"]) == (2, {"bees": 2})
    assert world.items() == before
    assert office.collect() == 0
    assert main(["--json", "reminders"]) == 0
    assert json.loads(capsys.readouterr().out)["reminded"] == 2
    assert office.collect() == 2


def test_an_ordered_mail_that_never_went_out_keeps_its_address_for_a_month(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    org = reminding(office, mail_server, supporter_confirm=False)
    action = world.sign(world.page(org, thank_you_template="thanks")).action
    world.run()
    assert world.action(action)["pending"].startswith("wipe#")
    time.forward(hours=29 * DAY_H)
    assert world.remind()["wiped"] == 0
    time.forward(hours=2 * DAY_H)
    assert world.remind()["wiped"] == 1
    assert "mail" not in supporter(world, action)


def test_who_signs_while_reminders_are_off_is_never_reminded_and_both_kinds_share_a_run(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = office.world
    pages = []
    for name, said in (("bees", {}), ("birds", {"reminder": ON})):
        org = reminding(office, mail_server, name, config=said)
        pages.append(world.page(org, world.campaign(org, name)))
    for page, name in itertools.product(pages, ("ida", "per")):
        signed(office, page, time, name)
    done = live(office, time, 190, step_h=24)
    assert (done["reminded"], done["wiped"]) == (6, 4)
    assert not world.pending()
