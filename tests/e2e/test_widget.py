"""The page of examples/widget in a real browser, on a deployed stack: what a person sees, types and gets.

That no page asks another machine, sets a cookie, breaks its policy or throws is part of each test (`visitor`).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Request, Route, expect
from playwright.sync_api import Page as Tab

from tests.e2e.browser import visitor
from tests.e2e.site import Ngo, Page, Site
from tools.emulator import Emulator
from tools.stack import Stack
from tools.widget import FOLDER, served

SIGN = re.compile("^(Sign|Unterschreiben|Signer)$")
REFUSED = ("Failed to load resource",)
"""What the browser writes to its console for each answer that is an error."""
VENDORED = {
    "scrypt.js": "9d73a8d5f9c0e81af2c58769d8df4d1dacfe72656f79d3b3242ec316f62dbe7d",
    "argon2id.js": "cd9770a74e50a08f335361f0f567c68a3856213a06e77f2bd36128cad27b9fe9",
}

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def address(local: Emulator, stack: Stack) -> Iterator[str]:
    """Where the widget is."""
    with served(stack.api_url) as found:
        yield found


class Visit:
    """A tab with the widget, and what it sent."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.posts: list[Request] = []
        tab.set_default_timeout(60_000)
        tab.on("request", lambda request: self.posts.append(request) if request.method == "POST" else None)

    @property
    def button(self) -> Locator:
        return self.tab.get_by_role("button", name=SIGN)

    @property
    def alert(self) -> Locator:
        return self.tab.get_by_role("alert")

    @property
    def thanks(self) -> Locator:
        return self.tab.get_by_role("heading", name="Thank you, Ida!")

    def fill(self, email: str = "", first_name: str = "Ida") -> None:
        """A whole signature of Ida."""
        self.tab.get_by_label("First name").fill(first_name)
        self.tab.get_by_label("E-mail address").fill(email or f"ida.{next(_numbers)}@example.org")
        self.tab.get_by_role("radio", name="Yes").check()

    def sign(self) -> None:
        self.fill()
        self.button.click()
        self.thanks.wait_for()


@contextmanager
def visit(
    browser: Browser, address: str, page: Page, query: str = "", *, may_fail: tuple[str, ...] = (), **options: Any
) -> Iterator[Visit]:
    """Somebody opens the widget of this page."""
    with visitor(browser, may_fail=may_fail, **{"locale": "en-GB", **options}) as person:
        opened = Visit(person.new_page())
        opened.tab.goto(f"{address}/?page={page.id}{query}")
        opened.button.wait_for()
        yield opened


@pytest.fixture
def org(site: Site) -> Ngo:
    return site.org("title=Bee Guardians")


@pytest.fixture
def page(site: Site, org: Ngo) -> Page:
    made = site.page(org)
    site.client.admin("campaign", "set", made.campaign, "title=Let our parks flower")
    return made


def delivered(site: Site, org: Ngo) -> list[dict[str, Any]]:
    """What the org gets, once all is done."""
    site.client.wait_until_delivered()
    return site.messages(org)


def ask_for_work(site: Site, page: Page, algorithm: str = "SCRYPT") -> None:
    """The campaign asks for as many tries as by default, each with less memory, as a busy machine has to solve it."""
    asked = json.dumps({"algorithm": algorithm, "memory_mib": 1})
    site.client.admin("campaign", "set", page.campaign, f"proof_of_work={asked}")


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def test_somebody_signs_with_the_keyboard_alone(
    browser: Browser, address: str, site: Site, org: Ngo, page: Page
) -> None:
    tracking = {"source": "newsletter", "medium": "email", "campaign": "spring", "content": "b"}
    query = "".join(f"&utm_{name}={value}" for name, value in tracking.items())
    with visit(browser, address, page, query) as ida:
        tab = ida.tab
        press(tab, "Tab")
        expect(tab.get_by_role("link", name="Skip to the form")).to_be_focused()
        press(tab, "Enter", "Tab")
        expect(tab.get_by_label("First name")).to_be_focused()
        tab.keyboard.type("Ida")
        press(tab, "Tab")
        tab.keyboard.type("Holm")
        press(tab, "Tab")
        tab.keyboard.type("ida@example.org")
        press(tab, "Tab")
        tab.keyboard.type("Swed")
        press(tab, "Tab")
        tab.keyboard.type("114 55")
        press(tab, "Tab", "Space")
        expect(tab.get_by_role("radio", name="Yes")).to_be_checked()
        press(tab, "Tab")
        expect(ida.button).to_be_focused()
        press(tab, "Enter")
        expect(ida.thanks).to_be_focused()

    [message] = delivered(site, org)

    assert message["contact"]["email"] == "ida@example.org"
    assert (message["contact"]["firstName"], message["contact"]["lastName"]) == ("Ida", "Holm")
    assert (message["contact"]["area"], message["contact"]["postcode"]) == ("SE", "114 55")
    assert message["privacy"]["optIn"] is True
    assert message["tracking"] == {**tracking, "location": f"{address}/"}


