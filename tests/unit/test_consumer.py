"""The example consumer: what it reads, how it writes, and what it remembers (crashes: tests/integration)."""

import base64
import contextlib
import csv
import io
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from nacl.public import Box, PrivateKey

from examples import consumer
from examples.consumer import (
    Action,
    BrokenOff,
    Consumer,
    File,
    Memory,
    MessageKey,
    PrivateKeys,
    Reader,
    Stop,
    Tally,
    Unreadable,
    as_csv,
    as_ndjson,
    cell,
    csv_header,
)
from tools.emulator import ROOT

SCHEMA = json.loads((ROOT / "schemas" / "proca-action-2.json").read_text())
PRIVATE = "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A"
"""The org's private key of domain 16.2, whose box `personalInfo` of MESSAGE is."""

MESSAGE = {
    "schema": "proca:action:2",
    "stage": "deliver",
    "actionId": 90260,
    "actionPageId": 314,
    "campaignId": 27,
    "orgId": 8,
    "org": {"name": "riverwatch", "title": "River Watch"},
    "action": {
        "actionType": "register",
        "customFields": {"comment": "My kids swim here", "age": 41},
        "createdAt": "2025-03-04T09:20:01Z",
        "testing": False,
    },
    "actionPage": {
        "locale": "en_GB",
        "name": "riverwatch.example.org/sign",
        "thankYouTemplate": None,
        "thankYouTemplateRef": None,
        "supporterConfirmTemplate": None,
    },
    "campaign": {"name": "clean_rivers", "title": "Clean rivers now", "externalId": None, "contactSchema": "basic"},
    "contact": {
        "firstName": None,
        "email": None,
        "contactRef": "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo",
        "dupeRank": 0,
        "area": "SE",
    },
    "personalInfo": {
        "payload": "jYY9tgIdBI5JuUHwXV16pWnXvTAoTgmcmJ8kIcVgW9wbbzYqQdbCVIf2aaKAPmwtTAxSS0UCND2buxGuIHJM",
        "nonce": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
        "encryptKey": {"id": 61, "public": "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns"},
        "signKey": {"id": 1, "public": "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_AsrhtHHw"},
    },
    "privacy": {
        "optIn": True,
        "givenAt": "2025-03-04T09:20:01Z",
        "emailStatus": None,
        "emailStatusChanged": None,
        "withConsent": True,
    },
    "tracking": None,
}

ERASED = {
    "schema": "proca:event:2",
    "eventType": "supporter.erased",
    "timestamp": "2025-04-01T10:00:00Z",
    "orgId": 8,
    "org": {"name": "riverwatch", "title": "River Watch"},
    "dataErased": True,
    "actionIds": [90260, 90270],
}


def received(message: Any = MESSAGE, *, message_id: str = "90260.deliver.8", replay: str = "", sqs: str = "m1") -> Any:
    """A message as SQS hands it out."""
    attributes = {"MessageId": message_id, "Replay": replay}
    return {
        "MessageId": sqs,
        "ReceiptHandle": sqs,
        "Body": message if isinstance(message, str) else json.dumps(message),
        "MessageAttributes": {
            name: {"StringValue": value, "DataType": "String"} for name, value in attributes.items() if value
        },
    }


def changed(**parts: Any) -> dict[str, Any]:
    """MESSAGE with other values; a dict is merged."""
    merged: dict[str, Any] = dict(MESSAGE)
    for key, value in parts.items():
        merged[key] = {**(merged.get(key) or {}), **value} if isinstance(value, dict) else value
    return merged


@pytest.fixture
def reader() -> Reader:
    return Reader(SCHEMA, "deliver", PrivateKeys([PRIVATE]))


def fresh(name: str = "90260.deliver.8", replay: str = "", **parts: Any) -> Action:
    return Action(MessageKey(name, replay), changed(**parts))


# --- reading


def test_personal_data_is_decrypted_with_the_orgs_own_key_and_merged_over_the_contact(reader: Reader) -> None:
    action = reader.read(received())

    assert action.message["contact"] == {**MESSAGE["contact"], "firstName": "Jane", "email": "jane@example.org"}
    assert "personalInfo" not in action.message


