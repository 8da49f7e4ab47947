"""What the admin command does about people who were erased, and about what is kept too long."""

from __future__ import annotations

import sys
from argparse import Namespace

from proca_common.admin.commands import Shown
from proca_common.admin.environment import AdminSettings
from proca_common.aws import dynamo
from proca_common.aws.secrets import secret
from proca_common.erasures import restored
from proca_common.erasures.restored import Applied
from proca_common.erasures.retention import retain, rules_of
from proca_common.errors import NotAllowed
from proca_common.management.retention import report, shown
from proca_common.orgs import store as orgs

REPORTED_EVERY = 10_000


def erasure_apply(args: Namespace, settings: AdminSettings) -> Shown:
    """Erase from restored tables whoever was erased since; before they are used."""
    if settings.erasures_table is None or settings.erasure_key_secret is None:
        raise NotAllowed("ERASURES_TABLE and ERASURE_KEY_SECRET must say where the ledger is")
    key = secret(settings.erasure_key_secret)
    dynamo.connect(settings.model_copy(update={"actions_table": args.table, "stats_table": args.stats_table}))
    done = restored.apply(key, dry_run=args.dry_run, progress=_progress)
    return {"refs": done.refs, "erased": done.erased, "dry run": args.dry_run, **done.found}


def retention_run(args: Namespace, _: AdminSettings) -> Shown:
    """Erase what orgs keep longer than their rules allow, or say whom that is about."""
    chosen = orgs.every() if args.org is None else [orgs.find(args.org)]
    return [
        {"org": org.name, **shown(rule), **report(retain(rule, dry_run=args.dry_run))}
        for org in chosen
        for rule in rules_of(org)
    ]


def _progress(done: Applied) -> None:
    if done.refs % REPORTED_EVERY == 0:
        print(f"{done.refs} refs looked at, {done.erased} of them erased", file=sys.stderr)
