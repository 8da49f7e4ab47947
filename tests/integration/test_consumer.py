"""The example consumer as an org runs it: a process of its own, with its own AWS account, on a real queue."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from proca_common.contacts.fingerprint import contact_ref
from proca_common.orgs.encryption import to_text
from proca_common.pipes.routing import Queue
from proca_common.pipes.topology import queue_url
from tests.erasing import erased
from tests.harness.calls import unseen_client
from tests.world import SEED, World
from tools.emulator import ROOT, Emulator

ACCOUNT, STRANGER = "111111111111", "222222222222"
PEOPLE = ("ida.holm@example.org", "bo.berg@example.org", "eva.lund@example.org")
SECONDS = 20


class Reader:
    """An org's developer: a folder, a key file and the command line."""

    def __init__(self, world: World, emulator: Emulator, folder: Path) -> None:
        self.org = world.org("ngo", custom_event_deliver=True, queue_principals=[f"arn:aws:iam::{ACCOUNT}:root"])
        self.page = world.page(self.org)
        self.world = world
        self.emulator = emulator
        self.folder = folder
        self.queue = queue_url(world.prefix, self.org.id, Queue.DELIVER)
        (folder / "org.keys").write_text("\n".join(map(to_text, world.private_keys[self.org.id].values())))
        (folder / "org.keys").chmod(0o600)

    def signed(self) -> list[int]:
        """Three people sign, their messages are in the queue; the ids of their actions."""
        answers = [self.world.sign(self.page, email=email, tracking={"source": "=1+1"}) for email in PEOPLE]
        self.world.run()
        return [answer.action for answer in answers]

    def patient_for(self, seconds: int) -> None:
        """How long the queue waits for a reader that died (300 s by default)."""
        unseen_client("sqs").set_queue_attributes(QueueUrl=self.queue, Attributes={"VisibilityTimeout": str(seconds)})

    def start(self, *options: str, queue: str = "", account: str = ACCOUNT, program: str = "") -> subprocess.Popen[str]:
        """Start the consumer, or `program` in its place."""
        command = ["-c", program] if program else [str(ROOT / "examples" / "consumer.py")]
        command += [queue or self.queue, "--output", "actions.csv", "--wait", "0", *options]
        if "--keys" not in options:
            command += ["--keys", "org.keys"]
        environ: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "examples"),
            "PYTHONWARNINGS": "error",
            **self.emulator.environ(account),
        }
        return subprocess.Popen(
            [sys.executable, *command], cwd=self.folder, env=environ, stderr=subprocess.PIPE, text=True
        )

    def run(self, *options: str, **how: Any) -> tuple[int, str]:
        """Run the consumer; its exit status and its log."""
        with self.start(*options, **how) as process:
            _, log = process.communicate(timeout=SECONDS)
        return process.returncode, log

    def rows(self) -> list[dict[str, str]]:
        """What the CSV file holds."""
        path = self.folder / "actions.csv"
        return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []

    def actions(self) -> list[int]:
        """The ids of the actions in the file, in order."""
        return sorted(int(row["actionId"]) for row in self.rows())

    def depth(self, queue: str = "") -> int:
        """How many messages a queue has, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = unseen_client("sqs").get_queue_attributes(QueueUrl=queue or self.queue, AttributeNames=names)
        return sum(int(number) for number in found["Attributes"].values())


@pytest.fixture
def reader(world: World, emulator: Emulator, tmp_path: Path) -> Reader:
    return Reader(world, emulator, tmp_path)


def test_an_org_reads_its_queue_from_its_own_account(reader: Reader) -> None:
    actions = reader.signed()

    status, log = reader.run("--until-empty")

    assert (status, "3 written, 0 seen before, 0 left" in log) == (0, True), log
    assert reader.actions() == actions
    assert {row["email"] for row in reader.rows()} == set(PEOPLE)
    assert {row["source"] for row in reader.rows()} == {"'=1+1"}
    assert not reader.depth()


def test_a_stranger_is_refused(reader: Reader) -> None:
    status, log = reader.run("--once", account=STRANGER)

    assert status == 1
    assert "SQS refuses: AccessDenied" in log
    assert len(log.splitlines()) == 2


CRASHES = {
    "before anything is written": "File.append = die",
    "in the middle of the output": """