def test_nothing_is_answered_for_the_person(browser: Browser, address: str, site: Site, org: Ngo) -> None:
    lead = site.org("title=Meadow Trust")
    page = site.page(org, lead=lead)
    with visit(browser, address, page) as ida:
        mine = ida.tab.get_by_role("radiogroup", name="May Bee Guardians keep you up to date by e-mail?")
        leads = ida.tab.get_by_role("radiogroup", name="May Meadow Trust keep you up to date too?")
        assert [choice.is_checked() for choice in ida.tab.get_by_role("radio").all()] == [False] * 4
        ida.tab.get_by_label("First name").fill("Ida")
        ida.tab.get_by_label("E-mail address").fill("ida@example.org")
        ida.button.click()
        for group in (mine, leads):
            expect(group).to_have_accessible_description("Please choose.")
        mine.get_by_role("radio", name="No, thank you").check()
        leads.get_by_role("radio", name="Yes").check()
        ida.button.click()
        ida.thanks.wait_for()

    [own], [of_lead] = delivered(site, org), delivered(site, lead)

    assert (own["privacy"]["optIn"], of_lead["privacy"]["optIn"]) == (False, True)


class TestErrors:
    def test_what_is_missing_is_told_under_its_input(self, browser: Browser, address: str, page: Page) -> None:
        with visit(browser, address, page) as ida:
            ida.button.click()

            name, email = ida.tab.get_by_label("First name"), ida.tab.get_by_label("E-mail address")
            for field in (name, email):
                expect(field).to_have_attribute("aria-invalid", "true")
                expect(field).to_have_accessible_description("Please fill this in.")
            expect(ida.tab.get_by_role("radiogroup")).to_have_accessible_description("Please choose.")
            expect(name).to_be_focused()
            expect(ida.alert).to_have_text("Please have a look at the 3 fields that are marked.")
            assert not ida.posts

            email.fill("ida")
            ida.button.click()
            expect(email).to_have_accessible_description("An e-mail address looks like name@example.org.")
            name.press_sequentially("I")
            expect(name).not_to_have_attribute("aria-invalid", "true")
            expect(name).to_have_accessible_description("")
            expect(ida.alert).to_have_text("Please have a look at the 2 fields that are marked.")

    def test_what_the_api_refuses_is_told_under_its_input(self, browser: Browser, address: str, page: Page) -> None:
        with visit(browser, address, page, may_fail=REFUSED) as ida:
            last_name = ida.tab.get_by_label("Last name")
            ida.fill(first_name="1da")
            last_name.fill("H0lm")
            ida.button.click()

            for field in (ida.tab.get_by_label("First name"), last_name):
                expect(field).to_have_attribute("aria-invalid", "true")
                expect(field).to_have_accessible_description("A name has letters, and no digits or addresses.")
            expect(ida.tab.get_by_label("First name")).to_be_focused()
            ida.fill()
            last_name.fill("Holm")
            ida.button.click()
            ida.thanks.wait_for()
            assert len({post.headers["idempotency-key"] for post in ida.posts}) == len(ida.posts) == 2

    def test_a_rule_without_an_input_or_a_translation_is_told_as_the_api_words_it(
        self, browser: Browser, address: str, page: Page
    ) -> None:
        errors = [
            {"pointer": "/contact/phone", "code": "blank", "message": "can't be blank"},
            {"pointer": "/contact/novelty", "code": "novel", "message": "is too new"},
            {"pointer": "/contact/email", "code": "novel", "message": "is too new"},
        ]
        problem = {"type": "urn:proca:problem:invalid-input", "title": "Invalid input", "status": 422, "errors": errors}
        with visit(browser, address, page, may_fail=REFUSED) as ida:
            ida.tab.route("**/actions", lambda route: route.fulfill(status=422, json=problem))
            ida.fill()
            ida.button.click()

            expect(ida.tab.get_by_label("E-mail address")).to_have_accessible_description("is too new")
            expect(ida.alert).to_have_text(
                "Please have a look at the field that is marked. Please fill this in. is too new"
            )

    def test_what_is_no_fault_of_an_input_is_told_above_the_form(
        self, browser: Browser, address: str, site: Site, page: Page
    ) -> None:
        pattern = '[{"id": 1, "kind": "domain", "pattern": "blocked.example.org", "action": "refuse"}]'
        site.client.admin("campaign", "set", page.campaign, f"guards={json.dumps({'patterns': json.loads(pattern)})}")
        with visit(browser, address, page, may_fail=REFUSED) as ida:
            ida.fill("ida@blocked.example.org")
            ida.button.click()

            expect(ida.alert).to_have_text("This signature cannot be taken.")
            expect(ida.alert).to_be_focused()

    def test_a_page_that_is_not_there(self, browser: Browser, address: str) -> None:
        with visitor(browser, may_fail=REFUSED, locale="fr-CH") as person:
            tab = person.new_page()
            tab.goto(f"{address}/?page=nobody/knows")
            expect(tab.get_by_role("alert")).to_have_text("Cette pétition n\u2019existe pas (ou plus).")
            assert not Axe().run(tab).response["violations"]

    def test_without_scripts_it_says_so(self, browser: Browser, address: str) -> None:
        with visitor(browser, java_script_enabled=False) as person:
            tab = person.new_page()
            tab.goto(address)
            assert "Please allow scripts" in tab.get_by_role("main").inner_text()


