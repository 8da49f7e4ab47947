"""The example that makes a spreadsheet of an export: from the layer's own files, opened with the org's keys alone."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples import consumer, decrypt
from proca_common.exports import formats
from proca_common.exports.formats import Format, head, lines
from proca_common.orgs.encryption import Encryptor, generate, to_text
from tools.emulator import ROOT

PUBLIC, PRIVATE = generate()
PERSON = {"firstName": "Ida", "email": "ida.holm@example.org", "address": {"street": "Storgatan", "locality": None}}


def row(person: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """A row as the layer makes it, encrypted for the org."""
    box = Encryptor().encrypt(json.dumps(person or PERSON).encode(), PUBLIC)
    contact = {
        "contactRef": "-" * 43,
        "dupeRank": 0,
        "payload": to_text(box.payload),
        "nonce": to_text(box.nonce),
        "publicKey": {"id": 61, "public": to_text(PUBLIC)},
        "signKey": {"id": 1, "public": to_text(box.sender)},
    }
    return {
        "actionId": 90260,
        "actionType": "register",
        "createdAt": "2025-03-04T09:20:01Z",
        "customFields": {},
        "contact": contact,
        "privacy": {
            "optIn": True,
            "givenAt": "2025-03-04T09:20:01Z",
            "emailStatus": None,
            "emailStatusChanged": None,
            "withConsent": True,
        },
        "tracking": None,
        "campaign": {"id": 27, "name": "clean_rivers", "title": "Clean rivers", "externalId": None},
        "actionPage": {"id": 314, "name": "rivers/sign", "locale": "en"},
        "donation": None,
        **given,
    }


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "org.keys"
    path.write_text(f"{to_text(generate()[1])}\n{to_text(PRIVATE)}\n")
    return path


def run(tmp_path: Path, keys: Path, name: str, content: bytes, status: int = 0) -> Path:
    """What the program makes of a file."""
    source, output = tmp_path / name, tmp_path / f"{name}.out"
    source.write_bytes(content)
    assert decrypt.main([str(source), "--keys", str(keys), "--output", str(output)]) == status
    return output


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def content(rows: list[dict[str, Any]], file_format: Format) -> bytes:
    return head(file_format) + lines(rows, file_format)


@pytest.mark.parametrize("file_format", Format)
def test_both_formats_make_the_same_spreadsheet_with_names_and_addresses(
    tmp_path: Path, keys: Path, file_format: Format
) -> None:
    person = {**PERSON, "fields": {"secret": "Hush"}, "donation": {"iban": "DE02"}}
    tracking = {"source": "mail", "medium": "email", "campaign": "spring", "content": "b"}
    donation = {"amount": 500, "currency": "EUR", "frequencyUnit": "one_off", "payload": {"id": "pi_1"}}
    first = row(person, customFields={"comment": "Hum", "age": 41}, tracking=tracking, donation=donation)
    further = row(person, actionId=90261, privacy={**row()["privacy"], "withConsent": False})

    output = run(tmp_path, keys, f"rows.{file_format}", content([first, further], file_format))

    one, two = table(output)
    assert {name: one[name] for name in ("actionId", "firstName", "email", "street", "locality", "contactRef")} == {
        "actionId": "90260",
        "firstName": "Ida",
        "email": "ida.holm@example.org",
        "street": "Storgatan",
        "locality": "",
        "contactRef": "'" + "-" * 43,
    }
    assert (one["comment"], one["age"], one["secret"], two["secret"]) == ("Hum", "41", "Hush", "")
    assert (one["utmCampaign"], one["amount"], json.loads(one["donation"])) == (
        "spring",
        "500",
        {"id": "pi_1", "iban": "DE02"},
    )
    assert (one["withConsent"], two["withConsent"], one["problem"]) == ("true", "false", "")
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


@pytest.mark.parametrize("file_format", Format)
def test_of_an_org_without_encryption_the_payload_is_read_as_it_is(
    tmp_path: Path, keys: Path, file_format: Format
) -> None:
    clear = row()
    clear["contact"] |= {"payload": json.dumps(PERSON), "nonce": None, "publicKey": None, "signKey": None}
    [found] = table(run(tmp_path, keys, f"rows.{file_format}", content([clear], file_format)))
    assert found["email"] == "ida.holm@example.org"


def test_what_cannot_be_opened_is_kept_and_says_why(tmp_path: Path, keys: Path) -> None:
    sealed, foreign, broken = row(), row(), row()
    sealed["contact"]["payload"] = None
    foreign["contact"]["publicKey"] = {"id": 7, "public": to_text(generate()[0])}
    broken["contact"]["nonce"] = "AAAA"
    rows = table(run(tmp_path, keys, "rows.ndjson", content([sealed, foreign, broken, row()], Format.NDJSON), status=3))
    assert [found["problem"] for found in rows] == [
        "sealed: the org had no key",
        "encrypted for key 7, which is not at hand",
        "cannot be decrypted",
        "",
    ]


def test_formulas_become_text_in_every_cell(tmp_path: Path, keys: Path) -> None:
    bad = row({"firstName": "=1+1", "email": "@x", "-evil": "+49"}, customFields={"=name": "\t=2", "n": -5})
    text = run(tmp_path, keys, "rows.ndjson", content([bad], Format.NDJSON)).read_text("utf-8-sig")
    [names, cells] = csv.reader(io.StringIO(text, newline=""))
    assert not [cell for cell in [*names, *cells] if cell.startswith(("=", "+", "@", "\t"))]
    found = dict(zip(names, cells, strict=True))
    assert (found["firstName"], found["email"], found["'-evil"], found["'=name"]) == ("'=1+1", "'@x", "'+49", "'\t=2")
    assert found["n"] == "-5", "a number stays one"


def test_a_field_named_like_a_column_gets_a_name_of_its_own(tmp_path: Path, keys: Path) -> None:
    both = row({"firstName": "Ida", "source": "paper"}, customFields={"email": "other", "amount": 3, "problem": "none"})
    [found] = table(run(tmp_path, keys, "rows.ndjson", content([both], Format.NDJSON)))
    told = [found[name] for name in ("contact source", "field email", "field amount", "field problem", "problem")]
    assert told == ["paper", "other", "3", "none", ""]


def test_of_a_json_document_every_contact_is_opened_in_its_place(tmp_path: Path, keys: Path) -> None:
    document = {"supporters": [{"contact": row()["contact"]}], "note": "explained"}
    output = run(tmp_path, keys, "person.json", json.dumps(document).encode())
    found = json.loads(output.read_text())
    assert found["supporters"][0]["contact"]["opened"] == PERSON
    assert found["note"] == "explained"


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.ndjson", b"[]"), ("a.ndjson", b"{}"), ("a.csv", b"name\nIda\n"), ("a.json", b"{"), ("a.ndjson", b"\xff")],
)
def test_what_is_no_export_is_refused_and_nothing_is_left(
    tmp_path: Path, keys: Path, name: str, text: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run(tmp_path, keys, name, text, status=1).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "org.keys"])
    assert "is no" in capsys.readouterr().err


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "rows.ndjson.out").write_text("mine")
    with pytest.raises(SystemExit):
        run(tmp_path, keys, "rows.ndjson", content([row()], Format.NDJSON))
    assert (tmp_path / "rows.ndjson.out").read_text() == "mine"


def test_it_runs_by_itself_with_keys_of_the_environment(tmp_path: Path) -> None:
    source, output = tmp_path / "rows.ndjson", tmp_path / "out.csv"
    source.write_bytes(content([row()], Format.NDJSON))
    command = [sys.executable, str(ROOT / "examples" / "decrypt.py"), str(source), "--output", str(output)]
    done = subprocess.run(
        command, env={**os.environ, "PROCA_PRIVATE_KEYS": to_text(PRIVATE)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert table(output)[0]["firstName"] == "Ida"


def test_one_rule_for_cells_in_the_layer_and_in_the_examples() -> None:
    assert formats.FORMULA == consumer.FORMULA == decrypt.FORMULA
    for value in ("=a", "+a", "-a", "@a", "\ta", "\ra", "\na"):
        assert formats.cell(value) == consumer.cell(value) == decrypt.cell(value) == f"'{value}"
    for value in ("a=", "", "'=a", " =a", -5, None, True, {"a": "=b"}, ["-"]):
        assert formats.cell(value) == consumer.cell(value) == decrypt.cell(value)
        assert not formats.cell(value).startswith("'") or value == "'=a"
