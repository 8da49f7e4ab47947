"""Reads an org's queue on SQS: every action once, decrypted, into a CSV or NDJSON file, or printed.

    pip install -r requirements.txt
    python consumer.py QUEUE_URL --keys org.keys --output actions.csv

This file is all there is, besides `proca-action-2.json` (the schema of the messages, looked for beside this file or
where `--schema` says) and the private keys, in base64url, one a line, in a file or in PROCA_PRIVATE_KEYS. Credentials
are AWS's usual ones; they need sqs:ReceiveMessage and sqs:DeleteMessage on the queue.

What it promises, however and whenever it is stopped, killed or cut off:

- Nothing is lost: a message is deleted only after its action is on the disk and remembered.
- Nothing is there twice: SQS and the sender deliver at least once, so ids (the attributes MessageId and Replay) are
  remembered in a small SQLite file, in one step with the output: it also remembers how long the output is, and what a
  crash left beyond that is cut off. Only what is printed (`--output -`) can come a second time, after a crash.
- When a person was erased for the org (the event `supporter.erased`), its actions are taken out of the output, and are
  not written when they come only then. A row that names them stays for whoever took the others: a line with `actionIds`
  in NDJSON, in CSV a row for each action, empty but for its id and the type `supporter.erased`.
- A message it cannot read (another schema, stage or event, invalid, encrypted for a key it has not) is left to the
  queue, which moves it to the dead-letter queue after a few tries. The log says why, without personal data; so does the
  exit status.

Events are in the same queue (org setting `custom_event_deliver`) or in one of their own (`event_queue`): then let this
program read both by turns with `--until-empty`, with one state file and one output.

The output belongs to this program. To take it, move it away, at any time: a new one is begun. One process for one state
file; a second one is refused. Cells that a spreadsheet would take for a formula get a leading apostrophe.

Exit status: 0 all was read, 1 broken off, 2 wrong arguments, 3 messages were left in the queue.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import csv
import io
import json
import logging
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected
from jsonschema import Draft202012Validator
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

log = logging.getLogger("consumer")

Json = dict[str, Any]
SCHEMA = "proca:action:2"
EVENT, ERASED = "proca:event:2", "supporter.erased"
STAGES = ("deliver", "supporter_confirm", "action_confirm")
KEYS_VARIABLE = "PROCA_PRIVATE_KEYS"
REMEMBER_DAYS = 90  # a queue and its dead-letter queue keep a message for at most 14
LONGEST_PAUSE_S = 60
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
BUSY = {"RequestThrottled", "ThrottlingException", "KmsThrottled", "OverLimit"}


# --- one message: from what SQS has to an action that the org can read


class Unreadable(Exception):
    """A message that cannot be used. The text is logged, so it repeats nothing of what the message says."""


class MessageKey(NamedTuple):
    """What makes two messages the same: MessageId, and the job that had it sent again on purpose ("" if none)."""

    message_id: str
    replay: str


@dataclass(frozen=True, slots=True)
class Action:
    """A readable message: `message` has all that was decrypted in its place, and no `personalInfo`."""

    key: MessageKey
    message: Json


@dataclass(frozen=True, slots=True)
class Erasure:
    """A person was erased for this org (`own`), or for another one: then nothing is to be done."""

    key: MessageKey
    message: Json
    actions: frozenset[int]
    own: bool


class PrivateKeys:
    """The org's private keys (32 bytes each), found by their public part, because an org may have changed its key."""

    def __init__(self, private: Iterable[str]) -> None:
        keys = [PrivateKey(from_base64url(text)) for text in private]
        self._keys = {bytes(key.public_key): key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def open(self, personal: Json) -> Json:
        """The personal data of `personalInfo`; raises Unreadable."""
        recipient = personal["encryptKey"]
        try:
            private = self._keys.get(from_base64url(recipient["public"]))
            if private is None:
                raise Unreadable(f"encrypted for key {recipient['id']}, {recipient['public']}, which is not at hand")
            box = Box(private, PublicKey(from_base64url(personal["signKey"]["public"])))
            clear = box.decrypt(from_base64url(personal["payload"]), from_base64url(personal["nonce"]))
        except (CryptoError, ValueError):
            raise Unreadable(f"cannot be decrypted with key {recipient['id']}") from None
        return parsed(clear, "decrypted data")


class Reader:
    """Reads messages of one stage."""

    def __init__(self, schema: Json, stage: str, keys: PrivateKeys) -> None:
        self._validator = Draft202012Validator(schema)
        self._stage = stage
        self._keys = keys

    def read(self, received: Json) -> Action | Erasure:
        """What a message as SQS hands it out says; raises Unreadable."""
        message = parsed(received["Body"], "body")
        key = MessageKey(attribute(received, "MessageId"), attribute(received, "Replay"))
        if not key.message_id:
            raise Unreadable("it has no attribute MessageId")
        if message.get("schema") == EVENT:
            return erasure(key, message)
        if message.get("schema") != SCHEMA:
            raise Unreadable(f"its schema is not {SCHEMA}")
        failed = next(self._validator.iter_errors(message), None)
        if failed is not None:  # its text has the value; its place in the schema has not
            raise Unreadable(f"invalid by the schema's {'/'.join(map(str, failed.absolute_schema_path))}")
        if message["stage"] != self._stage:
            raise Unreadable(f"its stage is {message['stage']}, not {self._stage}")
        personal = message.pop("personalInfo")
        if personal is not None:
            message["contact"] |= self._keys.open(personal)
            put_back(message)
        return Action(key, message)


def erasure(key: MessageKey, event: Json) -> Erasure:
    """The erasure that an event tells of; raises Unreadable for every other event."""
    actions, own = event.get("actionIds"), event.get("dataErased")
    if event.get("eventType") != ERASED:
        raise Unreadable("it is another event")
    if not isinstance(actions, list) or not all(type(each) is int for each in actions) or not isinstance(own, bool):
        raise Unreadable("the event has another form")
    return Erasure(key, event, frozenset(actions), own)


def put_back(message: Json) -> None:
    """Move what came encrypted with the contact to the action: fields, and the rest of a donation's payload.

    They belong to the signature; a further action brings the same contact, and drops them. Raises Unreadable.
    """
    contact, action = message["contact"], message["action"]
    fields, payload = contact.pop("fields", {}), contact.pop("donation", {})
    if not isinstance(fields, dict) or not isinstance(payload, dict):
        raise Unreadable("the decrypted data has another form")
    if message["privacy"]["withConsent"]:
        action["customFields"] |= fields
        if "donation" in action:
            action["donation"]["payload"] |= payload


def parsed(text: str | bytes, what: str) -> Json:
    """The JSON object of a text; raises Unreadable for anything else, NaN and Infinity included."""

    def refuse(_: str) -> NoReturn:
        raise ValueError

    try:
        found = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreadable(f"the {what} is no JSON object")
    return found


def attribute(received: Json, name: str) -> str:
    """A message attribute, "" where there is none."""
    return str(received.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))