class TestProofOfWork:
    @pytest.mark.parametrize("algorithm", ["SCRYPT", "ARGON2ID"])
    def test_a_challenge_is_solved_while_the_person_types(
        self, browser: Browser, address: str, site: Site, org: Ngo, page: Page, algorithm: str
    ) -> None:
        ask_for_work(site, page, algorithm)
        with visit(browser, address, page) as ida:
            with ida.tab.expect_worker(), ida.tab.expect_response("**/v1/challenge*") as challenge:
                ida.tab.get_by_label("First name").focus()
            assert challenge.value.json()["parameters"]["algorithm"] == algorithm
            ida.sign()
            [post] = ida.posts

        assert post.post_data_json is not None
        assert post.post_data_json["captchaService"] == "altcha"
        assert len(delivered(site, org)) == 1

    def test_a_campaign_that_begins_to_ask_gets_it_without_a_word(
        self, browser: Browser, address: str, site: Site, org: Ngo, page: Page
    ) -> None:
        with visit(browser, address, page, may_fail=REFUSED) as ida:
            ask_for_work(site, page)
            ida.sign()
            assert len(ida.posts) == 2

        assert len(delivered(site, org)) == 1

    def test_a_solution_that_was_used_up_is_replaced(
        self, browser: Browser, address: str, site: Site, org: Ngo, page: Page
    ) -> None:
        ask_for_work(site, page)
        with visit(browser, address, page, may_fail=REFUSED) as ida:
            ida.fill()

            def use_up(route: Route) -> None:
                body = {**route.request.post_data_json, "captcha": "bm90IGEgc29sdXRpb24"}
                route.continue_(post_data=json.dumps(body))

            ida.tab.route("**/actions", use_up, times=1)
            ida.button.click()
            ida.thanks.wait_for()
            assert len(ida.posts) == 2

        assert len(delivered(site, org)) == 1

    def test_a_campaign_with_another_service_only_cannot_be_signed_here(
        self, browser: Browser, address: str, site: Site, page: Page
    ) -> None:
        captcha = {"service": "hcaptcha", "url": "http://127.0.0.1:9/siteverify"}
        site.client.admin("campaign", "set", page.campaign, f"guards={json.dumps({'captcha': captcha})}")
        with visitor(browser, locale="en-GB") as person:
            tab = person.new_page()
            tab.goto(f"{address}/?page={page.id}")
            expect(tab.get_by_role("alert")).to_contain_text("a check that this page does not have")

    def test_the_workers_are_those_of_the_release(self) -> None:
        files = {path.name: path.read_bytes() for path in (FOLDER / "vendor" / "altcha-3.2.2").glob("*.js")}
        assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == VENDORED


