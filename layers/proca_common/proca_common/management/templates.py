"""Templates of an org's mails, as its staff write and try them (domain 13.5, 8.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from proca_common.aws.dynamo import Transaction
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.errors import NotFound
from proca_common.failures import Failure, Refused
from proca_common.mails import templates
from proca_common.mails.choice import MailKind
from proca_common.mails.render import Rendered, rendered
from proca_common.mails.sample import sample_variables
from proca_common.mails.templates import EmailTemplate, EmailTemplateInput
from proca_common.management import audit
from proca_common.management.access import Seen, org_of
from proca_common.management.audit import Change
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller

NEEDED = Permission.CHANGE_CAMPAIGN_SETTINGS
TEXTS = ("subject", "html", "text")


class Preview(Entity):
    """What to try: which mail it is for. Texts that are given beside it are tried in the place of those saved."""

    kind: MailKind = MailKind.THANK_YOU


def listed(caller: Caller, org_name: str, after: str | None, limit: int) -> list[EmailTemplate]:
    """The org's templates by name and locale."""
    return templates.listed(org_of(caller, org_name).id, after, limit)


def get(caller: Caller, org_name: str, name: str, locale: str) -> EmailTemplate:
    """The template of exactly this name and locale. Raises `NotFound`."""
    return _found(org_of(caller, org_name).id, name, locale)


def put(
    caller: Caller, org_name: str, name: str, locale: str, given: Mapping[str, Any], seen: Seen
) -> tuple[EmailTemplate, bool]:
    """This template, in the place of the one of this name and locale, and whether there was none.

    Raises `Refused` with every failed rule, such as Mustache that is none; `Outdated`.
    """
    org = org_of(caller, org_name, NEEDED)
    wanted = _wanted(name, locale, given)
    known = templates.get(org.id, name, locale)
    if known is not None:
        seen(known.version)
        if EmailTemplateInput(**{field: getattr(known, field) for field in EmailTemplateInput.model_fields}) == wanted:
            return known, False
    entry = Change(
        caller.user.id, org.id, "template.put", f"template#{name}@{locale}", _audited(known), _audited(wanted)
    )
    made = templates.replace(org.id, known, wanted, lambda transaction: audit.record(transaction, entry))
    return made, known is None


def remove(caller: Caller, org_name: str, name: str, locale: str, seen: Seen) -> None:
    """Take it away; mails that need it wait until there is one again. Raises `NotFound`."""
    org = org_of(caller, org_name, NEEDED)
    known = _found(org.id, name, locale)
    seen(known.version)
    what = f"template#{name}@{locale}"

    def along(transaction: Transaction) -> None:
        audit.record(transaction, Change(caller.user.id, org.id, "template.delete", what, _audited(known), {}))

    templates.remove(org.id, name, locale, along)


def preview(caller: Caller, org_name: str, name: str, locale: str, given: Mapping[str, Any], now_ms: int) -> Rendered:
    """The mail that the template makes for somebody made up; of texts that are given, without saving them.

    Raises `NotFound` where there is neither, and `Refused`.
    """
    org = org_of(caller, org_name, NEEDED)
    texts = {field: given[field] for field in TEXTS if field in given}
    asked = checked(Preview, {field: value for field, value in given.items() if field not in texts})
    if set(texts) >= {"subject", "html"}:
        known: EmailTemplateInput = _wanted(name, locale, texts)
    else:
        saved = _found(org.id, name, locale)
        kept = {field: getattr(saved, field) for field in TEXTS}
        known = _wanted(name, locale, {**kept, **texts})
    variables = sample_variables(org, asked.kind, locale, now_ms)
    return rendered(EmailTemplate(**known.model_dump(), id=1, org=org.id), variables)


def shown(template: EmailTemplate) -> dict[str, object]:
    """A template with its texts."""
    return template.model_dump(mode="json", by_alias=True, exclude={"org", "version"})


def shown_in_list(template: EmailTemplate) -> dict[str, object]:
    """A template among others, without its texts."""
    return {"id": template.id, "name": template.name, "locale": template.locale, "subject": template.subject}


def _wanted(name: str, locale: str, given: Mapping[str, Any]) -> EmailTemplateInput:
    """What a template is to be. Name and locale are those of the path, and need not be said once more."""
    for field, value in (("name", name), ("locale", locale)):
        if given.get(field, value) != value:
            raise Refused([Failure(f"/{field}", "invalid", "is not that of the path")])
    return checked(EmailTemplateInput, {**given, "name": name, "locale": locale})


def _found(org: int, name: str, locale: str) -> EmailTemplate:
    known = templates.get(org, name, locale)
    if known is None:
        raise NotFound("template")
    return known


def _audited(template: EmailTemplateInput | None) -> dict[str, Any]:
    """What the trail keeps: texts may be as large as an item of it, so only by what they can be told apart."""
    if template is None:
        return {}
    texts = {"html": template.html, "text": template.text}
    return {"subject": template.subject, **{name: _fingerprint(text) for name, text in texts.items()}}


def _fingerprint(text: str | None) -> str | None:
    return None if text is None else f"{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
