"""The widget of examples/widget, as tests open and fill it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Request
from playwright.sync_api import Page as Tab

from tests.e2e.browser import visitor
from tests.e2e.site import Ngo, Page, Site

SIGN = re.compile("^(Sign|Unterschreiben|Signer)$")
REFUSED = ("Failed to load resource",)
"""What the browser writes to its console for each answer that is an error."""

_numbers = itertools.count(1)


class Visit:
    """A tab with the widget, and what it sent."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.posts: list[Request] = []
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
