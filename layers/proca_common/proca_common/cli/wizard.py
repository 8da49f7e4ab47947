"""From nothing to a page that accepts signatures, step by step.

Each step looks for what is there and makes only what is missing, so the wizard may be stopped and started again at any
point.
"""

from __future__ import annotations

import re
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from proca_common.cli import commands, given
from proca_common.cli.api import Api, bearer, below
from proca_common.cli.config import Config, Login
from proca_common.cli.errors import NOT_FOUND, Failed, Refusal

Json = dict[str, Any]
Made = TypeVar("Made")
ANSWERS = {
    "email": "one's e-mail address",
    "org": "name of the org",
    "org-title": "what people call the org",
    "campaign": "name of the campaign",
    "campaign-title": "what people call the campaign",
    "page": "name of the page, such as riverwatch/sign",
    "locale": "language of the page",
}
"""What may be said by options instead of being asked."""
ACCEPTED, UNAUTHORIZED, CONFLICT, INVALID = 202, 401, 409, 422
STEPS = 6
TEST_S, TEST_LEASE_S = 90, 30
TESTER = {"firstName": "Test", "email": "test@example.org"}


def run(args: Namespace, known: Config) -> Json | None:
    """Lead from nothing to a page that accepts signatures; may be stopped and started again at any point."""
    return _Wizard(args, known).run()


