"""Templates in the catalogue, and the admin command for them (domain 1.17, 8.4, 16.7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proca_common.admin.__main__ import main
from proca_common.errors import NotFound
from proca_common.mails import counts, templates
from proca_common.mails.templates import EmailTemplateInput
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from tests.harness.calls import calls
from tests.simulated import SimulatedTime
from tests.world import PASSWORDS_SECRET, World

Admin = Callable[..., Any]
HTML = "<p>Dear {{firstName}}, {{comment}} <a href='{{doiLink}}'>yes</a></p>"


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees", email_from="mail@bees.example.org", email_backend="smtp")


@pytest.fixture
def admin(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Admin:
    for variable, name in world.tables.environment.items():
        monkeypatch.setenv(variable, name)
    monkeypatch.setenv("SEALING_KEY_SECRET", PASSWORDS_SECRET)

    def run(*command: str) -> Any:
        status = main(["--json", *command])
        shown = capsys.readouterr()
        return json.loads(shown.out) if status == 0 else shown.err

    return run


def template(locale: str = "en", **changes: Any) -> EmailTemplateInput:
    return EmailTemplateInput(**{"name": "thanks", "locale": locale, "subject": "Thanks", "html": HTML, **changes})


def test_one_name_and_locale_has_one_template_and_keeps_its_number(org: Org) -> None:
    first = templates.put(org.id, template())
    second = templates.put(org.id, template(subject="Thank you"))
    other = templates.put(org.id, template("de"))

    assert (first.id, first.org) == (second.id, org.id)
    assert other.id != first.id
    assert [(found.locale, found.subject) for found in templates.of_org(org.id)] == [
        ("de", "Thanks"),
        ("en", "Thank you"),
    ]


def test_names_are_told_apart_by_case(org: Org) -> None:
    templates.put(org.id, template(name="Thanks"))

    assert templates.get(org.id, "thanks", "en") is None


def test_no_template_without_an_org(world: World, org: Org) -> None:
    with pytest.raises(NotFound):
        templates.put(org.id + 1, template())


def test_what_is_not_there_cannot_be_removed(org: Org) -> None:
    templates.put(org.id, template())
    templates.remove(org.id, "thanks", "en")

    with pytest.raises(NotFound):
        templates.remove(org.id, "thanks", "en")


def test_it_is_read_once_in_half_a_minute(world: World, org: Org, time: SimulatedTime) -> None:
    templates.forget()
    templates.put(org.id, template())
    with calls() as recorded:
        for _ in range(3):
            templates.resolve(org.id, "thanks", "en")
    assert len(recorded) == 1

    templates.put(org.id, template(subject="new"))
    time.forward(seconds=30)
    assert templates.resolve(org.id, "thanks", "en").subject == "new"


def test_that_there_is_none_is_not_kept(org: Org) -> None:
    with pytest.raises(NotFound):
        templates.resolve(org.id, "thanks", "en")

    templates.put(org.id, template("de"))

    assert templates.resolve(org.id, "thanks", "en").locale == "de"


def test_another_name_that_begins_alike_is_not_meant(org: Org) -> None:
    templates.put(org.id, template(name="thanks a lot"))

    with pytest.raises(NotFound):
        templates.resolve(org.id, "thanks", "de")


def test_templates_go_with_their_org(org: Org) -> None:
    templates.put(org.id, template())

    orgs.delete(org)

    assert templates.of_org(org.id) == []


def test_a_template_is_saved_shown_and_removed(org: Org, admin: Admin, tmp_path: Path) -> None:
    html, text = tmp_path / "thanks.html", tmp_path / "thanks.txt"
    html.write_text(HTML)
    text.write_text("Dear {{firstName}}")

    put = ("template", "put", "bees", "thanks")
    saved = admin(*put, "en", "--subject", "Thanks", "--html", str(html))
    admin(*put, "de", "--subject", "Danke", "--html", str(html), "--text", str(text))

    assert [line["template"] for line in admin("template", "list", "bees")] == ["thanks@de", "thanks@en"]
    assert admin("template", "show", "bees", "thanks", "en") == {
        "version": 1,
        "id": saved["id"],
        "name": "thanks",
        "locale": "en",
        "subject": "Thanks",
        "html": HTML,
        "text": None,
    }
    admin("template", "remove", "bees", "thanks", "de")
    assert admin("template", "show", "bees", "thanks", "de") == "template not found\n"


@pytest.mark.parametrize("field", ["subject", "html", "text"])
def test_a_broken_template_is_refused_where_it_is_broken(org: Org, admin: Admin, tmp_path: Path, field: str) -> None:
    given = {
        "subject": "Thanks",
        "html": "<p>x</p>",
        "text": "x",
        field: "one\n{{#unclosed}}"[4 * (field == "subject") :],
    }
    for name in ("html", "text"):
        (tmp_path / name).write_text(given[name])

    said = admin(
        *("template", "put", "bees", "thanks", "en", "--subject", given["subject"]),
        *("--html", str(tmp_path / "html"), "--text", str(tmp_path / "text")),
    )

    line = 1 if field == "subject" else 2
    assert said.startswith(f"{field}: Value error, Unclosed section '{{{{#unclosed}}}}' at line {line} column ")
    assert templates.of_org(org.id) == []


def test_a_preview_shows_the_whole_mail(org: Org, admin: Admin, tmp_path: Path) -> None:
    templates.put(org.id, template(subject="{{campaign.stats.supporterCount}} thanks"))

    shown = admin("template", "preview", "bees", "thanks", "en")

    assert shown == {
        "from": "Bees <mail@bees.example.org>",
        "subject": "1234 thanks",
        "text": "Dear Ida, Count me in! yes (https://example.org/link/opt-in)\n",
        "html": "<p>Dear Ida, Count me in! <a href='https://example.org/link/opt-in'>yes</a></p>",
    }
    file = tmp_path / "preview.html"
    asked = admin("template", "preview", "bees", "thanks", "en", "--kind", "supporter_confirm", "--html", str(file))
    assert asked["html"] == str(file)
    assert "https://example.org/link/accept" in file.read_text()


def test_what_is_counted_of_an_orgs_mails(org: Org, admin: Admin) -> None:
    assert admin("mail", "status", "bees") == {"counted for the budget": 0, "possibly twice": 0}

    counts.charge(org.id, 3)
    assert admin("mail", "status", "bees")["counted for the budget"] == 3

    admin("mail", "reset-budget", "bees")
    assert admin("mail", "status", "bees")["counted for the budget"] == 0
