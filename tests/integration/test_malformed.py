"""Whatever is sent to intake gets a 4xx problem that names what is wrong and never a 5xx; nothing is stored."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.calls import unseen_client
from tests.world import Answer, World, api_event, call

Place = tuple[str, ...]

DONATION: dict[str, Any] = {
    "schema": "",
    "payload": {"provider": "sepa", "id": "mandate-7", "iban": "SE35 5000", "bank": {"name": "Sparbanken"}},
    "amount": 1500,
    "currency": "SEK",
    "frequencyUnit": "monthly",
}
FULL: dict[str, Any] = {
    "action": {
        "actionType": "register",
        "customFields": {"age": 41, "pets": ["cat"]},
        "donation": DONATION,
        "testing": False,
    },
    "contact": {
        "name": "Mara Lind",
        "firstName": "Mara",
        "lastName": "Lind",
        "email": "mara.lind@example.org",
        "phone": "+46 70",
        "birthDate": "1979-08-01",
        "address": {
            "country": "SE",
            "postcode": "114 55",
            "region": "Uppland",
            "locality": "Stockholm",
            "street": "Storgatan",
            "streetNumber": "3",
        },
        "nationality": {"country": "SE", "documentType": "passport", "documentNumber": "K 1"},
    },
    "privacy": {"optIn": True, "leadOptIn": False},
    "tracking": {"source": "mail", "medium": "m", "campaign": "c", "content": "x", "location": "https://example.org/"},
    "contactRef": "abcd",
    "captcha": "c29sdXRpb24",
    "captchaService": "altcha",
}
WITHOUT_PERSON = {**DONATION, "payload": {"provider": "sepa", "id": "mandate-7"}}
FOLLOW_UP: dict[str, Any] = {
    "action": {**FULL["action"], "donation": WITHOUT_PERSON},
    "tracking": FULL["tracking"],
}
PERSONAL = (
    *("mara", "lind@", "Storgatan", "114 55", "Stockholm", "Uppland", "+46 70", "1979", "K 1", "abcd"),
    *("SE35", "Sparbanken", "c29sdXRpb24"),
)


class Intake:
    """The two endpoints of a page, in one world for all tests of this file: they store nothing, or clean up."""

    def __init__(self) -> None:
        self.world = World()
        page = self.world.page(self.world.org("ngo"))
        self.paths = {"sign": f"/v1/pages/{page.id}/actions", "act": f"/v1/pages/{page.id}/contacts/bWFyYQ/actions"}

    def sign(self, body: Any) -> Answer:
        return self.world.post(self.paths["sign"], body)

    def act(self, body: Any) -> Answer:
        return self.world.post(self.paths["act"], body)

    def raw(self, endpoint: str, **changes: Any) -> Answer:
        """A request whose event differs from a sound one."""
        event = api_event("POST", self.paths[endpoint], "{}", {"Content-Type": "application/json"})
        return call("AddActionFunction" if endpoint == "act" else "AddActionContactFunction", event | changes)

    def nothing_stored(self) -> bool:
        return self.world.tables.all_items("ActionsTable") == []

    def took(self, answer: Answer) -> bool:
        """Whether the action was taken; it is forgotten."""
        taken = answer.status == 201 and not self.nothing_stored()
        for item in self.world.tables.all_items("ActionsTable"):
            key = {name: item[name] for name in ("ref", "sk")}
            unseen_client("dynamodb").delete_item(TableName=self.world.tables["ActionsTable"], Key=key)
        return taken


@pytest.fixture(scope="module")
def intake(environment: None) -> Iterator[Intake]:
    made = Intake()
    yield made
    made.world.close()


def is_problem(answer: Answer, status: int) -> bool:
    """Whether the answer is a problem of RFC 9457 with this status, and repeats nothing that was sent."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["type"].startswith("urn:proca:problem:")
    assert answer.body["title"]
    assert answer.body["status"] == answer.status
    for failed in answer.body.get("errors", []):
        assert failed.keys() == {"pointer", "code", "message"}
        assert failed["code"]
        assert failed["message"]
    if answer.status == 422:
        assert answer.body["errors"]
    text = json.dumps(answer.body)
    assert not [value for value in PERSONAL if value.lower() in text.lower()]
    return answer.status == status


