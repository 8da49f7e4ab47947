"""Templates of an org's mails (domain 1.17), in its item collection: `template#<name>#<locale>`.

Provider-side templates are not built: every mail is rendered here.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, nothing
from proca_common.catalog.entity import Entity, Id, Locale, TemplateName
from proca_common.catalog.fresh import Fresh
from proca_common.errors import NotFound, Outdated
from proca_common.mails import mustache
from proca_common.orgs import store as orgs

SK = "template#"
MAX_BYTES = 300_000
MAX_NAMES = 305
"""Bytes of a name and a locale together."""
FRESH_MS = 30_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _one_line(subject: str) -> str:
    if _CONTROL.search(subject):
        raise ValueError("must be one line")
    return subject


Source = Annotated[str, AfterValidator(mustache.check)]


class EmailTemplateInput(Entity):
    """What can be set of a template. All three texts are Mustache with the variables of domain 8.5; without `text` the
    plain part is made from the HTML.
    """

    name: TemplateName
    locale: Locale
    subject: Annotated[Source, AfterValidator(_one_line), Field(min_length=1, max_length=500)]
    html: Annotated[Source, Field(min_length=1)]
    text: Source | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        size = len(self.html.encode()) + len((self.text or "").encode())
        if size > MAX_BYTES:
            raise ValueError(f"html and text together have {size} bytes, at most {MAX_BYTES} fit")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The texts that it is made of."""
        return (self.subject, self.html, self.text or "")


class EmailTemplate(EmailTemplateInput):
    """A stored template; `version` counts its changes."""

    id: Id
    org: Id
    version: int = 1

    @classmethod
    def beside(cls) -> set[str]:
        """Told by the item's own attributes and key."""
        return {"id", "org", "version"}


class TemplateItem(CatalogItem, discriminator="template"):
    """A template; one write each, so that editors of two locales are not in each other's way."""

    id = NumberAttribute()
    document = UnicodeAttribute()
    version = NumberAttribute(default=1)


def put(org: int, wanted: EmailTemplateInput) -> EmailTemplate:
    """Store the template in the place of the one with its name and locale, if any. Raises `NotFound` (org)."""
    return replace(org, get(org, wanted.name, wanted.locale), wanted)


def replace(org: int, known: EmailTemplate | None, wanted: EmailTemplateInput, along: Along = nothing) -> EmailTemplate:
    """The same, if there is still what is `known` to be in its place. Raises `NotFound` (org), `Outdated`."""
    if known is None:
        number, version = names.next_number("template"), 1
    else:
        number, version = known.id, known.version + 1
    template = EmailTemplate(**wanted.model_dump(), id=number, org=org, version=version)
    unchanged = CatalogItem.pk.does_not_exist() if known is None else TemplateItem.version == known.version
    transaction = Transaction()
    transaction.put("template", _item(template), unchanged)
    transaction.check("org", orgs.OrgItem, orgs.org_key(org), CatalogItem.pk.exists())
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled as cancelled:
        if cancelled.refused("org"):
            raise NotFound("org") from None
        raise Outdated from None
    return template


def get(org: int, name: str, locale: str) -> EmailTemplate | None:
    """The template with exactly this name, in its case of letters, and locale; none where they are too long for one."""
    if len(f"{name}{locale}".encode()) > MAX_NAMES:
        return None
    item = items.read(TemplateItem, *_key(org, name, locale))
    return None if item is None else _template(item)


def of_org(org: int) -> list[EmailTemplate]:
    """All templates of the org, by name and locale."""
    return sorted(_found(org, SK), key=lambda template: (template.name, template.locale))


def is_there(org: int, name: str) -> bool:
    """Whether the org has a template of this name, in any locale."""
    return bool(_found(org, f"{SK}{name}#", limit=1))


def listed(org: int, after: str | None, limit: int) -> list[EmailTemplate]:
    """The org's templates in the order of name and locale, at most `limit` after the one that `after` names (see
    `place`).
    """
    start = SK if after is None else f"{SK}{after} "
    condition = TemplateItem.sk.between(start, f"{SK}~")
    try:
        found = TemplateItem.query(orgs.org_key(org)[0], condition, consistent_read=True, limit=limit)
        return [_template(item) for item in found]
    except PynamoDBException as error:
        raise translated(error) from None


def place(template: EmailTemplate) -> str:
    """Where a template stands in the list."""
    return f"{template.name}#{template.locale}"


def remove(org: int, name: str, locale: str, along: Along = nothing) -> None:
    """Take it away; raises `NotFound`."""
    transaction = Transaction()
    transaction.delete("template", TemplateItem(*_key(org, name, locale)), CatalogItem.pk.exists())
    along(transaction)
    try:
        items.commit(transaction)
    except Cancelled:
        raise NotFound("template") from None


def choose(known: list[EmailTemplate], locale: str) -> EmailTemplate | None:
    """Of the templates of one name: the one of this locale, else of its language, else any (decision 22 of domain 15).

    Of a language, the one without a region comes first; where any will do, the first by its locale.
    """
    language = _language(locale)

    def rank(template: EmailTemplate) -> tuple[bool, bool, str]:
        return template.locale != locale, _language(template.locale) != language, template.locale

    return min(known, key=rank, default=None)


_known: Fresh[tuple[int, str, str], EmailTemplate] = Fresh(FRESH_MS)


def forget() -> None:
    """Empty the cache (tests)."""
    _known.forget()


def resolve(org: int, name: str, locale: str) -> EmailTemplate:
    """The template for a mail in this locale, at most 30 s old. Raises `NotFound`, which is not kept: the mail is
    tried again, and goes out once there is one.
    """

    def fetch() -> EmailTemplate:
        template = get(org, name, locale) or choose(_found(org, f"{SK}{name}#"), locale)
        if template is None:
            raise NotFound("template")
        return template

    return _known.get((org, name, locale), fetch)


def _language(locale: str) -> str:
    return re.split("[_@]", locale, maxsplit=1)[0]


def _key(org: int, name: str, locale: str) -> tuple[str, str]:
    return orgs.org_key(org)[0], f"{SK}{name}#{locale}"


def _item(template: EmailTemplate) -> TemplateItem:
    return TemplateItem(
        *_key(template.org, template.name, template.locale),
        id=template.id,
        document=template.document(),
        version=template.version,
    )


def _template(item: TemplateItem) -> EmailTemplate:
    org = int(item.pk.removeprefix("org#"))
    return EmailTemplate.load(item.document, id=int(item.id), org=org, version=int(item.version))


def _found(org: int, prefix: str, limit: int | None = None) -> list[EmailTemplate]:
    condition = TemplateItem.sk.startswith(prefix)
    try:
        found = TemplateItem.query(orgs.org_key(org)[0], condition, consistent_read=True, limit=limit)
        return [_template(item) for item in found]
    except PynamoDBException as error:
        raise translated(error) from None