append = File.append
def torn(self, rows, length):
    append(self, rows[: len(rows) // 2], length)
    die()
File.append = torn""",
    "after the output, before it is remembered": """
append = File.append
def unremembered(self, rows, length):
    append(self, rows, length)
    die()
File.append = unremembered""",
    "before the deletion": "Queue.delete = die",
    "after the deletion": """
delete = Queue.delete
def late(self, messages):
    delete(self, messages)
    die()
Queue.delete = late""",
}

CRASHING = """
import os, signal, sys
import consumer
from consumer import File, Queue
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
{}
sys.exit(consumer.main())
"""


@pytest.mark.parametrize("moment", CRASHES)
def test_a_crash_loses_nothing_and_repeats_nothing(reader: Reader, moment: str) -> None:
    actions = reader.signed()
    reader.patient_for(1)

    killed, _ = reader.run("--once", "--batch", "2", program=CRASHING.format(CRASHES[moment]))
    time.sleep(1)
    status, log = reader.run("--until-empty")

    assert (killed, status) == (-signal.SIGKILL, 0), log
    assert reader.actions() == actions
    assert not reader.depth()


ERASING_CRASHES = {
    "in the middle of the copy": "consumer.flushed = die",
    "after the copy, before it is remembered": """
copy = File.copy_without
def unremembered(self, *given):
    copy(self, *given)
    die()
File.copy_without = unremembered""",
    "before the copy takes the place": "File.replace = die",
    "after the copy took the place": """
replace = File.replace
def late(self):
    replace(self)
    die()
File.replace = late""",
    "before it is told": "File.append = die",
    "before the deletion": "Queue.delete = die",
}


@pytest.mark.parametrize("moment", ERASING_CRASHES)
def test_a_crash_leaves_nobody_in_the_output_who_was_erased(reader: Reader, moment: str) -> None:
    actions = reader.signed()
    reader.run("--until-empty")
    erased(reader.org, contact_ref(SEED, PEOPLE[0]))
    reader.world.run()
    reader.patient_for(1)

    killed, _ = reader.run("--once", program=CRASHING.format(ERASING_CRASHES[moment]))
    time.sleep(1)
    status, log = reader.run("--until-empty")

    assert (killed, status) == (-signal.SIGKILL, 0), log
    assert reader.actions() == actions
    assert {int(row["actionId"]) for row in reader.rows() if row["actionType"] == "supporter.erased"} == {actions[0]}
    assert sorted(row["email"] for row in reader.rows()) == sorted(["", *PEOPLE[1:]])
    assert not reader.depth()
    assert not [*reader.folder.glob("*.new")]


def test_a_repeated_message_is_dropped_and_a_replayed_one_is_not(reader: Reader) -> None:
    actions = reader.signed()
    sqs = unseen_client("sqs")
    message = sqs.receive_message(QueueUrl=reader.queue, MessageAttributeNames=["All"], VisibilityTimeout=0)[
        "Messages"
    ][0]
    attributes = message["MessageAttributes"]
    job = {"Replay": {"DataType": "String", "StringValue": "job-1"}}
    for more in ({}, job, job):
        sqs.send_message(QueueUrl=reader.queue, MessageBody=message["Body"], MessageAttributes={**attributes, **more})

    _, log = reader.run("--until-empty")

    assert "4 written, 2 seen before, 0 left" in log.splitlines()[-1]
    assert sorted({int(row["actionId"]) for row in reader.rows()}) == actions
    assert [row["replay"] for row in reader.rows()].count("job-1") == 1
    assert not reader.depth()


def test_what_cannot_be_read_ends_in_the_dead_letter_queue_and_can_be_read_there_later(reader: Reader) -> None:
    unseen_client("sqs").send_message(QueueUrl=reader.queue, MessageBody="Ida {")
    wrong = reader.folder / "wrong.keys"
    wrong.write_text(to_text(bytes(range(32))))
    actions = reader.signed()
    reader.patient_for(0)

    status, log = reader.run("--until-empty", "--keys", str(wrong))

    assert status == 3
    assert not reader.rows()
    assert "which is not at hand" in log
    assert "the body is no JSON object" in log
    assert not any(word in log for word in ("Ida", *PEOPLE))
    assert (reader.depth(), reader.depth(f"{reader.queue}-dlq")) == (0, 4)

    status, log = reader.run("--once", queue=f"{reader.queue}-dlq")

    assert (status, reader.actions()) == (3, actions), log
    assert reader.depth(f"{reader.queue}-dlq") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_ends_at_once_when_it_is_told_to(reader: Reader, number: signal.Signals) -> None:
    actions = reader.signed()
    with reader.start("--wait", "20") as service:
        deadline = time.monotonic() + SECONDS
        while reader.depth() and time.monotonic() < deadline:
            time.sleep(0.05)
        told = time.monotonic()
        service.send_signal(number)
        _, log = service.communicate(timeout=SECONDS)

    assert time.monotonic() - told < 5
    assert service.returncode == 0
    assert "ended: 3 written" in log
    assert reader.actions() == actions
