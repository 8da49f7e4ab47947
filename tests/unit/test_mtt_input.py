"""A message to targets: its shape and limits (domain 1.14, 3.5.5)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from proca_common.actions.input import parse_action
from proca_common.actions.mtt import MttInput
from proca_common.failures import Refused
from tools.emulator import ROOT

TARGET = "6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f"


def body(mtt: object) -> bytes:
    return json.dumps({"action": {"actionType": "mail2target", "mtt": mtt}}).encode()


def read(**given: Any) -> MttInput:
    mtt = parse_action(body({"targets": [TARGET], **given}), "abcd").action.mtt
    assert mtt is not None
    return mtt


def refused(**given: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refusal:
        parse_action(body({"targets": [TARGET], **given}), "abcd")
    return [(failure.pointer.removeprefix("/action/mtt"), failure.message) for failure in refusal.value.failures]


def test_a_whole_message() -> None:
    mtt = read(subject="Bees", body="Dear {{name}}", files=["2026/letter(1).pdf"])
    assert (mtt.subject, mtt.body, mtt.targets, mtt.files) == (
        "Bees",
        "Dear {{name}}",
        [TARGET],
        ["2026/letter(1).pdf"],
    )


@pytest.mark.parametrize("given", [{}, {"subject": None, "body": None, "files": None}, {"subject": "", "body": ""}])
def test_subject_body_and_files_may_be_empty(given: dict[str, Any]) -> None:
    mtt = read(**given)
    assert (mtt.subject, mtt.body, mtt.files) == ("", "", [])


@pytest.mark.parametrize("lines", ["a\nb", "a\r\nb", "a\n\n\r\nb", "a\rb"])
def test_a_subject_is_one_line(lines: str) -> None:
    assert read(subject=lines).subject == "a b"


def test_limits_count_characters_as_readers_do() -> None:
    assert read(subject="e\u0301" * 1280, body="x" * 10_240)
    assert refused(subject="x" * 1281, body="x" * 10_241) == [
        ("/subject", "should be at most 1280 character(s)"),
        ("/body", "should be at most 10240 character(s)"),
    ]


@pytest.mark.parametrize(
    "target", ["", "1", TARGET[:-1], TARGET.replace("-", ""), f"{{{TARGET}}}", TARGET + "\n", "å" * 36]
)
def test_a_target_is_a_uuid(target: str) -> None:
    assert refused(targets=[TARGET, target]) == [("/targets/1", "is invalid")]


def test_a_uuid_may_have_capitals() -> None:
    assert read(targets=[TARGET.upper()])


@pytest.mark.parametrize("key", ["a", "2026/07/letter.pdf", "a-b_c!d.e*f'(g)/h", "0"])
def test_keys_of_files(key: str) -> None:
    assert read(files=[key]).files == [key]


@pytest.mark.parametrize("key", ["", "a b", "a?b", "a%20b", "é", "a\n", "a\\b", "https://example.org/a"])
def test_what_is_no_key_of_a_file(key: str) -> None:
    assert refused(files=["a", key]) == [("/files/1", "has invalid format")]


@pytest.mark.parametrize(
    ("given", "failures"),
    [
        ({"targets": None}, [("/targets", "can't be blank")]),
        ({"targets": TARGET}, [("/targets", "is invalid")]),
        ({"targets": [TARGET] * 1001}, [("/targets", "is invalid")]),
        ({"targets": [1]}, [("/targets/0", "is invalid")]),
        ({"files": "a"}, [("/files", "is invalid")]),
        ({"files": [{"key": "a"}]}, [("/files/0", "is invalid")]),
        ({"subject": 1, "body": []}, [("/subject", "is invalid"), ("/body", "is invalid")]),
        ({"subject": "a\x00", "body": "a\x1b"}, [("/subject", "is invalid"), ("/body", "is invalid")]),
        ({"message": "x"}, [("/message", "is not a known field")]),
    ],
)
def test_what_is_no_message(given: dict[str, Any], failures: list[tuple[str, str]]) -> None:
    assert refused(**given) == failures


def test_targets_are_required() -> None:
    with pytest.raises(Refused) as refusal:
        parse_action(body({"subject": "x"}), "abcd")
    assert [failure.pointer for failure in refusal.value.failures] == ["/action/mtt/targets"]


def test_of_many_wrong_targets_twenty_are_told() -> None:
    assert len(refused(targets=["x"] * 1000)) == 20


IMPORTED = """
import sys, proca_common.intake.requests, proca_common.stages.deliver, proca_common.stages.confirm
print(*[name for name in sys.modules if name.startswith(("proca_common.mtt", "proca_common.targets", "mstache"))])
"""


def test_signatures_without_a_message_import_nothing_of_targets() -> None:
    layer = {"PYTHONPATH": str(ROOT / "layers" / "proca_common")}
    made = subprocess.run([sys.executable, "-c", IMPORTED], env=layer, capture_output=True, text=True, check=True)
    assert made.stdout.split() == []
