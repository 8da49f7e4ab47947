"""Commands that are more than one call: logging in, secrets that go to a file, what takes long.

Each takes parsed arguments and the config, and returns what is shown: a dict, a list, or None.
"""

from __future__ import annotations

import json
import platform
import shlex
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proca_common.cli import config, given
from proca_common.cli.api import Api, basic, bearer, below
from proca_common.cli.config import Config, Login
from proca_common.cli.endpoints import NAMED
from proca_common.cli.errors import Failed, Misused, NotThere, Refusal
from proca_common.cli.output import Progress

Json = dict[str, Any]
UNAUTHORIZED = 401
MOST_IDS = 1_000
"""As many as one request takes."""
MOST_MESSAGES = 10
STEP_S = 0.5
LEASE_S = 300


def careful(warning: str, *, yes: bool) -> None:
    """Ask whether to go on, unless that was said. Raises `Failed`."""
    if not yes and not given.agreed(f"{warning} Go on?"):
        raise Failed("nothing was done")


def numbered(api: Api, kind: str, text: str, values: Mapping[str, str]) -> str:
    """The number that the API knows something by, which was typed or is looked up by its name. Raises `NotThere`."""
    if text.isdigit() or kind not in NAMED or "org" not in values:
        return text
    path, name, number = NAMED[kind]
    for each in api.items(below(path, values)):
        if str(each[name]).casefold() == text.casefold():
            return str(each[number])
    raise NotThere(f"{values['org']} has no {kind} {text}")


# --- logging in and out


def login(args: Namespace, known: Config) -> Json:
    """Make an API token of e-mail and password, and keep it in the user's config folder."""
    url = known.given_url or given.asked("Address of the API", known.login.api if known.login else None)
    email = args.email or given.asked("E-mail")
    made = sign_in(known, url, email, given.asked_secret("Password"), args.name)
    return {"api": made.api, "email": email, "token": made.number, "file": str(known.file)}


def sign_in(known: Config, url: str, email: str, password: str, name: str | None = None) -> Login:
    """A login that is stored; the one before, at the same address, is made void."""
    api = Api(url, basic(email, password))
    wanted = name or f"command line on {platform.node() or 'a machine'}"
    made = api.call("POST", "/account/tokens", {"name": wanted[:100]}).body
    fresh = Login(api.url, made["token"], made["id"])
    config.store(known.file, fresh)
    if known.login is not None and known.login.api == fresh.api:
        _make_void(known.login)
    return fresh


def logout(_: Namespace, known: Config) -> Json:
    """Make the stored API token void, and forget it."""
    if known.login is None:
        raise Misused("not logged in")
    _make_void(known.login)
    config.forget(known.file)
    return {"loggedOutOf": known.login.api}


def _make_void(login: Login) -> None:
    try:
        Api(login.api, bearer(login.token)).call("DELETE", below("/account/tokens/{token}", {"token": login.number}))
    except Refusal as problem:
        if problem.status != UNAUTHORIZED:  # it is void already
            raise


# --- keys


def keys_create(args: Namespace, known: Config) -> Json:
    """A new key pair, not active, whose private part is written to a file or shown this once; or a key of one's own."""
    wanted = given.settings(args.settings, args.body)
    if "public" not in wanted and args.private_to is None and not args.show:
        raise Misused("say where the private key goes: --private-to FILE, or --show")
    api = known.api()
    made = create_key(api, args.org, wanted, args.private_to)
    return {**made, **activate_key(api, args.org, made["id"])} if args.activate else made


def create_key(api: Api, org: str, wanted: Json, private_to: Path | None) -> Json:
    """The new key, with its private part only where there is no file for it.

    The file is opened first, so that no key is made whose private part would be lost.
    """
    if private_to is not None:
        _append(private_to, "")
    made: Json = api.call("POST", below("/orgs/{org}/keys", {"org": org}), wanted).body
    if private_to is not None and "private" in made:
        _append(private_to, made.pop("private"))
        made["privateTo"] = str(private_to)
    return made


def _append(file: Path, line: str) -> None:
    try:
        config.append_secret(file, line)
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None


def keys_activate(args: Namespace, known: Config) -> Json:
    """Encrypt for this key from now on; what was stored before in clear text is encrypted by a job."""
    api = known.api()
    activated = activate_key(api, args.org, numbered(api, "key", args.key, {"org": args.org}))
    if args.wait:
        wait_until(activated["holdsEverywhereAt"])
    return activated


