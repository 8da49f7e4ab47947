"""Which destinations a stage owes its message to (domain 4.6; design 6)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.actions.status import Stage
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Destination, Queue, Way, destinations, event_destinations, switched_on

EVERYTHING = {
    "custom_action_deliver": True,
    "custom_supporter_confirm": True,
    "custom_action_confirm": True,
    "event_queue": True,
}
NOTHING = dict.fromkeys(EVERYTHING, False)


def org(number: int, **settings: Any) -> Org:
    return Org(id=number, name=f"org{number}", title="Org", encryption="clear", **settings)


PAGE_ORG, LEAD = org(8, **EVERYTHING), org(3, **EVERYTHING)
MUTE_PAGE_ORG, MUTE_LEAD = org(8, **NOTHING), org(3, **NOTHING)


@pytest.mark.parametrize(
    ("settings", "queues"),
    [
        ({}, {Queue.DELIVER}),
        (NOTHING, set()),
        (EVERYTHING, set(Queue)),
        (NOTHING | {"custom_supporter_confirm": True}, {Queue.CONFIRM_SUPPORTER}),
        (NOTHING | {"custom_action_confirm": True}, {Queue.CONFIRM_ACTION}),
        (NOTHING | {"event_queue": True}, {Queue.EVENT}),
        (NOTHING | {"supporter_confirm": True}, set()),
        (NOTHING | {"custom_event_deliver": True}, {Queue.DELIVER}),
    ],
)
def test_each_queue_has_a_switch_of_its_own(settings: dict[str, bool], queues: set[Queue]) -> None:
    assert switched_on(org(1, **settings)) == queues


@pytest.mark.parametrize(
    ("stage", "page_org", "recipients", "expected"),
    [
        (Stage.SUPPORTER_CONFIRM, PAGE_ORG, [PAGE_ORG, LEAD], {"8/confirm-supporter"}),
        (Stage.SUPPORTER_CONFIRM, PAGE_ORG, [LEAD], {"8/confirm-supporter"}),
        (Stage.SUPPORTER_CONFIRM, PAGE_ORG, [], {"8/confirm-supporter"}),
        (Stage.SUPPORTER_CONFIRM, MUTE_PAGE_ORG, [PAGE_ORG, LEAD], set()),
        (Stage.ACTION_CONFIRM, PAGE_ORG, [PAGE_ORG, LEAD], {"8/confirm-action"}),
        (Stage.ACTION_CONFIRM, MUTE_PAGE_ORG, [LEAD], set()),
        (Stage.DELIVER, PAGE_ORG, [PAGE_ORG], {"8/deliver"}),
        (Stage.DELIVER, PAGE_ORG, [PAGE_ORG, LEAD], {"8/deliver", "3/deliver"}),
        (Stage.DELIVER, PAGE_ORG, [LEAD], {"3/deliver"}),
        (Stage.DELIVER, PAGE_ORG, [], set()),
        (Stage.DELIVER, MUTE_PAGE_ORG, [MUTE_PAGE_ORG, LEAD], {"3/deliver"}),
        (Stage.DELIVER, PAGE_ORG, [PAGE_ORG, MUTE_LEAD], {"8/deliver"}),
    ],
)
def test_confirm_goes_to_the_page_org_alone_and_deliver_to_who_has_a_contact(
    stage: Stage, page_org: Org, recipients: list[Org], expected: set[str]
) -> None:
    assert {str(found) for found in destinations(stage, page_org, recipients)} == expected


def test_the_page_org_alone_mails_and_each_receiver_is_pushed_to_its_own_backend() -> None:
    pushing = org(3, custom_action_deliver=False, push_backend="webhook")
    owed = destinations(Stage.DELIVER, PAGE_ORG, [PAGE_ORG, pushing], mails=True)
    assert {str(found) for found in owed} == {"8/deliver", "8/mail", "3/push"}
    confirming = destinations(Stage.SUPPORTER_CONFIRM, PAGE_ORG, [PAGE_ORG, pushing], mails=True)
    assert {str(found) for found in confirming} == {"8/confirm-supporter", "8/mail"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, set()),
        ({"event_queue": True}, {"1/event"}),
        ({"custom_event_deliver": True}, {"1/deliver"}),
        ({"custom_event_deliver": True, "event_queue": True}, {"1/deliver"}),
        ({"custom_event_deliver": True, "custom_action_deliver": False}, {"1/deliver"}),
        ({"event_backend": "sqs"}, {"1/push"}),
        ({"event_backend": "webhook", "event_queue": True}, {"1/push", "1/event"}),
        ({"push_backend": "webhook"}, set()),
    ],
)
def test_events_go_to_one_queue_of_an_org_and_to_its_backend(settings: dict[str, Any], expected: set[str]) -> None:
    assert {str(found) for found in event_destinations([org(1, **settings)])} == expected


def test_actions_do_not_go_where_an_org_only_wants_events() -> None:
    only_events = org(8, custom_action_deliver=False, custom_event_deliver=True)
    assert destinations(Stage.DELIVER, only_events, [only_events]) == set()


@pytest.mark.parametrize("where", [*Queue, *Way])
def test_a_destination_is_read_back_from_its_text(where: Queue | Way) -> None:
    assert Destination.parse(str(Destination(17, where))) == Destination(17, where)


def test_what_was_written_to_targets_is_sent_by_the_lead_org_once_it_is_delivered() -> None:
    owed = destinations(Stage.DELIVER, PAGE_ORG, [PAGE_ORG], writes_for=LEAD)
    assert {str(found) for found in owed} == {"8/deliver", "3/targets"}
    assert Destination.parse("3/targets") == Destination(3, Way.TARGETS)
    assert "3/targets" not in {
        str(found) for found in destinations(Stage.ACTION_CONFIRM, PAGE_ORG, [PAGE_ORG], writes_for=LEAD)
    }