def from_base64url(text: str) -> bytes:
    """The bytes of base64url, with or without padding; raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


# --- one row: how an action is written


def as_ndjson(read: Action | Erasure) -> bytes:
    """The message as one line of JSON, with the key it is recognised by."""
    line = {"messageId": read.key.message_id, "replay": read.key.replay or None, **read.message}
    return (json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


CSV_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "actionId": ("actionId",),
    "createdAt": ("action", "createdAt"),
    "actionType": ("action", "actionType"),
    "testing": ("action", "testing"),
    "late": ("action", "late"),
    "campaign": ("campaign", "name"),
    "actionPage": ("actionPage", "name"),
    "locale": ("actionPage", "locale"),
    "org": ("org", "name"),
    "contactRef": ("contact", "contactRef"),
    "dupeRank": ("contact", "dupeRank"),
    "firstName": ("contact", "firstName"),
    "lastName": ("contact", "lastName"),
    "email": ("contact", "email"),
    "phone": ("contact", "phone"),
    "country": ("contact", "country"),
    "postcode": ("contact", "postcode"),
    "area": ("contact", "area"),
    "region": ("contact", "address", "region"),
    "locality": ("contact", "address", "locality"),
    "street": ("contact", "address", "street"),
    "streetNumber": ("contact", "address", "streetNumber"),
    "optIn": ("privacy", "optIn"),
    "givenAt": ("privacy", "givenAt"),
    "emailStatus": ("privacy", "emailStatus"),
    "withConsent": ("privacy", "withConsent"),
    "source": ("tracking", "source"),
    "medium": ("tracking", "medium"),
    "utmCampaign": ("tracking", "campaign"),
    "content": ("tracking", "content"),
    "location": ("tracking", "location"),
    "customFields": ("action", "customFields"),
    "amount": ("action", "donation", "amount"),
    "currency": ("action", "donation", "currency"),
    "frequencyUnit": ("action", "donation", "frequencyUnit"),
    "donation": ("action", "donation", "payload"),
}
"""Column: where its value is in the message. After these come messageId and replay."""


def as_csv(read: Action | Erasure) -> bytes:
    """An action as one line of CSV (RFC 4180, UTF-8), or a line for each that is erased."""
    messages = [read.message]
    if isinstance(read, Erasure):
        messages = [{"actionId": action, "action": {"actionType": ERASED}} for action in sorted(read.actions)]
    return b"".join(
        csv_line([*(cell(within(message, path)) for path in CSV_COLUMNS.values()), *map(cell, read.key)])
        for message in messages
    )


def csv_header() -> bytes:
    """The first line of a CSV file."""
    return csv_line([*CSV_COLUMNS, "messageId", "replay"])


def csv_line(cells: Sequence[str]) -> bytes:
    """A line of CSV."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


