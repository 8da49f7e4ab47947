"""What a mail provider reports, and what becomes of supporters, numbers and orgs (domain 7.3, 16.6 #9 and #10)."""

from __future__ import annotations

import itertools
import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from proca_common.actions.status import EmailStatus
from proca_common.aws import clock
from proca_common.aws.errors import CloudError
from proca_common.orgs import store as orgs
from proca_common.pipes.routing import Queue
from proca_common.stages import decide, mail_reports
from tests import ses
from tests.coalition import Coalition, Petition, clear, message_ids
from tests.disasters import kills, mishaps
from tests.harness.calls import Calls
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed, faults
from tests.harness.interleave import probe, run, schedules
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import Answer, World, function

HEARING = {"event_queue": True}
DAY_S = 86_400


@pytest.fixture
def coalition(world: World, time: SimulatedTime) -> Coalition:
    """Both orgs hear of events."""
    return Coalition(world, HEARING, HEARING)


@pytest.fixture
def petition(coalition: Coalition) -> Petition:
    return coalition.petition()


def delivered(petition: Petition, name: str = "ida", **given: Any) -> Answer:
    """A signature on the partner's page, of which both orgs have a contact; its messages are taken."""
    answer = petition.sign(name, partner=True, **given)
    petition.world.run()
    petition.world.received(int(petition.page.org))
    petition.world.received(int(petition.partner_page.org))
    return answer


def supporter_of(world: World, signature: Answer) -> dict[str, Any]:
    [found] = [item for item in world.items("S#") if int(item["id"]) == signature.action]
    return found


def states(world: World, signature: Answer) -> tuple[str, str, str | None]:
    """Status of the supporter, of the action, of the address."""
    supporter = supporter_of(world, signature)
    return supporter["status"], world.action(signature.action)["status"], supporter.get("email_status")


def events(coalition: Coalition) -> dict[str, list[dict[str, Any]]]:
    """The events in both orgs' queues, decrypted; they are taken."""
    found = {}
    for org in (coalition.lead, coalition.partner):
        told = coalition.world.bodies(org, Queue.EVENT)
        for event in told:
            part = {"contact": event["supporter"]["contact"], "personalInfo": event["supporter"]["personalInfo"]}
            coalition.world.opened(org.id, part)
        found[org.name] = told
    return found


# --- what each report does


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (ses.bounced, "bounce"),
        (ses.complained, "spam"),
        (lambda action: ses.event("Bounce", action, {**ses.BOUNCE, "bounceSubType": "Suppressed"}), "blocked"),
    ],
    ids=["bounce", "complaint", "suppressed"],
)
@pytest.mark.parametrize("opted_in", [False, True])
def test_a_delivered_signature_is_taken_back(
    coalition: Coalition, petition: Petition, report: Callable[[int], dict[str, Any]], status: str, *, opted_in: bool
) -> None:
    world = coalition.world
    other, signature = delivered(petition, "per"), delivered(petition)
    if opted_in:
        decide.accept_supporter(signature.action, double_opt_in=True)
        world.run()
        events(coalition)
    before = world.numbers(petition.campaign)

    ses.tell(report(signature.action))
    world.run()

    assert states(world, signature) == ("rejected", "rejected", status)
    assert states(world, other)[0] == "accepted"
    after = world.numbers(petition.campaign)
    assert Counter(before) - Counter(after) == {
        "persons:total": 1,
        "type:register": 1,
        f"org:{coalition.partner.id}": 1,
        "area:DK": 1,
    }
    told = events(coalition)
    for name in ("lead", "partner"):
        [event] = told[name]
        assert event["actionId"] == signature.action
        assert event["eventType"] == "email_status"
        assert event["supporter"]["privacy"]["emailStatus"] == status
        assert event["supporter"]["contact"]["email"] == "ida@example.org", "decrypted by the org's own key"
    assert_sound(world, petition.campaign)


