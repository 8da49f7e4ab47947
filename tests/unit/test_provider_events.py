"""What SES says, and what it means (domain 7.3, 8.9)."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from proca_common.mails.letter import message_id
from proca_common.mails.provider_events import MailEvent, Reported, Told, mail_event
from tests import ses

ACTION = 1_234_567


def read(event: dict[str, Any]) -> MailEvent:
    return mail_event(json.dumps(event))


@pytest.mark.parametrize(
    ("kind", "sub_type", "told"),
    [
        ("Permanent", "General", Told.BOUNCED),
        ("Permanent", "NoEmail", Told.BOUNCED),
        ("Permanent", "", Told.BOUNCED),
        ("Permanent", "Suppressed", Told.BLOCKED),
        ("Permanent", "OnAccountSuppressionList", Told.BLOCKED),
        ("Transient", "General", Told.SOFTLY_BOUNCED),
        ("Transient", "MailboxFull", Told.SOFTLY_BOUNCED),
        ("Transient", "MessageTooLarge", Told.NOTHING),
        ("Transient", "ContentRejected", Told.NOTHING),
        ("Transient", "AttachmentRejected", Told.NOTHING),
        ("Undetermined", "Undetermined", Told.SOFTLY_BOUNCED),
        ("of another time", "", Told.SOFTLY_BOUNCED),
    ],
)
def test_bounces(kind: str, sub_type: str, told: Told) -> None:
    bounce = {**ses.BOUNCE, "bounceType": kind, "bounceSubType": sub_type}
    assert read(ses.event("Bounce", ACTION, bounce)) == MailEvent(told, ACTION)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (ses.complained(ACTION), Told.COMPLAINED),
        (ses.event("Complaint", ACTION, {"complaintFeedbackType": None}), Told.COMPLAINED),
        (ses.event("Complaint", ACTION, {"complaintFeedbackType": "not-spam"}), Told.NOTHING),
        (ses.unsubscribed(ACTION), Told.UNSUBSCRIBED),
        (ses.event("Subscription", ACTION, {"newTopicPreferences": {"unsubscribeAll": False}}), Told.NOTHING),
        (ses.event("Reject", ACTION, {"reason": "Bad content"}), Told.REFUSED),
        *[(ses.event(kind, ACTION), Told.NOTHING) for kind in ("Send", "Delivery", "Open", "DeliveryDelay", "New")],
    ],
)
def test_other_events(event: dict[str, Any], told: Told) -> None:
    assert read(event) == MailEvent(told, ACTION)


def test_a_notification_of_an_identity_is_read_too() -> None:
    event = ses.bounced(None, tags={}, headers=[{"name": "X-Proca-Custom-Id", "value": f"action:{ACTION}"}])
    event["notificationType"] = event.pop("eventType")
    assert read(event) == MailEvent(Told.BOUNCED, ACTION)


@pytest.mark.parametrize(
    ("mail", "action"),
    [
        ({"tags": {"action": ["17"]}, "headers": [{"name": "X-Proca-Custom-Id", "value": "action:18"}]}, 17),
        ({"tags": {}, "headers": [{"name": "x-proca-custom-id", "value": "action:18"}]}, 18),
        ({"tags": {}, "headers": [{"name": "Message-ID", "value": message_id(19, "reminder.1", "a1", "a.org")}]}, 19),
        ({"tags": {"action": ["many"]}, "headers": []}, None),
        ({"tags": {"action": []}, "headers": [{"name": "X-Proca-Custom-Id", "value": "mtt:12"}]}, None),
        ({"tags": {"action": ["1" * 40]}, "headers": []}, None),
        ({"tags": {}, "headers": []}, None),
    ],
)
def test_the_action_is_found_by_tag_header_or_message_id(mail: dict[str, Any], action: int | None) -> None:
    assert read(ses.bounced(None, **mail)).action == action


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Successfully validated SNS topic for Amazon SES event publishing.",
        "[]",
        "{}",
        '{"eventType":"Bounce"}',
        "1",
    ],
)
def test_what_cannot_be_read_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        mail_event(text)
    assert "input_value" not in str(refused.value)


MAIL = "7_6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f_1234567"


@pytest.mark.parametrize(
    "mail",
    [
        {"tags": {"target_mail": [MAIL], "mail": ["mtt"]}},
        {"tags": {}, "headers": [{"name": "X-Proca-Custom-Id", "value": f"mtt:{MAIL}"}]},
        {"tags": {}, "headers": [{"name": "Message-ID", "value": f"<mtt.{MAIL}.abc@bees.example.org>"}]},
    ],
    ids=["tag", "header", "Message-ID"],
)
def test_a_mail_to_a_target_is_known_with_the_addresses_that_are_told_of(mail: dict[str, Any]) -> None:
    event = read(ses.bounced(None, **mail))
    assert (event.told, event.action, event.target_mail) == (Told.BOUNCED, None, MAIL)
    assert event.reported == (Reported(ses.ADDRESS, f"550 {ses.ADDRESS} unknown"),)
    assert ses.ADDRESS not in repr(event)


def test_who_complains_or_unsubscribes_is_told_too() -> None:
    tags = {"target_mail": [MAIL]}
    assert read(ses.event("Complaint", None, ses.COMPLAINT, tags=tags)).reported == (Reported(ses.ADDRESS),)
    assert read(ses.event("Subscription", None, ses.LEFT, tags=tags)).reported == (Reported(ses.ADDRESS),)