Rows = Iterator[tuple[str, bytes]]
"""The rows of an output, as they stand there, each with the id of its action ("" for none)."""


def rows_of_ndjson(file: IO[bytes]) -> Rows:
    """The lines of a file."""
    return ((str(json.loads(line).get("actionId", "")), line) for line in file)


def rows_of_csv(file: IO[bytes]) -> Rows:
    """The rows of a table; a cell may have line breaks."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    yield from ((cells[0], csv_line(cells)) for cells in csv.reader(text))
    text.detach()


def within(message: Json, path: tuple[str, ...]) -> object:
    """What stands at the path, None where it ends before."""
    found: object = message
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def cell(value: object) -> str:
    """A value as a CSV cell that no spreadsheet takes for a formula: "" for null, JSON for what is no text."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


# --- the output, and the memory that moves on with it


class BrokenOff(Exception):
    """Something that a person has to look at; the text says what."""


class Output:
    """Where rows go: standard output, which remembers nothing."""

    name = "-"

    def exists(self) -> bool:
        """Whether there is something that rows are appended to."""
        return False

    def append(self, rows: bytes, length: int) -> int:
        """Write rows for good behind the first `length` bytes, which stay; returns the new length."""
        sys.stdout.buffer.write(rows)
        sys.stdout.buffer.flush()
        return length

    def copy_without(self, actions: Collection[int], length: int) -> tuple[int, int]:  # noqa: ARG002  see File
        """Copy the first `length` bytes for good, without the rows of these actions: how many were left out, and the
        length of the copy."""
        return 0, length

    def replace(self) -> None:
        """Put the copy, if there is one, in the place of what was copied, unless that was moved away."""


class File(Output):
    """A file that only its owner can read, and that is opened for every batch, so that it can be moved away."""

    def __init__(self, path: Path, header: bytes = b"", rows_of: Callable[[IO[bytes]], Rows] = rows_of_ndjson) -> None:
        self.name = str(path.absolute())
        self._copy = Path(f"{self.name}.new")
        self._header = header
        self._rows_of = rows_of

    def exists(self) -> bool:
        return Path(self.name).exists()

    def append(self, rows: bytes, length: int) -> int:
        with self._cut(length) as file:
            file.seek(length)
            file.write(rows if length else self._header + rows)
            end = flushed(file)
        if not length:
            sync_folder(Path(self.name).parent)
        return end

    def copy_without(self, actions: Collection[int], length: int) -> tuple[int, int]:
        wanted, left_out = {str(action) for action in actions}, 0
        with self._cut(length) as file, os.fdopen(opened(self._copy, os.O_CREAT | os.O_TRUNC), "wb") as copy:
            file.seek(0)
            for action, row in self._rows_of(file):
                if action in wanted:
                    left_out += 1
                else:
                    copy.write(row)
            return left_out, flushed(copy)

    def replace(self) -> None:
        if not self.exists():
            self._copy.unlink(missing_ok=True)
        elif self._copy.exists():
            self._copy.replace(self.name)
            sync_folder(self._copy.parent)

    @contextlib.contextmanager
    def _cut(self, length: int) -> Iterator[IO[bytes]]:
        with os.fdopen(opened(Path(self.name), 0 if length else os.O_CREAT), "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size < length:
                raise BrokenOff(f"{self.name} is shorter than it was left; move it away, and a new one is begun")
            if size > length:
                log.warning("cutting off %d bytes that a crash left in %s", size - length, self.name)
                file.truncate(length)
            yield file


def opened(path: Path, flags: int) -> int:
    """The descriptor of a file of its owner alone."""
    return os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | flags, 0o600)


