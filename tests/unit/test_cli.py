"""The command of campaigners: what is typed, what is kept, what is shown."""

from __future__ import annotations

import io
import itertools
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proca_common.cli import config, given, output
from proca_common.cli.__main__ import main, parser
from proca_common.cli.api import Api, below
from proca_common.cli.config import Login
from proca_common.cli.endpoints import ENDPOINTS, NOUNS
from proca_common.cli.errors import Failed, Misused, Refusal
from proca_common.stages.requeue import Target
from tools.openapi.management import MANAGED

OWN_CALLS = {("POST", "/orgs/{org}/requeues"), ("POST", "/orgs/{org}/queues/{queue}/redrive")}
"""What commands of their own call; rows call the rest."""
API = "https://api.example.org/prod"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in (config.URL_VARIABLE, config.TOKEN_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "proca"


class TestCommands:
    def test_every_endpoint_of_the_management_api_has_a_command_and_none_has_two(self) -> None:
        rows = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
        assert {(managed.method, managed.path) for managed in MANAGED} == {*rows} | OWN_CALLS
        assert len(rows) == len({*rows})

    def test_rows_agree_with_the_api_on_bodies_lists_and_who_may_ask(self) -> None:
        managed = {(each.method, each.path): each for each in MANAGED}
        for endpoint in ENDPOINTS:
            known = managed[endpoint.method, endpoint.path]
            assert endpoint.anonymous == known.anonymous, endpoint
            if known.body is not None:
                assert (endpoint.settings is not None) == known.body, endpoint
            elif endpoint.settings is not None:
                assert known.takes_body, endpoint
            assert endpoint.listed or not known.listed, endpoint

    def test_every_noun_is_explained(self) -> None:
        assert {endpoint.noun for endpoint in ENDPOINTS} == {*NOUNS}

    def test_help_is_everywhere(self, capsys: pytest.CaptureFixture[str]) -> None:
        for endpoint in ENDPOINTS:
            with pytest.raises(SystemExit) as ended:
                parser().parse_args([endpoint.noun, endpoint.verb, "--help"])
            said = capsys.readouterr().out
            assert ended.value.code == 0
            assert all(argument in said for argument in endpoint.arguments)

    def test_requeue_knows_the_targets_of_the_api(self) -> None:
        for target in Target:
            parser().parse_args(["requeue", "ngo", target.value, "--ids", "1"])

    def test_it_imports_nothing_but_the_standard_library(self) -> None:
        asked = "import sys, proca_common.cli.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
        done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
        assert {*done.stdout.split()} & {"pydantic", "botocore", "nacl", "pynamodb", "aws_lambda_powertools"} == set()


class TestGiven:
    @pytest.mark.parametrize(
        ("typed", "settings"),
        [
            (["title=Clean rivers", "live=true", "end=null"], {"title": "Clean rivers", "live": True, "end": None}),
            (["config.goal=5000", "config.text=a=b"], {"config": {"goal": 5000, "text": "a=b"}}),
            (['principals=["a"]', "title="], {"principals": ["a"], "title": ""}),
        ],
    )
    def test_settings_are_json_or_text(self, typed: list[str], settings: dict[str, Any]) -> None:
        assert given.settings(typed) == settings

    @pytest.mark.parametrize("typed", [["title"], ["=x"], ["a=1", "a.b=2"], ["html=@/nowhere"]])
    def test_what_is_no_setting_is_refused(self, typed: list[str]) -> None:
        with pytest.raises(Misused):
            given.settings(typed)

    def test_a_file_may_hold_a_value_or_all_of_it(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("<p>Hi</p>")
        (tmp_path / "body").write_text('{"name": "a", "locale": "en"}')
        assert given.settings([f"html=@{tmp_path / 'text'}"]) == {"html": "<p>Hi</p>"}
        assert given.settings(["name=b"], tmp_path / "body") == {"name": "b", "locale": "en"}

    def test_an_answer_is_the_usual_where_none_is_typed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n ngo \n"))
        assert [given.asked("Org", "usual"), given.asked("Org")] == ["usual", "ngo"]
        with pytest.raises(Misused):
            given.asked("Org", "usual")


class TestConfig:
    def test_a_login_is_kept_where_only_its_user_reads_it(self, folder: Path) -> None:
        login = Login(API, "API-secret", "7")
        config.store(folder / "config.json", login)
        assert stat.S_IMODE((folder / "config.json").stat().st_mode) == 0o600
        known = config.read({"XDG_CONFIG_HOME": str(folder.parent)})
        assert (known.url, known.token) == (API, "API-secret")
        config.forget(folder / "config.json")
        assert config.read({"XDG_CONFIG_HOME": str(folder.parent)}).login is None

    def test_one_that_others_may_read_is_not_used(self, folder: Path) -> None:
        config.store(folder / "config.json", Login(API, "API-secret", "7"))
        (folder / "config.json").chmod(0o640)
        with pytest.raises(Failed, match="chmod 600"):
            config.read({"XDG_CONFIG_HOME": str(folder.parent)})

    def test_the_stored_token_goes_to_its_own_address_only(self, folder: Path) -> None:
        config.store(folder / "config.json", Login(API, "API-secret", "7"))
        assert config.read({"XDG_CONFIG_HOME": str(folder.parent)}, "https://elsewhere.example.org").token is None

    def test_options_come_before_the_environment_and_that_before_the_file(self, folder: Path, tmp_path: Path) -> None:
        config.store(folder / "config.json", Login(API, "API-stored", "7"))
        (tmp_path / "token").write_text("API-option\n")
        environ = {
            "XDG_CONFIG_HOME": str(folder.parent),
            "PROCA_API_URL": "https://b.example",
            "PROCA_API_TOKEN": "API-b",
        }
        known = config.read(environ)
        assert (known.url, known.token) == ("https://b.example", "API-b")
        known = config.read(environ, "https://c.example", tmp_path / "token")
        assert (known.url, known.token) == ("https://c.example", "API-option")

    def test_private_keys_are_added_to_a_file_of_ones_own(self, tmp_path: Path) -> None:
        for line in ("", "one", "two"):
            config.append_secret(tmp_path / "keys" / "org.keys", line)
        assert (tmp_path / "keys" / "org.keys").read_text() == "one\ntwo\n"
        assert stat.S_IMODE((tmp_path / "keys" / "org.keys").stat().st_mode) == 0o600

    def test_without_an_address_or_a_login_it_says_so(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert folder.parent.exists()
        assert main(["orgs", "list"]) == 2
        assert main(["--api", API, "orgs", "list"]) == 3
        assert "run `login`" in capsys.readouterr().err


class TestCalls:
    def test_names_cannot_leave_their_place_in_a_path(self) -> None:
        assert below("/orgs/{org}/keys", {"org": "../a?b"}) == "/orgs/..%2Fa%3Fb/keys"

    @pytest.mark.parametrize("url", ["http://api.example.org", "ftp://api.example.org", "api.example.org", ""])
    def test_no_token_goes_anywhere_without_tls(self, url: str) -> None:
        with pytest.raises(Misused):
            Api(url)

    @pytest.mark.parametrize(
        ("status", "exit_status"), [(400, 1), (401, 3), (403, 3), (404, 4), (409, 5), (412, 5), (429, 6), (503, 6)]
    )
    def test_exit_statuses(self, status: int, exit_status: int) -> None:
        assert Refusal(status, {}).exit_status == exit_status

    def test_a_problem_names_each_failed_rule_with_its_pointer(self) -> None:
        errors = [{"pointer": "/name", "message": "is taken"}, {"pointer": "/title", "message": "is missing"}]
        said = str(Refusal(422, {"title": "Invalid input", "detail": "two", "errors": errors}, 7))
        assert said.splitlines() == [
            "Invalid input (422): two; try again in 7 s",
            "  /name: is taken",
            "  /title: is missing",
        ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestOutput:
    def test_tables(self) -> None:
        rows = [{"id": 1, "name": "a", "dead": {"n": 3}}, {"id": 22, "name": None, "dead": None}]
        assert output.table(rows, ("id", "name", "dead.n")).splitlines() == [
            "id  name  dead.n",
            "1   a     3",
            "22  -     -",
        ]
        assert output.table([], ("id",)) == "(none)"

    def test_what_others_wrote_does_not_steer_the_terminal(self) -> None:
        assert output.cell("a\x1b[2Jb\nc") == r"a\x1b[2Jb\nc"
        assert output.cell({"a": "\x1b"}) == r'{"a": "\u001b"}'

    def test_a_bar_is_for_who_watches(self) -> None:
        shown, hidden = Terminal(), io.StringIO()
        for stream in (shown, hidden):
            with output.Progress("done", 4, stream) as progress:
                progress.at(2)
        assert "[###############...............] 2/4 done" in shown.getvalue()
        assert not hidden.getvalue()

    def test_a_line_is_written_over_where_somebody_watches(self) -> None:
        shown, hidden = Terminal(), io.StringIO()
        for stream in (hidden, shown):
            with output.Ticker(stream) as ticker:
                ticker.show("12 hours")
                ticker.show("done")
        assert shown.getvalue() == "\r12 hours\rdone    \n"
        assert not hidden.getvalue()


def test_settings_may_stand_behind_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.parent.exists()
    command = ["orgs", "set", "ngo", "a=1", "--if-match", '"v1"', "b=2"]
    assert main(["--api", API, *command]) == 3  # nobody is logged in, which is found out after parsing
    with pytest.raises(SystemExit):
        main(["--api", API, *command, "--nonsense"])
    assert "--nonsense" in capsys.readouterr().err


def test_no_two_commands_share_a_name() -> None:
    commands = [(endpoint.noun, endpoint.verb) for endpoint in ENDPOINTS]
    twice = [one for one, other in itertools.pairwise(sorted(commands)) if one == other]
    assert not twice, json.dumps(twice)
