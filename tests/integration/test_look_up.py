"""Detail look-up: what an org knows of a supporter is merged before the signature goes on, and never holds it up for
long (domain 4.5).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.actions import store
from proca_common.actions.status import SupporterStatus
from proca_common.aws.errors import CloudError
from proca_common.aws.logs import logger
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.encryption import unseal
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.pipes import calling
from proca_common.pipes.details import Details
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from proca_common.stages.details import settle
from proca_common.stages.look_up import TRIES, Desk, Report, look_up
from tests.disasters import kills, mishaps
from tests.endpoints import Endpoint, Said, endpoint
from tests.harness.faults import Killed, faults
from tests.harness.interleave import probe
from tests.recount import assert_sound
from tests.simulated import SimulatedTime
from tests.world import PASSWORDS_SECRET, World

GIVEN_AT = "2026-03-01T12:00:00Z"
KNOWN = {
    "privacy": {
        "optIn": True,
        "givenAt": GIVEN_AT,
        "emailStatus": "active",
        "emailStatusChanged": "2026-02-01T08:00:00Z",
    },
    "action": {"customFields": {"memberSince": 2019, "Segment": ["a", "b"]}},
}
PASSWORD = "Bearer sesame"


@dataclass
class Member:
    """A page of an org that has a detail service, and the service."""

    world: World
    server: Endpoint
    org: Org
    page: ActionPage

    @property
    def desk(self) -> Desk:
        return Desk(self.world.sealing_key, PASSWORDS_SECRET, this_machine=True)

    def sign(self, **given: Any) -> int:
        """Somebody signs, and the look-up is ordered."""
        action = self.world.sign(self.page, **given).action
        self.world.run()
        return action

    def orders(self, receives: int = 1) -> list[dict[str, Any]]:
        """What is in the detail queue, as it comes for the nth time."""
        return [record(order, receives) for order in self.world.orders("detail")]

    def look_up(self, receives: int = 1) -> Report:
        """Work on what is in the detail queue, and on what follows from that."""
        report = look_up(self.orders(receives), self.desk)
        self.world.run()
        return report

    def delivered(self) -> list[dict[str, Any]]:
        """What the org finds in its deliver queue."""
        return self.world.messages(self.org)

    def supporter(self) -> dict[str, Any]:
        """The one supporter that is stored."""
        [found] = self.world.items("S#")
        return found


def record(order: dict[str, Any], receives: int = 1) -> dict[str, Any]:
    """An order as Lambda brings it."""
    return {
        "messageId": f"sqs-{order.get('action')}",
        "receiptHandle": "handle",
        "body": json.dumps(order),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def member_of(world: World, server: Endpoint, **settings: Any) -> Member:
    org = world.org("ngo", detail_backend="webhook", **settings)
    services.add(org.id, ServiceInput(name=ServiceName.WEBHOOK, host=server.url), PASSWORD)
    return Member(world, server, org, world.page(org))


@pytest.fixture
def server() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


@pytest.fixture
def member(world: World, time: SimulatedTime, server: Endpoint) -> Member:
    return member_of(world, server)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    for handler in logger.handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written


def says(member: Member, answer: Any, status: int = 200) -> None:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    member.server.answer = lambda _: Said(status, body)


def test_a_signature_waits_until_its_org_was_asked(member: Member) -> None:
    says(member, KNOWN)
    action = member.sign(email="ida.holm@example.org", opt_in=False, fields={"colour": "red", "memberSince": 0})
    stored = member.world.action(action)
    assert (stored["stage"], stored["status"]) == ("detail", "new")
    assert not member.delivered()
    assert not member.world.numbers(member.page.campaign)

    report = member.look_up()

    assert (report.again, report.counts) == ({}, {"Asked": 1})
    [request] = member.server.requests
    ref = str(member.world.action(action)["ref"])
    assert json.loads(request.body) == {"email": "ida.holm@example.org", "contactRef": ref}
    assert request.headers["authorization"] == PASSWORD
    assert request.id == f"{action}.detail"
    [message] = member.delivered()
    assert message["privacy"] == {
        "optIn": True,
        "givenAt": GIVEN_AT,
        "emailStatus": "active",
        "emailStatusChanged": "2026-02-01T08:00:00Z",
        "withConsent": True,
    }
    assert message["action"]["customFields"] == {"colour": "red", "memberSince": 2019, "Segment": ["a", "b"]}
    assert message["contact"]["email"] == "ida.holm@example.org"
    assert member.world.numbers(member.page.campaign)["persons:total"] == 1
    assert not member.world.pending()
    assert_sound(member.world, member.page.campaign)


def test_without_a_detail_backend_nobody_is_asked(world: World, time: SimulatedTime) -> None:
    org = world.org("ngo")
    world.sign(world.page(org))
    world.run()

    assert not world.orders("detail")
    assert len(world.messages(org)) == 1


def test_the_address_is_kept_for_the_look_up_only(member: Member) -> None:
    says(member, {})
    member.sign(email="ida.holm@example.org")
    [raw] = [item for item in member.world.tables.all_items("ActionsTable") if item["sk"]["S"].startswith("S#")]
    sealed = store.SupporterItem.from_raw_data(raw).mail
    assert json.loads(unseal(sealed, member.world.sealing_key))["email"] == "ida.holm@example.org"

    member.look_up()

    assert "mail" not in member.supporter()


def test_consent_given_elsewhere_is_the_page_orgs_alone(member: Member) -> None:
    says(member, KNOWN)
    lead = member.world.org("lead")
    campaign = member.world.campaign(lead, "rivers", force_delivery=True)
    member.page = member.world.page(member.org, campaign)
    action = member.sign(opt_in=False, lead_opt_in=False)
    member.look_up()

    [own], [leads] = member.delivered(), member.world.messages(lead)
    assert (own["privacy"]["optIn"], own["privacy"]["givenAt"]) == (True, GIVEN_AT)
    assert leads["privacy"]["optIn"] is False
    assert leads["privacy"]["givenAt"] != GIVEN_AT
    assert own["actionId"] == leads["actionId"] == action


def test_consent_for_an_org_without_the_contact_gives_it_none(member: Member) -> None:
    says(member, KNOWN)
    lead = member.world.org("lead")
    member.page = member.world.page(member.org, member.world.campaign(lead, "rivers"), delivery=False)
    member.sign(opt_in=False, lead_opt_in=False)
    member.look_up()

    assert not member.delivered()
    [message] = member.world.messages(lead)
    assert message["privacy"]["optIn"] is False


NO_DETAILS = {"optIn": False, "emailStatus": None, "customFields": {"colour": "red"}}


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {}, NO_DETAILS),
        (200, {"privacy": {"optIn": False, "givenAt": GIVEN_AT}}, NO_DETAILS),
        (200, {"privacy": {"optIn": True, "givenAt": GIVEN_AT}}, {**NO_DETAILS, "optIn": True}),
        (
            200,
            {"privacy": {"emailStatus": "bounce", "emailStatusChanged": GIVEN_AT}},
            {**NO_DETAILS, "emailStatus": "bounce"},
        ),
        (
            200,
            {"action": {"customFields": {"colour": "blue", "Size": 1.5}}},
            {**NO_DETAILS, "customFields": {"colour": "blue", "Size": 1.5}},
        ),
        (200, {**KNOWN, "privacy": {"optIn": True}}, NO_DETAILS),
        (200, {**KNOWN, "action": {"customFields": {"nested": {"a": 1}}}}, NO_DETAILS),
        (200, {**KNOWN, "action": {"customFields": {"none": None}}}, NO_DETAILS),
        (200, {**KNOWN, "action": {"customFields": {"mixed": [1, "a"]}}}, NO_DETAILS),
        (200, {**KNOWN, "action": {"customFields": {"control": "\u0000"}}}, NO_DETAILS),
        (200, {**KNOWN, "action": {"customFields": {"long": "x" * 5_100}}}, NO_DETAILS),
        (200, b'{"action": {"customFields": {"big": 1e999}}}', NO_DETAILS),
        (200, b'{"padding": "' + b"x" * 20_000 + b'"}', NO_DETAILS),
        (200, b"x" * 5_000_000, NO_DETAILS),
        (204, b"", NO_DETAILS),
        (404, KNOWN, NO_DETAILS),
    ],
)
def test_each_answer_ends_the_wait(member: Member, status: int, answer: Any, expected: dict[str, Any]) -> None:
    says(member, answer, status)
    member.sign(opt_in=False, fields={"colour": "red"})
    assert not member.look_up().again

    [message] = member.delivered()
    privacy = message["privacy"]
    found = {name: privacy[name] for name in ("optIn", "emailStatus")}
    assert {**found, "customFields": message["action"]["customFields"]} == expected
    assert len(member.server.requests) == 1


@pytest.mark.parametrize("fault", ["status", "garbage", "slow", "nobody", "hangs up", "redirect"])
def test_a_service_that_fails_has_three_tries(member: Member, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "READ_S", 0.1)
    said = {
        "status": Said(500),
        "garbage": Said(body=b"<html>"),
        "slow": Said(pause_s=0.3),
        "hangs up": Said(raw=b""),
        "redirect": Said(302, headers={"Location": member.server.url}),
    }
    member.server.answer = lambda _: said[fault]
    if fault == "nobody":
        services.add(member.org.id, ServiceInput(name=ServiceName.WEBHOOK, host="http://127.0.0.1:1/"))
    action = member.sign(opt_in=False)
    [order] = member.orders()

    for receives in range(1, TRIES):
        report = look_up([record(json.loads(order["body"]), receives)], member.desk)
        assert report.again.keys() == {order["messageId"]}
        assert member.world.action(action)["stage"] == "detail"
    report = look_up([record(json.loads(order["body"]), TRIES)], member.desk)
    member.world.run()

    assert (report.again, report.counts) == ({}, {"GivenUp": 1})
    assert [message["privacy"]["optIn"] for message in member.delivered()] == [False]
    assert len(member.server.requests) == (0 if fault == "nobody" else TRIES)


@pytest.mark.parametrize(
    "host", ["https://10.0.0.1/", "https://169.254.169.254/latest/", "https://no-such-host.invalid/"]
)
def test_a_service_that_may_not_be_called_is_given_up(member: Member, host: str) -> None:
    services.add(member.org.id, ServiceInput(name=ServiceName.WEBHOOK, host=host))
    member.sign()
    assert member.look_up(TRIES).counts == {"GivenUp": 1}
    assert len(member.delivered()) == 1
    assert not member.server.connections


@pytest.mark.parametrize("gone", ["service", "backend"])
def test_an_org_that_has_no_service_any_more_holds_nobody_up(member: Member, gone: str) -> None:
    action = member.sign()
    if gone == "service":
        services.remove(services.of_org(member.org.id)[0])
    else:
        orgs.replace(member.org.model_copy(update={"detail_backend": None}))
        member.world.forget()
    orders = member.orders()
    assert look_up(orders, member.desk).again
    assert look_up([{**each, "attributes": {"ApproximateReceiveCount": "3"}} for each in orders], member.desk).counts
    member.world.run()

    assert [message["actionId"] for message in member.delivered()] == [action]


def test_an_order_that_comes_twice_is_worked_on_once(member: Member) -> None:
    says(member, KNOWN)
    member.sign()
    [order] = member.orders()
    look_up([order], member.desk)
    member.world.run()
    before = member.world.items()

    assert look_up([order, order], member.desk).counts == {}
    assert look_up([order], member.desk).again == {}
    member.world.run()

    assert member.world.items() == before
    assert len(member.server.requests) == 1
    assert len(member.delivered()) == 1


def test_a_batch_is_asked_about_at_the_same_time(member: Member) -> None:
    member.server.answer = lambda _: Said(pause_s=0.3)
    actions = [member.sign(email=f"p{number}@example.org") for number in range(5)]
    orders = member.orders()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calling, "CALL_S", 0.3)
        look_up(orders, member.desk)
    member.world.run()

    assert sorted(message["actionId"] for message in member.delivered()) == sorted(actions)


def test_an_order_that_cannot_be_read_holds_nobody_up(member: Member, log: io.StringIO) -> None:
    says(member, {})
    action = member.sign()
    bad = {**record({"action": 1}), "body": '{"email": "ida.holm@example.org"'}
    report = look_up([bad, *member.orders()], member.desk)
    member.world.run()

    assert report.again.keys() == {bad["messageId"]}
    assert [message["actionId"] for message in member.delivered()] == [action]
    assert "ida.holm" not in log.getvalue()


def test_what_waits_for_the_supporter_goes_on_with_the_signature(member: Member) -> None:
    says(member, KNOWN)
    answer = member.world.sign(member.page)
    share = member.world.act(member.page, answer.contact_ref).action
    member.world.run()
    assert not member.delivered()
    assert member.supporter()["waiting"] == "2"

    member.look_up()

    assert [message["actionId"] for message in member.delivered()] == sorted([answer.action, share])
    assert member.supporter()["waiting"] == "0"
    assert_sound(member.world, member.page.campaign)


def test_confirming_comes_after_the_look_up(world: World, time: SimulatedTime, server: Endpoint) -> None:
    member = member_of(world, server, supporter_confirm=True, custom_supporter_confirm=True)
    says(member, KNOWN)
    action = member.sign(opt_in=False)
    assert not world.bodies(member.org, Queue.CONFIRM_SUPPORTER)
    member.look_up()

    [asked] = world.messages(member.org, Queue.CONFIRM_SUPPORTER)
    assert asked["privacy"]["optIn"] is True
    assert member.supporter()["status"] == SupporterStatus.CONFIRMING
    decide.accept_supporter(action)
    world.run()
    [delivered] = member.delivered()
    assert delivered["action"]["customFields"]["memberSince"] == 2019
    assert len(server.requests) == 1
    assert_sound(world, member.page.campaign)


def test_who_was_rejected_meanwhile_stays_so(member: Member) -> None:
    says(member, KNOWN)
    action = member.sign()
    orders = member.orders()
    decide.reject_supporter(action)
    assert look_up(orders, member.desk).counts == {}
    assert not settle(action, Details())
    member.world.run()

    assert not member.delivered()
    assert not member.server.requests
    assert_sound(member.world, member.page.campaign)


def test_an_order_that_was_lost_is_made_once_more_by_the_sweep(member: Member, time: SimulatedTime) -> None:
    says(member, KNOWN)
    member.sign()
    assert len(member.orders()) == 1  # and nobody works on it
    time.forward(minutes=32)
    member.world.sweep()
    member.world.run()
    member.look_up()

    assert len(member.delivered()) == 1
    assert not member.world.pending()


def test_transient_fields_of_a_campaign_are_never_stored_in_clear(member: Member) -> None:
    campaign = member.world.campaign(member.org, "rivers", transient_actions=["register:income"])
    member.page = member.world.page(member.org, campaign)
    says(member, {"action": {"customFields": {"income": "much", "segment": "a"}}})
    member.sign()
    member.look_up()

    [message] = member.delivered()
    assert message["action"]["customFields"] == {"segment": "a"}
    assert "much" not in str(member.world.tables.all_items("ActionsTable"))


def test_a_supporter_whose_address_cannot_be_opened_is_asked_about_by_ref(member: Member) -> None:
    says(member, KNOWN)
    member.sign()
    key = member.supporter()
    item = store.SupporterItem(key["ref"], key["sk"])
    item.update(actions=[store.SupporterItem.mail.set(b"not sealed")])
    member.look_up()

    [request] = member.server.requests
    assert json.loads(request.body) == {"email": None, "contactRef": key["ref"]}
    assert len(member.delivered()) == 1


def test_nothing_personal_is_logged(member: Member, log: io.StringIO) -> None:
    for status, answer in (
        (200, {"action": {"customFields": {"nested": {"secret": "grandchild"}}}}),
        (200, {"privacy": {"emailStatus": "grandchild", "emailStatusChanged": "x"}}),
        (200, b"grandchild"),
        (500, b"grandchild"),
    ):
        says(member, answer, status)
        member.sign(email="ida.holm@example.org")
        look_up(member.orders(), member.desk)

    ref = member.world.items("S#")[0]["ref"]
    for secret in ("ida.holm", "grandchild", "sesame", member.server.url, ref):
        assert secret not in log.getvalue()


@pytest.mark.parametrize("disasters", [kills, mishaps])
def test_whatever_happens_at_whichever_call_the_signature_goes_on_once(
    member: Member, time: SimulatedTime, disasters: Any
) -> None:
    says(member, KNOWN)

    def prepared() -> tuple[int, list[dict[str, Any]]]:
        answer = member.world.sign(member.page, email=f"p{time.now_ms}@example.org")
        member.world.act(member.page, answer.contact_ref)
        member.world.run()
        orders = member.orders()
        time.forward(seconds=1)
        return answer.action, orders

    _, orders = prepared()
    recorded = probe(lambda: look_up(orders, member.desk))
    member.world.run()
    member.delivered()
    count = 0
    for name, disaster in disasters(recorded):
        count += 1
        action, orders = prepared()
        with suppress(Killed, CloudError), faults(disaster):
            look_up(orders, member.desk)
        look_up(orders, member.desk)  # SQS brings them again
        member.world.run()
        messages = {message["actionId"]: message for message in member.delivered()}
        assert len(messages) == 2, name
        assert messages[action]["privacy"]["optIn"] is True, name
        assert messages[action]["action"]["customFields"]["memberSince"] == 2019, name
    assert count > 2
    assert not member.world.pending()
    assert_sound(member.world, member.page.campaign)