def flushed(file: IO[bytes]) -> int:
    """Wait until the disk has what was written; where it ends."""
    file.flush()
    os.fsync(file.fileno())
    return file.tell()


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of a folder's files."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Memory:
    """What was seen, and how long the output is, in a SQLite file that one process at a time can hold."""

    def __init__(self, path: Path, output: Output) -> None:
        self._output = output
        self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                self._database.execute(
                    "CREATE TABLE IF NOT EXISTS seen"
                    " (message_id TEXT, replay TEXT, at INTEGER, PRIMARY KEY (message_id, replay)) WITHOUT ROWID"
                )
                self._database.execute("CREATE TABLE IF NOT EXISTS output (name TEXT PRIMARY KEY, length INTEGER)")
                self._database.execute("CREATE TABLE IF NOT EXISTS erased (action INTEGER PRIMARY KEY, at INTEGER)")
                self._database.execute("CREATE TABLE IF NOT EXISTS replaced (name TEXT PRIMARY KEY)")
                for table in ("seen", "erased"):
                    long_ago = int(time.time()) - REMEMBER_DAYS * 86_400
                    self._database.execute(f"DELETE FROM {table} WHERE at < ?", [long_ago])  # noqa: S608  two names
            self._replace()
        except sqlite3.DatabaseError as error:
            self.close()
            raise BrokenOff(f"{path} cannot be used ({error}); is another consumer running?") from None

    def close(self) -> None:
        """Let another process have the file."""
        self._database.close()

    def knows(self, key: MessageKey) -> bool:
        """Whether this message was written before."""
        found = self._database.execute("SELECT 1 FROM seen WHERE message_id = ? AND replay = ?", key)
        return found.fetchone() is not None

    def is_erased(self, action: int) -> bool:
        """Whether the person of this action was erased."""
        return self._database.execute("SELECT 1 FROM erased WHERE action = ?", [action]).fetchone() is not None

    def erase(self, actions: Collection[int]) -> int:
        """Take the rows of these actions out of the output and remember them; how many rows that were.

        The output is copied without them. From when it is remembered that it is replaced, it will be, by whoever comes
        next.
        """
        rows, length = 0, self._length()
        if length and self._output.exists():
            rows, length = self._output.copy_without(actions, length)
        with self._transaction():
            now = int(time.time())
            self._database.executemany("INSERT OR REPLACE INTO erased VALUES (?, ?)", [(each, now) for each in actions])
            if length:
                self._set_length(length)
                self._database.execute("INSERT OR REPLACE INTO replaced VALUES (?)", [self._output.name])
        self._replace()
        return rows

    def _replace(self) -> None:
        name = [self._output.name]
        if self._database.execute("SELECT 1 FROM replaced WHERE name = ?", name).fetchone() is not None:
            self._output.replace()
            self._database.execute("DELETE FROM replaced WHERE name = ?", name)

    def keep(self, rows: Mapping[MessageKey, bytes]) -> None:
        """Write the rows and remember their keys: both, or neither."""
        length = self._length()
        if not self._output.exists():
            length = self._set_length(0)  # before the file is made: whatever a crash leaves in it is then cut off
        elif length is None:
            raise BrokenOff(f"{self._output.name} is there already, from somebody else; move it away")
        with self._transaction():
            self._set_length(self._output.append(b"".join(rows.values()), length))
            now = int(time.time())
            self._database.executemany("INSERT INTO seen VALUES (?, ?, ?)", [(*key, now) for key in rows])

    def _length(self) -> int | None:
        found = self._database.execute("SELECT length FROM output WHERE name = ?", [self._output.name]).fetchone()
        return None if found is None else int(found[0])

    def _set_length(self, length: int) -> int:
        self._database.execute("INSERT OR REPLACE INTO output VALUES (?, ?)", [self._output.name, length])
        return length

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN EXCLUSIVE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


# --- the queue, and the work