def activate_key(api: Api, org: str, key: object) -> Json:
    """The key as it is then."""
    activated: Json = api.call("POST", below("/orgs/{org}/keys/{key}/activation", {"org": org, "key": key})).body
    return activated


def wait_until(moment: str) -> None:
    """Return when it is that time (UTC); the job that encrypts what is there begins then."""
    at = datetime.fromisoformat(moment)
    total = max(0, round((at - datetime.now(UTC)).total_seconds()))
    with Progress("seconds until it holds everywhere", total) as progress:
        while (left := (at - datetime.now(UTC)).total_seconds()) > 0:
            progress.at(min(total, max(0, total - round(left))))
            time.sleep(min(left, STEP_S))
        progress.at(total)


# --- queues


def queues_credentials(args: Namespace, known: Config) -> Json | None:
    """Credentials of AWS for the org's own queues, an hour long; with --shell as lines for `eval`."""
    wanted = given.settings(args.settings, args.body)
    lent: Json = known.api().call("POST", below("/orgs/{org}/queue-credentials", {"org": args.org}), wanted).body
    if not args.shell:
        return lent
    names = {
        "AWS_ACCESS_KEY_ID": "accessKeyId",
        "AWS_SECRET_ACCESS_KEY": "secretAccessKey",
        "AWS_SESSION_TOKEN": "sessionToken",
        "AWS_REGION": "region",
    }
    for variable, name in names.items():
        print(f"export {variable}={shlex.quote(str(lent[name]))}")
    return None


def queues_read(args: Namespace, known: Config) -> None:
    """Print the messages of a queue, decrypted where --keys has the key, a line of JSON each; --ack removes them."""
    api = known.api()
    for message in messages(api, args.org, args.queue, until_empty=args.until_empty):
        opened = open_message(message["body"], args.keys)
        print(json.dumps({"messageId": message["messageId"], **opened}, ensure_ascii=False), flush=True)
        if args.ack:
            acknowledge(api, args.org, args.queue, [message["receipt"]])


def messages(api: Api, org: str, queue: str, *, until_empty: bool, lease_s: int = LEASE_S) -> Iterator[Json]:
    """What is in a queue: ten messages at most, or all until it is empty."""
    path = below("/orgs/{org}/queues/{queue}/messages", {"org": org, "queue": queue})
    while True:
        found = api.call("GET", path, query={"limit": MOST_MESSAGES, "wait": 1, "lease": lease_s}).body["items"]
        yield from found
        if not (found and until_empty):
            return


def acknowledge(api: Api, org: str, queue: str, receipts: list[str]) -> None:
    """Remove messages for good. Raises `Failed` for one whose lease ended before."""
    path = below("/orgs/{org}/queues/{queue}/acknowledgements", {"org": org, "queue": queue})
    results = api.call("POST", path, {"receipts": receipts}).body["items"]
    if late := [each for each in results if each["result"] != "done"]:
        raise Failed(f"not acknowledged, it will come again: {late[0]['result']}")


def open_message(body: Json, keys: Path | None) -> Json:
    """A message with what came encrypted in its place; as it is without keys. Raises `Failed`."""
    personal = body.get("personalInfo")
    if personal is None or keys is None:
        return body
    from nacl.exceptions import CryptoError  # noqa: PLC0415 - who decrypts nothing needs no PyNaCl

    from proca_common.orgs import encryption  # noqa: PLC0415 - as above
    from proca_common.orgs.encryption import Encrypted, from_text  # noqa: PLC0415 - as above

    box = Encrypted(
        *(from_text(text) for text in (personal["payload"], personal["nonce"], personal["signKey"]["public"]))
    )
    try:
        lines = [line.strip() for line in keys.read_text().splitlines()]
    except OSError as error:
        raise Misused(f"{keys}: {error.strerror}") from None
    for line in filter(None, lines):
        try:
            contact = json.loads(encryption.decrypt(box, from_text(line)))
        except (CryptoError, ValueError, TypeError):
            continue
        return _merged(body, contact)
    raise Failed(f"none of the keys in {keys} opens it: it is for key {personal['encryptKey']['id']}")