def test_an_event_for_an_org_with_a_key_has_no_address_in_clear(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    ses.tell(ses.bounced(signature.action))
    coalition.world.run()
    for org in (coalition.lead, coalition.partner):
        [message] = coalition.world.received(org, Queue.EVENT)
        body = json.loads(message["Body"])
        assert body["supporter"]["contact"]["email"] is None
        assert "ida" not in message["Body"].lower()
        attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        assert attributes["EventType"] == "email_status"
        assert attributes["Schema"] == "proca:event:2"
        assert "Stage" not in attributes


def test_an_unsubscription_leaves_the_signature_as_it_is(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    decide.accept_supporter(signature.action, double_opt_in=True)
    ses.tell(ses.unsubscribed(signature.action))
    coalition.world.run()
    assert states(coalition.world, signature) == ("accepted", "delivered", "unsub")
    assert [len(told) for told in events(coalition).values()] == [1, 1]


def test_what_waits_is_rejected_with_its_supporter_and_the_address_goes(world: World, time: SimulatedTime) -> None:
    org = world.org(
        "ngo", supporter_confirm=True, supporter_confirm_template="confirm", email_backend="ses", email_from="a@a.org"
    )
    page = world.page(org)
    signature = world.sign(page)
    share = world.act(page, signature.contact_ref).action
    world.run()
    assert "mail" in supporter_of(world, signature)
    ses.tell(ses.bounced(signature.action))
    world.run()
    assert states(world, signature) == ("rejected", "rejected", "bounce")
    assert world.action(share)["status"] == "rejected"
    assert "mail" not in supporter_of(world, signature)
    assert not world.pending()


@pytest.mark.parametrize("report", [ses.bounced, ses.complained])
def test_a_link_in_an_old_mail_changes_nothing_afterwards(
    coalition: Coalition, petition: Petition, report: Callable[[int], dict[str, Any]]
) -> None:
    signature = delivered(petition)
    ses.tell(report(signature.action))
    known = states(coalition.world, signature)
    for status in (EmailStatus.DOUBLE_OPT_IN, EmailStatus.UNSUB):
        assert not decide.set_email_status(signature.action, status)
    assert states(coalition.world, signature) == known


# --- soft bounces


def test_a_soft_bounce_does_nothing(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    numbers = coalition.world.numbers(petition.campaign)
    ses.tell(ses.softly_bounced(signature.action))
    coalition.world.run()
    assert states(coalition.world, signature) == ("accepted", "delivered", None)
    assert coalition.world.numbers(petition.campaign) == numbers
    assert events(coalition) == {"lead": [], "partner": []}


def test_the_third_soft_bounce_in_a_month_is_a_hard_one(
    coalition: Coalition, petition: Petition, time: SimulatedTime
) -> None:
    signature = delivered(petition)
    for day in (0, 20, 25):  # at day 45 only those of day 20 and later count
        assert states(coalition.world, signature)[0] == "accepted", day
        time.forward(hours=24 * day)
        ses.tell(ses.softly_bounced(signature.action))
    assert states(coalition.world, signature)[0] == "accepted"
    time.forward(hours=24 * 4)
    ses.tell(ses.softly_bounced(signature.action))
    coalition.world.run()
    assert states(coalition.world, signature) == ("rejected", "rejected", "bounce")
    assert [len(told) for told in events(coalition).values()] == [1, 1]


def test_soft_bounces_of_one_moment_count_each(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    ses.tell(*[ses.softly_bounced(signature.action)] * 3)
    assert states(coalition.world, signature)[0] == "rejected"


def test_a_soft_bounce_that_comes_again_is_counted_once(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    notices = [ses.notice(ses.softly_bounced(signature.action)) for _ in range(2)]
    ses.tell(*notices * 4)
    assert states(coalition.world, signature)[0] == "accepted"
    ses.tell(ses.softly_bounced(signature.action))
    assert states(coalition.world, signature)[0] == "rejected"


# --- at least once, in no order


def test_a_report_that_comes_again_says_nothing(coalition: Coalition, petition: Petition, time: SimulatedTime) -> None:
    signature = delivered(petition)
    told = ses.notice(ses.bounced(signature.action))
    for _ in range(3):
        ses.tell(told, told)
        time.forward(hours=24)
        coalition.world.run()
    assert [len(told) for told in events(coalition).values()] == [1, 1]
    assert_sound(coalition.world, petition.campaign)


def test_an_old_report_that_comes_again_does_not_undo_a_newer_one(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    bounce = ses.notice(ses.bounced(signature.action))
    ses.tell(bounce)
    ses.tell(ses.complained(signature.action))
    ses.tell(bounce)
    assert states(coalition.world, signature) == ("rejected", "rejected", "spam")


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))][::5])
def test_reports_in_any_order_end_in_rejection(
    coalition: Coalition, petition: Petition, order: tuple[int, ...]
) -> None:
    signature = delivered(petition)
    action = signature.action
    reports = [ses.softly_bounced(action), ses.bounced(action), ses.complained(action), ses.unsubscribed(action)]
    ses.tell(*[reports[index] for index in order], *[reports[index] for index in reversed(order)])
    coalition.world.run()
    supporter, action_status, email = states(coalition.world, signature)
    assert (supporter, action_status) == ("rejected", "rejected")
    assert email in ("bounce", "spam")
    assert_sound(coalition.world, petition.campaign)


@pytest.mark.parametrize("disasters", [kills, mishaps])
@pytest.mark.parametrize("report", [ses.bounced, ses.softly_bounced])
def test_whatever_happens_meanwhile_nothing_is_lost(
    world: World, time: SimulatedTime, disasters: Callable[[Calls], Any], report: Callable[[int], dict[str, Any]]
) -> None:
    """The third of soft bounces is lost as little as a hard one, and none is counted twice."""
    coalition = Coalition(world, HEARING, HEARING)
    earlier = 2 if report is ses.softly_bounced else 0

    def prepare() -> tuple[Petition, Answer, dict[str, Any]]:
        petition = coalition.petition()
        signature = delivered(petition)
        ses.tell(*[report(signature.action)] * earlier)
        return petition, signature, ses.notice(report(signature.action))

    *_, first = prepare()
    recorded = probe(lambda: ses.tell(first))
    for name, disaster in disasters(recorded):
        clear(world)
        coalition.received(Queue.EVENT)
        petition, signature, told = prepare()
        for attempt in range(3):  # Lambda calls again
            try:
                with faults(*([disaster] if attempt == 0 else [])):
                    ses.tell(told)
            except Killed:
                world.forget()
            except CloudError:
                continue
        time.recover()
        assert states(world, signature) == ("rejected", "rejected", "bounce"), name
        assert_sound(world, petition.campaign)
        assert len(message_ids(world, coalition.lead, Queue.EVENT)) == 1, name


def test_a_soft_bounce_is_counted_once_whatever_happens(world: World, time: SimulatedTime) -> None:
    petition = Coalition(world).petition()
    told = ses.notice(ses.softly_bounced(petition.sign("ida").action))
    recorded = probe(lambda: ses.tell(told))
    for name, disaster in itertools.chain(kills(recorded), mishaps(recorded)):
        clear(world)
        signature = petition.sign("ida")
        told = ses.notice(ses.softly_bounced(signature.action))
        for attempt in range(3):
            try:
                with faults(*([disaster] if attempt == 0 else [])):
                    ses.tell(told)
            except (Killed, CloudError):
                continue
        assert len(supporter_of(world, signature)["soft_bounces"]) == 1, name


# --- what is not for us


@pytest.mark.parametrize(
    "said",
    [
        ses.bounced(4_503_599_627_370_495),
        ses.softly_bounced(4_503_599_627_370_495),
        ses.bounced(None, headers=[{"name": "X-Proca-Custom-Id", "value": "mtt:17"}]),
        ses.bounced(None),
        ses.event("Delivery", 17),
        ses.event("Reject", 17, {"reason": "Bad content"}),
        "Successfully validated SNS topic for Amazon SES event publishing.",
        '{"eventType":"Bounce"}',
        "",
    ],
)
def test_what_is_not_ours_or_not_readable_is_passed_over(
    coalition: Coalition, petition: Petition, said: Any, caplog: pytest.LogCaptureFixture
) -> None:
    signature = delivered(petition)
    with caplog.at_level(logging.DEBUG):
        ses.tell(ses.notice(said), ses.notice(ses.bounced(signature.action)))
    assert states(coalition.world, signature)[0] == "rejected"
    assert ses.ADDRESS not in caplog.text


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"Sns": None},
        {"Sns": {"TopicArn": ses.MAIL_EVENTS_TOPIC, "MessageId": "1"}},
        {"Sns": {"TopicArn": ses.MAIL_EVENTS_TOPIC, "MessageId": "x" * 200, "Message": "{}"}},
        {"Sns": {"TopicArn": ses.MAIL_EVENTS_TOPIC, "MessageId": 1, "Message": "{}"}},
    ],
)
def test_a_record_that_is_none_is_passed_over(coalition: Coalition, petition: Petition, record: dict[str, Any]) -> None:
    signature = delivered(petition)
    records = [record, ses.notice(ses.bounced(signature.action))]
    function("MailEventsFunction")({"Records": records}, LambdaContext("MailEventsFunction", 28))
    assert states(coalition.world, signature)[0] == "rejected"