class Queue:
    """One queue on SQS."""

    def __init__(self, url: str, *, batch: int, wait_s: int) -> None:
        self.name = url.rsplit("/", 1)[-1]
        self._url = url
        self._asked = {"MaxNumberOfMessages": batch, "WaitTimeSeconds": wait_s, "MessageAttributeNames": ["All"]}
        config = Config(
            connect_timeout=5, read_timeout=wait_s + 10, retries={"mode": "standard", "total_max_attempts": 5}
        )
        self._sqs = boto3.client("sqs", region_name=region_of(url), config=config)

    def receive(self) -> list[Json]:
        """The next messages, waiting for the first of them; nobody else has them for the queue's visibility timeout."""
        found: list[Json] = self._sqs.receive_message(QueueUrl=self._url, **self._asked).get("Messages", [])
        return found

    def delete(self, messages: Sequence[Json]) -> None:
        """Delete messages. One that cannot be deleted comes again, is recognised, and is deleted then."""
        if not messages:
            return
        entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(messages)]
        failed = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
        if failed:
            log.warning("%d messages could not be deleted; they will come again", len(failed))


def region_of(queue_url: str) -> str | None:
    """The region of a URL like https://sqs.eu-central-1.amazonaws.com/...; None: the region that is configured."""
    host = (urlsplit(queue_url).hostname or "").split(".")
    return host[1] if host[0] == "sqs" and len(host) > 2 else None


Tally = Counter[str]
"""How many messages were `written`, seen before (`repeated`) or `left` in the queue; how many actions were `erased`,
from the output or before they were in it."""


class Consumer:
    """Takes batches from the queue to the output."""

    def __init__(
        self, queue: Queue, reader: Reader, memory: Memory, row_of: Callable[[Action | Erasure], bytes]
    ) -> None:
        self._queue = queue
        self._reader = reader
        self._memory = memory
        self._row_of = row_of

    def work(self, messages: Sequence[Json]) -> Tally:
        """Read, write and remember in one step, then delete; the order is what keeps the promises (see the top)."""
        tally: Tally = Counter()
        done: list[Json] = []
        found: dict[MessageKey, tuple[Action | Erasure, bytes]] = {}
        for received in messages:
            try:
                read = self._reader.read(received)
                row = self._row_of(read)
            except (Unreadable, UnicodeEncodeError) as error:
                why = error if isinstance(error, Unreadable) else "it has text that is no Unicode"
                log.error("left in the queue: %s: %s", received["MessageId"], why)  # noqa: TRY400  no data in the log
                tally["left"] += 1
                continue
            done.append(received)
            if read.key in found or self._memory.knows(read.key):
                tally["repeated"] += 1
            else:
                found[read.key] = read, row
        erasures = [read for read, _ in found.values() if isinstance(read, Erasure) and read.own]
        if erasures:
            tally["erased"] += self._memory.erase({action for read in erasures for action in read.actions})
        rows: dict[MessageKey, bytes] = {}
        for key, (read, row) in found.items():
            if isinstance(read, Action) and self._memory.is_erased(read.message["actionId"]):
                tally["erased"] += 1
            elif isinstance(read, Action) or read.own:
                rows[key] = row
                tally["written"] += 1
        if rows:
            self._memory.keep(rows)
        self._queue.delete(done)
        return tally

    def run(self, stop: Stop, *, once: bool = False, until_empty: bool = False) -> Tally:
        """Work until told to stop, for one batch, or until the queue hands out nothing.

        Without an end of its own, it waits where waiting may help: SQS busy, network gone.
        """
        total: Tally = Counter()
        pause_s = 1
        with contextlib.suppress(Stopped):
            while True:
                try:
                    with stop.at_once():
                        messages = self._queue.receive()
                    tally = self.work(messages)
                except (BotoCoreError, ClientError) as error:
                    if once or until_empty or not is_passing(error):
                        raise
                    log.warning("SQS does not answer (%s); trying again in %d s", code_of(error), pause_s)
                    with stop.at_once():
                        time.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    continue
                pause_s = 1
                total += tally
                if messages:
                    log.info("%s", shown(tally))
                if once or (until_empty and not messages):
                    break
        return total


def shown(tally: Tally) -> str:
    """The tally in words."""
    told = f"{tally['written']} written, {tally['repeated']} seen before, {tally['left']} left in the queue"
    return f"{told}, {tally['erased']} erased" if tally["erased"] else told


