"""A message to targets as it comes in with a signature: what is checked of it, and what is kept (domain 3.5.5).

Only signatures with such a message import this. What is known of a campaign's targets is in warm memory, so that a
signature stays one DynamoDB call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from proca_common.action_pages.context import PageContext
from proca_common.actions.mtt import MttInput
from proca_common.actions.private import UNSUPPORTED_MTT
from proca_common.aws.dynamo import Transaction
from proca_common.contacts import Contact
from proca_common.failures import Failure, Refused
from proca_common.mails import mustache
from proca_common.mtt import store
from proca_common.mtt.settings import mtt_of
from proca_common.mtt.store import MessageItem
from proca_common.orgs import encryption
from proca_common.targets import known

MAX_TOLD = 20
_PLACE = re.compile(r"at line \d+ column \d+$")
NO_TARGETS = Failure.blank("/action/mtt/targets")
NO_SENDER = Failure("/contact/email", "needs_email", "is needed to write to targets")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that may be stored: `text` and `sender`, sealed, are all that its mails will need."""

    campaign: int
    targets: Sequence[str]
    text: bytes
    sender: bytes
    testing: bool

    def put(self, transaction: Transaction, ref: str, action: int) -> None:
        """Write it in the transaction of its action."""
        item = MessageItem(
            *store.message_key(ref, action),
            action=action,
            campaign=self.campaign,
            testing=self.testing,
            targets=store.packed(self.targets),
            text=self.text,
            sender=self.sender,
        )
        transaction.put("message", item)


def message(context: PageContext, given: MttInput, contact: Contact, *, testing: bool) -> Message:
    """The message that this person sends along. Raises `Refused` with every failed rule, `Unavailable`."""
    if mtt_of(context.campaign) is None:
        raise Refused([UNSUPPORTED_MTT])
    targets = list(dict.fromkeys(target.lower() for target in given.targets))
    failures = [*_text_failures("subject", given.subject), *_text_failures("body", given.body)]
    if contact.email is None:
        failures.append(NO_SENDER)
    if not targets:
        failures.append(NO_TARGETS)
    failures += _unknown(given.targets, known.of(context.campaign.id, targets))
    if failures:
        raise Refused(failures)
    text = {"subject": given.subject, "body": given.body, "files": given.files}
    sender = {
        "email": contact.email,
        "firstName": contact.first_name,
        "lastName": contact.payload.get("lastName"),
        "area": contact.area,
    }
    return Message(context.campaign.id, targets, _sealed(text, context), _sealed(sender, context), testing)


def _text_failures(name: str, text: str) -> list[Failure]:
    try:
        mustache.check(text)
    except mustache.NotMustache as error:
        place = _PLACE.search(str(error))  # all else of what it says repeats the text
        words = f"Invalid mustache template format in {name}: {place[0] if place else 'not closed'}"
        return [Failure(f"/action/mtt/{name}", "mustache", words)]
    return []


def _unknown(given: Sequence[str], found: Collection[str]) -> list[Failure]:
    """Of the targets that the campaign does not have the first 20 are named."""
    words = "target to messages association violated"
    unknown = (index for index, target in enumerate(given) if target.lower() not in found)
    return [
        Failure(f"/action/mtt/targets/{index}", "unknown_target", words)
        for index, _ in zip(unknown, range(MAX_TOLD), strict=False)
    ]


def _sealed(what: Mapping[str, object], context: PageContext) -> bytes:
    return encryption.seal(json.dumps(what, ensure_ascii=False).encode(), context.instance.sealing_public)
