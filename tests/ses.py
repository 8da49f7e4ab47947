"""What Amazon SES tells through SNS, in the form of its developer guide ("Contents of event data that Amazon SES
publishes to Amazon SNS"), and the function that hears it.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.harness.context import LambdaContext
from tests.world import MAIL_EVENTS_TOPIC, function

ADDRESS = "ida.holm@example.org"
_numbers = itertools.count(1)

BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {"emailAddress": ADDRESS, "action": "failed", "status": "5.1.1", "diagnosticCode": f"550 {ADDRESS} unknown"}
    ],
    "timestamp": "2026-03-04T09:12:35.000Z",
    "feedbackId": "0100017a-example",
    "reportingMTA": "dsn; mta.example.org",
}
SOFT = {**BOUNCE, "bounceType": "Transient", "bounceSubType": "MailboxFull"}
COMPLAINT = {
    "complainedRecipients": [{"emailAddress": ADDRESS}],
    "timestamp": "2026-03-04T09:12:35.000Z",
    "feedbackId": "0100017b-example",
    "complaintSubType": None,
    "complaintFeedbackType": "abuse",
}
LEFT = {"contactList": "ours", "source": "UnsubscribeHeader", "newTopicPreferences": {"unsubscribeAll": True}}


def event(kind: str, action: int | None, part: dict[str, Any] | None = None, **mail: Any) -> dict[str, Any]:
    """An event about a mail for an action. `part`: the object of this kind; `mail`: what else is said of the mail."""
    tags = {"ses:configuration-set": ["proca-mails"], "mail": ["thank_you"]}
    if action is not None:
        tags["action"] = [str(action)]
    told = {
        "timestamp": "2026-03-04T09:12:33.000Z",
        "messageId": "0100017c-example",
        "source": "bees@example.org",
        "destination": [ADDRESS],
        "headersTruncated": False,
        "headers": [{"name": "To", "value": ADDRESS}, {"name": "Subject", "value": "Thank you"}],
        "commonHeaders": {"to": [ADDRESS], "subject": "Thank you"},
        "tags": tags,
        **mail,
    }
    return {"eventType": kind, kind.lower(): part or {}, "mail": told}


def bounced(action: int | None, **mail: Any) -> dict[str, Any]:
    """A hard bounce."""
    return event("Bounce", action, BOUNCE, **mail)


def softly_bounced(action: int) -> dict[str, Any]:
    """The mailbox is full."""
    return event("Bounce", action, SOFT)


def complained(action: int) -> dict[str, Any]:
    """The mail was marked as spam."""
    return event("Complaint", action, COMPLAINT)


def unsubscribed(action: int) -> dict[str, Any]:
    """The provider's own list was left."""
    return event("Subscription", action, LEFT)


def notice(said: Any, message_id: str | None = None, topic: str = MAIL_EVENTS_TOPIC) -> dict[str, Any]:
    """A record of SNS that says this, as JSON unless it is a text."""
    number = next(_numbers)
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{topic}:00000000-0000-0000-0000-000000000001",
        "Sns": {
            "Type": "Notification",
            "MessageId": message_id or f"00000000-0000-0000-0000-{number:012d}",
            "TopicArn": topic,
            "Subject": "Amazon SES Email Event Notification",
            "Message": said if isinstance(said, str) else json.dumps(said),
            "Timestamp": "2026-03-04T09:12:36.000Z",
        },
    }


def tell(*notices: dict[str, Any]) -> None:
    """SNS calls the function with these records; what is no record of SNS yet becomes one."""
    records = [told if "Sns" in told else notice(told) for told in notices]
    function("MailEventsFunction")({"Records": records}, LambdaContext("MailEventsFunction", 28))