class TestOnce:
    def test_a_double_click_is_one_signature(
        self, browser: Browser, address: str, site: Site, org: Ngo, page: Page
    ) -> None:
        with visit(browser, address, page) as ida:
            ida.fill()
            ida.button.dblclick()
            ida.thanks.wait_for()
            assert len(ida.posts) == 1

        assert len(delivered(site, org)) == 1

    def test_a_signature_arrives_once_although_the_api_is_away_loses_answers_and_is_busy(
        self, browser: Browser, address: str, site: Site, org: Ngo, page: Page
    ) -> None:
        def lost(route: Route) -> None:
            assert route.fetch().status == 201
            route.abort()

        def busy(route: Route) -> None:
            cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
            route.fulfill(status=503, json={}, headers={**cors, "Retry-After": "1"})

        steps = iter([lambda route: route.abort("connectionrefused"), lost, busy])
        with visit(browser, address, page, may_fail=REFUSED) as ida:

            def answered(route: Route) -> None:
                next(steps, Route.continue_)(route)

            ida.tab.route("**/actions", answered)
            ida.fill()
            ida.button.click()
            expect(ida.tab.get_by_text("Your signature is kept here")).to_be_visible()
            press(ida.tab, "Enter")  # impatient
            ida.thanks.wait_for()
            sent = {(post.headers["idempotency-key"], post.post_data) for post in ida.posts}
            assert (len(ida.posts), len(sent)) == (4, 1)

        assert len(delivered(site, org)) == 1

    def test_when_the_page_gives_up_the_same_signature_can_be_sent_again(
        self, browser: Browser, address: str, site: Site, org: Ngo, page: Page
    ) -> None:
        ask_for_work(site, page)
        with visit(browser, address, page, may_fail=REFUSED) as ida:
            answers: list[int] = []

            def lost(route: Route) -> None:
                answers.append(route.fetch().status)
                route.abort()

            ida.fill()
            ida.tab.wait_for_timeout(500)
            ida.tab.clock.install()
            ida.tab.route("**/actions", lost)
            ida.button.click()
            for _ in range(400):
                if ida.alert.is_visible():
                    break
                ida.tab.clock.run_for(5_000)
                ida.tab.wait_for_timeout(50)
            expect(ida.alert).to_contain_text("We cannot be reached at the moment.")
            assert ida.tab.get_by_label("First name").input_value() == "Ida"
            ida.tab.unroute("**/actions")
            ida.button.click()
            ida.thanks.wait_for()
            assert len({post.headers["idempotency-key"] for post in ida.posts}) == 1
            assert answers == [201] * 11

        assert len(delivered(site, org)) == 1


def test_sharing_is_told_once_for_each_way(browser: Browser, address: str, site: Site, org: Ngo, page: Page) -> None:
    shared = "navigator.canShare = () => true; navigator.share = async (what) => { window.shared = what; };"
    may = ["clipboard-read", "clipboard-write"]
    with visit(browser, address, page, "&utm_source=newsletter", permissions=may) as ida:
        ida.tab.add_init_script(shared)
        ida.tab.reload()
        ida.sign()
        copy = ida.tab.get_by_role("button", name="Copy the link")
        for _ in range(2):
            with ida.tab.expect_response("**/contacts/*/actions"):
                copy.click()
        expect(ida.tab.get_by_role("status")).to_have_text("The link is copied. Thank you for sharing!")
        link = f"{address}/?page={page.id}&utm_source=share&utm_medium="
        assert ida.tab.evaluate("navigator.clipboard.readText()") == link + "link"
        with ida.tab.expect_response("**/contacts/*/actions"):
            ida.tab.get_by_role("button", name="Share").click()
        assert ida.tab.evaluate("shared") == {"title": "Let our parks flower", "url": link + "native"}
        whatsapp = ida.tab.get_by_role("link", name="WhatsApp").get_attribute("href") or ""
        assert whatsapp.startswith("https://wa.me/?text=Let%20our%20parks%20flower%20http")

    signature, *shares = delivered(site, org)

    assert [(share["action"]["actionType"], share["action"]["customFields"]) for share in shares] == [
        ("share", {"medium": "link"}),
        ("share", {"medium": "native"}),
    ]
    assert {share["contact"]["contactRef"] for share in shares} == {signature["contact"]["contactRef"]}