def test_the_key_is_found_by_its_public_part_among_several() -> None:
    others = [base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2)]  # padded, as some tools write it

    action = Reader(SCHEMA, "deliver", PrivateKeys([others[0], PRIVATE, others[1]])).read(received())

    assert action.message["contact"]["firstName"] == "Jane"


def test_a_message_of_an_org_without_a_key_is_read_as_it_is(reader: Reader) -> None:
    contact = {"firstName": "Jane", "email": "jane@example.org"}

    action = reader.read(received(changed(contact=contact, personalInfo=None)))

    assert action.message["contact"]["email"] == "jane@example.org"


def test_what_is_added_to_messages_later_does_not_disturb(reader: Reader) -> None:
    assert reader.read(received(changed(novelty=1, action={"novelty": {}}))).message["novelty"] == 1


def boxed(payload: bytes) -> dict[str, Any]:
    """MESSAGE with this as its personal data."""
    sender, org = PrivateKey.generate(), PrivateKey(consumer.from_base64url(PRIVATE))
    box = Box(sender, org.public_key).encrypt(payload)
    as_text = [
        base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        for raw in (box.ciphertext, box.nonce, bytes(sender.public_key))
    ]
    personal = {"payload": as_text[0], "nonce": as_text[1], "signKey": {"id": 1, "public": as_text[2]}}
    return changed(personalInfo=personal)


PRIVATE_PARTS = {"firstName": "Jane", "fields": {"age": 42, "iban": "x"}, "donation": {"iban": "DE1"}}
DONATION = {"payload": {"provider": "sepa"}, "amount": 1500, "currency": "EUR", "frequencyUnit": "one_off"}


def test_what_came_encrypted_with_the_contact_is_put_back_to_the_signature(reader: Reader) -> None:
    message = boxed(json.dumps(PRIVATE_PARTS).encode())
    message["action"] = {**message["action"], "donation": DONATION}

    read = reader.read(received(message)).message
    [row] = csv.DictReader(io.StringIO((csv_header() + as_csv(Action(key(1), read))).decode(), newline=""))

    assert read["contact"] == {**MESSAGE["contact"], "firstName": "Jane"}
    assert read["action"]["customFields"] == {"comment": "My kids swim here", "age": 42, "iban": "x"}
    assert read["action"]["donation"] == {**DONATION, "payload": {"provider": "sepa", "iban": "DE1"}}
    assert (row["amount"], row["currency"], row["frequencyUnit"]) == ("1500", "EUR", "one_off")
    assert json.loads(row["donation"]) == {"provider": "sepa", "iban": "DE1"}


def test_a_further_action_does_not_repeat_what_came_with_the_signature(reader: Reader) -> None:
    message = boxed(json.dumps(PRIVATE_PARTS).encode())
    message["privacy"] = {**message["privacy"], "withConsent": False}

    read = reader.read(received(message)).message

    assert read["contact"] == {**MESSAGE["contact"], "firstName": "Jane"}
    assert read["action"] == MESSAGE["action"]


