"""A real browser without a window, for the pages that people see.

    def test_it(browser: Browser) -> None:
        with visitor(browser, locale="de-DE") as person:
            tab = person.new_page()
            tab.goto(address)
            tab.get_by_role("button", name="Sign").click()

Tests find things as people do, by role and name (`get_by_role`, `get_by_label`), and press keys rather than setting
values. `java_script_enabled=False`, `reduced_motion="reduce"`, `viewport=...` make other visitors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, expect, sync_playwright

from tools.chromium import needed

LOOPBACK = {"127.0.0.1", "localhost"}
PATIENCE_MS = 60_000  # cold starts of functions take the local stack long on a busy machine
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium with an empty profile, ended with this block, and with this process however that ends."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser, *, may_fail: tuple[str, ...] = (), **options: Any) -> Iterator[BrowserContext]:
    """Somebody with no history: no cookies, storage or cache of anybody else's.

    Fails afterwards when a page asked another machine for anything, set a cookie, threw an error, broke its content
    security policy, or wrote an error to the console that has none of the texts of `may_fail` in it.
    """
    foreign: list[str] = []
    errors: list[str] = []

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in LOOPBACK:
            foreign.append(request.url)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in may_fail):
            errors.append(message.text)

    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", asked)
    context.on("console", said)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    try:
        yield context
        cookies = context.cookies()
    finally:
        context.close()
    assert not foreign, f"asked other machines: {foreign}"
    assert not cookies, f"set cookies: {cookies}"
    assert not errors, f"errors on the page: {errors}"
