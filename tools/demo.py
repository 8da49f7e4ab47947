"""Signs petitions on the local stack, lets each org read its queue, and shows who received what and why: make demo

Uses the stack of `make up`, or one of its own. Everything is made anew in each run: three orgs with key pairs of their
own, two campaigns, two pages. The orgs' private keys and what their consumers wrote are in .local/demo afterwards.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import clear_text
from tools.client import Client, Refused
from tools.emulator import LOCAL, ROOT
from tools.stack import running_stack, say

FOLDER = LOCAL / "demo"
CONSUMER = ROOT / "examples" / "consumer.py"
CONSUMER_SECONDS = 60
BEES, RIVERS = "Save the bees", "Clean rivers"


class Failed(Exception):
    """The demo did not go as it should."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs."""

    first_name: str
    last_name: str
    email: str
    country: str

    @property
    def contact(self) -> dict[str, Any]:
        """The contact as a widget sends it."""
        names = {"firstName": self.first_name, "lastName": self.last_name}
        return {**names, "email": self.email, "address": {"country": self.country}}


MATHILDA = Person("Mathilda", "Ostrander", "mathilda.ostrander@example.org", "DK")
BENEDIKT = Person("Benedikt", "Szczepański", "benedikt.szczepanski@example.org", "PL")
PHILIPPA = Person("Philippa", "Thistlewood", "philippa.thistlewood@example.org", "IE")


@dataclass(slots=True, eq=False)
class Org:
    """An org: its AWS account, and what making it answers."""

    title: str
    account: str
    name: str = ""
    number: int = 0
    rows: dict[int, dict[str, str]] = field(default_factory=dict)

    def file(self, kind: str) -> Path:
        """A file of the org's own."""
        return FOLDER / f"{self.title.lower().replace(' ', '-')}.{kind}"


GUARDIANS = Org("Bee Guardians", "111111111111")
ALLIANCE = Org("River Alliance", "222222222222")
TRUST = Org("Meadow Trust", "333333333333")
ORGS = (GUARDIANS, ALLIANCE, TRUST)
LEADS = {BEES: GUARDIANS, RIVERS: ALLIANCE}
PAGES = {BEES: GUARDIANS, RIVERS: TRUST}


@dataclass(slots=True)
class Act:
    """Something that a person does, and what must come of it: the rank, and who receives it."""

    person: Person
    campaign: str
    receivers: tuple[Org, ...]
    rank: int = 0
    opt_in: bool | None = None
    lead_opt_in: bool | None = None
    action_type: str = "register"
    id: int = 0
    status: str = ""


ACTS = (
    Act(MATHILDA, BEES, (GUARDIANS,), opt_in=True),
    Act(BENEDIKT, BEES, (GUARDIANS,), opt_in=False),
    Act(PHILIPPA, BEES, (GUARDIANS,)),
    Act(MATHILDA, BEES, (GUARDIANS,), rank=1, opt_in=True),
    Act(PHILIPPA, BEES, (GUARDIANS,), rank=0, action_type="share"),
    Act(BENEDIKT, RIVERS, (TRUST,), opt_in=True, lead_opt_in=False),
    Act(PHILIPPA, RIVERS, (TRUST, ALLIANCE), opt_in=False, lead_opt_in=True),
)


def demo(client: Client) -> None:
    """All of it; raises Failed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    say("1/6 making three orgs with keys of their own, two campaigns and two pages")
    pages = make_catalogue(client)
    say(f"2/6 three people act: {len(ACTS)} requests to the API")
    refs = act(client, pages)
    say("3/6 waiting until all is in the orgs' queues")
    client.wait_until_delivered()
    for each in ACTS:
        each.status = client.admin("action", "show", str(each.id))["status"]
    say("4/6 looking for clear text in all that is kept, while the messages are still in the queues")
    found = clear_text.search(client.stack, words(), control=[*refs, "answered"])
    say("5/6 each org runs examples/consumer.py with its own AWS account and private key")
    for org in ORGS:
        consume(client, org)
    say("6/6 comparing")
    print("\nWho received what, and why\n")
    print(table([*report()]))
    print("\nWhat is public\n")
    for campaign, lead in LEADS.items():
        numbers = client.admin("campaign", "show", f"{lead.name}-campaign")["numbers"]
        print(f"  {campaign}: {', '.join(f'{name} {number}' for name, number in public(numbers))}")
    print(f"\nClear text: {len(words())} names and addresses looked for in\n")
    print(found)
    check(found)
    print("\nNone was found: only the orgs could read them, each what it received. What they wrote:\n")
    for org in ORGS:
        print(f"  {os.path.relpath(org.file('csv'), ROOT)}")


# --- what happens


def make_catalogue(client: Client) -> dict[str, int]:
    """Orgs, keys, campaigns and pages with names of this run; answers the pages' ids by campaign."""
    run = format(int(time.time()), "x")
    client.admin("setup")
    for org in ORGS:
        org.name = f"{org.title.lower().replace(' ', '-')}-{run}"
        principals = f'queue_principals=["arn:aws:iam::{org.account}:root"]'
        options = ["--title", org.title, "--encryption", "encrypted"]
        org.number = client.admin("org", "create", org.name, principals, *options)["id"]
        key = client.admin("key", "generate", org.name, "demo")
        org.file("keys").touch(mode=0o600)
        org.file("keys").write_text(f"{key['private']}\n")
        # No request has met the org yet, so no warm cache knows it without its key.
        client.admin("key", "activate", org.name, str(key["id"]), "--no-wait")
    pages = {}
    for campaign, lead in LEADS.items():
        name, org = f"{lead.name}-campaign", PAGES[campaign]
        client.admin("campaign", "create", name, "--title", campaign, "--org", lead.name)
        page = client.admin("page", "create", f"{org.name}/sign", "--org", org.name, "--campaign", name)
        pages[campaign] = page["id"]
    return pages


