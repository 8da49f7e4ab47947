"""The example that reads over HTTPS: what it prints, and what it acknowledges (tests/e2e has the rest)."""

from __future__ import annotations

import copy
import io
import json
from email.message import Message
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from examples import pull
from examples.pull import PrivateKeys, Queue, line_of, read
from tests.unit.test_consumer import ERASED, MESSAGE, PRIVATE

KEYS = PrivateKeys(f"{PRIVATE}\n\n")


def taken(number: int = 1, **attributes: str) -> dict[str, Any]:
    body = copy.deepcopy(MESSAGE)
    return {"receipt": f"r{number}", "messageId": f"{number}.deliver.8", "attributes": attributes, "body": body}


class Api:
    """Answers one after the other, and says what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[Any] | Exception) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.pauses: list[float] = []
        self._answers = list(answers)
        monkeypatch.setattr(pull, "urlopen", self._open)
        monkeypatch.setattr(pull.time, "sleep", self.pauses.append)

    def _open(self, request: Any, timeout: float) -> io.BytesIO:
        assert timeout > 20
        assert request.get_header("Authorization") == "Bearer API-x"
        self.asked.append((request.get_method(), request.full_url, request.data and json.loads(request.data)))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(json.dumps({"items": answer}).encode())


def queue() -> Queue:
    return Queue("https://api.example.org/prod/", "river watch", "deliver", "API-x")


def refusal(status: int, **headers: str) -> HTTPError:
    found = Message()
    for name, value in headers.items():
        found[name.replace("_", "-")] = value
    return HTTPError("https://api.example.org", status, "", found, io.BytesIO(b'{"title":"no"}'))


def test_a_line_has_the_message_with_what_was_encrypted_in_its_place() -> None:
    line = json.loads(line_of(taken(Replay="night"), KEYS))
    assert (line["messageId"], line["replay"], line["actionId"]) == ("1.deliver.8", "night", MESSAGE["actionId"])
    assert "personalInfo" not in line
    assert line["contact"]["email"]


def test_an_event_is_a_line_as_it_came() -> None:
    event = {"receipt": "r1", "messageId": "7.8", "attributes": {"EventType": "supporter.erased"}, "body": {**ERASED}}
    assert json.loads(line_of(event, KEYS)) == {"messageId": "7.8", "replay": None, **ERASED}


def test_lines_are_printed_before_they_are_acknowledged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api(monkeypatch, [taken(1), taken(2)], [], [])

    assert read(queue(), KEYS, until_empty=True) == 0

    base = "https://api.example.org/prod/v1/orgs/river%20watch/queues/deliver"
    assert api.asked[1] == ("POST", f"{base}/acknowledgements", {"receipts": ["r1", "r2"]})
    assert api.asked[0][:2] == ("GET", f"{base}/messages?limit=10&wait=1&lease=300")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_what_cannot_be_decrypted_stays_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api(monkeypatch, [taken(1)], [])
    assert read(queue(), PrivateKeys(""), until_empty=True) == 1
    assert [method for method, _, _ in api.asked] == ["GET", "GET"]
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "1.deliver.8 is left in the queue: KeyError\n")


@pytest.mark.parametrize("fault", [refusal(503, Retry_After="7"), refusal(429), URLError("gone"), TimeoutError()])
def test_it_waits_while_the_service_is_busy(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    api = Api(monkeypatch, fault, fault, [])
    assert read(queue(), KEYS, until_empty=True) == 0
    assert api.pauses == ([7, 7] if getattr(fault, "code", 0) == 503 else [1, 2])


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_it_ends_when_it_is_refused(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    Api(monkeypatch, refusal(status))
    with pytest.raises(SystemExit, match=str(status)):
        read(queue(), KEYS, until_empty=True)


@pytest.mark.parametrize("api", ["http://api.example.org/prod", "file:///etc", "ftp://localhost/x"])
def test_a_token_is_sent_by_https_alone(api: str) -> None:
    with pytest.raises(SystemExit, match="https"):
        Queue(api, "riverwatch", "deliver", "API-x")