UNREADABLE = {
    "no JSON": ("Jane {", "no JSON object"),
    "no object": ('["Jane"]', "no JSON object"),
    "NaN": (json.dumps(changed(actionId=float("nan"))), "no JSON object"),
    "nested beyond reason": ("[" * 100_000, "no JSON object"),
    "another event": ({"schema": "proca:event:2", "eventType": "Jane"}, "another event"),
    "an erasure of text": ({**ERASED, "actionIds": ["Jane"]}, "the event has another form"),
    "an erasure of nobody's": ({**ERASED, "dataErased": "Jane"}, "the event has another form"),
    "a later version": (changed(schema="proca:action:3"), "schema is not"),
    "a list for a schema": (changed(schema=["Jane"]), "schema is not"),
    "an unknown stage": (changed(stage="Jane"), "properties/stage/enum"),
    "a wrong type": (changed(contact={"email": ["Jane"]}), "anyOf"),
    "a missing part": ({**MESSAGE, "privacy": {}}, "required"),
    "another stage": (changed(stage="supporter_confirm"), "stage is supporter_confirm, not deliver"),
    "an unknown key": (changed(personalInfo={"encryptKey": {"id": 9, "public": "AAAA"}}), "key 9, AAAA, which is not"),
    "a tampered payload": (changed(personalInfo={"payload": "AAAA" + "jYY9" * 20}), "cannot be decrypted with key 61"),
    "a nonce too short": (changed(personalInfo={"nonce": "AAEC"}), "cannot be decrypted with key 61"),
    "a sender's key too short": (changed(personalInfo={"signKey": {"id": 1, "public": "B6N8"}}), "cannot be decrypted"),
    "no base64url": (changed(personalInfo={"payload": "AAAAA"}), "cannot be decrypted with key 61"),
    "encrypted text": (boxed(b"Jane"), "decrypted data is no JSON object"),
    "fields of another form": (boxed(b'{"fields": "Jane"}'), "another form"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_refused_without_a_word_of_it(reader: Reader, what: str) -> None:
    message, why = UNREADABLE[what]

    with pytest.raises(Unreadable) as refused:
        reader.read(received(message))

    assert why in str(refused.value)
    assert "Jane" not in str(refused.value)


def test_a_message_that_could_not_be_recognised_is_refused(reader: Reader) -> None:
    with pytest.raises(Unreadable, match="MessageId"):
        reader.read(received(message_id=""))


# --- writing


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Mara", "Mara"),
        ("", ""),
        (None, ""),
        (0, "0"),
        (-5, "-5"),
        (True, "true"),
        ({"a": [1]}, '{"a": [1]}'),
        ('=HYPERLINK("//x")', '\'=HYPERLINK("//x")'),
        ("+46 70 000 00 00", "'+46 70 000 00 00"),
        ("-1+2", "'-1+2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula(value: Any, written: str) -> None:
    assert cell(value) == written


def test_a_csv_row_has_every_column(reader: Reader) -> None:
    tracking = {
        "source": "mail",
        "medium": "",
        "campaign": "spring",
        "content": "b,\n",
        "location": "https://e.example.org",
    }
    action = reader.read(received(changed(tracking=tracking), replay="job-3"))

    [row] = csv.DictReader(io.StringIO((csv_header() + as_csv(action)).decode(), newline=""))

    assert row == {
        "actionId": "90260",
        "createdAt": "2025-03-04T09:20:01Z",
        "actionType": "register",
        "testing": "false",
        "late": "",
        "campaign": "clean_rivers",
        "actionPage": "riverwatch.example.org/sign",
        "locale": "en_GB",
        "org": "riverwatch",
        "contactRef": "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo",
        "dupeRank": "0",
        "firstName": "Jane",
        "lastName": "",
        "email": "jane@example.org",
        "phone": "",
        "country": "",
        "postcode": "",
        "area": "SE",
        "region": "",
        "locality": "",
        "street": "",
        "streetNumber": "",
        "optIn": "true",
        "givenAt": "2025-03-04T09:20:01Z",
        "emailStatus": "",
        "withConsent": "true",
        "source": "mail",
        "medium": "",
        "utmCampaign": "spring",
        "content": "b,\n",
        "location": "https://e.example.org",
        "customFields": '{"comment": "My kids swim here", "age": 41}',
        "amount": "",
        "currency": "",
        "frequencyUnit": "",
        "donation": "",
        "messageId": "90260.deliver.8",
        "replay": "job-3",
    }


def test_an_ndjson_row_is_the_message_with_its_key() -> None:
    line = json.loads(as_ndjson(fresh()))

    assert line == {"messageId": "90260.deliver.8", "replay": None, **MESSAGE}


# --- the output and the memory


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "actions.csv"


@contextlib.contextmanager
def opened(path: Path, header: bytes = b"head\n") -> Iterator[Memory]:
    with contextlib.closing(Memory(path.with_suffix(".sqlite"), File(path, header))) as memory:
        yield memory


def key(number: int, replay: str = "") -> MessageKey:
    return MessageKey(f"{number}.deliver.8", replay)


def test_the_output_is_for_its_owner_alone_and_begins_with_the_header(path: Path) -> None:
    with opened(path) as memory:
        memory.keep({key(1): b"one\n"})
        memory.keep({key(2): b"two\n"})

    assert path.read_bytes() == b"head\none\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_known_after_a_restart(path: Path) -> None:
    with opened(path) as memory:
        memory.keep({key(1): b"one\n"})
    with opened(path) as memory:
        assert memory.knows(key(1))
        assert not memory.knows(key(2))
        assert not memory.knows(key(1, "job"))
        memory.keep({key(2): b"two\n"})

    assert path.read_bytes() == b"head\none\ntwo\n"


def test_what_a_crash_left_unremembered_is_cut_off(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(path) as memory:
        memory.keep({key(1): b"one\n"})
    with path.open("ab") as file:
        file.write(b"two\nthr")
    with opened(path) as memory:
        memory.keep({key(2): b"two\n"})

    assert path.read_bytes() == b"head\none\ntwo\n"
    assert "cutting off 7 bytes" in caplog.text


def test_a_failed_write_is_not_remembered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    with opened(path) as memory:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            memory.keep({key(1): b"one\n"})
        monkeypatch.undo()
        assert not memory.knows(key(1))
        memory.keep({key(1): b"one\n"})

    assert path.read_bytes() == b"head\none\n"


def test_the_output_can_be_moved_away_at_any_time(path: Path) -> None:
    with opened(path) as memory:
        memory.keep({key(1): b"one\n"})
        path.rename(path.with_suffix(".taken"))
        memory.keep({key(2): b"two\n"})
        assert memory.knows(key(1))

    assert path.read_bytes() == b"head\ntwo\n"


def test_a_file_of_somebody_else_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    with opened(path) as memory, pytest.raises(BrokenOff, match="from somebody else"):
        memory.keep({key(1): b"one\n"})

    assert path.read_text() == "precious"


def test_a_file_that_was_shortened_is_left_alone(path: Path) -> None:
    with opened(path) as memory:
        memory.keep({key(1): b"one\n"})
        path.write_text("head\n")
        with pytest.raises(BrokenOff, match="shorter than it was left"):
            memory.keep({key(2): b"two\n"})

    assert path.read_text() == "head\n"


def test_a_second_consumer_is_refused(path: Path) -> None:
    with opened(path), pytest.raises(BrokenOff, match="is another consumer running"), opened(path):
        pass


def test_ids_are_forgotten_long_after_no_queue_can_have_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    with opened(path) as memory:
        memory.keep({key(1): b"one\n"})
        monkeypatch.setattr(time, "time", lambda: now + 60 * 86_400)
        memory.keep({key(2): b"two\n"})
    monkeypatch.setattr(time, "time", lambda: now + 91 * 86_400)
    with opened(path) as memory:
        assert [memory.knows(key(number)) for number in (1, 2)] == [False, True]


# --- the work


class FakeQueue:
    """A queue that hands out everything again until it is deleted. `failures` come first, one a call."""

    name = "fake"

    def __init__(self, *messages: Any, failures: tuple[Exception, ...] = ()) -> None:
        self.messages = {message["ReceiptHandle"]: message for message in messages}
        self.failures = list(failures)
        self.batches = 0

    def receive(self) -> list[Any]:
        self.batches += 1
        if self.failures:
            raise self.failures.pop(0)
        return list(self.messages.values())[:10]

    def delete(self, messages: list[Any]) -> None:
        for message in messages:
            del self.messages[message["ReceiptHandle"]]


@pytest.fixture
def make(reader: Reader, path: Path) -> Iterator[Any]:
    with opened(path, b"") as memory:
        yield lambda queue: Consumer(queue, reader, memory, as_ndjson)


def rows(path: Path) -> list[tuple[str, str | None]]:
    """MessageId and Replay of each row."""
    if not path.exists():
        return []
    return [(row["messageId"], row["replay"]) for row in map(json.loads, path.read_text().splitlines())]


def test_messages_are_written_once_and_deleted_each(make: Any, path: Path) -> None:
    again = received(sqs="m2")
    queue = FakeQueue(received(sqs="m1"), again, received(sqs="m3", message_id="5.deliver.8"))

    tally = make(queue).run(Stop(), until_empty=True)
    queue.messages["m2"] = again
    later = make(queue).run(Stop(), until_empty=True)

    assert rows(path) == [("90260.deliver.8", None), ("5.deliver.8", None)]
    assert tally == {"written": 2, "repeated": 1}
    assert later == {"repeated": 1}
    assert not queue.messages


def test_a_replay_is_written_again_once_for_each_job(make: Any, path: Path) -> None:
    jobs = ["", "job-1", "job-1", "job-2"]
    queue = FakeQueue(*(received(sqs=f"m{number}", replay=job) for number, job in enumerate(jobs)))

    make(queue).run(Stop(), until_empty=True)

    assert [replay for _, replay in rows(path)] == [None, "job-1", "job-2"]
    assert not queue.messages


@pytest.mark.parametrize(
    "poison", ["Jane", json.dumps(changed(campaign={"title": "\ud800 Jane"})), changed(stage="Jane"), "[" * 100_000]
)
def test_a_poison_message_stays_while_the_others_get_through(
    make: Any, path: Path, caplog: pytest.LogCaptureFixture, poison: Any
) -> None:
    queue = FakeQueue(received(poison, sqs="poison", message_id="1.deliver.8"), received(sqs="m2"))

    tally = make(queue).run(Stop(), once=True)

    assert rows(path) == [("90260.deliver.8", None)]
    assert list(queue.messages) == ["poison"]
    assert tally == {"written": 1, "left": 1}
    [logged] = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.startswith("left in the queue: poison: ")
    assert not {"Jane", "jane@example.org"} & set(caplog.text.split())


# --- erasing


class Office:
    """An org that reads its queue and writes in one form, of which it says what it looks like."""

    def __init__(self, reader: Reader, path: Path, form: str) -> None:
        self.header = csv_header() if form == "csv" else b""
        self._row_of = as_csv if form == "csv" else as_ndjson
        rows_of = consumer.rows_of_csv if form == "csv" else consumer.rows_of_ndjson
        self._reader, self._state, self._file = reader, path.with_suffix(".sqlite"), File(path, self.header, rows_of)

    def work(self, *messages: Any) -> Tally:
        """Started anew, it takes these messages."""
        with contextlib.closing(Memory(self._state, self._file)) as memory:
            return Consumer(FakeQueue(*messages), self._reader, memory, self._row_of).work(messages)

    def rows(self, *messages: Any) -> bytes:
        """How these messages stand in the output."""
        return self.header + b"".join(self._row_of(self._reader.read(message)) for message in messages)


@pytest.fixture(params=["csv", "ndjson"])
def office(request: pytest.FixtureRequest, reader: Reader, path: Path) -> Office:
    return Office(reader, path, request.param)


def signed(number: int, comment: str = "") -> Any:
    action = {"customFields": {"comment": comment}, "createdAt": "2025-03-04T09:20:01Z", "testing": False}
    message = changed(actionId=number, action={"actionType": "register", **action})
    message["campaign"] = {**message["campaign"], "name": comment or "spring"}
    return received(message, message_id=f"{number}.deliver.8", sqs=f"m{number}")


def erased(*actions: int, event: str = "7.8", **parts: Any) -> Any:
    return received({**ERASED, "actionIds": list(actions), **parts}, message_id=event, sqs=f"e{event}")


AWKWARD = 'two\r\n2,"lines",\n=3 é'


def test_who_was_erased_is_taken_out_and_all_others_stay_as_they_are(office: Office, path: Path) -> None:
    office.work(signed(1, AWKWARD), signed(2), signed(22, AWKWARD), signed(3))

    tally = office.work(erased(2, 3, 4))

    assert tally == {"erased": 2, "written": 1}
    assert path.read_bytes() == office.rows(signed(1, AWKWARD), signed(22, AWKWARD), erased(2, 3, 4))
    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.with_name("actions.csv.new").exists()
    office.work(signed(5))
    assert path.read_bytes() == office.rows(signed(1, AWKWARD), signed(22, AWKWARD), erased(2, 3, 4), signed(5))


def test_what_comes_after_its_erasure_is_not_written(office: Office, path: Path) -> None:
    assert office.work(signed(1), erased(1, 2), signed(3)) == {"erased": 1, "written": 2}
    assert office.work(signed(2)) == {"erased": 1}
    assert path.read_bytes() == office.rows(erased(1, 2), signed(3))


def test_what_was_moved_away_is_told_by_a_row(office: Office, path: Path) -> None:
    office.work(signed(1))
    taken = path.rename(path.with_suffix(".taken"))

    office.work(erased(1))

    assert taken.read_bytes() == office.rows(signed(1))
    assert path.read_bytes() == office.rows(erased(1))
    assert office.work(erased(1)) == {"repeated": 1}


def test_what_another_org_erased_stays(office: Office, path: Path) -> None:
    office.work(signed(1))
    assert office.work(erased(1, dataErased=False)) == {}
    assert path.read_bytes() == office.rows(signed(1))


def test_an_erased_action_has_a_row_that_only_names_it(reader: Reader) -> None:
    text = (csv_header() + as_csv(reader.read(erased(1, 2)))).decode()
    told = [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert told == [{"actionId": str(each), "actionType": "supporter.erased", "messageId": "7.8"} for each in (1, 2)]


def test_what_is_printed_is_told_by_a_line(
    reader: Reader, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with contextlib.closing(Memory(tmp_path / "state", consumer.Output())) as memory:
        Consumer(FakeQueue(signed(1), erased(2)), reader, memory, as_ndjson).run(Stop(), once=True)
    assert json.loads(capfdbinary.readouterr().out.splitlines()[-1])["actionIds"] == [2]


def refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "ReceiveMessage"
    )


PASSING = [
    EndpointConnectionError(endpoint_url="https://sqs.example.org"),
    refusal("InternalFailure", 500),
    refusal("AWS.SimpleQueueService.RequestThrottled", 400),
]
FINAL = [NoCredentialsError(), refusal("AccessDenied", 403), refusal("AWS.SimpleQueueService.NonExistentQueue", 400)]


def test_a_service_waits_while_sqs_cannot_answer(make: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    stop = Stop()
    queue = FakeQueue(received(), failures=(*PASSING, *PASSING, *PASSING[:1]))
    monkeypatch.setattr(time, "sleep", pauses.append)
    delete = queue.delete
    monkeypatch.setattr(queue, "delete", lambda messages: (delete(messages), setattr(stop, "asked", True)))

    make(queue).run(stop)

    assert pauses == [1, 2, 4, 8, 16, 32, 60]
    assert rows(path) == [("90260.deliver.8", None)]


@pytest.mark.parametrize("error", FINAL)
def test_a_service_ends_where_waiting_would_not_help(make: Any, error: Exception) -> None:
    with pytest.raises(type(error)):
        make(FakeQueue(failures=(error,))).run(Stop())


@pytest.mark.parametrize("ending", [{"once": True}, {"until_empty": True}])
def test_a_script_does_not_wait(make: Any, ending: dict[str, bool]) -> None:
    with pytest.raises(EndpointConnectionError):
        make(FakeQueue(failures=(PASSING[0],))).run(Stop(), **ending)


def test_a_signal_breaks_off_a_poll(make: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()
    queue = FakeQueue(received())

    def signalled() -> list[Any]:
        stop(signal.SIGTERM, None)
        raise AssertionError("the poll goes on")

    monkeypatch.setattr(queue, "receive", signalled)

    assert make(queue).run(stop) == {}
    assert not rows(path)


def test_a_signal_lets_the_batch_at_hand_be_finished(make: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()
    queue = FakeQueue(received())
    delete = queue.delete
    monkeypatch.setattr(queue, "delete", lambda messages: (stop(signal.SIGTERM, None), delete(messages)))

    assert make(queue).run(stop) == {"written": 1}
    assert rows(path) == [("90260.deliver.8", None)]
    assert not queue.messages
    assert queue.batches == 1


# --- the command


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/q", "eu-central-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("http://127.0.0.1:4566/000000000000/q", None),
        ("q", None),
    ],
)
def test_the_region_is_that_of_the_queue(url: str, region: str | None) -> None:
    assert consumer.region_of(url) == region


def test_keys_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# made in March\n{PRIVATE}  # the first\n\n")
    file.chmod(0o644)
    monkeypatch.setenv(consumer.KEYS_VARIABLE, f"{PRIVATE} {'A' * 43}")

    assert len(consumer.private_keys(file)) == 1
    assert "can be read by others" in caplog.text
    assert len(consumer.private_keys(None)) == 2


def test_a_broken_key_is_named_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys"
    file.write_text(PRIVATE[:-4])

    assert consumer.main(["https://sqs.eu-central-1.amazonaws.com/1/q", "--keys", str(file)]) == 1
    assert "a private key is not 32 bytes in base64url" in caplog.text
    assert PRIVATE[:8] not in caplog.text


def test_a_state_file_that_is_none_is_refused(path: Path) -> None:
    path.with_suffix(".sqlite").write_text("x" * 4096)
    with pytest.raises(BrokenOff, match="cannot be used"), opened(path):
        pass
