"""From a signature to the mail, the link in it, the thanks, and a bounce: everything deployed, nothing mocked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from proca_common.approvals.texts import LANGUAGES
from tests.e2e.browser import visitor
from tests.e2e.mailbox import Mailbox
from tests.e2e.site import RUN, Ngo, Page, Site

ENGLISH = LANGUAGES["en"]
CONFIRM_TEXT = "Dear {{firstName}}, please confirm: {{{confirmLink}}}"
THANKS_TEXT = "Thank you, {{firstName}}: we are {{campaign.stats.supporterCount}}"


def mailing_org(site: Site, tmp_path: Any) -> Ngo:
    site.client.stack.client("sesv2").create_email_identity(EmailIdentity=f"bees-{RUN}.example.org")
    org = site.org("supporter_confirm=true", "event_queue=true", "supporter_confirm_template=confirm")
    for name, text in (("confirm", CONFIRM_TEXT), ("thanks", THANKS_TEXT)):
        html = tmp_path / f"{name}.html"
        html.write_text(f"<p>{text}</p>")
        plain = tmp_path / f"{name}.txt"
        plain.write_text(text)
        site.client.admin(
            "template", "put", org.name, name, "en", "--subject", name, "--html", str(html), "--text", str(plain)
        )
    sender = f"mail@bees-{RUN}.example.org"
    site.client.admin("org", "set", org.name, "email_backend=system", f"email_from={sender}")
    return org


def counted(site: Site, page: Page) -> dict[str, int]:
    return {name: number for name, number in site.numbers(page).items() if number and name.startswith("persons:")}


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_confirmed_by_mail_thanked_and_bounced(
    site: Site, browser: Browser, mailbox: Mailbox, tmp_path: Any, scripts: bool
) -> None:
    org = mailing_org(site, tmp_path)
    page = site.page(org)
    name = site.client.admin("page", "list")
    [page_name] = [each["name"] for each in name if each["id"] == page.id]
    site.client.admin("page", "set", page_name, "thank_you_template=thanks")
    email = f"ida-{RUN}-{int(scripts)}@example.org"
    action = site.signed(page, email=email)

    # the mail arrives, with a link; nothing is counted or delivered
    site.wait_for(lambda: mailbox.of(email))
    [asked] = mailbox.of(email)
    link = re.search(r"https?://[^\s\"\\]+/link/s/\d+/accept/[A-Za-z0-9_-]+", json.dumps(asked))
    assert link is not None, asked
    address = link[0]
    assert address.startswith(site.client.stack.api_url)
    assert site.status(action) == "new"
    assert not site.received(org)

    # whoever only looks changes nothing; the button does
    with visitor(browser, java_script_enabled=scripts) as person:
        tab = person.new_page()
        for _ in range(3):
            tab.goto(address)
        assert site.status(action) == "new"
        tab.get_by_role("button", name=ENGLISH.accept.button).click()
        expect(tab.get_by_role("status")).to_have_text(ENGLISH.accepted)
    site.client.wait_until_delivered()
    [message] = site.messages(org)
    assert (message["actionId"], message["contact"]["email"]) == (action, email)
    assert counted(site, page) == {"persons:total": 1}

    # the thanks
    site.wait_for(lambda: len(mailbox.of(email)) == 2)
    assert "Thank you, Ida: we are 1" in json.dumps(mailbox.of(email)[1])

    # it bounces: rejected, told, and not counted any more
    bounce = {
        "eventType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": []},
        "mail": {"messageId": "bounced", "tags": {"action": [str(action)], "mail": ["thank_you"]}},
    }
    topic = site.client.stack.environ["MAIL_EVENTS_TOPIC"]
    site.client.stack.client("sns").publish(TopicArn=topic, Message=json.dumps(bounce))
    site.wait_for(lambda: site.status(action) == "rejected")
    site.client.wait_until_delivered()
    [event] = [json.loads(each["Body"]) for each in site.received(org, "event")]
    assert (event["eventType"], event["actionId"]) == ("email_status", action)
    assert event["supporter"]["privacy"]["emailStatus"] == "bounce"
    assert counted(site, page) == {}