NOT_JSON = {
    "nothing": "",
    "blanks": "  \n",
    "half an object": '{"action": {',
    "two objects": "{}{}",
    "a comment": "/* */ {}",
    "single quotes": "{'action': 1}",
    "a trailing comma": '{"action": {},}',
    "NaN": '{"action": {"actionType": "x", "customFields": {"a": NaN}}}',
    "Infinity": '{"action": {"actionType": "x", "customFields": {"a": -Infinity}}}',
    "60 kB of [": "[" * 60_000,
    '60 kB of {"a":': '{"a":' * 12_000,
    "a lone surrogate": '{"action": {"actionType": "\\ud800"}}',
    "a lone surrogate in a key": '{"\\udfff": 1}',
    "a surrogate that is no escape": '{"action": {"actionType": "\ud800"}}',
    "a control character": '{"action": {"actionType": "a\x01b"}}',
    "NUL": "\x00",
    "a byte order mark": "\ufeff{}",
    "a list": "[]",
    "a text": '"mara"',
    "a number": "1",
    "null": "null",
    "true": "true",
}


@pytest.mark.parametrize("endpoint", ["sign", "act"])
class TestMalformed:
    @pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
    def test_what_is_no_json_object(self, intake: Intake, endpoint: str, body: str) -> None:
        assert is_problem(intake.raw(endpoint, body=body), 400)
        assert intake.nothing_stored()

    @pytest.mark.parametrize("raw", [b"\xff\xfe{}", b'{"action": "\xc3\x28"}', b'{"a": "\xed\xa0\x80"}', b"\xc0\x80"])
    def test_bytes_that_are_no_utf_8(self, intake: Intake, endpoint: str, raw: bytes) -> None:
        assert is_problem(intake.raw(endpoint, body=base64.b64encode(raw).decode(), isBase64Encoded=True), 400)
        assert intake.nothing_stored()

    def test_no_body_and_no_base64(self, intake: Intake, endpoint: str) -> None:
        assert is_problem(intake.raw(endpoint, body=None), 400)
        assert is_problem(intake.raw(endpoint, body="no base64!", isBase64Encoded=True), 400)

    @pytest.mark.parametrize("size", [64 * 1024 + 1, 100_000, 1_000_000])
    def test_a_body_above_64_kb(self, intake: Intake, endpoint: str, size: int) -> None:
        for body in ("[" * size, json.dumps({"action": "a" * size}), "é" * (size // 2 + 1)):
            answer = intake.raw(endpoint, body=body)
            assert is_problem(answer, 413)
            assert "65536" in answer.body["detail"]
        encoded = base64.b64encode(b"[" * size).decode()
        assert is_problem(intake.raw(endpoint, body=encoded, isBase64Encoded=True), 413)
        assert intake.nothing_stored()

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "json", None]
    )
    def test_another_content_type(self, intake: Intake, endpoint: str, content_type: str | None) -> None:
        body = json.dumps(FULL if endpoint == "sign" else FOLLOW_UP)
        headers = None if content_type is None else {"Content-Type": content_type}
        assert is_problem(intake.raw(endpoint, body=body, headers=headers), 415)
        assert intake.nothing_stored()

    def test_nesting_beyond_eight_levels(self, intake: Intake, endpoint: str) -> None:
        seven: Any = [[[[[[[]]]]]]]
        assert is_problem(intake.raw(endpoint, body=json.dumps({"action": [seven]})), 400)
        assert is_problem(intake.raw(endpoint, body=json.dumps({"action": seven})), 422)

    @pytest.mark.parametrize("number", ["1e400", "-1e999", "1" * 400, "9" * 5_000])
    def test_numbers_that_no_double_holds(self, intake: Intake, endpoint: str, number: str) -> None:
        body = '{"action": {"actionType": "x", "customFields": {"a": ' + number + "}}}"
        assert intake.raw(endpoint, body=body).status in (400, 422)
        assert intake.nothing_stored()


def places(document: dict[str, Any], parent: Place = ()) -> Iterator[Place]:
    """Every place of the document where a value stands."""
    for key, value in document.items():
        yield (*parent, key)
        if isinstance(value, dict):
            yield from places(value, (*parent, key))


