"""Published clients work against the deployed stack without a change: the command line, and the libraries that open and
read what queues deliver.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from proca_common.users.permissions import ADMIN
from tests.e2e.node_clients import Proca, installed, node
from tests.e2e.people import people
from tests.e2e.site import RUN, Ngo, Site
from tools.client import Client

CAMPAIGN = f"bees-{RUN}"
OPEN = """
const { readFileSync } = require("node:fs");
const { loadKeyStoreFromFile, decryptPersonalInfo } = require("@proca/crypto");
const [keys, message] = process.argv.slice(2);
const opened = decryptPersonalInfo(JSON.parse(readFileSync(message)).personalInfo, loadKeyStoreFromFile(keys));
console.log(JSON.stringify(opened));
"""
READ = """
const { loadKeyStoreFromFile } = require("@proca/crypto");
const { syncFile } = require("@proca/queue");
const [keys, messages] = process.argv.slice(2);
const read = [];
const keep = async (message) => { read.push(message); return true; };
Promise.resolve(syncFile(messages, keep, { keyStore: loadKeyStoreFromFile(keys) }))
  .then(() => new Promise((done) => setTimeout(done, 500)))
  .then(() => console.log(JSON.stringify(read)));
"""


@pytest.fixture(scope="module")
def clients() -> Path:
    return installed()


@pytest.fixture(scope="module")
def org(client: Client) -> Ngo:
    return Site(client).org(key=False, encryption="clear")


@pytest.fixture(scope="module")
def proca(client: Client, org: Ngo, clients: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proca]:
    with people(client) as meet:
        admin = meet(f"admin@{RUN}.example.org", {org.name: "owner"}, int(ADMIN))
        yield Proca(clients, tmp_path_factory.mktemp("home"), client.stack.api_url, admin.token)


class TestCommandLine:
    """What a campaigner does with it, in the order in which it is done."""

    def test_users_and_orgs(self, proca: Proca, org: Ngo) -> None:
        [me] = proca.json("user", "me")
        assert me["email"] == f"admin@{RUN}.example.org"
        assert {role["org"]["name"] for role in me["roles"]} == {org.name}
        [shown] = proca.json("org", "get", org.name)
        assert (shown["name"], shown["keys"]) == (org.name, [])
        new = f"new-{RUN}"
        proca.does("org", "add", "-n", new, "-t", "New org")
        assert new in proca.does("org", "get", new)
        proca.does("user", "invite", "-o", org.name, "-u", f"bo@{RUN}.example.org")
        assert f"admin@{RUN}" in proca.does("user", "list", "-o", org.name)
        assert "deliver : true" in proca.does("org", "crm", "-n", org.name, "--synchronize")
        assert "SUCCESS" in proca.does("org", "delete", new)
        assert "org not found" in proca.fails("org", "get", f"nothing-{RUN}")

    def test_services_and_templates(self, proca: Proca, org: Ngo) -> None:
        smtp = ("--host", "ssl://mail.example.org", "--user", "ngo", "--password", "secret")
        assert "SMTP" in proca.does("service", "add", "-o", org.name, "--type", "smtp", *smtp)
        assert "SMTP" in proca.does("service", "list", "-o", org.name)
        mailer = ("--mailer", "smtp", "--from", f"ngo@{RUN}.example.org")
        assert f"ngo@{RUN}" in proca.does("org", "email", "-n", org.name, *mailer)
        proca.run("template", "add", "-o", org.name, "-n", "thanks")  # it fails after it has succeeded, everywhere
        assert "thanks" in proca.does("template", "list", "-o", org.name)

    def test_campaigns_and_widgets(self, proca: Proca, org: Ngo) -> None:
        proca.does("campaign", "add", "-n", CAMPAIGN, "-o", org.name, "--title", "Save the bees")
        [campaign] = proca.json("campaign", "get", "-n", CAMPAIGN)
        assert (campaign["name"], campaign["status"]) == (CAMPAIGN, "LIVE")
        for search in (("-n", org.name), ("-t", "%the bees%")):
            assert CAMPAIGN in {found["name"] for found in proca.json("campaign", "list", *search)}
        proca.does("campaign", "status", "-n", CAMPAIGN, "--status", "closed")
        sending = ("--from", "2026-11-01", "--to", "2026-12-01", "--email", f"test@{RUN}.example.org")
        proca.does("campaign", "mtt", "-n", CAMPAIGN, *sending)
        [campaign] = proca.json("campaign", "get", "-n", CAMPAIGN)
        assert (campaign["status"], campaign["mtt"]["startAt"]) == ("CLOSED", "2026-11-01T09:09:00Z")
        target = ("--name", "Ada", "--email", f"ada@{RUN}.example.org", "--external_id", "ada")
        assert "Ada" in proca.does("target", "add", "-c", CAMPAIGN, *target)
        proca.does("widget", "add", "-c", CAMPAIGN, "-o", org.name, "-l", "en", "-n", f"{org.name}/{RUN}")
        [widget] = proca.json("widget", "get", "-n", f"{org.name}/{RUN}")
        assert (widget["campaign"]["name"], widget["status"]) == (CAMPAIGN, "STANDBY")
        assert f"{org.name}/{RUN}" in {found["name"] for found in proca.json("widget", "list", "-o", org.name)}
        assert "not found" in proca.fails("campaign", "get", f"nothing-{RUN}")
        assert "taken" in proca.fails("widget", "add", "-c", CAMPAIGN, "-o", org.name, "-n", f"{org.name}/{RUN}")

    def test_actions_and_contacts(self, proca: Proca, org: Ngo, site: Site) -> None:
        [widget] = proca.json("widget", "get", "-n", f"{org.name}/{RUN}")
        email = f"ida@{RUN}.example.org"
        person = ("--firstname", "Ida", "--email", email, "--country", "DK", "--no-testing", "--optin")
        assert "contactRef" in proca.does("action", "add", "-i", str(widget["id"]), *person)
        site.wait_for(lambda: proca.json("contact", "count", CAMPAIGN) == [{"supporterCount": 1}])
        counted = proca.json("action", "count", CAMPAIGN)
        assert counted == [{"actionCount": [{"actionType": "register", "count": 1}]}]
        [contact] = proca.json("contact", "get", "-n", org.name, "-e", email)
        assert (contact["contact"]["firstName"], contact["contact"]["email"]) == ("Ida", email)
        assert contact["privacy"]["optIn"] is True
        assert (
            proca.json("contact", "list", "-n", org.name, "-c", CAMPAIGN) == []
        )  # of the last minute nothing is listed
        assert "requeued" in proca.does("action", "requeue", "-o", org.name, "-q", "CUSTOM_ACTION_DELIVER")
        assert "can't be deleted" in proca.fails("widget", "delete", "-n", f"{org.name}/{RUN}")
        assert "has action data" in proca.fails("campaign", "delete", "-n", CAMPAIGN)
        proca.does("contact", "delete", "-n", org.name, "-c", contact["contact"]["contactRef"])
        assert proca.json("contact", "get", "-n", org.name, "-e", email) == []


class TestLibraries:
    def test_they_open_and_read_what_the_queue_delivers(self, site: Site, clients: Path, tmp_path: Path) -> None:
        org = site.org()
        page = site.page(org)
        action = site.signed(page, email="ida@example.org")
        found: list[dict[str, object]] = []
        site.wait_for(lambda: found.extend(json.loads(each["Body"]) for each in site.received(org)) or found)
        [message] = found
        keys, one, all_of_them = (tmp_path / name for name in ("keys.json", "message.json", "messages.jsonl"))
        personal = message["personalInfo"]
        assert isinstance(personal, dict)
        keys.write_text(json.dumps({personal["encryptKey"]["public"]: {"private": org.private[0]}}))
        keys.chmod(0o600)
        one.write_text(json.dumps(message))
        all_of_them.write_text(json.dumps(message) + "\n")
        opened = node(clients, OPEN, str(keys), str(one))
        assert (opened["firstName"], opened["email"]) == ("Ida", "ida@example.org")
        [read] = node(clients, READ, str(keys), str(all_of_them))
        assert read["actionId"] == action
        assert (read["contact"]["email"], read["contact"]["contactRef"]) == (
            "ida@example.org",
            message["contact"]["contactRef"],  # type: ignore[index]
        )
