"""The search for clear text finds a word in every shape that it may have."""

import base64
import json
import urllib.parse

import pytest

from tools.clear_text import forms, values

WORD = "Szczepański"
SHAPES = {
    "as it is": WORD.encode(),
    "in small letters": WORD.lower().encode(),
    "in capitals": WORD.upper().encode(),
    "in JSON": json.dumps({"name": WORD}).encode(),
    "in a URL": urllib.parse.quote(WORD).encode(),
    "in base64": base64.b64encode(json.dumps({"name": WORD}, ensure_ascii=False).encode()),
    "in base64, one further": base64.b64encode(json.dumps({"xname": WORD}, ensure_ascii=False).encode()),
    "in base64, two further": base64.b64encode(json.dumps({"xxname": WORD}, ensure_ascii=False).encode()),
    "in base64url, in capitals": base64.urlsafe_b64encode(b"?" + WORD.upper().encode() + b"?"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_word_is_found(shape: str) -> None:
    assert any(form in SHAPES[shape].lower() for form in forms(WORD))


@pytest.mark.parametrize("other", [b"", b"Szczepan", base64.b64encode(b"Szczepan" * 9), b"x" * 999])
def test_other_text_is_not_the_word(other: bytes) -> None:
    assert not any(form in other.lower() for form in forms(WORD))


def test_every_value_is_looked_at() -> None:
    item = {"ref": {"S": "a"}, "m": {"M": {"k": {"L": [{"N": "1"}, {"B": b"\x00b"}, {"SS": ["c"]}, {"NULL": True}]}}}}

    assert {b"ref", b"a", b"k", b"1", b"\x00b", b"c", b"True"} <= set(values(item))
