"""The pages behind links: whole in every language, safe for any text, without anything from elsewhere (design 7.4)."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.approvals import page, texts
from proca_common.approvals.texts import LANGUAGES, Ask, Texts

ENGLISH = LANGUAGES["en"]
SINGLE = [name for name in Texts._fields if isinstance(getattr(ENGLISH, name), str)]
ASKS = [name for name in Texts._fields if isinstance(getattr(ENGLISH, name), Ask)]


class Seen(HTMLParser):
    """What a page is made of."""

    VOID = frozenset({"meta"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.sources: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"style", "script"}:
            self.sources[self.open[-1]] = data
        elif data.strip():
            self.texts.append(data)


def source_hash(source):
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language):
    spoken = LANGUAGES[language]
    for name in SINGLE:
        assert getattr(spoken, name).strip()
    for name in ASKS:
        assert all(text.strip() for text in getattr(spoken, name))
    flat = [text for value in spoken for text in (value if isinstance(value, tuple) else (value,))]
    assert not [text for text in flat if re.search(r"[<>{}$]|  |^\s|\s$", text)]


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_text_was_left_in_english(language):
    spoken = LANGUAGES[language]
    assert not [name for name in SINGLE if getattr(spoken, name) == getattr(ENGLISH, name)]
    assert not [name for name in ASKS if getattr(spoken, name).title == getattr(ENGLISH, name).title]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_asked_and_told_differs_by_what_it_is_about(language):
    spoken = LANGUAGES[language]
    assert len({getattr(spoken, name).title for name in ASKS}) == len(ASKS)
    assert len({getattr(spoken, name) for name in SINGLE}) == len(SINGLE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("what", ASKS)
def test_a_page_that_asks_has_one_form_with_one_button(language, what):
    ask = getattr(LANGUAGES[language], what)
    seen = Seen(page.asking(language, ask, "Clean rivers"))
    assert not seen.open
    assert [seen.tags.count(tag) for tag in ("form", "button", "h1", "main", "title")] == [1, 1, 1, 1, 1]
    assert {tag for tag in seen.tags if tag in {"a", "img", "link", "script", "iframe", "input"}} == set()
    assert ("form", "method", "post") in seen.attributes
    assert not [value for tag, name, value in seen.attributes if name in {"action", "href", "src"}]
    assert ("html", "lang", language) in seen.attributes
    assert seen.texts == [f"{ask.title} | Clean rivers", "Clean rivers", ask.title, ask.line, ask.button]


def test_a_page_that_tells_says_so_to_whoever_cannot_see():
    seen = Seen(page.telling("en", ENGLISH.accepted))
    assert ("div", "role", "status") in seen.attributes
    assert seen.tags[-2:] == ["div", "h1"]
    assert seen.texts == [ENGLISH.accepted, ENGLISH.accepted]
    assert not {"form", "button", "script"} & set(seen.tags)


@given(st.text(max_size=60))
def test_any_title_is_shown_as_text(title):
    plain = Seen(page.asking("en", ENGLISH.accept, "title"))
    seen = Seen(page.asking("en", ENGLISH.accept, title or "title"))
    assert seen.tags == plain.tags
    assert seen.attributes == plain.attributes


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "</title><img src=x onerror=alert(1)>", '"><b>', "$title ${style}", "&lt;"]
)
def test_markup_in_a_title_is_text(title):
    assert title in Seen(page.asking("en", ENGLISH.accept, title)).texts


def test_browsers_run_and_fetch_nothing_but_what_is_in_the_page():
    for submits_itself in (False, True):
        seen = Seen(page.asking("en", ENGLISH.accept, "Bees", submits_itself=submits_itself))
        policy = page.headers(submits_itself=submits_itself)["Content-Security-Policy"]
        directives = dict(part.split(" ", 1) for part in policy.split("; "))
        assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"
        assert directives["style-src"] == source_hash(seen.sources["style"])
        if submits_itself:
            assert directives["script-src"] == source_hash(seen.sources["script"])
        else:
            assert "script" not in seen.sources
            assert "script-src" not in directives
        assert "unsafe" not in policy


def test_a_page_tells_nobody_its_address_and_is_kept_and_framed_nowhere():
    headers = page.headers()
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("de_AT", "de"), ("pt_BR", "pt"), ("en_GB", "en"), ("sr@latin", "en"), ("ja", "en"), ("fr@x", "fr")],
)
def test_the_language_is_that_of_the_page(locale, language):
    assert texts.of_locale(locale) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("DE-at,en;q=0.9", "de"),
        ("ja,fr;q=0.8,de;q=0.9", "de"),
        ("fr;q=0,it", "it"),
        ("en;q=0.1,nl;q=0.2", "nl"),
        ("fr;q=x, es", "es"),
        (";;;,,", "en"),
        ("de" * 500, "en"),
    ],
)
def test_without_a_page_the_language_is_the_browsers(header, language):
    assert texts.of_browser(header) == language
