"""What a mail says: its template with the variables of domain 8.5 put in. Pure."""

from __future__ import annotations

import html as html_text
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from proca_common.action_pages.context import PageContext
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.casing import camel_case
from proca_common.confirms.links import Links
from proca_common.ids import created_at
from proca_common.mails import mustache
from proca_common.mails.choice import MailKind
from proca_common.mails.plain_text import plain_text
from proca_common.mails.templates import EmailTemplate, EmailTemplateInput

LINK_NAMES = ("confirmLink", "doiLink", "rejectLink", "unsubscribeLink")
LATER_NAMES = frozenset({*LINK_NAMES, "debug"})
_NOT_IN_TOKEN = re.compile(r"[^A-Za-z0-9_]")


class Person(NamedTuple):
    """Who the mail goes to: what was sealed for it."""

    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """Everything that a mail may speak of. `contact` is the page org's, `numbers` are the campaign's totals."""

    kind: MailKind
    person: Person
    action: ActionItem
    supporter: SupporterItem
    contact: ContactItem | None
    context: PageContext
    rank: int
    links: Links
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The texts of a mail."""

    subject: str
    html: str
    text: str


def rendered(template: EmailTemplateInput, variables: Mapping[str, Any]) -> Rendered:
    """The template with the variables put in; only the HTML is escaped. Raises `mustache.NotMustache`."""
    subject = " ".join(mustache.render(template.subject, variables, html=False).split())
    html = mustache.render(template.html, variables, html=True)
    if template.text is None:
        return Rendered(subject, html, plain_text(html))
    return Rendered(subject, html, mustache.render(template.text, variables, html=False))


def needs_numbers(template: EmailTemplate, *, testing: bool) -> bool:
    """Whether the numbers of the campaign may be shown, which cost a read; `debug` shows them."""
    return testing or any("stats" in source or "Count" in source for source in template.sources)


def variables(occasion: Occasion) -> dict[str, Any]:
    """The table of domain 8.5. A custom field never takes the place of anything in it, there or not."""
    action, supporter, context, person = occasion.action, occasion.supporter, occasion.context, occasion.person
    built_in: dict[str, Any] = {
        "ref": supporter.ref,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "email": person.email,
        "org": {"name": context.org.name, "title": context.org.title},
        "campaign": {
            "name": context.campaign.name,
            "title": context.campaign.title,
            "stats": campaign_stats(occasion.numbers, context.org.id, supporter.area),
        },
        "actionPage": {"name": context.page.name, "locale": context.page.locale},
        "actionId": int(action.id),
        "actionType": action.action_type,
        "createdAt": f"{created_at(int(action.id)):%Y-%m-%d %H:%M:%SZ}",
        "isActionType": {camel_case(action.action_type): True},
        "tracking": _tracking(action.source),
        "variant": variant((action.source or {}).get("content")),
        "test": action.testing,
        "privacy": _privacy(occasion),
        "isDupe": occasion.rank > 0,
    }
    fields = {camel_case(name): value for name, value in (action.fields or {}).items() if value is not None}
    known = {name: value for name, value in fields.items() if name not in built_in and name not in LATER_NAMES}
    all_of_them = {**known, **built_in, **_links(occasion.kind, occasion.links)}
    if action.testing:
        all_of_them["debug"] = debug(all_of_them)
    return all_of_them


def variant(content: str | None) -> dict[str, bool]:
    """True for each word of utm_content, with `_` for `-`, and only letters, digits and `_` left."""
    words = (_NOT_IN_TOKEN.sub("", word.replace("-", "_")) for word in (content or "").split())
    return dict.fromkeys(filter(None, words), True)


def campaign_stats(numbers: Mapping[str, int], org: int, area: str | None) -> dict[str, Any]:
    """`campaign.stats` of a mail, out of the campaign's totals, for a page of the org and a supporter of the area."""
    types = {name.removeprefix("type:"): n for name, n in numbers.items() if name.startswith("type:")}
    return {
        "supporterCount": numbers.get("persons:total", 0),
        "supporterCountByOrg": numbers.get(f"org:{org}", 0),
        "supporterCountByArea": numbers.get(f"area:{area}", 0),
        "actionCount": {camel_case(name): number for name, number in types.items()},
    }


def _tracking(source: Mapping[str, str] | None) -> dict[str, str] | None:
    if source is None:
        return None
    known = {name: source.get(name, "") for name in ("source", "medium", "campaign", "content", "location")}
    return {
        **known,
        "encodedLocation": quote(known["location"], safe=""),
        "encodedContent": quote(known["content"], safe=""),
    }


def _privacy(occasion: Occasion) -> dict[str, Any]:
    supporter, contact = occasion.supporter, occasion.contact
    changed = supporter.email_status_changed
    return {
        "optIn": None if contact is None else contact.communication_consent,
        "givenAt": None if contact is None else _timestamp(created_at(int(supporter.id))),
        "emailStatus": supporter.email_status,
        "emailStatusChanged": None if changed is None else _timestamp(datetime.fromtimestamp(int(changed), UTC)),
        "withConsent": occasion.action.with_consent,
    }


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _links(kind: MailKind, links: Links) -> dict[str, str | None]:
    """Domain 8.3; a token of a link is worth the click, so a mail has only those that it is for."""
    match kind:
        case MailKind.SUPPORTER_CONFIRM:
            chosen: tuple[str | None, ...] = (links.accept, links.accept, links.reject)
        case MailKind.REMINDER:
            accept = f"{links.accept}?reminder=1"
            chosen = (accept, accept, f"{links.reject}?reminder=1")
        case MailKind.THANK_YOU | MailKind.DUPLICATE:
            chosen = (links.double_opt_in, links.double_opt_in, None)
    return dict(zip(LINK_NAMES, (*chosen, links.unsubscribe), strict=True))


def debug(shown: Mapping[str, Any]) -> str:
    """All variables of a mail, to look at in a test."""
    return f"<pre>{html_text.escape(json.dumps(shown, indent=2, ensure_ascii=False), quote=False)}</pre>"