class Stopped(BaseException):
    """Breaks off a wait. No Exception, because libraries catch those."""


class Stop:
    """SIGTERM and SIGINT: the batch at hand is finished, a wait is broken off (what it was to bring comes again)."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False

    def listen(self) -> None:
        """Take the signals over."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self)

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self.asked = True
        if self._waiting:
            raise Stopped

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """What is done within is broken off by a signal, also by one that came before; raises Stopped then."""
        self._waiting = True
        try:
            if self.asked:
                raise Stopped
            yield
        finally:
            self._waiting = False


def is_passing(error: BotoCoreError | ClientError) -> bool:
    """Whether waiting may help."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= 500 or status == 429 or code_of(error).rsplit(".", 1)[-1] in BUSY
    return isinstance(error, (HTTPClientError, NotConnected))


def code_of(error: BotoCoreError | ClientError) -> str:
    """The name of an AWS error."""
    return str(error.response["Error"].get("Code")) if isinstance(error, ClientError) else type(error).__name__


# --- the command line


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    beside = Path(__file__).resolve().parent
    name = "proca-action-2.json"
    schemas = [beside / name, beside.parent / "schemas" / name]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("queue_url", help="URL of the org's queue")
    parser.add_argument("--keys", type=Path, help=f"file with the private keys, one a line (else {KEYS_VARIABLE})")
    parser.add_argument("--stage", choices=STAGES, default=STAGES[0], help="stage that the queue is for")
    parser.add_argument("--schema", type=Path, default=next(filter(Path.exists, schemas), schemas[0]), help=name)
    parser.add_argument("--state", type=Path, default=Path("consumer.sqlite"), help="what it remembers")
    parser.add_argument("--output", default="-", help="file to write (- prints)")
    parser.add_argument("--format", choices=["csv", "ndjson"], help="else by the name of the output")
    parser.add_argument("--batch", type=int, choices=range(1, 11), default=10, metavar="1-10", help="messages a time")
    parser.add_argument("--wait", type=int, choices=range(21), default=20, metavar="0-20", help="seconds of a poll")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--once", action="store_true", help="one batch, then end")
    end.add_argument("--until-empty", action="store_true", help="end when the queue hands out nothing")
    return parser.parse_args(given)


def private_keys(path: Path | None) -> PrivateKeys:
    """The org's private keys from a file, or from the environment; # begins a comment."""
    if path is not None and os.name == "posix" and path.stat().st_mode & 0o077:
        log.warning("%s can be read by others: chmod 600", path)
    text = os.environ.get(KEYS_VARIABLE, "") if path is None else path.read_text()
    return PrivateKeys(word for line in text.splitlines() for word in line.partition("#")[0].split())


def run(args: argparse.Namespace) -> Tally:
    """Do what was asked for."""
    as_table = args.format == "csv" or (args.format is None and args.output.endswith(".csv"))
    path = Path(args.output)
    output: Output = File(path, csv_header(), rows_of_csv) if as_table else File(path)
    if args.output == "-":
        output = Output()
        if as_table:
            output.append(csv_header(), 0)
    try:
        keys = private_keys(args.keys)
    except (CryptoError, ValueError):
        raise BrokenOff("a private key is not 32 bytes in base64url") from None
    reader = Reader(json.loads(args.schema.read_text()), args.stage, keys)
    queue = Queue(args.queue_url, batch=args.batch, wait_s=args.wait)
    stop = Stop()
    stop.listen()
    with contextlib.closing(Memory(args.state, output)) as memory:
        log.info("reading %s with %d private key(s)", queue.name, len(keys))
        consumer = Consumer(queue, reader, memory, as_csv if as_table else as_ndjson)
        return consumer.run(stop, once=args.once, until_empty=args.until_empty)


def main(given: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    log.setLevel(logging.INFO)
    try:
        total = run(arguments(given))
    except (BotoCoreError, ClientError) as error:
        log.error("SQS refuses: %s", code_of(error))  # noqa: TRY400  its text is of no use
    except (BrokenOff, OSError, sqlite3.Error) as error:
        log.error("broken off: %s", error)  # noqa: TRY400  its text is for people
    else:
        log.info("ended: %s", shown(total))
        return 3 if total["left"] else 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
