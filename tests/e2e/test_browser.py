"""What tests of pages rely on: a browser that runs scripts, reaches this machine only, and tells what went wrong."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import visitor

PAGE = "data:text/html,<title>Bees</title><button onclick=\"this.textContent='Signed'\">Sign</button>"


def test_a_page_is_used_with_the_keyboard(browser: Browser) -> None:
    with visitor(browser) as person:
        tab = person.new_page()
        tab.goto(PAGE)

        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")

        assert tab.title() == "Bees"
        assert tab.get_by_role("button", name="Signed").is_visible()


def test_a_page_works_without_scripts(browser: Browser) -> None:
    with visitor(browser, java_script_enabled=False) as person:
        tab = person.new_page()
        tab.goto(PAGE)

        tab.get_by_role("button").click()

        assert tab.get_by_role("button", name="Sign", exact=True).is_visible()


@pytest.mark.parametrize(
    ("page", "noticed"),
    [
        ("<img src='http://other.example.org/pixel.png'>", r"other machines: .*other\.example\.org"),
        ("<script>throw new Error('no bees')</script>", "no bees"),
        ("<script>console.error('no honey')</script>", "no honey"),
    ],
)
def test_what_goes_wrong_on_a_page_is_noticed(browser: Browser, page: str, noticed: str) -> None:
    def visit() -> None:
        with visitor(browser) as person:
            person.new_page().goto(f"data:text/html,{page}")

    with pytest.raises(AssertionError, match=noticed):
        visit()
