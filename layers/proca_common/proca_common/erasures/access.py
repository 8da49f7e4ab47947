"""All that an org has of a person, in one document that the person can read (domain 13.6; GDPR, article 15).

Contacts stand in it as they are stored, so those of an org with a key are encrypted still: its own tools open them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws import clock
from proca_common.erasures.person import Person, read_person
from proca_common.errors import NotFound
from proca_common.exports import walk
from proca_common.exports.rows import Filters
from proca_common.ids import created_at
from proca_common.mtt import store as written
from proca_common.mtt.store import MailId
from proca_common.orgs.org import Org
from proca_common.targets import store as targets

Part = dict[str, Any]

EXPLANATIONS = {
    "contactRef": "A fingerprint of the address, by which the records are found. The address cannot be read from it.",
    "supporters": "One entry for each time that the person signed: since when, on which page, with which consents.",
    "supporters.status": "new and confirming wait for the person; accepted counts; rejected was taken back.",
    "supporters.emailStatus": "What is known of the address, such as that mails to it came back (bounce).",
    "supporters.mailAddressKept": "Whether the address is kept, sealed, for a mail that may be due still.",
    "supporters.mails": "Mails that were sent, by kind. A ? says that one may have been sent.",
    "supporters.consents": "Whether the person agreed to be written to, and whether the org gets its data.",
    "actions": "What the person did, as the org has it, in the form of exports. contact.payload is the personal data: "
    "JSON text, or a box that only the org's own key opens.",
    "actions.tracking": "Where the person came from, as the page's address said.",
    "messages": "To whom the person wrote with these actions, and what became of each mail: sent, waiting (unsent, "
    "test, claimed), withdrawn, refused by the provider, uncertain, expired: its campaign ended first, or dupe: it had "
    "written to this target before; null while its action is on its way.",
    "messages.textKept": "Whether what was written is kept still, sealed. The org that leads the campaign can take it "
    "out.",
    "messages.senderKept": "The same of the name and address that it is sent under.",
    "others": "What the person did on pages of the org of which the org has no contact (any more).",
    "waiting": "What was done under this ref before anybody signed with it; it ends by itself after 90 days.",
    "sentTo": "The orgs that were sent copies of some of these actions.",
}


def all_of(ref: str, org: Org) -> Part:
    """The document. Raises `Unavailable`."""
    person = read_person(ref)
    supporters = [supporter for supporter in person.supporters if person.is_of(supporter, org.id)]
    supporters.sort(key=lambda supporter: int(supporter.id))
    everything = Filters(everything=True, include_testing=True)
    rows = [row for step in walk.of_person(ref, org.id, everything) for row in step.rows]
    listed = {row["actionId"] for row in rows}
    own = [action for supporter in supporters for action in person.actions[int(supporter.id)]]
    return {
        "org": {"name": org.name, "title": org.title},
        "createdAt": _shown_ms(clock.now_ms()),
        "contactRef": ref,
        "explanations": EXPLANATIONS,
        "supporters": [_supporter(supporter, person, org) for supporter in supporters],
        "actions": rows,
        "messages": [message for action in own for message in _messages(action)],
        "others": [_action(action) for action in own if int(action.id) not in listed],
        "waiting": [_action(action) for action in store.actions_of(store.unbound_ref(org.id, ref))],
        "sentTo": _names(own),
    }


def _supporter(supporter: SupporterItem, person: Person, org: Org) -> Part:
    contact = next((each for each in person.contacts[int(supporter.id)] if each.org == org.id), None)
    given = None if contact is None else contact.given_at
    return {
        "id": int(supporter.id),
        "since": _shown(created_at(int(supporter.id))),
        **_where(int(supporter.page)),
        "area": supporter.area,
        "status": supporter.status,
        "confirmedByLink": bool(supporter.confirmed),
        "emailStatus": supporter.email_status,
        "emailStatusChanged": _shown_s(supporter.email_status_changed),
        "mails": sorted(supporter.mailed or ()),
        "mailAddressKept": supporter.mail is not None,
        "consents": contact
        and {
            "communication": contact.communication_consent,
            "givenAt": _shown(created_at(int(supporter.id))) if given is None else _shown_s(given),
            "delivery": contact.delivery_consent,
        },
    }


def _action(action: ActionItem) -> Part:
    return {
        "actionId": int(action.id),
        "actionType": action.action_type,
        "createdAt": _shown(created_at(int(action.id))),
        **_where(int(action.page)),
        "status": action.status,
        "customFields": action.fields or {},
        "tracking": action.source,
        "donation": action.donation,
    }


def _messages(action: ActionItem) -> Iterator[Part]:
    """What was written to targets with the action, if anything was. Raises `Unavailable`."""
    message = written.read_message(action.ref, int(action.id)) if action.messages else None
    if message is None:
        return
    campaign, ids = int(message.campaign), written.unpacked(message.targets)
    keys = {target: written.mail_key(MailId(campaign, target, int(action.id))) for target in ids}
    known, mails = targets.get_many(campaign, ids), store.read_many(keys.values())
    yield {
        "actionId": int(action.id),
        **_where(int(action.page)),
        "targets": [
            {
                "name": known[target].name if target in known else None,
                "status": getattr(mails.get(keys[target]), "status", None),
            }
            for target in ids
        ],
        "textKept": message.text is not None,
        "senderKept": message.sender is not None,
    }


def _where(page: int) -> Part:
    """Names of the page and its campaign; null when they are gone."""
    context = _context(page)
    return {
        "actionPage": None if context is None else context.page.name,
        "campaign": None if context is None else context.campaign.name,
    }


def _names(actions: Iterable[ActionItem]) -> list[str]:
    """The names of the orgs that receive these actions."""
    names = set()
    for action in actions:
        context = _context(int(action.page))
        known = (None if context is None else context.org_by_id(int(org)) for org in action.recipients or ())
        names |= {org.name for org in known if org is not None}
    return sorted(names)


def _context(page: int) -> PageContext | None:
    try:
        return page_context(page)
    except NotFound:
        return None


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown_ms(moment_ms: float) -> str:
    return _shown(datetime.fromtimestamp(int(moment_ms) // 1000, UTC))


def _shown_s(seconds: float | None) -> str | None:
    return None if seconds is None else _shown(datetime.fromtimestamp(int(seconds), UTC))