def test_the_count_rises_while_the_page_is_open(browser: Browser, address: str, site: Site, page: Page) -> None:
    with visit(browser, address, page) as ida:
        expect(ida.tab.get_by_text("Nobody has signed yet: be the first!")).to_be_visible()
        site.signed(page, email="bo@example.org")
        expect(ida.tab.get_by_text("1 person has signed")).to_be_visible(timeout=30_000)
        ida.sign()
        expect(ida.tab.get_by_text("2 people have signed")).to_be_visible(timeout=30_000)


class TestLanguages:
    @pytest.mark.parametrize(
        ("locale", "title", "missing", "thanks"),
        [
            ("en_IE", "Sign now", "Please fill this in.", "Thank you, Ida!"),
            ("de_AT", "Jetzt unterschreiben", "Bitte füllen Sie das aus.", "Danke, Ida!"),
            ("fr_BE", "Signez maintenant", "Veuillez remplir ce champ.", "Merci, Ida !"),
        ],
    )
    def test_the_page_speaks_the_language_of_its_locale(
        self, browser: Browser, address: str, site: Site, org: Ngo, locale: str, title: str, missing: str, thanks: str
    ) -> None:
        page = site.page(org, locale=locale)
        with visit(browser, address, page, locale="nl-NL") as ida:
            expect(ida.tab.locator("html")).to_have_attribute("lang", locale[:2])
            expect(ida.tab.get_by_role("heading", name=title)).to_be_visible()
            ida.button.click()
            fields = ida.tab.get_by_role("textbox")
            expect(fields.first).to_have_accessible_description(missing)
            fields.nth(0).fill("Ida")
            fields.nth(2).fill("ida@example.org")
            ida.tab.get_by_role("radio").first.check()
            ida.button.click()
            expect(ida.tab.get_by_role("heading", name=thanks)).to_be_visible()

    def test_another_language_keeps_what_was_typed_and_translates_what_is_wrong(
        self, browser: Browser, address: str, page: Page
    ) -> None:
        with visit(browser, address, page) as ida:
            ida.tab.get_by_label("Last name").fill("Holm")
            ida.tab.get_by_label("Country").select_option("SE")
            ida.button.click()
            ida.tab.get_by_role("button", name="Deutsch").click()

            expect(ida.tab.get_by_label("Nachname")).to_have_value("Holm")
            expect(ida.tab.get_by_label("Land")).to_have_value("SE")
            expect(ida.tab.get_by_label("Vorname")).to_have_accessible_description("Bitte füllen Sie das aus.")
            expect(ida.alert).to_have_text("Bitte sehen Sie sich die 3 markierten Felder an.")
            expect(ida.tab.get_by_role("button", name="Deutsch")).to_have_attribute("aria-pressed", "true")

    def test_every_language_has_every_text(self, browser: Browser, address: str, page: Page) -> None:
        keys = """async () => {
            const { TEXTS } = await import("/texts.js");
            const keys = (texts) => Object.entries(texts).flatMap(([key, text]) =>
                typeof text === "string" ? [key] : keys(text).map((below) => `${key}/${below}`));
            return Object.values(TEXTS).map(keys);
        }"""
        with visit(browser, address, page) as ida:
            english, *others = ida.tab.evaluate(keys)
        assert len(others) == 2
        assert all(other == english for other in others)


class TestForEverybody:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [320, 1280])
    def test_no_rule_of_accessibility_is_broken(
        self, browser: Browser, address: str, page: Page, width: int, scheme: str
    ) -> None:
        options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "reduced_motion": "reduce"}
        with visit(browser, address, page, **options) as ida:
            found = {"form": Axe().run(ida.tab)}
            ida.button.click()
            found["errors"] = Axe().run(ida.tab)
            ida.sign()
            found["thanks"] = Axe().run(ida.tab)
            assert ida.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for state, result in found.items():
            assert not result.response["violations"], f"{state}: {result.generate_report()}"

    def test_nothing_moves_for_who_wants_no_motion(self, browser: Browser, address: str, page: Page) -> None:
        moves = "[...document.querySelectorAll('*')].some((e) => getComputedStyle(e).transitionDuration !== '0s')"
        with visit(browser, address, page) as ida:
            assert ida.tab.evaluate(moves)
        with visit(browser, address, page, reduced_motion="reduce") as ida:
            assert not ida.tab.evaluate(moves)
