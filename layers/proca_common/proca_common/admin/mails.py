"""What the admin command does about mails: templates of orgs, and what is counted of their mails."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from proca_common.admin.environment import AdminSettings
from proca_common.aws import clock
from proca_common.errors import NotFound
from proca_common.mails import counts, templates
from proca_common.mails.choice import MailKind
from proca_common.mails.render import rendered
from proca_common.mails.sample import sample_variables
from proca_common.mails.templates import EmailTemplate, EmailTemplateInput
from proca_common.orgs import store as orgs

Shown = Mapping[str, object] | Sequence[Mapping[str, object]]


def template_put(args: Namespace, _: AdminSettings) -> Shown:
    """Save a template, in the place of the one with its name and locale; a broken one is refused."""
    given = {
        "name": args.name,
        "locale": args.locale,
        "subject": args.subject,
        "html": args.html.read_text(encoding="utf-8"),
        "text": None if args.text is None else args.text.read_text(encoding="utf-8"),
    }
    return _line(templates.put(orgs.find(args.org).id, EmailTemplateInput.model_validate(given)))


def template_list(args: Namespace, _: AdminSettings) -> Shown:
    """The org's templates."""
    return [_line(template) for template in templates.of_org(orgs.find(args.org).id)]


def template_show(args: Namespace, _: AdminSettings) -> Shown:
    """One template as it was saved."""
    return _template(args).model_dump(mode="json", by_alias=True, exclude={"org"})


def template_remove(args: Namespace, _: AdminSettings) -> Shown:
    """Take a template away; mails that need it wait until there is one again."""
    templates.remove(orgs.find(args.org).id, args.name, args.locale)
    return {"removed": f"{args.name}@{args.locale}"}


def template_preview(args: Namespace, _: AdminSettings) -> Shown:
    """The mail that a template makes for somebody made up; --html writes its HTML part to a file."""
    org, template = orgs.find(args.org), _template(args)
    shown = rendered(template, sample_variables(org, MailKind(args.kind), template.locale, clock.now_ms()))
    if args.html is not None:
        args.html.write_text(shown.html, encoding="utf-8")
    return {
        "from": f"{org.title} <{org.email_from or 'email_from is not set'}>",
        "subject": shown.subject,
        "text": shown.text,
        "html": shown.html if args.html is None else str(args.html),
    }


def mail_status(args: Namespace, _: AdminSettings) -> Shown:
    """What is counted of the org's mails: for its budget, and those that may have gone out twice."""
    counted = counts.read(orgs.find(args.org).id)
    return {"counted for the budget": counted[counts.TRANSACTIONAL], "possibly twice": counted[counts.POSSIBLY_TWICE]}


def mail_reset_budget(args: Namespace, _: AdminSettings) -> Shown:
    """Begin to count the org's mails for its budget anew."""
    org = orgs.find(args.org)
    counts.reset_budget(org.id)
    return {"reset": org.name}


def readable(path: str) -> Path:
    """A file of the command line."""
    found = Path(path)
    if not found.is_file():
        raise ValueError("no such file")
    return found


def _template(args: Namespace) -> EmailTemplate:
    template = templates.get(orgs.find(args.org).id, args.name, args.locale)
    if template is None:
        raise NotFound("template")
    return template


def _line(template: EmailTemplate) -> dict[str, object]:
    return {
        "id": template.id,
        "template": f"{template.name}@{template.locale}",
        "subject": template.subject,
        "html": len(template.html),
        "text": "made from the HTML" if template.text is None else len(template.text),
    }
