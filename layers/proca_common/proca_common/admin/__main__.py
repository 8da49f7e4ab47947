"""python -m proca_common.admin: sets up an instance, its orgs, keys, campaigns and pages, and decides about actions.

Finds the instance by `--stack NAME` (a deployed CloudFormation stack) or by the variables that the functions have.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from proca_common.admin import (
    accounts,
    again,
    campaign_life,
    commands,
    confirms,
    counts,
    erasures,
    guards,
    mails,
    reminders,
    services,
)
from proca_common.admin.commands import Shown
from proca_common.admin.environment import AdminSettings, connect
from proca_common.aws import metrics
from proca_common.aws.errors import CloudError
from proca_common.aws.settings import SettingsError
from proca_common.cli.arguments import Verbs, noun, parsed
from proca_common.cli.output import fields, table
from proca_common.confirms.confirm import VALID_DAYS
from proca_common.errors import DomainError
from proca_common.guards.patterns import Kind
from proca_common.mails.choice import MailKind
from proca_common.orgs.org import Encryption
from proca_common.orgs.services import ServiceName
from proca_common.pipes.routing import Queue
from proca_common.stages.requeue import Target

Command = Callable[[Namespace, AdminSettings], Shown]
SETTINGS = "further settings as key=value, where value is JSON or text: supporter_confirm=true"


def parser() -> ArgumentParser:
    """The command line."""
    top = ArgumentParser(prog="python -m proca_common.admin", description=__doc__)
    top.add_argument("--stack", help="name of the deployed stack (else the functions' variables are read)")
    top.add_argument("--json", action="store_true", help="print JSON")
    nouns = top.add_subparsers(required=True, metavar="NOUN")
    _command(nouns, "setup", commands.set_up).add_argument(
        "--name", default="instance", help="name of the instance org"
    )

    org = noun(nouns, "org", "orgs and their queues")
    create = _command(org, "create", commands.org_create, "name", settings=True)
    create.add_argument("--title")
    create.add_argument("--encryption", required=True, choices=[mode.value for mode in Encryption])
    _command(org, "set", commands.org_set, "name", settings=True)
    _command(org, "show", commands.org_show, "name")
    _command(org, "list", commands.org_list)
    _command(org, "delete", commands.org_delete, "name")
    _command(noun(nouns, "queue", "queues of an org"), "sync", commands.queue_sync, "org")

    key = noun(nouns, "key", "encryption keys of an org")
    _command(key, "generate", commands.key_generate, "org", "name")
    _command(key, "add", commands.key_add, "org", "name", "public")
    _command(key, "list", commands.key_list, "org")
    activate = _command(key, "activate", commands.key_activate, "org", numbered=True)
    activate.add_argument("--no-wait", action="store_true", help="answer at once; run encrypt-contacts yourself, later")
    _command(key, "expire", commands.key_expire, "org", numbered=True)
    _command(key, "deactivate", commands.key_deactivate, "org").add_argument("--to-clear-text", action="store_true")
    _command(key, "encrypt-contacts", commands.key_encrypt_contacts, "org")

    _services(nouns)
    campaign = noun(nouns, "campaign", "campaigns")
    create = _command(campaign, "create", commands.campaign_create, "name", settings=True)
    create.add_argument("--title")
    create.add_argument("--org", required=True, help="name of the lead org")
    _command(campaign, "set", commands.campaign_set, "name", settings=True)
    _command(campaign, "show", commands.campaign_show, "name")
    _command(campaign, "list", commands.campaign_list)
    _command(campaign, "delete", commands.campaign_delete, "name")
    idle = _command(campaign, "close-idle", campaign_life.campaign_close_idle)
    idle.add_argument("--months", type=int, default=campaign_life.MONTHS, help=f"for how long ({campaign_life.MONTHS})")
    for command in (idle, _command(campaign, "backfill-dates", campaign_life.campaign_backfill_dates)):
        command.add_argument("--dry-run", action="store_true", help="only say which")

    page = noun(nouns, "page", "action pages")
    create = _command(page, "create", commands.page_create, "name", settings=True)
    create.add_argument("--org", required=True, help="name of the page's org")
    create.add_argument("--campaign", required=True, help="name of the campaign")
    create.add_argument("--locale", default="en")
    _command(page, "set", commands.page_set, "name", settings=True)
    _command(page, "show", commands.page_show, "name")
    _command(page, "list", commands.page_list)

    _decisions(nouns)
    _mails(nouns)
    _against_abuse(nouns)
    _sending_again(nouns)
    _counts(nouns)
    _privacy(nouns)
    return top


def _decisions(nouns: Verbs[ArgumentParser]) -> None:
    action = noun(nouns, "action", "single actions, by id")
    _command(action, "show", commands.action_show, numbered=True)
    _command(action, "accept", commands.action_accept, numbered=True)
    _command(action, "reject", commands.action_reject, numbered=True)
    supporter = noun(nouns, "supporter", "supporters, by the id of one of their actions")
    _command(supporter, "accept", commands.supporter_accept, numbered=True)
    _command(supporter, "reject", commands.supporter_reject, numbered=True)
    confirm = noun(nouns, "confirm", "operations that a second person has to agree to")
    create = _command(confirm, "create-action", confirms.confirm_create_action, numbered=True)
    create.add_argument("--email", help="an address that its links tell; whoever only guesses the code lacks it")
    create.add_argument("--days", type=int, default=VALID_DAYS, help=f"how long it holds ({VALID_DAYS})")


def _services(nouns: Verbs[ArgumentParser]) -> None:
    service = noun(nouns, "service", "services that an org uses for mails, payments and pushes")
    add = _command(service, "add", services.service_add, "org")
    add.add_argument("name", choices=[name.value for name in ServiceName])
    add.add_argument("--host", help="a region, a server or a URL, as the service needs it")
    add.add_argument("--user")
    add.add_argument("--path")
    add.add_argument("--sending-from", help="the sender address that the service knows")
    add.add_argument("--budget", dest="transactional_email_budget", type=int, help="mails through it, else any number")
    add.add_argument("--rate", type=float, help="mails that a mail server takes in a second, else as many as there are")
    _command(service, "list", services.service_list, "org")
    _command(service, "remove", services.service_remove, "org", numbered=True)


def _mails(nouns: Verbs[ArgumentParser]) -> None:
    template = noun(nouns, "template", "templates of an org's mails, in Mustache (docs/mails.md)")
    of_one = ("org", "name", "locale")
    put = _command(template, "put", mails.template_put, *of_one)
    put.add_argument("--subject", required=True)
    put.add_argument("--html", required=True, type=mails.readable, metavar="FILE")
    put.add_argument("--text", type=mails.readable, metavar="FILE", help="else the plain part is made from the HTML")
    _command(template, "list", mails.template_list, "org")
    _command(template, "show", mails.template_show, *of_one)
    _command(template, "remove", mails.template_remove, *of_one)
    preview = _command(template, "preview", mails.template_preview, *of_one)
    preview.add_argument("--kind", choices=[kind.value for kind in MailKind], default=MailKind.THANK_YOU.value)
    preview.add_argument("--html", type=Path, metavar="FILE", help="where to write the HTML part")
    mail = noun(nouns, "mail", "mails of an org")
    _command(mail, "status", mails.mail_status, "org")
    _command(mail, "reset-budget", mails.mail_reset_budget, "org")


def _against_abuse(nouns: Verbs[ArgumentParser]) -> None:
    instance = noun(nouns, "instance", "what holds for all campaigns")
    _command(instance, "set", guards.instance_set, settings=True)
    _command(instance, "show", guards.instance_show)
    issuer = _command(instance, "jwt", accounts.jwt_set, settings=True)
    issuer.add_argument("--secret", action="store_true", help="read the secret of symmetric ones from standard input")
    _command(instance, "frontend", accounts.frontend_set).add_argument("url", nargs="?")
    user = noun(nouns, "user", "people who work with the instance")
    create = _command(user, "create", accounts.user_create, "email")
    create.add_argument("--admin", action="store_true", help="who may do everything")
    admin = _command(user, "admin", accounts.user_admin, "email")
    admin.add_argument("--off", action="store_true", help="who may no longer")
    captcha = _command(noun(nouns, "captcha", "verification by another service"), "set", guards.captcha_set)
    captcha.add_argument("service", choices=["hcaptcha", "procaptcha"])
    captcha.add_argument("url", help="where solutions are verified")
    captcha.add_argument("--campaign", help="name of the campaign (else it holds for all)")
    captcha.add_argument("--fail-open", action="store_true", help="take signatures while the service does not answer")
    pattern = noun(nouns, "pattern", "signatures that are refused, or held until somebody looked at them")
    add = _command(pattern, "add", guards.pattern_add)
    add.add_argument("kind", choices=get_args(Kind))
    add.add_argument("pattern", help="a text, * for any characters; a network such as 192.0.2.0/24")
    add.add_argument("action", choices=["refuse", "hold"])
    add.add_argument("--campaign", help="name of the campaign (else it holds for all)")
    _command(pattern, "list", guards.pattern_list)
    _command(pattern, "remove", guards.pattern_remove, numbered=True)
    review = noun(nouns, "review", "signatures that a pattern holds")
    _command(review, "list", guards.review_list)
    _command(review, "release", guards.review_release, numbered=True)
    _command(review, "refuse", guards.review_refuse, numbered=True)


def _sending_again(nouns: Verbs[ArgumentParser]) -> None:
    requeue = _command(nouns, "requeue", again.requeue_actions, "org")
    requeue.add_argument("target", choices=[target.value for target in Target])
    chosen = requeue.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--ids", type=int, nargs="+", help="ids of actions")
    chosen.add_argument("--campaign", help="name of a campaign: all its actions, or those of a time range")
    requeue.add_argument("--since", type=again.moment, default=0, help="from this date or time on (UTC)")
    requeue.add_argument("--until", type=again.moment, help="before this date or time (UTC)")
    remind = _command(nouns, "reminders", reminders.remind_now)
    remind.add_argument("--dry-run", action="store_true", help="only say how many are due")
    redrive = _command(nouns, "redrive", again.queue_redrive)
    redrive.add_argument("queue", choices=[*(queue.value for queue in Queue), *again.OUR_QUEUES])
    redrive.add_argument("--org", help="name of the org whose queue it is")
    for command in (requeue, redrive):
        command.add_argument("--dry-run", action="store_true", help="only say how many")
        command.add_argument("--job", type=again.job_id, help="id of a job that was interrupted, to go on under it")


def _counts(nouns: Verbs[ArgumentParser]) -> None:
    verbs = noun(nouns, "counts", "the numbers of a campaign, counted again from its actions")
    count = _command(verbs, "audit", counts.counts_audit, "campaign")
    mode = count.add_mutually_exclusive_group()
    mode.add_argument("--repair", action="store_true", help="put right what differs")
    mode.add_argument("--dry-run", action="store_true", help="write nothing at all, not even a record of the audit")
    mode.add_argument("--id", type=int, help="go on with this audit, which was interrupted")
    count.add_argument(
        "--reads", type=float, default=counts.READS_PER_S, help="items that are read in a second at most"
    )
    _command(verbs, "audits", counts.counts_audits, "campaign")


def _privacy(nouns: Verbs[ArgumentParser]) -> None:
    apply = _command(noun(nouns, "erasure", "people who were erased"), "apply", erasures.erasure_apply)
    apply.add_argument("--table", required=True, help="the restored table of actions")
    apply.add_argument("--stats-table", required=True, help="the table of numbers that was restored with it")
    run = _command(noun(nouns, "retention", "how long orgs keep contacts"), "run", erasures.retention_run)
    run.add_argument("org", nargs="?", help="name of an org (else all)")
    for command in (apply, run):
        command.add_argument("--dry-run", action="store_true", help="only say how many")


def _command(
    verbs: Verbs[ArgumentParser],
    name: str,
    command: Command,
    *arguments: str,
    numbered: bool = False,
    settings: bool = False,
) -> ArgumentParser:
    what = (command.__doc__ or "").strip()
    added = verbs.add_parser(name, help=what, description=what)
    for argument in arguments:
        added.add_argument(argument)
    if numbered:
        added.add_argument("id", type=int)
    if settings:
        added.add_argument("settings", nargs="*", help=SETTINGS)
    added.set_defaults(command=command)
    return added


def show(shown: Shown) -> str:
    """Lists as a table, one thing as a line per field."""
    return fields(shown) if isinstance(shown, Mapping) else table(shown)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 and a line on standard error when it was refused."""
    args = parsed(parser(), arguments)
    try:
        with metrics.kept_quiet():  # what is told here is for people, and for programs that read JSON
            shown = args.command(args, connect(args.stack))
    except ValidationError as error:
        for failed in error.errors(include_input=False, include_url=False):
            print(f"{'.'.join(map(str, failed['loc'])) or 'input'}: {failed['msg']}", file=sys.stderr)
        return 1
    except (DomainError, CloudError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(shown, indent=2, ensure_ascii=False) if args.json else show(shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
