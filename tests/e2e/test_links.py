"""Links in mails, as people meet them: in a browser, with and without scripts; and as scanners meet them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from proca_common.approvals.texts import LANGUAGES
from tests.e2e.browser import visitor
from tests.e2e.site import Ngo, Page, Site

ENGLISH, GERMAN = LANGUAGES["en"], LANGUAGES["de"]


@dataclass(frozen=True)
class Case:
    """A signature that waits, and the links that the org puts into its mail."""

    site: Site
    org: Ngo
    page: Page
    action: int
    links: dict[str, str]

    @property
    def status(self) -> str:
        self.site.client.wait_until_delivered()
        return self.site.status(self.action)


def signed(site: Site, *settings: str, locale: str = "en") -> Case:
    org = site.org("custom_supporter_confirm=true", *settings)
    page = site.page(org)
    if locale != "en":
        made = ("--org", org.name, "--campaign", page.campaign, "--locale", locale)
        page = Page(site.client.admin("page", "create", f"{org.name}/{locale}", *made)["id"], page.campaign)
    action = site.signed(page)
    site.client.wait_until_delivered()
    [asked] = site.messages(org, "confirm-supporter")
    links = {name: site.client.stack.api_url + link[link.index("/link/") :] for name, link in asked["links"].items()}
    return Case(site, org, page, action, links)


@pytest.fixture
def somewhere() -> Iterator[str]:
    """The address of a site of the org, on this machine."""

    class Thanks(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            said = f"from {self.headers.get('Referer', 'nowhere')}"
            self.wfile.write(f"<title>Thanks</title><link rel=icon href='data:,'><p>{said}</p>".encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Thanks) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def has_one_button(tab: Tab, name: str) -> None:
    expect(tab.get_by_role("button")).to_have_count(1)
    expect(tab.get_by_role("button", name=name)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_supporter_confirms(site: Site, browser: Browser, scripts: bool) -> None:
    case = signed(site)
    with visitor(browser, java_script_enabled=scripts) as person:
        tab = person.new_page()
        tab.goto(case.links["accept"])
        expect(tab).to_have_title(f"{ENGLISH.accept.title} | {case.page.campaign}")
        expect(tab.get_by_role("heading", level=1)).to_have_text(ENGLISH.accept.title)
        has_one_button(tab, ENGLISH.accept.button)
        assert case.status == "new"

        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")

        expect(tab.get_by_role("status")).to_have_text(ENGLISH.accepted)
        assert case.status == "delivered"
        tab.reload()
        expect(tab.get_by_role("status")).to_have_text(ENGLISH.already)
    assert [message["actionId"] for message in case.site.messages(case.org)] == [case.action]
    assert site.numbers(case.page)["type:register"] == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_one_click_is_enough_where_the_org_wants_it_and_scripts_run(
    site: Site, browser: Browser, scripts: bool
) -> None:
    case = signed(site, "one_click=true")
    with visitor(browser, java_script_enabled=scripts) as person:
        tab = person.new_page()
        tab.goto(case.links["accept"])
        if not scripts:
            assert case.status == "new"
            tab.get_by_role("button", name=ENGLISH.accept.button).click()
        expect(tab.get_by_role("status")).to_have_text(ENGLISH.accepted)
    assert case.status == "delivered"


def test_taking_back_needs_the_button_even_then(site: Site, browser: Browser) -> None:
    case = signed(site, "one_click=true")
    with visitor(browser) as person:
        tab = person.new_page()
        tab.goto(case.links["reject"])
        has_one_button(tab, ENGLISH.reject.button)
        assert case.status == "new"
        tab.get_by_role("button", name=ENGLISH.reject.button).click()
        expect(tab.get_by_role("status")).to_have_text(ENGLISH.rejected)
    assert case.status == "rejected"


def test_the_browser_goes_on_to_the_orgs_own_site_and_does_not_tell_where_from(
    site: Site, browser: Browser, somewhere: str
) -> None:
    case = signed(site, 'redirect_hosts=["localhost"]')
    with visitor(browser) as person:
        tab = person.new_page()
        tab.goto(f"{case.links['accept']}?doi=1&redir={somewhere}/thanks?x=1")
        tab.get_by_role("button").click()
        expect(tab).to_have_url(f"{somewhere}/thanks?proca_confirm=accept&proca_doi=1&x=1")
        expect(tab.get_by_text("from nowhere")).to_be_visible()
    assert case.status == "delivered"
    [message] = site.messages(case.org)
    assert message["privacy"]["emailStatus"] == "double_opt_in"


def test_the_page_speaks_the_language_of_the_action_page(site: Site, browser: Browser) -> None:
    case = signed(site, locale="de")
    with visitor(browser, locale="fr-FR") as person:
        tab = person.new_page()
        tab.goto(case.links["doubleOptIn"])
        assert tab.locator("html").get_attribute("lang") == "de"
        tab.get_by_role("button", name=GERMAN.doi.button).click()
        expect(tab.get_by_role("status")).to_have_text(GERMAN.opted_in)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_a_small_screen_and_its_button_a_finger(site: Site, browser: Browser, width: int) -> None:
    case = signed(site)
    with visitor(browser, viewport={"width": width, "height": 600}) as person:
        tab = person.new_page()
        tab.goto(case.links["accept"])
        box = tab.get_by_role("button").bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_link_that_is_not_whole_says_so_in_the_browsers_language(site: Site, browser: Browser) -> None:
    case = signed(site)
    with visitor(browser, locale="de-AT", may_fail=("404",)) as person:
        tab = person.new_page()
        answer = tab.goto(case.links["accept"][:-1])
        assert answer is not None
        assert answer.status == 404
        expect(tab.get_by_role("status")).to_have_text(GERMAN.unknown)
        expect(tab.get_by_role("button")).to_have_count(0)


def test_a_moderator_decides_by_code(site: Site, browser: Browser) -> None:
    org = site.org("custom_action_confirm=true")
    page = site.page(org)
    good, bad = site.signed(page, email="good@example.org"), site.signed(page, email="bad@example.org")
    site.client.wait_until_delivered()
    made = {action: site.client.admin("confirm", "create-action", str(action)) for action in (good, bad)}
    with visitor(browser, java_script_enabled=False) as person:
        tab = person.new_page()
        for link, ask, said in (
            (made[good]["accept"], ENGLISH.agree, ENGLISH.agreed),
            (made[bad]["reject"], ENGLISH.refuse, ENGLISH.refused),
        ):
            tab.goto(link)
            tab.get_by_role("button", name=ask.button).click()
            expect(tab.get_by_role("status")).to_have_text(said)
    site.client.wait_until_delivered()
    assert [site.status(action) for action in (good, bad)] == ["delivered", "rejected"]
    assert [message["actionId"] for message in site.messages(org)] == [good]


def test_a_scanner_that_opens_every_link_ten_times_changes_nothing(site: Site) -> None:
    case = signed(site, "one_click=true")
    for link in [*case.links.values(), case.links["accept"] + "?doi=1"] * 10:
        answer = site.client.call("GET", link.removeprefix(site.client.stack.api_url))
        assert answer.status == 200
    assert case.status == "new"
    assert not site.received(case.org)
    assert not site.received(case.org, "confirm-supporter")