def test_another_topic_is_not_heard(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    other = "arn:aws:sns:eu-central-1:111111111111:proca-local-mail-events"
    ses.tell(ses.notice(ses.bounced(signature.action), topic=other))
    assert states(coalition.world, signature)[0] == "accepted"


def test_what_is_remembered_expires(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    ses.tell(ses.bounced(signature.action))
    [seen] = [item for item in coalition.world.items("event") if item["ref"].startswith("event#")]
    days = (int(seen["expires"]) - clock.now_ms() / 1000) / DAY_S
    assert days == pytest.approx(mail_reports.REMEMBERED_DAYS, abs=0.01)


# --- telling the orgs


def test_an_org_whose_queue_is_gone_hears_later(coalition: Coalition, petition: Petition, time: SimulatedTime) -> None:
    signature = delivered(petition)
    coalition.close_queues(coalition.lead)
    ses.tell(ses.bounced(signature.action))
    coalition.world.run()
    supporter = supporter_of(coalition.world, signature)
    assert supporter["stage"] == "event"
    assert list(supporter["owed"]) == [f"{coalition.lead.id}/event"]
    assert len(message_ids(coalition.world, coalition.partner, Queue.EVENT)) == 1
    coalition.open_queues(coalition.lead)
    time.recover()
    assert len(message_ids(coalition.world, coalition.lead, Queue.EVENT)) == 1
    assert not message_ids(coalition.world, coalition.partner, Queue.EVENT)
    assert_sound(coalition.world, petition.campaign)


def test_a_supporter_that_links_earlier_actions_is_told_of_too(coalition: Coalition, petition: Petition) -> None:
    world = coalition.world
    world.act(petition.partner_page, "earlier", "share")
    signature = petition.sign("ida", partner=True, contactRef="earlier")
    ses.tell(ses.unsubscribed(signature.action))  # before the stream functions came to the link
    assert supporter_of(world, signature)["stage"] == "link"
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert [action["status"] for action in stored.bound] == ["delivered", "delivered"]
    assert [len(told) for told in events(coalition).values()] == [1, 1]


@pytest.mark.parametrize("what", ["a link", "an event"])
def test_a_report_at_any_moment_of_linking_or_telling_is_told_once_more(
    world: World, time: SimulatedTime, what: str
) -> None:
    """The stream function is at work on the supporter when the report comes: it must not end what is owed anew."""
    coalition = Coalition(world, HEARING, HEARING)

    def prepare() -> Answer:
        clear(world)
        coalition.received(Queue.EVENT)
        petition = coalition.petition()
        if what == "a link":
            world.act(petition.partner_page, "earlier", "share")
            return petition.sign("ida", partner=True, contactRef="earlier")
        signature = petition.sign("ida", partner=True)
        world.run()
        decide.accept_supporter(signature.action, double_opt_in=True)
        return signature

    def work() -> None:
        world.streams.step(world.deliver)

    first = prepare()
    calls_of_work, calls_of_report = len(probe(work)), len(probe(lambda: ses.tell(ses.unsubscribed(first.action))))
    for schedule in [*schedules(calls_of_work, calls_of_report, preemptions=2)][::8]:
        signature = prepare()
        report = ses.notice(ses.unsubscribed(signature.action))
        done = run(work, lambda report=report: ses.tell(report), schedule)  # type: ignore[misc]
        assert done.a.error is done.b.error is None, done
        time.recover()
        assert supporter_of(world, signature)["email_status"] == "unsub", done
        for org in (coalition.lead, coalition.partner):
            told = [event["supporter"]["privacy"]["emailStatus"] for event in world.bodies(org, Queue.EVENT)]
            assert "unsub" in told, done
        assert not world.pending(), done


def test_orgs_that_want_one_stream_or_are_pushed_to_hear_there(world: World, time: SimulatedTime) -> None:
    coalition = Coalition(world, {"custom_event_deliver": True, "event_queue": True}, {"event_backend": "webhook"})
    petition = coalition.petition()
    signature = delivered(petition)
    ses.tell(ses.bounced(signature.action))
    world.run()
    [event] = world.bodies(coalition.lead)
    assert event["eventType"] == "email_status"
    [order] = world.orders("push")
    assert (order["org"], order["backend"]) == (coalition.partner.id, "event")
    assert json.loads(order["body"])["actionId"] == signature.action


def test_the_instance_org_hears_of_all_without_personal_data(world: World, time: SimulatedTime) -> None:
    instance = orgs.get(world.instance.org)
    hearing = instance.model_copy(update={"instance_events": True, "custom_event_deliver": True})
    orgs.replace(hearing)
    coalition = Coalition(world)
    world_queue = coalition.world
    coalition.open_queues(hearing)
    signature = delivered(coalition.petition())
    ses.tell(ses.bounced(signature.action))
    world_queue.run()
    [event] = world.bodies(hearing)
    assert event["supporter"]["contact"]["email"] is None
    assert event["supporter"]["personalInfo"] is None
    assert event["supporter"]["privacy"]["emailStatus"] == "bounce"


def test_after_erasure_nobody_hears(coalition: Coalition, petition: Petition) -> None:
    signature = delivered(petition)
    clear(coalition.world)
    ses.tell(ses.bounced(signature.action))
    coalition.world.run()
    assert events(coalition) == {"lead": [], "partner": []}