def put(document: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    """A copy of the document with this value at this place."""
    changed: dict[str, Any] = copy.deepcopy(document)
    node = changed
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return changed


def pointer(place: Place) -> str:
    return "".join(f"/{key}" for key in place)


NULL_REFUSED = {
    "/action": ("/action", "blank"),
    "/action/actionType": ("/action/actionType", "blank"),
    "/action/customFields/age": ("/action/customFields", "not_flat"),
    "/action/customFields/pets": ("/action/customFields", "not_flat"),
    "/action/donation/payload": ("/action/donation/payload", "blank"),
    "/action/donation/amount": ("/action/donation/amount", "blank"),
    "/contact": ("/contact", "blank"),
    "/contact/email": ("/contact/email", "blank"),
    "/contact/nationality/country": ("/contact/nationality/country", "blank"),
    "/privacy": ("/privacy", "blank"),
}
"""Where null is refused, and how; elsewhere it is an absent value (a first name is made of the name)."""
NULL_NEEDS_CONTACT = {
    f"/action/donation/payload/{key}": ("/action/donation/payload", "needs_contact")
    for key in WITHOUT_PERSON["payload"]
}
"""What stays in clear only in its own form, of which null is none: so it can only come with a contact."""


@pytest.mark.parametrize("place", list(places(FULL)), ids=pointer)
def test_null_anywhere_in_a_signature(intake: Intake, place: Place) -> None:
    answer = intake.sign(put(FULL, place, None))
    refused = NULL_REFUSED.get(pointer(place))
    if refused is None:
        assert intake.took(answer)
    else:
        assert is_problem(answer, 422)
        assert answer.codes == [refused]
        assert intake.nothing_stored()


@pytest.mark.parametrize("place", list(places(FOLLOW_UP)), ids=pointer)
def test_null_anywhere_in_a_further_action(intake: Intake, place: Place) -> None:
    answer = intake.act(put(FOLLOW_UP, place, None))
    refused = {**NULL_REFUSED, **NULL_NEEDS_CONTACT}.get(pointer(place))
    if refused is None:
        assert intake.took(answer)
    else:
        assert is_problem(answer, 422)
        assert answer.codes == [refused]
        assert intake.nothing_stored()


@pytest.mark.parametrize("value", [1, 1.5, True, "x", [], {}, [None], {"x": None}, [[[]]]], ids=json.dumps)
def test_a_value_of_another_type_anywhere(intake: Intake, value: object) -> None:
    for place in places(FULL):
        answer = intake.sign(put(FULL, place, value))
        if not intake.took(answer):
            assert is_problem(answer, 422), place
            assert any(found.startswith(f"/{place[0]}") for found, _ in answer.codes), place


LEVELS = [
    (),
    ("action",),
    ("action", "donation"),
    ("contact",),
    ("contact", "address"),
    ("contact", "nationality"),
    ("privacy",),
    ("tracking",),
]


@pytest.mark.parametrize("parent", LEVELS, ids=pointer)
def test_unknown_fields_at_every_level(intake: Intake, parent: Place) -> None:
    answer = intake.sign(put(FULL, (*parent, "emial"), "mara.lind@example.org"))
    assert is_problem(answer, 422)
    assert answer.codes == [(pointer((*parent, "emial")), "unknown_field")]
    assert intake.nothing_stored()


def test_every_failed_rule_is_named_at_once(intake: Intake) -> None:
    answer = intake.sign(
        {
            "action": {"actionType": "no spaces", "customFields": {"a": None}, "colour": 1},
            "contact": {"firstName": "M4ra", "email": "mara", "address": {"country": "Sweden"}},
            "privacy": {"optIn": "yes"},
            "contactRef": "=",
        }
    )
    assert is_problem(answer, 422)
    assert {found for found, _ in answer.codes} == {
        "/action/actionType",
        "/action/customFields",
        "/action/colour",
        "/contact/firstName",
        "/contact/name",
        "/contact/email",
        "/contact/address/country",
        "/privacy/optIn",
        "/contactRef",
    }
    assert intake.nothing_stored()


PAGES = ["0", "-1", "abc", "1.5", "9007199254740992", "1" * 400, "%2e%2e", "\u0661", "None", "1 OR 1=1"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_cannot_be_is_not_found(intake: Intake, page: str) -> None:
    for path in (f"/v1/pages/{page}/actions", f"/v1/pages/{page}/contacts/bWFyYQ/actions"):
        assert is_problem(intake.world.post(path, FULL), 404)
    assert intake.nothing_stored()


@pytest.mark.parametrize("ref", ["a", "abcde", "a" * 65, "a=", "ab+c", "a.bc", "é"])
def test_a_contact_ref_of_another_form_is_refused(intake: Intake, ref: str) -> None:
    answer = intake.world.post(intake.paths["act"].replace("bWFyYQ", ref), FOLLOW_UP)
    assert is_problem(answer, 422)
    assert answer.codes == [("/contactRef", "base64url")]
    assert is_problem(intake.sign(FULL | {"contactRef": ref}), 422)
    assert intake.nothing_stored()


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/pages/1/actions"), ("POST", "/v1/pages/1"), ("POST", "/")])
def test_another_endpoint_is_not_found(intake: Intake, method: str, path: str) -> None:
    assert is_problem(call("AddActionContactFunction", api_event(method, path, "{}")), 404)