class _Wizard:
    def __init__(self, args: Namespace, known: Config) -> None:
        self._args, self._known = args, known
        self._said = {name: vars(args)[name.replace("-", "_")] for name in ANSWERS}
        self._takes_usual = bool(args.yes)
        self._api = Api("https://localhost")

    def run(self) -> Json | None:
        url = self._address()
        self._account(url)
        org = self._again(self._org)
        keys = self._key(org)
        campaign = self._again(lambda: self._campaign(org))
        page = self._again(lambda: self._page(org, campaign["name"]))
        self._test(org, campaign, page, keys)
        found = {"api": url, "org": org, "campaign": campaign["name"], "page": page["id"], "pageName": page["name"]}
        if self._args.json:
            return {**found, "keys": None if keys is None else str(keys)}
        print(_closing(url, org, page, keys))
        return None

    # --- the steps

    def _address(self) -> str:
        self._say(1, "where the API is")
        login = self._known.login
        url = self._known.given_url or given.asked("Address of the API, with its stage", login.api if login else None)
        api = Api(url)
        try:
            api.call("GET", "/account")
        except Refusal as problem:
            if problem.status != UNAUTHORIZED:
                raise
        self._known = replace(self._known, given_url=api.url)
        return api.url

    def _account(self, url: str) -> None:
        self._say(2, "who you are")
        account = self._known_account(url) or self._signed_in(url)
        while not account["confirmed"]:
            self._prove(url, account["email"])
            account = self._api.call("GET", "/account").body
        say(f"  {account['email']}")

    def _known_account(self, url: str) -> Json | None:
        if self._known.token is None:
            return None
        self._api = Api(url, bearer(self._known.token))
        try:
            account: Json = self._api.call("GET", "/account").body
        except Refusal as problem:
            if problem.status != UNAUTHORIZED or self._known.given_token:
                raise
            return None
        return account

    def _signed_in(self, url: str) -> Json:
        email = self._answer("email", "E-mail")
        while True:
            password = given.asked_secret("Password")
            try:
                login = self._login(url, email, password)
            except Refusal as refusal:
                if refusal.status not in {UNAUTHORIZED, INVALID} or not sys.stdin.isatty():
                    raise
                say(str(refusal))
            else:
                self._known = replace(self._known, login=login)
                self._api = Api(url, bearer(login.token))
                account: Json = self._api.call("GET", "/account").body
                return account

    def _login(self, url: str, email: str, password: str) -> Login:
        try:
            return commands.sign_in(self._known, url, email, password)
        except Refusal as refusal:
            if refusal.status != UNAUTHORIZED:
                raise
            say("There is no such account, or its password is another.")
            if not given.agreed("Make an account with this address and password?"):
                raise
        Api(url).call("POST", "/account", {"email": email, "password": password})
        return commands.sign_in(self._known, url, email, password)

    def _prove(self, url: str, email: str) -> None:
        say(f"A mail to {email} has a link to confirm the address.")
        link = given.asked("Paste the link, or its end (nothing: send the mail again)", "")
        if not link:
            Api(url).call("POST", "/account/confirmations", {"email": email})
            return
        token = re.split(r"[/?#]", link.rstrip("/").partition("?")[0])[-1]
        try:
            Api(url).call("POST", below("/account/confirmations/{token}", {"token": token}))
        except Refusal as problem:
            if problem.exit_status != NOT_FOUND:
                raise
            say("This link does not hold, or not any more.")

    def _org(self) -> str:
        self._say(3, "the org")
        own_orgs = {org["name"].lower(): org["name"] for org in self._api.items("/orgs") if org["role"]}
        name = self._answer("org", "Name of the org, in letters, digits, - and _", next(iter(own_orgs.values()), None))
        if name.lower() in own_orgs:
            return str(own_orgs[name.lower()])
        title = self._answer("org-title", "What people call it", name)
        made = self._api.call("POST", "/orgs", {"name": name, "title": title, "encryption": "encrypted"}).body
        return str(made["name"])

    def _key(self, org: str) -> Path | None:
        """The file with the org's private keys; None where it has an active key whose private part is elsewhere."""
        self._say(4, "the key that the org's contacts are encrypted with")
        file: Path = self._args.keys or commands.usual_keys(self._known, org)
        if any(key["active"] for key in self._api.items(below("/orgs/{org}/keys", {"org": org}))):
            say("  there is one")
            return file if file.exists() else None
        made = commands.create_key(self._api, org, {"name": "main"}, file)
        commands.activate_key(self._api, org, made["id"])
        say(f"  its private part is in {file}: keep a copy. Nobody else has it, and without it nobody can read")
        return file

    def _campaign(self, org: str) -> Json:
        self._say(5, "the campaign")
        path = below("/orgs/{org}/campaigns", {"org": org})
        known = [campaign["name"] for campaign in self._api.items(path)]
        name = self._answer("campaign", "Name of the campaign", known[0] if known else f"{org}-campaign")
        try:
            found: Json = self._api.call("GET", f"{path}{below('/{name}', {'name': name})}").body
        except Refusal as problem:
            if problem.exit_status != NOT_FOUND:
                raise
            title = self._answer("campaign-title", "What people call it", name)
            found = self._api.call("POST", path, {"name": name, "title": title}).body
        return found

    def _page(self, org: str, campaign: str) -> Json:
        self._say(6, "the page")
        path = below("/orgs/{org}/pages", {"org": org})
        known = {page["name"].lower(): page for page in self._api.items(path, {"campaign": campaign})}
        usual = next(iter(known.values()))["name"] if known else f"{org}/{campaign}"
        name = self._answer("page", "Name of the page", usual)
        page: Json | None = known.get(name.lower())
        if page is None:
            locale = self._answer("locale", "Its language", "en")
            page = self._api.call("POST", path, {"name": name, "campaign": campaign, "locale": locale}).body
        if not page["live"]:
            launched = self._api.call("POST", f"{path}/{page['id']}/launch", {})
            if launched.status == ACCEPTED:
                say("  the org that leads the campaign is asked to launch it")
        return page

    def _test(self, org: str, campaign: Json, page: Json, keys: Path | None) -> None:
        """Sign as a test, which is counted nowhere, and read it from the queue, if nothing else is in there."""
        if campaign["contactSchema"] != "basic" or not self._is_empty(org):
            return
        if not (self._takes_usual or given.agreed("Sign it as a test, and read that from the queue?", usual=True)):
            return
        try:
            say(f"  {self._tested(org, page['id'], keys)}")
        except Failed as failed:  # the page is there, whatever came of the test
            say(f"  the test did not work: {failed}")

    def _tested(self, org: str, page: int, keys: Path | None) -> str:
        body = {"action": {"actionType": "register", "testing": True}, "contact": TESTER, "privacy": {"optIn": True}}
        signed = Api(self._api.url).call("POST", below("/pages/{page}/actions", {"page": page}), body).body
        deadline = time.monotonic() + TEST_S
        while time.monotonic() < deadline:
            for message in commands.messages(self._api, org, "deliver", until_empty=False, lease_s=TEST_LEASE_S):
                if message["body"].get("actionId") == signed["actionId"]:
                    contact = commands.open_message(message["body"], keys)["contact"]
                    commands.acknowledge(self._api, org, "deliver", [message["receipt"]])
                    read = f"and decrypted: {contact['email']}" if contact["email"] else "encrypted"
                    return f"signed, delivered, {read}"
        return "signed, but not delivered yet: look into the queue later"

    def _is_empty(self, org: str) -> bool:
        queues = self._api.items(below("/orgs/{org}/queues", {"org": org}))
        return any(each["queue"] == "deliver" and each["isOn"] and not each["messages"] for each in queues)

    # --- asking

    def _answer(self, name: str, question: str, usual: str | None = None) -> str:
        """What an option said, which holds once; else the usual, where that was agreed to; else what is typed."""
        said: str | None = self._said.get(name)
        self._said[name] = None
        if said is not None:
            return said
        return usual if self._takes_usual and usual is not None else given.asked(question, usual)

    def _again(self, step: Callable[[], Made]) -> Made:
        """The step; once more with other answers while somebody sits there and what was typed was refused."""
        while True:
            try:
                return step()
            except Refusal as problem:
                if problem.status not in {CONFLICT, INVALID} or not sys.stdin.isatty():
                    raise
                say(str(problem))
                self._takes_usual = False

    def _say(self, step: int, what: str) -> None:
        say(f"{step}/{STEPS} {what}")


def say(what: str) -> None:
    """Tell the person who sits there."""
    print(what, file=sys.stderr, flush=True)


def _closing(url: str, org: str, page: Json, keys: Path | None) -> str:
    number = page["id"]
    opened = "" if keys is None else f" --keys {keys}"
    return f"""
Page {number} ({page["name"]}) accepts signatures.

The widget (examples/widget), on any site:
  <body data-api="{url}" data-page="{number}">

A signature from the shell:
  curl {url}/v1/pages/{number}/actions -H 'Content-Type: application/json' -d '
    {{"action": {{"actionType": "register"}}, "contact": {{"firstName": "Mara", "email": "mara@example.org"}},
     "privacy": {{"optIn": true}}}}'

What the org received, decrypted, a line each; --ack removes it from the queue:
  python -m proca_common.cli queues read {org} deliver{opened} --until-empty

By AWS instead of HTTPS: python -m proca_common.cli queues credentials {org} --shell; docs/consuming.md has the rest."""
