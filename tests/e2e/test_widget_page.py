"""What the page of examples/widget shows, in which language, to whom; and what comes after the signature."""

from __future__ import annotations

import json
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.e2e.browser_widget import delivered, visit
from tests.e2e.site import Ngo, Page, Site
from tools.stack import Stack
from tools.widget import served


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


def test_a_site_that_keeps_the_page_as_a_file_asks_the_api_for_nobody_who_only_looks(
    browser: Browser, stack: Stack, site: Site, page: Page
) -> None:
    site.signed(page, email="bo@example.org")
    with urllib.request.urlopen(f"{stack.api_url}/v1/pages/{page.id}/static", timeout=30) as answer:
        kept = json.load(answer)
    kept["campaign"]["numbers"]["supporterCount"] = 41
    with served(stack.api_url, json.dumps(kept).encode()) as address, visit(browser, address, page) as ida:
        asked: list[str] = []
        ida.tab.on("request", lambda request: asked.append(request.url))
        ida.tab.reload()
        expect(ida.tab.get_by_text("41 people have signed")).to_be_visible()
        assert f"{address}/page.json" in asked
        assert not [url for url in asked if url.startswith(stack.api_url)]
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
