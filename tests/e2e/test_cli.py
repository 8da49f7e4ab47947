"""What docs/coalition.md tells to type, typed by people who have nothing but an address of the API and their mail; and
the wizard, stopped and started again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from examples.consumer import PrivateKeys, Reader
from tests.e2e.mailbox import Mailbox
from tests.e2e.site import ACCOUNT, RUN, SCHEMA, Site
from tests.world import signature
from tools.client import Client
from tools.emulator import ROOT, Emulator

PASSWORD = "correct Horse battery 1"
PAGE = (ROOT / "docs" / "coalition.md").read_text()
NAMES = re.compile(r"\b(bees|birds|clean_air)\b")
TOKEN = re.compile(r"/account/confirmations/([A-Za-z0-9_-]+)")
CODE = re.compile(r"/link/accept/([0-9]{8})")
LISTED_CODE = re.compile(r"\b([0-9]{8})\b")
MAIL_S = 90


def renamed(text: str) -> str:
    """With names that are new in each run."""
    return NAMES.sub(lambda name: f"{name[0]}-{RUN}", text)


def told(who: str) -> list[list[str]]:
    """The blocks of the page that somebody types: a list of lines for each."""
    blocks = re.findall(rf"^```sh {who}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [renamed(re.sub(r"  +#.*", "", block)).splitlines() for block in blocks]


class Someone:
    """Somebody at an own machine, with a mailbox and without credentials of AWS."""

    def __init__(self, name: str, org: str, client: Client, mailbox: Mailbox, folder: Path) -> None:
        self.email = renamed(f"{name}@{org}.example.org")
        self.mailbox = mailbox
        self.folder = folder / name
        self.folder.mkdir()
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "layers" / "proca_common"),
            "XDG_CONFIG_HOME": str(self.folder),
            "PROCA_API_URL": client.stack.api_url,
        }
        self.shown = ""

    def types(self, *lines: str) -> str:
        """Run commands, all of which must do what they are for; what the last one shows."""
        for line in lines:
            done = self.tries(line)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            self.shown = done.stdout
        return self.shown

    def tries(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a command, with what stands in the last mail or in the last list in its place."""
        if "$TOKEN" in line:
            line = line.replace("$TOKEN", self.mailed(TOKEN))
        if "$CODE" in line:
            listed = LISTED_CODE.search(self.shown)
            line = line.replace("$CODE", listed[1] if listed else self.mailed(CODE))
        [program, *arguments] = shlex.split(line)
        assert program == "proca"
        return subprocess.run(
            [sys.executable, "-m", "proca_common.cli", *arguments],
            env=self.environ,
            cwd=self.folder,
            input=f"{PASSWORD}\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=MAIL_S,
        )

    def mailed(self, form: re.Pattern[str]) -> str:
        """What the latest mail of this form has."""
        deadline = time.monotonic() + MAIL_S
        while not (found := form.findall(json.dumps(self.mailbox.of(self.email)))):
            assert time.monotonic() < deadline, f"no mail to {self.email}"
            time.sleep(0.2)
        return str(found[-1])

    def registers(self) -> None:
        """From nothing to being logged in."""
        self.types(
            f"proca account register email={self.email}",
            "proca account confirm $TOKEN",
            f"proca login --email {self.email}",
        )


@pytest.fixture
def person(client: Client, mailbox: Mailbox, tmp_path: Path) -> Callable[[str, str], Someone]:
    return lambda name, org: Someone(name, org, client, mailbox, tmp_path)


def read_by_aws(sqs: Any, client: Client, org: int, keys: Path) -> dict[str, Any]:
    """The one message in the queue of an org, by somebody with credentials of AWS."""
    url = client.queue_url(org, "deliver")
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return Reader(SCHEMA, "deliver", PrivateKeys(tuple(keys.read_text().split()))).read(message).message


