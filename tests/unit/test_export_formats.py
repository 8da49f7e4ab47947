"""How rows stand in a file."""

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proca_common.exports.formats import COLUMNS, FORMULA, Format, head, lines

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def row(text: str = "Hum") -> dict[str, Any]:
    """As much of a row as is looked at here."""
    return {
        "actionId": 1,
        "actionType": text,
        "customFields": {"comment": text},
        "contact": {"contactRef": text, "payload": None, "publicKey": None},
        "tracking": None,
        "donation": {"amount": -5, "payload": {}},
    }


def cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@given(TEXT)
def test_csv_gives_every_text_back_and_no_cell_begins_a_formula(text: str) -> None:
    [names, *found] = cells(head(Format.CSV) + lines([row(text), row()], Format.CSV))

    assert names == list(COLUMNS)
    assert [len(each) for each in found] == [len(names)] * 2
    first = dict(zip(names, found[0], strict=True))
    assert first["actionType"] == (f"'{text}" if text.startswith(FORMULA) else text)
    assert json.loads(first["customFields"]) == {"comment": text}
    assert not first["actionType"].startswith(FORMULA)


def test_csv_is_that_of_rfc_4180_and_what_is_missing_is_empty() -> None:
    content = lines([row('a "b", c\r\nd')], Format.CSV)
    assert b'"a ""b"", c\r\nd"' in content
    assert content.endswith(b"\r\n")
    [found] = cells(content)
    first = dict(zip(COLUMNS, found, strict=True))
    assert (first["source"], first["payload"], first["publicKey"], first["amount"]) == ("", "", "", "-5")


@given(st.lists(TEXT, max_size=3))
def test_ndjson_has_a_line_for_each_row(texts: list[str]) -> None:
    content = head(Format.NDJSON) + lines(map(row, texts), Format.NDJSON)
    assert [json.loads(line) for line in content.split(b"\n") if line] == [row(text) for text in texts]
    assert content.count(b"\n") == len(texts)
