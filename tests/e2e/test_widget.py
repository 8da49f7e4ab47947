"""Signing with the page of examples/widget in a real browser, on a deployed stack.

That no page asks another machine, sets a cookie, breaks its policy or throws is part of each test (`visitor`).
"""

from __future__ import annotations

import hashlib
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Route, expect

from tests.e2e.browser import visitor
from tests.e2e.browser_widget import REFUSED, ask_for_work, delivered, press, visit
from tests.e2e.site import Ngo, Page, Site
from tools.widget import FOLDER

VENDORED = {
    "scrypt.js": "9d73a8d5f9c0e81af2c58769d8df4d1dacfe72656f79d3b3242ec316f62dbe7d",
    "argon2id.js": "cd9770a74e50a08f335361f0f567c68a3856213a06e77f2bd36128cad27b9fe9",
}


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