def test_two_orgs_run_a_campaign_as_the_page_tells(
    site: Site, local: Emulator, person: Callable[[str, str], Someone]
) -> None:
    ida, per, ola = person("ida", "bees"), person("per", "birds"), person("ola", "bees")
    [begins, decides, reads], [works], [takes_part] = told("ida"), told("ola"), told("per")
    client, bees, birds = site.client, renamed("bees"), renamed("birds")

    # accounts, orgs, keys
    ida.types(*begins)
    per.types(*(line.replace(ida.email, per.email).replace(bees, birds) for line in begins[:-1]))
    ola.registers()
    assert (ida.folder / f"{bees}.keys").stat().st_mode & 0o077 == 0
    assert per.tries(f"proca orgs show {bees}").returncode == 3

    # the invitation is for one address, whoever has the code
    stolen = per.tries(f"proca account accept {ola.mailed(CODE)} email={ola.email}")
    assert (stolen.returncode, "another e-mail address" in stolen.stderr) == (3, True)
    ola.types(*works)

    # a partner's page is live when the lead agrees
    per.types(*takes_part)
    page = json.loads(per.types(f"proca pages list {birds} --json"))[0]
    assert (page["name"], page["live"]) == (f"{birds}/air", False)
    ida.types(*decides)
    assert json.loads(per.types(f"proca pages show {birds} {birds}/air --json"))["live"]

    # a signature, which both decrypt, each with the own key: over HTTPS
    def signed(number: int) -> int:
        wanted = signature(opt_in=True, lead_opt_in=True, email=f"ida{number}@example.org")
        answer = client.post(f"/v1/pages/{page['id']}/actions", wanted)
        assert answer.status == 201, answer.text
        client.wait_until_delivered()
        return int(answer.json["actionId"])

    both = ((ida, bees), (per, birds))
    number = {org: json.loads(who.types(f"proca orgs show {org} --json"))["id"] for who, org in both}
    action = signed(1)
    for who, org in both:
        message = json.loads(who.types(reads[0].replace(bees, org)))
        assert (message["actionId"], message["contact"]["email"]) == (action, "ida1@example.org")
        assert message["org"]["name"] == birds
        assert who.types(reads[0].replace(bees, org)) == "", "it was acknowledged"

    # with credentials that the org was lent
    action = signed(2)
    for who, org in both:
        lent = dict(re.findall(r"^export (\w+)=(\S+)$", who.types(reads[1].replace(bees, org)), re.MULTILINE))
        sqs = boto3.client(
            "sqs",
            region_name=lent["AWS_REGION"],
            aws_access_key_id=lent["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=lent["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=lent["AWS_SESSION_TOKEN"],
            endpoint_url=local.tls_endpoint,
            verify=str(local.certificate),
        )
        message = read_by_aws(sqs, client, number[org], who.folder / f"{org}.keys")
        assert (message["actionId"], message["contact"]["email"]) == (action, "ida2@example.org")

    # as an AWS account that the org named
    action = signed(3)
    for who, org in both:
        who.types(reads[2].replace(bees, org))
        message = read_by_aws(local.client("sqs", ACCOUNT), client, number[org], who.folder / f"{org}.keys")
        assert (message["actionId"], message["contact"]["email"]) == (action, "ida3@example.org")
    assert "deliver" in ida.types(reads[3])

    # whoever logs out has no way in any more
    ida.types("proca logout")
    assert ida.tries(reads[3]).returncode == 3


def test_the_wizard_leads_to_a_page_however_often_it_is_stopped(person: Callable[[str, str], Someone]) -> None:
    who = person("wil", "wizards")
    org = f"wizards-{RUN}"

    def wizard(*typed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "proca_common.cli", "--json", "wizard", "--yes", "--email", who.email]
        return subprocess.run(
            [*command, "--org", org, "--campaign", f"{org}-sign"],
            env=who.environ,
            cwd=who.folder,
            input="".join(f"{line}\n" for line in typed),
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * MAIL_S,
        )

    # no account yet; the mail does not come at once
    stopped = wizard(PASSWORD, "y")
    assert (stopped.returncode, "Paste the link" in stopped.stderr) == (2, True), stopped.stderr
    [secret] = who.folder.rglob("config.json")
    assert PASSWORD not in secret.read_text()

    # the account is known by now
    done = wizard(f"https://app.example.org/account/confirmations/{who.mailed(TOKEN)}")
    assert done.returncode == 0, done.stderr
    assert "signed, delivered, and decrypted: test@example.org" in done.stderr
    found = json.loads(done.stdout)
    assert Path(found["keys"]).stat().st_mode & 0o077 == 0

    # all is there by now
    again = wizard()
    assert json.loads(again.stdout) == found, again.stderr
    assert len(json.loads(who.types(f"proca keys list {org} --json"))) == 1
