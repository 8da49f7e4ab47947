"""python -m proca_common.cli: runs campaigns through the HTTP API, for those who have no AWS credentials.

Log in once (`login`), or set PROCA_API_URL and PROCA_API_TOKEN. `wizard` leads from nothing to a page that accepts
signatures. Operators of an instance have `python -m proca_common.admin` besides, which needs credentials of AWS.

Exit status: 0 done, 1 refused, 2 wrong use, 3 not logged in or not allowed, 4 not found, 5 conflict, 6 try later.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from proca_common.cli import commands, config, downloads, given, wizard
from proca_common.cli.api import below
from proca_common.cli.arguments import Verbs, noun, parsed
from proca_common.cli.config import Config
from proca_common.cli.endpoints import ENDPOINTS, NOUNS, Endpoint
from proca_common.cli.errors import Failed, Misused
from proca_common.cli.output import fields, table

Shown = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Command = Callable[[Namespace, Config], Shown | None]
PROGRAM = "python -m proca_common.cli"
QUEUES = "deliver, confirm-supporter, confirm-action or event; with -dlq its dead letters"
TARGETS = (
    "custom_action_deliver",
    "custom_action_confirm",
    "custom_supporter_confirm",
    "email_supporter",
    "sqs",
    "webhook",
)


def parser() -> ArgumentParser:
    """The command line."""
    top = ArgumentParser(prog=PROGRAM, description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    top.add_argument(
        "--api", metavar="URL", help=f"where the API is, else {config.URL_VARIABLE}, else where one logged in"
    )
    top.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"has the API token, else {config.TOKEN_VARIABLE}, else one's login",
    )
    top.add_argument("--json", action="store_true", help="print JSON")
    nouns = top.add_subparsers(required=True, metavar="NOUN")
    _logging_in(nouns)
    verbs = {name: noun(nouns, name, what) for name, what in NOUNS.items()}
    for endpoint in ENDPOINTS:
        _endpoint(verbs[endpoint.noun], endpoint)
    _queues(verbs["queues"])
    download = _command(verbs["exports"], "download", downloads.exports_download, "org", "export")
    download.add_argument("file", type=Path, help="where it goes; it must not be there yet")
    _requeue(nouns)
    return top


def _logging_in(nouns: Verbs[ArgumentParser]) -> None:
    login = _command(nouns, "login", commands.login)
    login.add_argument("--email")
    login.add_argument("--name", help="what the API token is called")
    _command(nouns, "logout", commands.logout)
    lead = _command(nouns, "wizard", wizard.run)
    for name, what in wizard.ANSWERS.items():
        lead.add_argument(f"--{name}", help=what)
    lead.add_argument(
        "--keys", type=Path, metavar="FILE", help="where the private key goes, else into the config folder"
    )
    lead.add_argument("--yes", action="store_true", help="take what is suggested wherever nothing else is given")


def _queues(verbs: Verbs[ArgumentParser]) -> None:
    read = _command(verbs, "read", commands.queues_read, "org", "queue")
    read.add_argument("--keys", type=Path, metavar="FILE", help="private keys in base64url, one a line")
    read.add_argument("--ack", action="store_true", help="remove each message once it is printed")
    read.add_argument("--until-empty", action="store_true", help="go on until nothing is left, not only ten messages")
    redrive = _command(verbs, "redrive", commands.redrive, "org", "queue")
    _sends_again(redrive)


def _requeue(nouns: Verbs[ArgumentParser]) -> None:
    requeue = _command(nouns, "requeue", commands.requeue, "org")
    requeue.add_argument("target", choices=TARGETS)
    chosen = requeue.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--ids", type=int, nargs="+", help="ids of actions")
    chosen.add_argument("--campaign", help="name of a campaign: all its actions, or those of a time range")
    requeue.add_argument("--since", help="from this date or time on (UTC)")
    requeue.add_argument("--until", help="before this date or time (UTC)")
    requeue.add_argument("--cursor", help="where a job broke off")
    _sends_again(requeue)


def _sends_again(command: ArgumentParser) -> None:
    command.add_argument("--dry-run", action="store_true", help="only say how many")
    command.add_argument("--yes", action="store_true", help="do not ask whether to go on")
    command.add_argument("--job", help="id of a job that was interrupted, to go on under it")


OWN: Mapping[tuple[str, str], tuple[Command, Mapping[str, Mapping[str, Any]]]] = {
    ("keys", "create"): (
        commands.keys_create,
        {
            "--private-to": {"type": Path, "metavar": "FILE", "help": "add the private part to this file, mode 0600"},
            "--activate": {"action": "store_true", "help": "encrypt for it from now on"},
            "--show": {"action": "store_true", "help": "show the private part, this once"},
        },
    ),
    ("keys", "activate"): (
        commands.keys_activate,
        {"--wait": {"action": "store_true", "help": "until it holds everywhere, about a minute"}},
    ),
    ("targets", "put"): (
        commands.targets_put,
        {
            "--csv": {"type": Path, "metavar": "FILE", "help": "a table of targets, - is standard input"},
            "--outdated": {
                "choices": ("keep", "disable", "delete"),
                "default": "keep",
                "help": "what becomes of those that it does not name (keep)",
            },
            "--yes": {"action": "store_true", "help": "do not ask whether to go on"},
        },
    ),
    ("exports", "create"): (
        downloads.exports_create,
        {"--to": {"type": Path, "metavar": "FILE", "help": "wait until it is ready, and fetch it to this new file"}},
    ),
    ("queues", "credentials"): (
        commands.queues_credentials,
        {"--shell": {"action": "store_true", "help": "print lines for eval, with the names that AWS's tools read"}},
    ),
}
"""Endpoints of the table that take more than their row says: what is done instead, and options."""


def _endpoint(verbs: Verbs[ArgumentParser], endpoint: Endpoint) -> None:
    command, options = OWN.get((endpoint.noun, endpoint.verb), (partial(ask, endpoint), {}))
    added = _command(verbs, endpoint.verb, command, *endpoint.arguments, what=endpoint.what)
    added.set_defaults(columns=endpoint.columns)
    for name, option in options.items():
        added.add_argument(name, **option)
    for name in endpoint.queries:
        added.add_argument(f"--{name}")
    if endpoint.listed:
        added.add_argument("--most", type=int, metavar="N", help="no more than so many, else all")
    if endpoint.settings is not None:
        names = ", ".join(endpoint.settings)
        added.add_argument("settings", nargs="*", help=f"{given.HELP}. Settings: {names}" if names else given.HELP)
        added.add_argument("--body", type=Path, metavar="FILE", help="a JSON object of settings, - is standard input")
    if endpoint.method in {"PATCH", "PUT", "DELETE"}:
        added.add_argument("--if-match", metavar="ETAG", help="only if it is still this version, as `show` tells it")
    if endpoint.warning:
        added.add_argument("--yes", action="store_true", help="do not ask whether to go on")


def _command(
    verbs: Verbs[ArgumentParser], name: str, command: Command, *arguments: str, what: str | None = None
) -> ArgumentParser:
    said = (what or command.__doc__ or "").strip().replace("%", "%%")
    added = verbs.add_parser(name, help=said, description=said)
    for argument in arguments:
        added.add_argument(argument, help=QUEUES if argument == "queue" else None)
    added.add_argument("--json", action="store_true", default=SUPPRESS, help="print JSON")
    added.set_defaults(command=command, columns=())
    return added


def ask(endpoint: Endpoint, args: Namespace, known: Config) -> Shown | None:
    """What the API answers to the call that a row and its arguments mean."""
    values = {name: getattr(args, name) for name in endpoint.arguments}
    api = known.api(anonymous=endpoint.anonymous)
    path = below(endpoint.path, {name: commands.numbered(api, name, value, values) for name, value in values.items()})
    query = {name: getattr(args, name) for name in endpoint.queries}
    if endpoint.listed:
        return list(api.items(path, query, args.most))
    body = None
    if endpoint.settings is not None:
        body = given.settings(args.settings, args.body)
        body |= {name: given.asked_secret(name) for name in endpoint.secrets if name not in body}
    if endpoint.warning:
        commands.careful(endpoint.warning, yes=args.yes)
    answer = api.call(endpoint.method, path, body, query, if_match=getattr(args, "if_match", None))
    found: Any = answer.body
    if isinstance(found, dict) and isinstance(found.get("items"), list):
        return list(found["items"])
    if isinstance(found, dict) and answer.etag and not args.json:
        return {**found, "etag": answer.etag}
    return None if found is None else dict(found)


def show(shown: Shown, args: Namespace) -> str:
    """What is printed of it."""
    if args.json:
        return json.dumps(shown, indent=2, ensure_ascii=False)
    if isinstance(shown, Mapping):
        return fields(shown)
    return table(shown, args.columns)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    args = parsed(parser(), arguments)
    try:
        known = config.read(os.environ, args.api, args.token_file)
        shown = args.command(args, known)
    except Failed as failed:
        print(*filter(None, (failed, failed.hint)), sep="\n", file=sys.stderr)
        return failed.exit_status
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return Misused.exit_status
    if shown is not None:
        print(show(shown, args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
