"""One freshly deployed stack for all tests here, or the one on AWS that PROCA_API_URL names. It is gone after the last
of them: its schedules and its readers of queues would take time from the tests of other folders.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import chromium
from tests.e2e.mailbox import Mailbox
from tests.e2e.site import INSTANCE_SENDER, Ngo, Page, Site
from tools.client import Client
from tools.emulator import Emulator
from tools.stack import Stack, deployed_stack
from tools.widget import served


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out, on AWS, what reaches into the local stack."""
    if "PROCA_API_URL" in os.environ:
        local = [item for item in items if "local" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=local)
        items[:] = [item for item in items if item not in local]


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    with ExitStack() as exits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # the emulator is kept by its number, not by its object
            deployed = exits.enter_context(deployed_stack())
        yield deployed


@pytest.fixture(scope="package")
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack) as opened:
        opened.admin("setup")
        yield opened


@pytest.fixture(scope="package")
def local(stack: Stack) -> Emulator:
    """The local stack's inside."""
    assert stack.emulator is not None
    return stack.emulator


@pytest.fixture(scope="package")
def mailbox(client: Client, local: Emulator) -> Mailbox:
    """What arrives of all mails; the instance sends its own, and those of orgs that want it."""
    client.stack.client("sesv2").create_email_identity(EmailIdentity=INSTANCE_SENDER.partition("@")[2])
    client.admin("service", "add", "instance", "ses", "--host", "eu-central-1")
    client.admin("org", "set", "instance", "email_backend=ses", f"email_from={INSTANCE_SENDER}")
    return Mailbox(local)


@pytest.fixture
def site(client: Client) -> Site:
    return Site(client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one module: see tests/e2e/browser.py."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(local: Emulator, stack: Stack) -> Iterator[str]:
    """Where the widget is."""
    with served(stack.api_url) as found:
        yield found


@pytest.fixture
def org(site: Site) -> Ngo:
    return site.org("title=Bee Guardians")


@pytest.fixture
def page(site: Site, org: Ngo) -> Page:
    made = site.page(org)
    site.client.admin("campaign", "set", made.campaign, "title=Let our parks flower")
    return made