def act(client: Client, pages: dict[str, int]) -> set[str]:
    """Send what the people do; answers their contact refs."""
    refs: dict[Person, str] = {}
    for each in ACTS:
        path = f"/v1/pages/{pages[each.campaign]}"
        action = {"action": {"actionType": each.action_type}}
        if each.action_type == "share":
            answer = client.post(f"{path}/contacts/{refs[each.person]}/actions", action)
        else:
            privacy = {"optIn": each.opt_in, "leadOptIn": each.lead_opt_in}
            answer = client.post(f"{path}/actions", {**action, "contact": each.person.contact, "privacy": privacy})
        if answer.status != 201:
            raise Failed(f"a request was answered with {answer.status}: {answer.text}")
        each.id = answer.json["actionId"]
        refs[each.person] = answer.json["contactRef"]
    return set(refs.values())


def consume(client: Client, org: Org) -> None:
    """Run the example consumer as the org would."""
    url = client.queue_url(org.number, "deliver")
    command = [sys.executable, str(CONSUMER), url, "--keys", str(org.file("keys")), "--output", str(org.file("csv"))]
    command += ["--state", str(org.file("sqlite")), "--until-empty", "--wait", "1"]
    emulator = client.stack.emulator
    environ = {**os.environ, **(emulator.environ(org.account) if emulator is not None else {})}
    done = subprocess.run(
        command, env=environ, stderr=subprocess.PIPE, text=True, timeout=CONSUMER_SECONDS, check=False
    )
    if done.returncode:
        raise Failed(f"the consumer of {org.title} ended with {done.returncode}:\n{done.stderr}")
    with org.file("csv").open(newline="") as file:
        org.rows = {int(row["actionId"]): row for row in csv.DictReader(file)}


def words() -> list[str]:
    """All that tells who somebody is."""
    people = dict.fromkeys(each.person for each in ACTS)
    return [word for person in people for word in (person.first_name, person.last_name, person.email)]


# --- what is shown


def report() -> Iterator[dict[str, str]]:
    """A row for every action and org that could have it; who acted is what the org itself decrypted."""
    for each in ACTS:
        for org in dict.fromkeys([PAGES[each.campaign], LEADS[each.campaign]]):
            row = org.rows.get(each.id)
            yield {
                "Who": f"{row['firstName']} {row['lastName']}" if row else "(not told)",
                "did": each.action_type,
                "for": each.campaign,
                "Org": org.title,
                "received it": "yes" if row else "no",
                "status": each.status,
                "rank": row["dupeRank"] if row else "",
                "may write": {"true": "yes", "false": "no", "": "not asked"}[row["optIn"]] if row else "no",
                "because": because(each, org, row),
            }


def because(each: Act, org: Org, row: dict[str, str] | None) -> str:
    """Why an org has an action, or has it not (domain 3.6, 4.4)."""
    if row is None:
        return "it leads the campaign, without consent to write"
    reasons = ["its page" if org is PAGES[each.campaign] else "it leads the campaign, with consent to write"]
    if row["withConsent"] == "false":
        reasons.append("further action of a supporter")
    elif each.status == "repeat":
        reasons.append("signed it before")
    return ", ".join(reasons)


def table(rows: Sequence[dict[str, str]]) -> str:
    """Rows as text in columns."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(f"  {line}" for line in text)


def public(numbers: dict[str, int]) -> Iterator[tuple[str, int]]:
    """The numbers that anybody may see, in words."""
    names = {"persons:total": "people", "type:register": "register", "type:share": "share"}
    return ((word, numbers[name]) for name, word in names.items() if name in numbers)


# --- what must hold


def check(found: clear_text.Found) -> None:
    """Raises Failed where something is not as it must be."""
    for each, org in itertools.product(ACTS, ORGS):
        row = org.rows.get(each.id)
        what = f"{each.action_type} of {each.person.first_name} for {each.campaign}"
        if (row is not None) != (org in each.receivers):
            raise Failed(f"{org.title} {'received' if row else 'did not receive'} the {what}")
        if row is not None:
            check_row(each, row, what)
    if found.places:
        raise Failed(f"personal data is kept in clear text in {len(found.places)} places")
    kinds = [kind for kind in clear_text.KINDS if kind != "files"]  # nobody asked for one
    blind = [kind for kind in kinds if not found.control[kind]]
    if blind:
        raise Failed(f"the search found not even its control words in {', '.join(blind)}")


def check_row(each: Act, row: dict[str, str], what: str) -> None:
    """Raises Failed where an org received something else than was sent."""
    person = each.person
    if [row[name] for name in ("firstName", "lastName", "email", "country")] != [*contact_cells(person)]:
        raise Failed(f"the {what} was decrypted to somebody else")
    if int(row["dupeRank"]) != each.rank or each.status != ("repeat" if each.rank else "delivered"):
        raise Failed(f"the {what} has rank {row['dupeRank']} and status {each.status}")


def contact_cells(person: Person) -> Iterator[str]:
    """What a consumer must have written of somebody."""
    yield from (person.first_name, person.last_name, person.email, person.country)


def main() -> int:
    """Returns the exit status."""
    started = time.monotonic()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # so that it keeps its place among the steps on standard error
    with running_stack() as stack, Client(stack) as client:
        try:
            demo(client)
        except (Failed, Refused, TimeoutError) as error:
            print(f"\nFAILED: {error}", file=sys.stderr)
            return 1
    print(f"The demo took {time.monotonic() - started:.0f} s.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
