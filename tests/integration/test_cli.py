"""The command of campaigners against an API that answers as it is told: what it sends, keeps, repeats and shows."""

from __future__ import annotations

import base64
import io
import json
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from nacl.public import Box, PrivateKey

from proca_common.cli import downloads
from proca_common.cli.__main__ import main
from proca_common.orgs.encryption import to_text

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]
MADE = {"id": "41", "token": "API-made"}
COUNTED = {"failed": {}, "dryRun": False}


@dataclass
class Desk:
    """The API: `replies` to each method and path, in their order; the last one holds. `seen`: what was asked."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    seen: list[tuple[str, str, Any, dict[str, str]]] = field(default_factory=list)

    def on(self, what: str, *replies: Reply) -> None:
        self.replies[what] = [*replies]

    def asked(self, what: str) -> list[Any]:
        """The bodies of what was asked there."""
        return [body for method, path, body, _ in self.seen if f"{method} {path.partition('?')[0]}" == what]


class Handler(BaseHTTPRequestHandler):
    def __init__(self, *arguments: Any, desk: Desk) -> None:
        self.desk = desk
        super().__init__(*arguments)

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.removeprefix("/prod/v1")
        said = body.decode() if self.headers["Content-Type"] == "text/csv" else json.loads(body or b"null")
        self.desk.seen.append((self.command, path, said, dict(self.headers)))
        replies = self.desk.replies.get(f"{self.command} {path.partition('?')[0]}", [(404, {"title": "Not found"})])
        status, reply, *headers = replies.pop(0) if len(replies) > 1 else replies[0]
        text = b"" if reply is None else json.dumps(reply).encode()
        self.send_response(status)
        for name, value in (headers[0] if headers else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the names of the library

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, desk=made)) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/prod"
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("PROCA_API_URL", made.url)
        monkeypatch.setenv("PROCA_API_TOKEN", "API-given")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda *lines: monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def run(capsys: pytest.CaptureFixture[str], *command: str, status: int = 0) -> Any:
    """What a command shows as JSON; what it says when it fails."""
    found = main(["--json", *command])
    out, err = capsys.readouterr()
    assert found == status, err
    if status:
        return err
    return json.loads(out) if out else None


Captured = pytest.CaptureFixture[str]


class TestExports:
    WAITING: Mapping[str, Any] = {"id": 7, "state": "waiting", "share": 0.0, "rows": 0, "bytes": 0}

    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(downloads, "PAUSE_S", 0)

    def ready(self, desk: Desk, content: Any, **given: Any) -> dict[str, Any]:
        desk.on("GET /file", (200, content))
        written = len(json.dumps(content))
        return {
            **self.WAITING,
            "state": "ready",
            "share": 1.0,
            "bytes": written,
            "link": f"{desk.url}/v1/file",
            **given,
        }

    def test_a_file_is_asked_for_waited_for_and_fetched_without_the_token(
        self, desk: Desk, capsys: Captured, tmp_path: Path
    ) -> None:
        desk.on("POST /orgs/bees/exports", (202, self.WAITING))
        running = {**self.WAITING, "state": "running", "share": 0.5}
        desk.on("GET /orgs/bees/exports/7", (200, running), (200, self.ready(desk, {"actionId": 1})))
        target = tmp_path / "actions.ndjson"

        told = run(capsys, "exports", "create", "bees", "kind=actions", "format=ndjson", "--to", str(target))

        assert desk.asked("POST /orgs/bees/exports") == [{"kind": "actions", "format": "ndjson"}]
        assert (told["state"], told["file"], "link" in told) == ("ready", str(target), False)
        assert json.loads(target.read_text()) == {"actionId": 1}
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert "Authorization" not in desk.seen[-1][3]

    @pytest.mark.parametrize(
        ("found", "said"),
        [
            ({"state": "failed"}, "it is failed"),
            ({"bytes": 5000}, "broke off"),
            ({"link": "http://files.example.org/7"}, "https://"),
            ({"link": "file://localhost/etc/hosts"}, "https://"),
            ({"link": "{desk}/v1/nothing"}, "404"),
        ],
    )
    def test_what_cannot_be_fetched_leaves_no_file(
        self, desk: Desk, capsys: Captured, tmp_path: Path, found: dict[str, Any], said: str
    ) -> None:
        record = self.ready(desk, {"actionId": 1}, **found)
        record["link"] = record["link"].replace("{desk}", desk.url)
        desk.on("GET /orgs/bees/exports/7", (200, record))
        status = 6 if "bytes" in found else 1
        assert said in run(capsys, "exports", "download", "bees", "7", str(tmp_path / "a"), status=status)
        assert not (tmp_path / "a").exists()

    def test_a_file_that_is_there_stays_and_nothing_is_asked_for(
        self, desk: Desk, capsys: Captured, tmp_path: Path
    ) -> None:
        (tmp_path / "a").write_text("mine")
        run(capsys, "exports", "create", "bees", "kind=actions", "--to", str(tmp_path / "a"), status=1)
        assert (tmp_path / "a").read_text() == "mine"
        assert not desk.seen


class TestLogin:
    @pytest.fixture(autouse=True)
    def _nobody_yet(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        assert desk.url
        monkeypatch.delenv("PROCA_API_TOKEN")

    def test_it_keeps_a_token_and_not_the_password(
        self, desk: Desk, typed: Any, capsys: Captured, tmp_path: Path
    ) -> None:
        desk.on("POST /account/tokens", (201, MADE))
        typed("correct Horse 1")
        run(capsys, "login", "--email", "ida@example.org")
        file = tmp_path / "config" / "proca" / "config.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == {"api": desk.url, "token": "API-made", "number": "41"}
        [(_, _, _, headers)] = desk.seen
        assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"ida@example.org:correct Horse 1"

        desk.on("GET /account", (200, {"email": "ida@example.org"}))
        assert run(capsys, "account", "show")["email"] == "ida@example.org"
        assert desk.seen[-1][3]["Authorization"] == "Bearer API-made"

        desk.on("DELETE /account/tokens/41", (204, None))
        run(capsys, "logout")
        assert desk.seen[-1][:2] == ("DELETE", "/account/tokens/41")
        assert not file.exists()
        run(capsys, "account", "show", status=3)

    def test_a_wrong_password_keeps_nothing(self, desk: Desk, typed: Any, capsys: Captured, tmp_path: Path) -> None:
        desk.on("POST /account/tokens", (401, {"title": "Authentication needed"}))
        typed("wrong")
        assert "401" in run(capsys, "login", "--email", "ida@example.org", status=3)
        assert not (tmp_path / "config").exists()


class TestCalls:
    def test_lists_are_read_to_their_end(self, desk: Desk, capsys: Captured) -> None:
        parts = [(200, {"items": [{"id": 1}], "next": "one"}), (200, {"items": [{"id": 2}], "next": None})]
        desk.on("GET /orgs", *parts)
        assert [org["id"] for org in run(capsys, "orgs", "list")] == [1, 2]
        assert desk.seen[-1][1] == "/orgs?limit=100&cursor=one"

    def test_a_redirect_is_not_followed(self, desk: Desk, capsys: Captured) -> None:
        desk.on("GET /orgs/ngo", (302, None, {"Location": f"{desk.url}/v1/elsewhere"}))
        assert "302" in run(capsys, "orgs", "show", "ngo", status=1)
        assert len(desk.seen) == 1

    def test_reading_waits_while_the_api_is_busy_and_changing_does_not(self, desk: Desk, capsys: Captured) -> None:
        busy = (503, {"title": "Temporarily unavailable"}, {"Retry-After": "0"})
        desk.on("GET /orgs/ngo", busy, (200, {"name": "ngo"}))
        desk.on("PATCH /orgs/ngo", busy)
        assert run(capsys, "orgs", "show", "ngo") == {"name": "ngo"}
        run(capsys, "orgs", "set", "ngo", "title=Ngo", status=6)
        assert desk.asked("PATCH /orgs/ngo") == [{"title": "Ngo"}]

    def test_who_changes_only_what_was_seen_says_so(self, desk: Desk, capsys: Captured) -> None:
        desk.on("PATCH /orgs/ngo", (412, {"title": "Changed meanwhile"}))
        run(capsys, "orgs", "set", "ngo", "title=Ngo", "--if-match", '"v3"', status=5)
        assert desk.seen[-1][3]["If-Match"] == '"v3"'

    def test_failed_rules_are_told_with_their_pointers(self, desk: Desk, capsys: Captured) -> None:
        rule = {"pointer": "/name", "code": "taken", "message": "has already been taken"}
        desk.on("POST /orgs", (422, {"title": "Invalid input", "errors": [rule]}))
        assert "/name: has already been taken" in run(capsys, "orgs", "create", "name=ngo", status=1)

    def test_what_has_a_name_is_found_by_it(self, desk: Desk, capsys: Captured) -> None:
        desk.on("GET /orgs/ngo/pages", (200, {"items": [{"id": 7, "name": "ngo/sign"}], "next": None}))
        desk.on("POST /orgs/ngo/pages/7/launch", (200, {"id": 7, "live": True}))
        assert run(capsys, "pages", "launch", "ngo", "ngo/Sign")["live"]
        assert "no page" in run(capsys, "pages", "launch", "ngo", "ngo/other", status=4)

    def test_a_password_is_asked_for(self, desk: Desk, typed: Any, capsys: Captured) -> None:
        desk.on("POST /orgs/ngo/services", (201, {"id": 2}))
        typed(" s p ")
        run(capsys, "services", "create", "ngo", "name=smtp", "password=@-")
        assert desk.asked("POST /orgs/ngo/services") == [{"name": "smtp", "password": " s p "}]

    def test_it_is_asked_before_what_cannot_be_taken_back(self, desk: Desk, typed: Any, capsys: Captured) -> None:
        desk.on("DELETE /orgs/ngo", (204, None))
        typed("n")
        run(capsys, "orgs", "delete", "ngo", status=1)
        assert not desk.seen
        typed("y")
        assert run(capsys, "orgs", "delete", "ngo") is None
        assert run(capsys, "orgs", "delete", "ngo", "--yes") is None
        assert len(desk.seen) == 2

    def test_nobody_there(self, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROCA_API_TOKEN", "API-given")
        assert "does not answer" in run(capsys, "--api", "http://127.0.0.1:9", "orgs", "create", "name=a", status=6)


class TestKeys:
    def test_a_private_key_goes_to_a_file(self, desk: Desk, capsys: Captured, tmp_path: Path) -> None:
        desk.on("POST /orgs/ngo/keys", (201, {"id": 3, "private": "secret"}))
        desk.on("POST /orgs/ngo/keys/3/activation", (200, {"id": 3, "active": True}))
        file = tmp_path / "ngo.keys"
        shown = run(capsys, "keys", "create", "ngo", "name=main", "--private-to", str(file), "--activate")
        assert "secret" not in str(shown)
        assert shown["active"]
        assert file.read_text() == "secret\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_no_key_is_made_whose_private_part_would_be_lost(
        self, desk: Desk, capsys: Captured, tmp_path: Path
    ) -> None:
        run(capsys, "keys", "create", "ngo", "name=main", status=2)
        run(capsys, "keys", "create", "ngo", "name=main", "--private-to", str(tmp_path), status=1)
        assert not desk.seen


class TestTargets:
    PATH = "PUT /orgs/ngo/campaigns/rivers/targets"
    TOLD: Mapping[str, Any] = {"created": 1, "kept": 0, "targets": [{"id": "u", "result": "created"}], "outdated": []}

    def test_a_table_is_sent_as_it_is(self, desk: Desk, capsys: Captured, tmp_path: Path) -> None:
        file = tmp_path / "members.csv"
        file.write_text("externalId,name\n1,Zoë\n")
        desk.on(self.PATH, (200, self.TOLD))
        assert run(capsys, "targets", "put", "ngo", "rivers", "--csv", str(file)) == self.TOLD
        assert desk.asked(self.PATH) == ["externalId,name\n1,Zoë\n"]
        assert desk.seen[0][1].endswith("?outdated=keep")

    def test_people_see_how_many(self, desk: Desk, capsys: Captured) -> None:
        desk.on(self.PATH, (200, self.TOLD))
        assert main(["targets", "put", "ngo", "rivers", "targets=[]", "--outdated", "disable"]) == 0
        assert capsys.readouterr().out.split() == ["created", "1", "kept", "0"]
        assert desk.asked(self.PATH) == [{"targets": []}]
        assert desk.seen[0][1].endswith("?outdated=disable")

    def test_nothing_is_removed_without_a_yes(self, desk: Desk, typed: Any, capsys: Captured, tmp_path: Path) -> None:
        typed("n")
        run(capsys, "targets", "put", "ngo", "rivers", "targets=[]", "--outdated", "delete", status=1)
        run(capsys, "targets", "put", "ngo", "rivers", "targets=[]", "--csv", str(tmp_path / "x.csv"), status=2)
        assert not desk.seen
        desk.on(self.PATH, (200, self.TOLD))
        run(capsys, "targets", "put", "ngo", "rivers", "targets=[]", "--outdated", "delete", "--yes")
        assert desk.seen[0][1].endswith("?outdated=delete")


class TestSendingAgain:
    ASKED = ("requeue", "ngo", "custom_action_deliver", "--campaign", "rivers")

    def test_a_requeue_goes_on_until_all_is_sent(self, desk: Desk, capsys: Captured) -> None:
        counted = {"job": "j0", "count": 3, "sent": 0, "next": None, **COUNTED}
        first = {"job": "j1", "count": 2, "sent": 2, "next": "there", **COUNTED}
        last = {"job": "j1", "count": 1, "sent": 0, "next": None, **COUNTED, "failed": {"deliver": 1}}
        desk.on("POST /orgs/ngo/requeues", (200, counted), (200, first), (200, last))
        report = run(capsys, *self.ASKED, "--yes")
        assert report == {"job": "j1", "count": 3, "sent": 2, "failed": {"deliver": 1}}
        wanted = {"target": "custom_action_deliver", "campaign": "rivers"}
        assert desk.asked("POST /orgs/ngo/requeues") == [
            {**wanted, "dryRun": True},
            wanted,
            {**wanted, "job": "j1", "cursor": "there"},
        ]

    def test_one_that_breaks_off_says_how_to_go_on(self, desk: Desk, capsys: Captured) -> None:
        counted = {"job": "j0", "count": 3, "sent": 0, "next": None, **COUNTED}
        first = {"job": "j1", "count": 2, "sent": 2, "next": "there", **COUNTED}
        desk.on("POST /orgs/ngo/requeues", (200, counted), (200, first), (503, {"title": "Temporarily unavailable"}))
        assert "--job j1 --cursor there" in run(capsys, *self.ASKED, "--yes", status=6)

    def test_nothing_is_sent_without_a_yes(self, desk: Desk, typed: Any, capsys: Captured) -> None:
        desk.on("POST /orgs/ngo/requeues", (200, {"job": "j0", "count": 3, "sent": 0, "next": None, **COUNTED}))
        typed("n")
        run(capsys, *self.ASKED, status=1)
        assert run(capsys, *self.ASKED, "--dry-run")["count"] == 3
        assert all(body["dryRun"] for body in desk.asked("POST /orgs/ngo/requeues"))

    def test_a_redrive_goes_on_until_nothing_moves(self, desk: Desk, capsys: Captured) -> None:
        path = "POST /orgs/ngo/queues/deliver/redrive"
        parts = [{"job": "j", "count": 5, "moved": moved, "dryRun": False} for moved in (0, 3, 2)]
        desk.on(path, *((200, part) for part in parts))
        assert run(capsys, "queues", "redrive", "ngo", "deliver", "--yes") == {"job": "j", "count": 5, "moved": 5}
        assert desk.asked(path) == [{"dryRun": True}, {}, {"job": "j"}]


class TestQueues:
    def test_messages_are_decrypted_with_any_of_the_keys_then_acknowledged(
        self, desk: Desk, capsys: Captured, tmp_path: Path
    ) -> None:
        own, sender = PrivateKey.generate(), PrivateKey.generate()
        secret = {"firstName": "Mara", "email": "mara@example.org", "fields": {"note": "private"}}
        box = Box(sender, own.public_key).encrypt(json.dumps(secret).encode())
        personal = {
            "payload": to_text(box.ciphertext),
            "nonce": to_text(box.nonce),
            "encryptKey": {"id": 3, "public": to_text(bytes(own.public_key))},
            "signKey": {"id": 1, "public": to_text(bytes(sender.public_key))},
        }
        body = {
            "actionId": 5,
            "action": {"customFields": {"a": 1}},
            "contact": {"email": None, "area": "SE"},
            "privacy": {"withConsent": True},
            "personalInfo": personal,
        }
        message = {"messageId": "5.deliver.8", "receipt": "r", "body": body}
        desk.on("GET /orgs/ngo/queues/deliver/messages", (200, {"items": [message]}), (200, {"items": []}))
        desk.on(
            "POST /orgs/ngo/queues/deliver/acknowledgements", (200, {"items": [{"receipt": "r", "result": "done"}]})
        )
        keys = tmp_path / "keys"
        keys.write_text("".join(f"{to_text(bytes(key))}\n" for key in (PrivateKey.generate(), own)))
        shown = run(capsys, "queues", "read", "ngo", "deliver", "--keys", str(keys), "--ack", "--until-empty")
        assert shown["contact"] == {"email": "mara@example.org", "firstName": "Mara", "area": "SE"}
        assert shown["action"]["customFields"] == {"a": 1, "note": "private"}
        assert desk.asked("POST /orgs/ngo/queues/deliver/acknowledgements") == [{"receipts": ["r"]}]

    def test_one_that_no_key_opens_stays(self, desk: Desk, capsys: Captured, tmp_path: Path) -> None:
        personal = {name: to_text(b"x" * 32) for name in ("payload", "nonce")}
        personal |= {"encryptKey": {"id": 3}, "signKey": {"public": to_text(b"x" * 32)}}
        message = {"messageId": "5.deliver.8", "receipt": "r", "body": {"personalInfo": personal}}
        desk.on("GET /orgs/ngo/queues/deliver/messages", (200, {"items": [message]}))
        keys = tmp_path / "keys"
        keys.write_text(f"{to_text(bytes(PrivateKey.generate()))}\n")
        said = run(capsys, "queues", "read", "ngo", "deliver", "--keys", str(keys), "--ack", status=1)
        assert "it is for key 3" in said
        assert len(desk.seen) == 1

    def test_credentials_for_the_shell(self, desk: Desk, capsys: Captured) -> None:
        lent = {"accessKeyId": "A", "secretAccessKey": "b/c d", "sessionToken": "t", "region": "eu-central-1"}
        desk.on("POST /orgs/ngo/queue-credentials", (201, lent))
        assert main(["queues", "credentials", "ngo", "--shell"]) == 0
        assert "export AWS_SECRET_ACCESS_KEY='b/c d'\n" in capsys.readouterr().out