def _merged(body: Json, contact: Json) -> Json:
    """The contact in its place, and what came encrypted with it where it belongs (docs/consuming.md)."""
    secret_fields, payload = contact.pop("fields", {}), contact.pop("donation", {})
    action = dict(body["action"])
    if body["privacy"]["withConsent"]:  # a further action brings the contact of the signature
        action["customFields"] = {**action["customFields"], **secret_fields}
        if "donation" in action:
            action["donation"] = {**action["donation"], "payload": {**action["donation"]["payload"], **payload}}
    return {**body, "personalInfo": None, "action": action, "contact": {**body["contact"], **contact}}


# --- targets


def targets_put(args: Namespace, known: Config) -> Json:
    """Make or change the targets of a list, which is JSON or a table; the others are kept, switched off or removed."""
    if args.csv is not None and (args.settings or args.body is not None):
        raise Misused("a table or JSON, not both")
    wanted = given.settings(args.settings, args.body) if args.csv is None else given.table(args.csv)
    if args.outdated == "delete":
        careful("Targets that the list does not name are removed. This cannot be taken back.", yes=args.yes)
    api, path = known.api(), below("/orgs/{org}/campaigns/{campaign}/targets", vars(args))
    told: Json = api.call("PUT", path, wanted, {"outdated": args.outdated}).body
    return told if args.json else {name: value for name, value in told.items() if not isinstance(value, list)}


# --- sending again


def requeue(args: Namespace, known: Config) -> Json:
    """Send messages of the org's actions again: those of --ids, or of --campaign in a range of time."""
    api, path = known.api(), below("/orgs/{org}/requeues", {"org": args.org})
    wanted: Json = {"target": args.target}
    for name in ("campaign", "since", "until"):
        if getattr(args, name) is not None:
            wanted[name] = getattr(args, name)
    if args.ids:
        if len(args.ids) > MOST_IDS:
            raise Misused(f"at most {MOST_IDS:,} ids at once")
        wanted["ids"] = args.ids
    start = {"cursor": args.cursor} if args.cursor else {}
    total = _send_again(api, path, {**wanted, **start, "dryRun": True})["count"]
    if args.dry_run:
        return {"dryRun": True, "count": total}
    careful(f"{total} actions are sent again to {args.target} of {args.org}.", yes=args.yes)
    with Progress("sent again", total) as progress:
        return _send_again(api, path, {**wanted, **start, **({"job": args.job} if args.job else {})}, progress)


def _send_again(api: Api, path: str, body: Json, progress: Progress | None = None) -> Json:
    """What became of all that is chosen, in as many requests as it takes; what breaks off says how to go on."""
    report: Json = {"job": body.get("job"), "count": 0, "sent": 0, "failed": {}}
    while True:
        try:
            part = api.call("POST", path, body).body
        except Failed as failed:
            if progress is None or report["job"] is None:
                raise
            cursor = f" --cursor {body['cursor']}" if "cursor" in body else ""
            failed.hint = f"To go on where it broke off: --job {report['job']}{cursor}"
            raise
        report["job"] = part["job"]
        report["count"] += part["count"]
        report["sent"] += part["sent"]
        for destination, number in part["failed"].items():
            report["failed"][destination] = report["failed"].get(destination, 0) + number
        if progress is not None:
            progress.at(report["count"])
            body = {**body, "job": part["job"]}
        if part["next"] is None:
            return report
        body = {**body, "cursor": part["next"]}


def redrive(args: Namespace, known: Config) -> Json:
    """Bring what was given up back from the dead-letter queue to the queue it came from."""
    api = known.api()
    path = below("/orgs/{org}/queues/{queue}/redrive", {"org": args.org, "queue": args.queue})
    found: Json = api.call("POST", path, {"dryRun": True}).body
    if args.dry_run:
        return {"dryRun": True, "count": found["count"]}
    total = found["count"]
    careful(f"{total} messages go back to {args.queue} of {args.org}.", yes=args.yes)
    job, moved = {} if args.job is None else {"job": args.job}, 0
    with Progress("moved back", total) as progress:
        while moved < total:
            part = api.call("POST", path, job).body
            job, moved = {"job": part["job"]}, moved + part["moved"]
            progress.at(moved)
            if not part["moved"]:
                break
    return {**job, "count": total, "moved": moved}


def usual_keys(known: Config, org: str) -> Path:
    """Where the wizard keeps an org's private keys."""
    return known.file.parent / "keys" / f"{org}.keys"
