"""Templates through the management API: written, tried, taken away (domain 13.5, 8.5)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests.desks import NOBODY, Desk, desk
from tests.world import World

TEMPLATES = "/v1/orgs/bees/templates"
THANKS = f"{TEMPLATES}/thank you/de"
TEXTS = {"subject": "Danke, {{firstName}}", "html": "<p>Hallo {{firstName}} & alle</p>"}
pytestmark = pytest.mark.usefixtures("org")


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.COORDINATOR)


@pytest.fixture
def made(ida: Desk) -> dict[str, Any]:
    answer = ida.put(THANKS, TEXTS)
    assert answer.status == 201, answer.body
    return answer.body


def test_one_is_written_and_changed(ida: Desk, made: dict[str, Any]) -> None:
    assert made == {"id": made["id"], "name": "thank you", "locale": "de", **TEXTS, "text": None}
    assert ida.get(THANKS).body == made
    changed = ida.put(THANKS, {**TEXTS, "subject": "Danke"})
    assert (changed.status, changed.body) == (200, {**made, "subject": "Danke"})
    owner = desk("root@example.org", bees=Role.OWNER)
    newest, first = owner.everything("/v1/orgs/bees/audit")
    assert (newest["action"], newest["object"]) == ("template.put", "template#thank you@de")
    assert (newest["before"], newest["after"]) == ({"subject": TEXTS["subject"]}, {"subject": "Danke"})
    assert first["after"]["html"].startswith(f"{len(TEXTS['html'])} characters, sha256 ")


def test_what_changes_nothing_is_no_change(ida: Desk, made: dict[str, Any]) -> None:
    before = ida.get(THANKS).headers["ETag"]
    again = ida.put(THANKS, TEXTS)
    assert (again.status, again.body, again.headers["ETag"]) == (200, made, before)


def test_the_second_of_two_who_saw_the_same_is_refused(ida: Desk, made: dict[str, Any]) -> None:
    assert made
    seen = {"If-Match": ida.get(THANKS).headers["ETag"]}
    assert ida.put(THANKS, {**TEXTS, "subject": "First"}, seen).status == 200
    assert ida.put(THANKS, {**TEXTS, "subject": "Second"}, seen).status == 412
    assert ida.delete(THANKS, headers=seen).status == 412


@pytest.mark.parametrize(
    ("path", "given", "codes"),
    [
        (THANKS, {"subject": "{{#a}}", "html": "{{", "text": "{{/b}}"}, ["/html", "/subject", "/text"]),
        (THANKS, {"subject": "two\nlines", "html": ""}, ["/html", "/subject"]),
        (THANKS, {**TEXTS, "locale": "en"}, ["/locale"]),
        (THANKS, {**TEXTS, "externalId": "7"}, ["/externalId"]),
        (f"{TEMPLATES}/thanks!/german", TEXTS, ["/locale", "/name"]),
    ],
)
def test_a_broken_one_is_refused_at_its_fields(ida: Desk, path: str, given: dict[str, Any], codes: list[str]) -> None:
    answer = ida.put(path, given)
    assert (answer.status, sorted(pointer for pointer, _ in answer.codes)) == (422, codes)
    assert ida.get(path).status == 404


def test_the_list_has_no_texts_and_comes_in_parts(ida: Desk) -> None:
    places = [("a", "de"), ("a", "de_AT"), ("a", "de@euro"), ("a b", "en"), ("b", "en")]
    for name, locale in places:
        ida.put(f"{TEMPLATES}/{name}/{locale}", TEXTS)
    whole = ida.everything(TEMPLATES)
    assert {(one["name"], one["locale"]) for one in whole} == set(places)
    assert whole[0].keys() == {"id", "name", "locale", "subject"}
    assert ida.everything(TEMPLATES, limit="1") == whole


@pytest.mark.parametrize("path", [f"{'x' * 2_000}/de", f"thanks/{'x' * 2_000}"])
def test_what_is_too_long_for_a_name_is_not_there(ida: Desk, path: str) -> None:
    assert ida.get(f"{TEMPLATES}/{path}").status == 404
    assert ida.delete(f"{TEMPLATES}/{path}").status == 404


def test_a_locale_is_short(ida: Desk) -> None:
    assert ida.put(f"{TEMPLATES}/thanks/de@{'x' * 2_000}", TEXTS).status == 422


def test_texts_are_long(ida: Desk) -> None:
    long = {**TEXTS, "html": "<p>a\n</p>" * 30_000}
    assert (ida.put(THANKS, long).status, ida.get(THANKS).body["html"]) == (201, long["html"])
    assert ida.post(f"{THANKS}/preview", long).status == 200
    assert ida.put(THANKS, {**TEXTS, "html": "é" * 150_001}).status == 422


def test_taken_away(ida: Desk, made: dict[str, Any]) -> None:
    assert made
    assert ida.delete(THANKS).status == 204
    assert ida.delete(THANKS).status == 404
    assert ida.everything(TEMPLATES) == []


class TestTrying:
    def test_what_is_saved(self, ida: Desk, made: dict[str, Any]) -> None:
        assert made
        answer = ida.post(f"{THANKS}/preview")
        assert (answer.status, answer.body["subject"]) == (200, "Danke, Ida")
        assert answer.body["html"] == "<p>Hallo Ida & alle</p>"
        assert "Hallo Ida" in answer.body["text"]

    def test_what_is_not_saved_yet(self, ida: Desk) -> None:
        shown = ida.post(f"{THANKS}/preview", {"subject": "{{org.title}}", "html": "<p>{{confirmLink}}</p>",
                                               "kind": "supporter_confirm"})  # fmt: skip
        assert (shown.status, shown.body["subject"]) == (200, "Bees")
        assert "https://example.org/link/accept" in shown.body["html"]
        assert ida.get(THANKS).status == 404

    def test_neither(self, ida: Desk) -> None:
        assert ida.post(f"{THANKS}/preview").status == 404
        assert ida.post(f"{THANKS}/preview", {**TEXTS, "html": "{{"}).codes[0][0] == "/html"
        assert ida.post(f"{THANKS}/preview", {**TEXTS, "kind": "fax"}).codes == [("/kind", "invalid")]


def test_who(world: World, made: dict[str, Any]) -> None:
    assert made
    world.org("trees")
    ola = desk("ola@example.org", trees=Role.OWNER)
    assert ola.get(THANKS).status == 403
    assert ola.get(THANKS.replace("bees", "trees")).status == 404
    assert NOBODY.get(TEMPLATES).status == 401
