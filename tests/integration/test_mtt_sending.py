"""From a signature with a message to the mails at its targets, through the real functions (domain 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.actions.status import EmailStatus
from proca_common.aws import clock
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.mtt import expand, numbers, store
from proca_common.mtt.sender import srs
from proca_common.orgs.org import Org
from proca_common.stages.decide import accept_supporter, reject_supporter
from proca_common.targets import store as targets
from tests import mtt
from tests.harness.calls import calls
from tests.mail_server import MailServer
from tests.simulated import SimulatedTime
from tests.target_post import TargetPost, target_post
from tests.world import World

NOON_MS = 12 * 3_600_000


@pytest.fixture
def post(world: World, time: SimulatedTime) -> Iterator[TargetPost]:
    """It is just after noon."""
    time.now_ms += (NOON_MS - time.now_ms) % mtt.DAY_MS + 1_000
    with target_post(world) as made:
        yield made


@pytest.fixture
def org(post: TargetPost, mail_server: MailServer) -> Org:
    org = post.world.org("bees", email_backend="smtp", email_from="mail@bees.example.org")
    post.smtp(org, mail_server)
    return org


def paced(world: World, org: Org, name: str = "bees", **settings: Any) -> Campaign:
    """A campaign that sends what there is in its first minutes: ten an hour, all at once where there is but one."""
    return mtt.campaign(world, org, name, **{"dripDelivery": False, **settings})


def deliver(post: TargetPost, time: SimulatedTime) -> None:
    """Let everything that was signed be delivered, and its mails be made."""
    post.world.run()
    time.forward(seconds=3)
    post.work()


def sent_to(server: MailServer) -> list[str]:
    return sorted(taken.recipients[0] for taken in server.taken)


def change(campaign: Campaign, **settings: Any) -> None:
    """Change settings of the campaign's messages."""
    known = campaigns.get(campaign.id)
    campaigns.replace(known.model_copy(update={"mtt": {**(known.mtt or {}), **settings}}))


def test_three_targets_get_what_a_supporter_wrote(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org, ccContacts=["office@bees.example.org"], ccSender=True)
    to = [mtt.target(campaign, name) for name in ("Anna", "Bo", "Carl")]
    answer = mtt.write(world, world.page(org, campaign), *to)
    deliver(post, time)
    assert post.statuses() == {"unsent": 3}
    assert not mail_server.taken

    post.schedule()
    post.work()

    assert sent_to(mail_server) == [f"{name}@parliament.example.org" for name in ("anna", "bo", "carl")]
    [taken] = [taken for taken in mail_server.taken if taken.recipients[0].startswith("anna")]
    rewritten = f"{srs('ida@example.org', post.srs_key, time.now_ms)}@bees.example.org"
    assert taken.sender == rewritten
    assert sorted(taken.recipients[1:]) == ["ida@example.org", "office@bees.example.org"]
    mail = taken.mail
    assert mail["From"] == f"Ida Holm <{rewritten}>"
    assert mail["Reply-To"] == "ida@example.org"
    assert mail["To"] == "Anna <anna@parliament.example.org>"
    assert mail["X-Proca-Custom-Id"] == f"mtt:{store.MailId(campaign.id, to[0].id, answer.action)}"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Dear Anna,", "bees matter."]
    assert post.statuses() == {"sent": 3}
    assert post.numbers(campaign.id, to[0].id) == {"total": 1, "taken": 1, "sent": 1}
    assert numbers.sent_in(campaign.id) == 3
    assert targets.get(campaign.id, to[0].id).emails[0].email_status == "active"
    [message] = world.items("T#")
    assert not {"text", "sender"} & message.keys()
    assert not [item for item in world.items() if "pending" in item]


