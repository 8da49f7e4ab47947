"""What a mail to a target says, from what is stored as it stands now (domain 9.5, 9.6)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store as actions
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionItem
from proca_common.aws import clock
from proca_common.catalog.fresh import Fresh
from proca_common.errors import NotFound
from proca_common.ids import created_ms
from proca_common.mails import templates
from proca_common.mails.letter import Letter, NotAnAddress
from proca_common.mails.office import Dropped, Later
from proca_common.mails.render import Person, needs_numbers
from proca_common.mails.templates import EmailTemplate
from proca_common.monitors import store as stats
from proca_common.mtt import ranking, store
from proca_common.mtt.files import Files
from proca_common.mtt.letter import Content, Posting, build, recipients
from proca_common.mtt.sender import origin
from proca_common.mtt.settings import Mtt
from proca_common.mtt.store import MailId, MailItem, MessageItem
from proca_common.orgs import encryption
from proca_common.orgs import store as orgs
from proca_common.orgs.services import Service
from proca_common.targets import store as targets
from proca_common.targets.target import Target, good_address

NUMBERS_FRESH_MS: Final = 30_000

_numbers: Fresh[int, dict[str, int]] = Fresh(NUMBERS_FRESH_MS)


class Withdrawn(Exception):
    """The mail will never go out; the text says why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail with all that it may speak of."""

    mail: MailId
    item: MailItem
    action: ActionItem
    content: Content
    supporter: Person
    area: str | None
    target: Target
    context: PageContext
    mtt: Mtt

    @property
    def testing(self) -> bool:
        """Whether it is a test."""
        return bool(self.item.testing)


def forget() -> None:
    """Empty the caches, as in a new environment (tests)."""
    _numbers.forget()
    templates.forget()


def draft_of(mail: MailId, item: MailItem, settings: Mtt, sealing_key: PrivateKey) -> Draft:
    """The mail with all around it. `settings`: of its campaign. Raises `Withdrawn`, `Later`, `Unavailable`."""
    keys = store.message_key(item.at, mail.action), actions.action_key(item.at, mail.action)
    known = actions.read_many(keys)
    message, action = (known.get(key) for key in keys)
    if not isinstance(message, MessageItem) or not isinstance(action, ActionItem):
        raise Withdrawn("gone")
    if action.status != ActionStatus.DELIVERED or message.text is None or message.sender is None:
        raise Withdrawn("rejected")
    if item.testing and ranking.is_late(created_ms(mail.action), clock.now_ms()):
        raise Withdrawn("a test of yesterday")
    text, sender = (_opened(sealed, sealing_key) for sealed in (message.text, message.sender))
    content = Content(text["subject"], text["body"], tuple(text["files"]))
    if content.is_empty:
        raise Withdrawn("empty")
    try:
        target = targets.get(mail.campaign, mail.target)
    except NotFound:
        raise Withdrawn("target gone") from None
    try:
        context = page_context(int(action.page))
    except NotFound:
        raise Withdrawn("page gone") from None
    supporter = Person(sender["email"], sender.get("firstName") or "", sender.get("lastName") or "")
    return Draft(mail, item, action, content, supporter, sender.get("area"), target, context, settings)


def _opened(sealed: bytes, sealing_key: PrivateKey) -> dict[str, Any]:
    try:
        opened: dict[str, Any] = json.loads(encryption.unseal(sealed, sealing_key))
    except CryptoError:
        raise Later("the message was sealed with another key") from None
    return opened


def letter_of(draft: Draft, service: Service, files: Files, srs_key: bytes) -> Letter:
    """The mail as it goes out through `service`; `srs_key`: what rewritten addresses are signed with (domain 8.6).

    Raises `Dropped` where it has no address to come from or go to, `Unavailable`.
    """
    good = good_address(draft.target)
    if good is None and not draft.testing:
        raise Dropped("no good address")
    template = _template(draft)
    needed = template is not None and needs_numbers(template, testing=draft.testing)
    campaign = draft.mail.campaign
    posting = Posting(
        mail=str(draft.mail),
        action=draft.mail.action,
        content=draft.content,
        supporter=draft.supporter,
        area=draft.area,
        target=draft.target,
        context=draft.context,
        is_dupe=bool(draft.action.dupe_rank),
        testing=draft.testing,
        numbers=_numbers.get(campaign, lambda: stats.read(campaign)) if needed else None,
        files=files.fetch(draft.context.lead, draft.content.files),
    )
    now_ms = clock.now_ms()
    try:
        return build(
            posting,
            template,
            recipients(draft.mtt, draft.supporter.email, good or "", testing=draft.testing),
            origin(draft.supporter, draft.context.lead, _sending_from(draft, service), srs_key, now_ms),
            random_part=secrets.token_hex(8),
            now_ms=now_ms,
        )
    except NotAnAddress:
        raise Dropped("no address to send from, or to") from None


def _template(draft: Draft) -> EmailTemplate | None:
    """The campaign's template in the target's language; None: what the supporter wrote goes out as it is (domain
    9.6.5).
    """
    name = draft.mtt.message_template
    if name is None:
        return None
    locale = ranking.locale_of(draft.target.locale)
    try:
        template = templates.resolve(draft.context.lead.id, name, locale)
    except NotFound:
        return None
    return template if template.locale[:2] == locale[:2] else None


def _sending_from(draft: Draft, service: Service) -> str:
    """The address that the service sends from: its own, else that of the org that owns it (domain 8.6)."""
    if service.sending_from is not None:
        return service.sending_from
    lead = draft.context.lead
    owner = lead if service.org == lead.id else orgs.get(service.org)
    return owner.email_from or lead.email_from or ""
