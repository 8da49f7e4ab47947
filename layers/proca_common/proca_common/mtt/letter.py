"""Building a mail to a target: who gets it, and what it says (domain 9.5, 9.6). Pure.

Without a template, what the supporter wrote is itself Mustache that knows the target alone. It comes from anybody, so
it can do no more than put names in: lists are texts there, because sections over lists in lists grow without bound, and
what grows too long is sent as it was written. Only HTML is escaped, and there all that supporters wrote.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from proca_common.action_pages.context import PageContext
from proca_common.mails import mustache
from proca_common.mails.letter import File, Letter, address, is_address, one_line, target_letter
from proca_common.mails.render import Person, Rendered, campaign_stats, debug, rendered
from proca_common.mails.templates import EmailTemplate
from proca_common.mtt.sender import Origin
from proca_common.mtt.settings import Mtt
from proca_common.targets.target import Target

TEST: Final = "[TEST] "
MAX_RENDERED: Final = 100_000
"""Characters of a text with the target put in, ten times what may be written."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a supporter wrote, for all targets; `files`: keys of files that go with it."""

    subject: str
    body: str
    files: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send (domain 9.6.1)."""
        return not (self.subject.strip() and self.body.strip())


@dataclass(frozen=True, slots=True)
class Posting:
    """Everything that a mail to a target may speak of. `mail`: its id as text; `action`, `area`, `is_dupe` and
    `testing` are those of the action that it was written with, `context` that of the page; `numbers`: the campaign's
    totals, which `mails.render.needs_numbers` knows the need for; `files`: those that were there.
    """

    mail: str
    action: int
    content: Content
    supporter: Person
    area: str | None
    target: Target
    context: PageContext
    is_dupe: bool = False
    testing: bool = False
    numbers: Mapping[str, int] | None = None
    files: Sequence[File] = ()


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who gets a mail: one address, shown under the target's name, and copies."""

    to: str
    cc: tuple[str, ...]


def recipients(mtt: Mtt, supporter: str, good_address: str, *, testing: bool) -> Recipients:
    """A test goes to the supporter, with a copy to the campaign's test address; any other mail to the target, with
    copies as the campaign says, in both ways of sending (domain 9.5, 9.6.4; decisions 26 and 27 of domain 15).

    Nobody gets a mail twice, and a copy to what is no address is left out.
    """
    if testing:
        to, copies = supporter, [mtt.test_email or ""]
    else:
        to, copies = good_address, [*mtt.cc_contacts, supporter if mtt.cc_sender else ""]
    once = {copy.lower(): copy for copy in copies if is_address(copy) and copy.lower() != to.lower()}
    return Recipients(to, tuple(once.values()))


def build(
    posting: Posting,
    template: EmailTemplate | None,
    addressed: Recipients,
    origin: Origin,
    *,
    random_part: str,
    now_ms: int,
) -> Letter:
    """The mail. `template`: the campaign's, in the locale of the target; None: it has none. Raises `NotAnAddress`."""
    said = _raw(posting) if template is None else _templated(posting, template)
    if posting.testing:
        said = replace(said, subject=TEST + said.subject)
    return target_letter(
        said,
        target_mail=posting.mail,
        sender=origin.sender,
        reply_to=origin.reply_to,
        recipient=address(addressed.to, one_line(posting.target.name)),
        cc=addressed.cc,
        files=posting.files,
        random_part=random_part,
        now_ms=now_ms,
    )


def paragraphs(text: str) -> str:
    """A plain text as HTML: each line is a paragraph (domain 9.6.6)."""
    lines = html.escape(text, quote=False).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "</p><p>")
    return f"<p>{lines}</p>"


def _raw(posting: Posting) -> Rendered:
    """What the supporter wrote, with the target put in."""
    known = {"target": _target(posting.target, {name: _text(value) for name, value in posting.target.fields.items()})}
    subject, body = (_put_in(text, known) for text in (posting.content.subject, posting.content.body))
    return Rendered(subject, paragraphs(body), body)


def _put_in(text: str, known: Mapping[str, Any]) -> str:
    """The text with the values put in, or as it was written where that cannot be done."""
    try:
        made = mustache.render(text, known, html=False)
    except mustache.NotMustache:
        return text
    return made if len(made) <= MAX_RENDERED else text


def _text(value: Any) -> Any:
    """A list as Mustache shows it; anything else as it is."""
    return mustache.render("{{value}}", {"value": value}, html=False) if isinstance(value, list) else value


def _templated(posting: Posting, template: EmailTemplate) -> Rendered:
    """The template with the supporter's words as `subject` and `body`: in HTML that is `{{{body}}}`, of paragraphs."""
    known = _variables(posting)
    made = rendered(template, {**known, "body": paragraphs(posting.content.body)})
    if template.text is None:
        return made
    return replace(made, text=mustache.render(template.text, known, html=False))


def _variables(posting: Posting) -> dict[str, Any]:
    """What templates can show (domain 9.6.6); `body` is the plain text."""
    context = posting.context
    known: dict[str, Any] = {
        "subject": posting.content.subject,
        "body": posting.content.body,
        "firstName": posting.supporter.first_name,
        "lastName": posting.supporter.last_name,
        "email": posting.supporter.email,
        "area": posting.area,
        "isDupe": posting.is_dupe,
        "actionId": posting.action,
        "actionPage": {"id": context.page.id, "name": context.page.name, "locale": context.page.locale},
        "org": {
            "id": context.org.id,
            "name": context.org.name,
            "title": context.org.title,
            "config": context.org.config,
        },
        "campaign": {
            "name": context.campaign.name,
            "title": context.campaign.title,
            "stats": campaign_stats(posting.numbers or {}, context.org.id, posting.area),
        },
        "target": _target(posting.target, posting.target.fields),
        "files": [file.name for file in posting.files],
        "test": posting.testing,
    }
    return {**known, "debug": debug(known)} if posting.testing else known


def _target(target: Target, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": target.name,
        "externalId": target.external_id,
        "area": target.area,
        "locale": target.locale,
        "fields": dict(fields),
    }
