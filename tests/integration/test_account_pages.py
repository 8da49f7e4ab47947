"""The pages behind links of mails about accounts, for who has no front end: GET asks and changes nothing, POST does."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from proca_common.approvals import account_pages, page
from proca_common.approvals.account_pages import ENGLISH, GONE, TAKEN, WRONG
from proca_common.approvals.texts import LANGUAGES
from proca_common.guards import caps
from proca_common.users import store, tokens
from proca_common.users.passwords import hashed, is_password
from proca_common.users.tokens import CHANGE, CONFIRM, RESET, VALID_MS
from proca_common.users.user import User
from tests import links
from tests.links import Shown, everything
from tests.simulated import SimulatedTime
from tests.world import World

EMAIL, NEW = "ida@example.org", "ida.holm@example.org"
PASSWORD, OTHER = "correct Horse 1", "another Horse & 2 = 3 + ü"
PATHS = {CONFIRM: "confirmations", RESET: "password-resets", CHANGE: "email-changes"}
LOGIN = {"email": EMAIL, "password": PASSWORD}
RIGHT = {CONFIRM: {}, RESET: {"password": OTHER, "passwordConfirmation": OTHER}, CHANGE: LOGIN}
PAGES = {
    CONFIRM: account_pages.CONFIRMATION,
    RESET: account_pages.PASSWORD_RESET,
    CHANGE: account_pages.EMAIL_CHANGE,
}


@pytest.fixture
def ida(world: World) -> User:
    """A user whose address is not proven."""
    caps.forget()
    return store.create(EMAIL, hashed(PASSWORD))


def link(user: User, context: str) -> str:
    """The link of a mail."""
    secret = tokens.new_secret()
    sent_to = NEW if context == CHANGE else user.email
    tokens.add(user.id, context, secret, VALID_MS[context], name=user.email, sent_to=sent_to)
    return f"https://api.example.org/account/{PATHS[context]}/{tokens.text_of(secret)}"


def look(address: str, language: str | None = None) -> Shown:
    """Somebody, or a scanner, opens the link."""
    return links.request("GET", address, name="AccountFunction", language=language)


def press(address: str, typed: dict[str, str] | None = None, language: str | None = None) -> Shown:
    """A browser without scripts sends the form."""
    return links.request("POST", address, name="AccountFunction", body=urlencode(typed or {}), language=language)


def said(shown: Shown) -> list[str]:
    """What is said to be wrong."""
    return [unescape(text) for text in re.findall(r'<p role="alert">(.*?)</p>', shown.text)]


def headline(shown: Shown) -> str:
    found = re.search(r"<h1>(.*?)</h1>", shown.text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("context", PATHS)
def test_to_look_changes_nothing_however_often(world: World, ida: User, context: str) -> None:
    address = link(ida, context)
    before = everything(world)

    shown = [look(address) for _ in range(120)][-1]

    assert everything(world) == before
    assert (shown.status, headline(shown)) == (200, PAGES[context].ask.title)
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("context", PATHS)
def test_a_form_works_without_scripts_and_has_what_is_sent(ida: User, context: str) -> None:
    shown = look(link(ida, context)).text

    assert '<form method="post">' in shown
    assert shown.count("<button") == 1
    assert re.findall(r'<input type="\w+" name="(\w+)"', shown) == list(RIGHT[context])
    assert shown.count("<label>") == shown.count("<input")
    assert "<script" not in shown
    assert EMAIL not in shown


@pytest.mark.parametrize("context", PATHS)
def test_browsers_are_told_what_they_are_told_of_every_link(ida: User, context: str) -> None:
    address = link(ida, context)
    for shown in (look(address), press(address, RIGHT[context]), look(address), press(address)):
        assert shown.headers.items() >= page.headers().items()
        assert shown.text.startswith("<!doctype html>")


@pytest.mark.parametrize("context", PATHS)
def test_a_link_works_once(ida: User, context: str, time: SimulatedTime) -> None:
    address = link(ida, context)
    time.forward(seconds=1)

    done = press(address, RIGHT[context])

    assert (done.status, headline(done)) == (200, PAGES[context].done)
    again = [look(address), press(address, {**RIGHT[context], "email": NEW} if context == CHANGE else RIGHT[context])]
    assert [(shown.status, GONE in shown.text) for shown in again] == [(404, True)] * 2


def test_the_button_proves_the_address(ida: User) -> None:
    press(link(ida, CONFIRM))
    assert store.get(ida.id).confirmed is True


def test_a_new_password_is_the_one_that_was_typed(ida: User) -> None:
    press(link(ida, RESET), RIGHT[RESET])

    _, known = store.caller_by_email(EMAIL)
    assert is_password(OTHER, known)
    assert store.get(ida.id).confirmed is True


def test_every_broken_rule_of_a_password_is_said_in_words_and_the_link_still_works(ida: User) -> None:
    address = link(ida, RESET)
    rules = {
        "short": ["too_short", "upper_case", "digit_or_punctuation"],
        "SHORT": ["too_short", "lower_case", "digit_or_punctuation"],
        "Aa1" * 27: ["too_long"],
    }
    for password, codes in rules.items():
        shown = press(address, {"password": password, "passwordConfirmation": password})
        assert (shown.status, said(shown)) == (422, [WRONG[code] for code in codes])
        assert headline(shown) == PAGES[RESET].ask.title
        assert password not in shown.text
    differs = press(address, {"password": OTHER, "passwordConfirmation": PASSWORD})
    assert (differs.status, said(differs)) == (422, [WRONG["mismatch"]])
    assert press(address).status == 422

    assert press(address, RIGHT[RESET]).status == 200


def test_another_address_takes_who_one_is(ida: User) -> None:
    address = link(ida, CHANGE)
    ola = store.create("ola@example.org", hashed(PASSWORD))

    for typed in ({}, {**LOGIN, "password": OTHER}, {**LOGIN, "email": "nobody@example.org"}):
        shown = press(address, typed)
        assert (shown.status, said(shown)) == (403, [ENGLISH.not_known])
        assert "WWW-Authenticate" not in shown.headers
    assert press(address, {**LOGIN, "email": ola.email}).status == 404
    assert store.get(ida.id).email == EMAIL

    assert press(address, LOGIN).status == 200
    assert (store.get(ida.id).email, store.get(ida.id).confirmed) == (NEW, True)


def test_an_address_that_somebody_took_meanwhile(ida: User) -> None:
    address = link(ida, CHANGE)
    store.create(NEW, None)

    shown = press(address, LOGIN)

    assert (shown.status, headline(shown)) == (409, TAKEN)
    assert store.get(ida.id).email == EMAIL


@pytest.mark.parametrize("context", PATHS)
def test_a_wrong_or_another_mails_token_is_not_found(world: World, ida: User, context: str) -> None:
    whole = link(ida, context)
    other = link(ida, next(each for each in PATHS if each != context)).rpartition("/")[2]
    folder = whole.rpartition("/")[0]
    before = store.get(ida.id)

    for address in (whole[:-1], whole + "A", f"{folder}/x", f"{folder}/{'0' * 43}", f"{folder}/{other}"):
        for shown in (look(address), press(address, RIGHT[context])):
            assert (shown.status, headline(shown)) == (404, GONE)
    assert store.get(ida.id) == before


@pytest.mark.parametrize("context", PATHS)
def test_a_link_ends(ida: User, context: str, time: SimulatedTime) -> None:
    address = link(ida, context)
    time.forward(hours=VALID_MS[context] // 3_600_000)
    assert [look(address).status, press(address, RIGHT[context]).status] == [404, 404]


def test_who_tries_many_tokens_is_slowed_with_a_page_in_the_own_language(ida: User, time: SimulatedTime) -> None:
    address = f"https://api.example.org/account/confirmations/{'0' * 43}"
    shown = [press(address, language="de") for _ in range(101)]

    assert [each.status for each in shown] == [404] * 100 + [429]
    assert headline(shown[-1]) == LANGUAGES["de"].busy
    assert "Retry-After" in shown[-1].headers


def test_a_form_that_is_no_text_or_too_large_is_refused_with_a_page(ida: User) -> None:
    address = link(ida, RESET)
    for body, status in (("password=%ff", 400), ("password=" + "a" * 70_000, 413)):
        shown = links.request("POST", address, name="AccountFunction", body=body)
        assert (shown.status, shown.text.startswith("<!doctype html>")) == (status, True)
