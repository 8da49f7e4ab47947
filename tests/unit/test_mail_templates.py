"""Mustache as domain 8.5 has it, what is refused when a template is saved, and which one a mail takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proca_common.mails.mustache import NotMustache, check, render
from proca_common.mails.templates import EmailTemplate, EmailTemplateInput, choose

VARIABLES: dict[str, Any] = {
    "risky": "<b>\"Tom\" & 'Jerry'</b>",
    "null": None,
    "no": False,
    "yes": True,
    "empty": "",
    "list": [],
    "hobbies": ["canoe", "fishing"],
    "zero": 0,
    "age": 41,
    "campaign": {"title": "Rivers", "stats": {"supporterCount": 3}},
    "people": [{"name": "Ida"}, {"name": "Per"}],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{risky}}", "&lt;b&gt;&quot;Tom&quot; &amp; 'Jerry'&lt;/b&gt;"),
        ("{{{risky}}}{{&risky}}", VARIABLES["risky"] * 2),
        ("[{{missing}}{{null}}{{empty}}{{campaign.missing}}{{missing.title}}]", "[]"),
        ("{{campaign.title}} {{campaign.stats.supporterCount}}", "Rivers 3"),
        ("{{#campaign}}{{title}} {{age}}{{/campaign}}", "Rivers 41"),
        ("{{#people}}{{name}},{{/people}}", "Ida,Per,"),
        ("{{#hobbies}}{{.}};{{/hobbies}} {{hobbies}}", "canoe;fishing; canoe, fishing"),
        ("{{zero}} {{age}} {{yes}} {{no}}", "0 41 true false"),
        ("{{! a comment }}{{> partial}}x", "x"),
        ("{{=<% %>=}}<% age %>", "41"),
    ],
)
def test_mustache(template: str, text: str) -> None:
    assert render(template, VARIABLES, html=True) == text


@pytest.mark.parametrize("name", ["no", "null", "empty", "missing", "list"])
def test_what_is_falsy(name: str) -> None:
    assert render(f"{{{{#{name}}}}}A{{{{/{name}}}}}{{{{^{name}}}}}B{{{{/{name}}}}}", VARIABLES, html=True) == "B"


@pytest.mark.parametrize("name", ["yes", "zero", "age", "risky", "campaign", "people"])
def test_everything_else_is_truthy(name: str) -> None:
    assert "A" in render(f"{{{{#{name}}}}}A{{{{/{name}}}}}{{{{^{name}}}}}B{{{{/{name}}}}}", VARIABLES, html=True)


def test_consent_in_a_section() -> None:
    template = "{{#privacy}}{{#optIn}}IN{{/optIn}}{{^optIn}}OUT{{/optIn}}{{/privacy}}"

    shown = {opt_in: render(template, {"privacy": {"optIn": opt_in}}, html=True) for opt_in in (True, False, None)}

    assert shown == {True: "IN", False: "OUT", None: "OUT"}


@pytest.mark.parametrize(
    "name", ["risky.__class__", "risky.upper", "campaign.keys", "age.real", "people.0.name", "hobbies.length"]
)
def test_names_lead_into_mappings_and_nothing_else(name: str) -> None:
    assert render(f"[{{{{{name}}}}}]", VARIABLES, html=True) == "[]"


def test_only_html_is_escaped() -> None:
    assert render("{{risky}}", VARIABLES, html=False) == VARIABLES["risky"]


@given(st.text(), st.text())
def test_no_value_becomes_part_of_the_template_or_of_the_markup(value: str, key: str) -> None:
    shown = render("<p>{{value}}</p>", {"value": value, key: "x"} | {"value": value}, html=True)

    inside = shown.removeprefix("<p>").removesuffix("</p>")
    assert not set(inside) & {"<", ">", '"'}
    unescaped = inside.replace("&quot;", '"').replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    assert unescaped == value


GIVEN = {"name": "thanks", "locale": "en", "subject": "Thank you", "html": "<p>Thank you</p>"}


@pytest.mark.parametrize("field", ["subject", "html", "text"])
@pytest.mark.parametrize("broken", ["{{#unclosed}}", "{{/unopened}}", "{{#a}}{{/b}}", "{{unclosed"])
def test_what_is_no_mustache_is_refused_where_it_stands(field: str, broken: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EmailTemplateInput.model_validate({**GIVEN, field: broken})

    [error] = refused.value.errors()
    assert error["loc"] == (field,)
    assert "line 1 column" in error["msg"]
    with pytest.raises(NotMustache):
        check(broken)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "two\nlines"),
        ("subject", " "),
        ("html", ""),
        ("name", "semi;colon"),
        ("name", "hash#hash"),
        ("locale", "english"),
        ("html", "ä" * 200_000),
    ],
)
def test_what_else_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        EmailTemplateInput.model_validate({**GIVEN, field: value})


@pytest.mark.parametrize(
    ("wanted", "known", "taken"),
    [
        ("de_AT", ["de", "de_AT", "en"], "de_AT"),
        ("de_AT", ["de_CH", "de", "en"], "de"),
        ("de_AT", ["de_CH", "en"], "de_CH"),
        ("de", ["de_CH", "en"], "de_CH"),
        ("sr@latin", ["sr", "en"], "sr"),
        ("de", ["fr", "en"], "en"),
        ("de", [], None),
    ],
)
def test_the_locale_then_its_language_then_any(wanted: str, known: list[str], taken: str | None) -> None:
    templates = [EmailTemplate(**{**GIVEN, "locale": locale}, id=1, org=1) for locale in known]

    found = choose(templates, wanted)

    assert (found and found.locale) == taken