@pytest.mark.parametrize(
    ("keep", "kept"), [("none", set()), ("text", {"text"}), ("all", {"text", "sender"})], ids=["none", "text", "all"]
)
def test_what_was_written_stays_as_the_campaign_says_once_the_last_mail_is_out(
    post: TargetPost, org: Org, time: SimulatedTime, keep: str, kept: set[str]
) -> None:
    world = post.world
    campaign = paced(world, org, keepMessages=keep)
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo", emails=[])
    mtt.write(world, world.page(org, campaign), anna, bo)
    deliver(post, time)
    post.schedule()
    post.work()
    [message] = world.items("T#")
    assert {"text", "sender"} <= message.keys()  # nobody knows where Bo can be reached, so far

    targets.replace(bo, bo.model_copy(update={"emails": anna.emails}))
    time.forward(minutes=3)
    post.schedule()
    post.work()
    [message] = world.items("T#")
    assert {"text", "sender"} & message.keys() == kept


def test_who_wrote_to_a_target_before_does_not_write_again(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo")
    pages = [world.page(org, campaign, name=f"bees/{number}") for number in (1, 2)]
    first = mtt.write(world, pages[0], anna).action
    deliver(post, time)
    second = mtt.write(world, pages[1], anna, bo).action
    other = mtt.write(world, pages[1], anna, name="per").action
    deliver(post, time)

    assert post.mails() == {
        (anna.id, first): "unsent",
        (anna.id, second): "dupe",
        (bo.id, second): "unsent",
        (anna.id, other): "unsent",
    }
    assert post.numbers(campaign.id, anna.id) == {"total": 2}


def test_a_repeat_writes_to_nobody_and_what_it_said_is_forgotten(
    post: TargetPost, org: Org, time: SimulatedTime
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna, bo = mtt.target(campaign, "Anna"), mtt.target(campaign, "Bo")
    page = world.page(org, campaign)
    mtt.write(world, page, anna)
    time.forward(seconds=1)
    again = mtt.write(world, page, bo).action
    deliver(post, time)

    assert world.action(again)["status"] == "repeat"
    assert {target for target, _ in post.mails()} == {anna.id}
    [message] = [item for item in world.items("T#") if int(item["action"]) == again]
    assert not {"text", "sender"} & message.keys()


def test_what_was_rejected_before_its_turn_is_withdrawn(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna")
    action = mtt.write(world, world.page(org, campaign), anna).action
    deliver(post, time)
    reject_supporter(action)
    [message] = world.items("T#")
    assert not {"text", "sender"} & message.keys()

    post.schedule()
    post.work()

    assert not mail_server.taken
    assert post.statuses() == {"withdrawn": 1}
    assert post.numbers(campaign.id, anna.id) == {}


def test_an_empty_message_is_withdrawn(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    mtt.write(world, world.page(org, campaign), mtt.target(campaign, "Anna"), subject="")
    deliver(post, time)
    post.schedule()
    post.work()

    assert (post.statuses(), mail_server.taken) == ({"withdrawn": 1}, [])


def test_messages_wait_for_the_supporter_to_confirm(
    post: TargetPost, mail_server: MailServer, time: SimulatedTime
) -> None:
    world = post.world
    org = world.org("birds", supporter_confirm=True, custom_supporter_confirm=True, email_backend="smtp")
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna")
    action = mtt.write(world, world.page(org, campaign), anna).action
    deliver(post, time)
    assert not post.mails()

    accept_supporter(action)
    deliver(post, time)
    assert post.mails() == {(anna.id, action): "unsent"}


def test_a_test_goes_to_the_tester_alone_at_once_and_is_not_counted(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = mtt.campaign(world, org, testEmail="tests@bees.example.org", paused=True)
    to = [mtt.target(campaign, name) for name in ("Anna", "Bo")]
    mtt.write(world, world.page(org, campaign), *to, testing=True)
    deliver(post, time)

    [taken] = mail_server.taken
    assert taken.recipients == ["ida@example.org", "tests@bees.example.org"]
    assert taken.mail["Subject"] == "[TEST] Bees"
    assert post.statuses() == {"sent": 2}
    assert numbers.sent_in(campaign.id) == 0
    assert all(post.numbers(campaign.id, each.id) == {} for each in to)


def test_a_test_that_nobody_can_send_is_given_up(post: TargetPost, time: SimulatedTime) -> None:
    world = post.world
    silent = world.org("silent")
    campaign = mtt.campaign(world, silent)
    mtt.write(world, world.page(silent, campaign), mtt.target(campaign, "Anna"), testing=True)
    deliver(post, time)

    assert post.statuses() == {"withdrawn": 1}
    [message] = world.items("T#")
    assert not {"text", "sender"} & message.keys()


def test_nothing_goes_out_while_a_campaign_is_paused(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    mtt.write(world, world.page(org, campaign), mtt.target(campaign, "Anna"))
    deliver(post, time)
    post.schedule()  # ordered, then paused
    change(campaign, paused=True)
    post.forget()
    post.work()
    assert not mail_server.taken
    assert post.schedule()["TargetMailsOrdered"] == 0

    change(campaign, paused=False)
    post.forget()
    post.schedule()
    post.work()
    assert len(mail_server.taken) == 1


def test_the_next_good_address_is_used(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna", emails=[{"email": "old@x.example.org"}, {"email": "new@x.example.org"}])
    gone = anna.emails[0].model_copy(update={"email_status": EmailStatus.BOUNCE})
    targets.replace(anna, anna.model_copy(update={"emails": (gone, anna.emails[1])}))
    mtt.write(world, world.page(org, campaign), anna)
    deliver(post, time)
    post.schedule()
    post.work()

    assert sent_to(mail_server) == ["new@x.example.org"]


def test_a_bad_campaign_or_target_holds_up_no_other(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    broken = world.org("broken", email_backend="smtp", email_from="mail@broken.example.org")  # has no such service
    page_of = {}
    for lead, name in ((broken, "broken"), (org, "bees")):
        campaign = paced(world, lead, name)
        unreachable = mtt.target(campaign, "Nobody", emails=[])
        anna = mtt.target(campaign, "Anna")
        page_of[name] = mtt.write(world, world.page(lead, campaign), unreachable, anna).action
    deliver(post, time)
    post.schedule()
    post.work()

    assert sent_to(mail_server) == ["anna@parliament.example.org"]
    assert post.statuses() == {"unsent": 3, "sent": 1}


def test_what_the_provider_will_never_take_is_not_tried_again(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna")
    mtt.write(world, world.page(org, campaign), anna)
    deliver(post, time)
    mail_server.replies["RCPT"] = ["550 5.1.1 no such mailbox"]
    for _ in range(2):
        post.schedule()
        post.work()
        time.forward(minutes=3)

    assert post.statuses() == {"refused": 1}
    assert post.numbers(campaign.id, anna.id) == {"total": 1, "taken": 1, "refused": 1}


def test_what_certainly_did_not_go_out_waits_for_the_next_run(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna")
    mtt.write(world, world.page(org, campaign), anna)
    deliver(post, time)
    mail_server.replies["MAIL"] = ["451 busy"]
    post.schedule()
    post.work()
    assert post.statuses() == {"unsent": 1}
    assert post.numbers(campaign.id, anna.id) == {"total": 1}

    time.forward(minutes=3)
    post.schedule()
    post.work()
    assert post.statuses() == {"sent": 1}


def test_a_provider_that_does_not_answer_is_not_given_all_that_waits(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    """Each mail that it is given may be lost, as nobody sends it again: so it rests, twice as long each time."""
    world = post.world
    campaign = paced(world, org)
    mtt.write(world, world.page(org, campaign), *(mtt.target(campaign, f"T{number}") for number in range(9)))
    deliver(post, time)
    mail_server.replies["AFTER DATA"] = ["gone"] * 4
    for _ in range(8):  # after 0, 2, 4 and 8 minutes, of which it rests 1, 2, 4 and 8
        post.schedule()
        post.work()
        time.forward(minutes=2)
    assert post.statuses() == {"claimed": 4, "unsent": 5}

    time.forward(minutes=2)
    post.schedule()
    post.work()
    assert post.statuses() == {"claimed": 4, "sent": 5}


def test_more_targets_than_a_transaction_takes_become_as_many_mails(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    to = [mtt.target(campaign, f"T{number}") for number in range(expand.STEP + 2)]
    mtt.write(world, world.page(org, campaign), *to)
    deliver(post, time)

    assert post.statuses() == {"unsent": expand.STEP + 2}
    assert all(post.numbers(campaign.id, each.id) == {"total": 1} for each in to)


def test_drip_follows_its_plan(post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    """30 minutes, 20 messages to one target: 2 after a minute, 4 after five, all in the last (domain 9.3)."""
    world = post.world
    start_ms = clock.now_ms() // 60_000 * 60_000 + 60_000
    campaign = mtt.campaign(world, org, startAt=mtt.at(start_ms), endAt=mtt.at(start_ms + 30 * 60_000))
    anna = mtt.target(campaign, "Anna")
    page = world.page(org, campaign)
    for number in range(20):
        mtt.write(world, page, anna, name=f"ida{number}")
    deliver(post, time)
    seen = {}
    for minute in (1, 5, 29):
        time.now_ms = start_ms + minute * 60_000 + 1
        post.schedule()
        post.work()
        seen[minute] = len(mail_server.taken)

    assert seen == {1: 2, 5: 4, 29: 20}
    assert len({taken.mail["X-Proca-Custom-Id"] for taken in mail_server.taken}) == 20


def test_hourly_keeps_to_its_cap_and_spreads_the_hour(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    """At noon 70 % of 6: four in this hour, after 0, 1375, 2200 and 3300 s, the rest in the next (domain 9.4)."""
    world = post.world
    campaign = paced(world, org, maxEmailsPerHour=6)
    anna = mtt.target(campaign, "Anna")
    page = world.page(org, campaign)
    for number in range(6):
        mtt.write(world, page, anna, name=f"ida{number}")
    deliver(post, time)
    begun = time.now_ms
    times = []
    mail_server.on_data = lambda: times.append((time.now_ms - begun) // 1000)

    def move(moment_ms: int) -> None:
        time.now_ms = moment_ms

    while time.now_ms < begun + 3_500_000:
        post.cycle(move)
    assert times == [0, 1375, 2200, 3300]
    while time.now_ms < begun + 4_200_000:
        post.cycle(move)
    assert len(times) == 5


def test_a_run_within_the_hour_asks_for_many_targets_at_once(post: TargetPost, org: Org, time: SimulatedTime) -> None:
    world = post.world
    campaign = paced(world, org)
    page = world.page(org, campaign)
    asked = []
    for number in (2, 10):
        to = [mtt.target(campaign, f"T{number}.{each}") for each in range(number)]
        for name in ("ida", "per"):
            mtt.write(world, page, *to, name=f"{name}{number}")
        deliver(post, time)
        assert post.schedule()["TargetMailsOrdered"] > 0  # plans the hour
        with calls() as made:
            post.schedule()
        asked.append(Counter(call.operation for call in made))
    assert asked[0] == asked[1]


def test_the_lead_sends_what_is_written_on_pages_of_partners(
    post: TargetPost, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna")
    partner = world.org("birds")
    answer = mtt.write(world, world.page(partner, campaign, name="birds/bees"), anna)
    assert f"{org.id}/targets" in world.action(answer.action)["owed"]
    deliver(post, time)
    post.schedule()
    post.work()

    [taken] = mail_server.taken
    assert taken.sender.endswith("@bees.example.org")
    assert post.statuses() == {"sent": 1}


def test_no_log_says_who_wrote_what_to_whom(
    post: TargetPost,
    org: Org,
    time: SimulatedTime,
    mail_server: MailServer,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = post.world
    campaign = paced(world, org)
    anna = mtt.target(campaign, "Anna")
    page = world.page(org, campaign)
    answers = [mtt.write(world, page, anna, name=name, body="a private sentence") for name in ("ida", "per", "siri")]
    mtt.write(world, page, anna, subject="{{#private}}")
    deliver(post, time)
    mail_server.replies |= {"MAIL": ["451 4.7.1 ida@example.org waits"], "RCPT": ["550 5.1.1 anna@example.org"]}
    for _ in range(3):
        post.schedule()
        post.work()
        time.forward(minutes=3)
    post.put('{"not": "an order of ida@example.org"}')
    post.step()

    assert post.statuses()["refused"] == 1
    said = capsys.readouterr().out + caplog.text
    assert "mails to targets" in said
    secrets = ("ida@", "anna@", "Holm", "private", *(answer.contact_ref for answer in answers))
    assert [secret for secret in secrets if secret in said] == []
