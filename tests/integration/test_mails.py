"""Mails from the order to the mail server: what goes out, what is dropped, what waits (domain 8, 16.7)."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.actions import store
from proca_common.actions.status import EmailStatus
from proca_common.campaigns import store as campaigns
from proca_common.mails import claims, counts, templates
from proca_common.mails.sending import Counted
from proca_common.orgs import services
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.stages import decide
from tests.harness.calls import unseen_client
from tests.mail_server import PASSWORD, MailServer
from tests.post import MAX_RECEIVE, PostOffice
from tests.simulated import SimulatedTime

MAILS = {"email_backend": "smtp", "email_from": "mail@bees.example.org"}
ADDRESS = "ida.holm@example.org"
HOUR_MS = 3_600_000


@pytest.fixture
def org(office: PostOffice, mail_server: MailServer) -> Org:
    """An org with its own mail server and all templates."""
    return mailing(office, "bees", mail_server)


def mailing(office: PostOffice, name: str, server: MailServer, **settings: Any) -> Org:
    org = office.world.org(name, **{**MAILS, **settings})
    office.smtp(org, server)
    for template in ("thanks", "confirm", "again"):
        office.template(org, template)
    return org


def signed(office: PostOffice, page: ActionPage, **given: Any) -> int:
    """Sign, and let the stream functions order what is due."""
    action = office.world.sign(page, **given).action
    office.world.run()
    office.collect()
    return action


def confirmed(office: PostOffice, action: int) -> None:
    decide.accept_supporter(action)
    office.world.run()
    office.collect()


def thanked(office: PostOffice, org: Org, **given: Any) -> int:
    """Somebody who is to be thanked."""
    return signed(office, office.world.page(org, thank_you_template="thanks"), **given)


def supporters(office: PostOffice) -> list[dict[str, Any]]:
    return office.world.items("S#")


def subjects(server: MailServer) -> list[str]:
    return [str(mail["Subject"]) for mail in server.mails]


def html(server: MailServer, index: int = -1) -> str:
    part = server.mails[index].get_body(("html",))
    assert part is not None
    return str(part.get_content())


# --- what goes out


def test_thanks_arrive_once(office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer) -> None:
    action = thanked(office, org)

    office.run(time)

    [taken] = mail_server.taken
    assert taken.over_tls
    assert (taken.sender, taken.recipients) == ("mail@bees.example.org", [ADDRESS])
    assert taken.mail["From"] == "Bees <mail@bees.example.org>"
    assert taken.mail["Subject"] == "thanks for Ida"
    assert taken.mail["X-Proca-Custom-Id"] == f"action:{action}"
    assert taken.mail["List-Unsubscribe"].startswith(f"<https://api.example.org/v1/link/u/{action}/")
    assert taken.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"https://api.example.org/v1/link/d/{action}/" in html(mail_server)
    [supporter] = supporters(office)
    assert supporter["mailed"] == ["thank_you"]
    assert not {"mail", "mail_claim"} & supporter.keys()
    assert office.counts == {Counted.SENT: 1}


def test_asked_then_thanked_and_then_the_address_is_gone(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    org = mailing(office, "bees", mail_server, supporter_confirm=True, supporter_confirm_template="confirm")
    action = thanked(office, org)
    office.run(time)
    assert f"https://api.example.org/v1/link/s/{action}/accept/" in html(mail_server)
    assert "mail" in supporters(office)[0]

    confirmed(office, action)
    office.run(time)

    assert subjects(mail_server) == ["confirm for Ida", "thanks for Ida"]
    [supporter] = supporters(office)
    assert set(supporter["mailed"]) == {"supporter_confirm", "thank_you"}
    assert "mail" not in supporter


@pytest.mark.parametrize(
    ("page", "mails"),
    [
        ({"duplicate_template": "again"}, ["again for Ida"]),
        ({"duplicate_template": "again", "thank_you_template": "thanks"}, ["thanks for Ida", "again for Ida"]),
        ({"supporter_confirm_template": "confirm"}, ["confirm for Ida"]),
        ({"thank_you_template": "thanks"}, ["thanks for Ida"] * 2),
        ({}, []),
    ],
)
def test_who_signs_again(
    office: PostOffice,
    org: Org,
    time: SimulatedTime,
    mail_server: MailServer,
    page: dict[str, str],
    mails: list[str],
) -> None:
    made = office.world.page(org, **page)

    for _ in range(2):
        signed(office, made)
        time.forward(seconds=1)
    office.run(time)

    assert subjects(mail_server) == mails
    assert all("mail" not in supporter for supporter in supporters(office))


@pytest.mark.parametrize(("opt_in", "mails"), [(True, 1), (False, 0), (None, 0)])
def test_thanks_only_with_consent(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer, opt_in: bool | None, mails: int
) -> None:
    thanked(office, mailing(office, "bees", mail_server, doi_thank_you=True), opt_in=opt_in)

    office.run(time)

    assert len(mail_server.taken) == mails
    assert "mail" not in supporters(office)[0]


def test_only_the_page_org_mails(office: PostOffice, time: SimulatedTime, mail_server: MailServer) -> None:
    lead = mailing(office, "lead", mail_server)
    partner = mailing(office, "partner", mail_server)
    page = office.world.page(partner, office.world.campaign(lead), thank_you_template="thanks")

    action = signed(office, page, lead_opt_in=True)
    office.world.act(page, supporters(office)[0]["ref"])
    office.world.run()
    office.collect()
    office.run(time)

    assert [mail["From"] for mail in mail_server.mails] == ["Partner <mail@bees.example.org>"]
    assert action


def test_the_mail_says_what_is_known(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    office.template(
        org,
        "thanks",
        html="{{firstName}} {{lastName}} {{comment}} {{campaign.stats.supporterCount}}"
        " {{#privacy}}{{#optIn}}IN{{/optIn}}{{^optIn}}OUT{{/optIn}}{{/privacy}} {{#isDupe}}dupe{{/isDupe}}",
    )

    thanked(office, org, fields={"comment": "<b>"}, opt_in=True)
    office.run(time)

    assert html(mail_server).strip() == "Ida Holm &lt;b&gt; 1 IN"


@pytest.mark.parametrize(
    ("locales", "taken"),
    [(["en", "de", "de_AT"], "de_AT"), (["en", "de"], "de"), (["en", "de_CH"], "de_CH"), (["en"], "en")],
)
def test_a_locale_without_a_template_takes_another(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer, locales: list[str], taken: str
) -> None:
    for locale in locales:
        office.template(org, "localised", locale, subject=locale)
    page = office.world.page(org, thank_you_template="localised")
    page = page.model_copy(update={"locale": "de_AT"})
    pages.replace(page)
    office.world.forget()

    signed(office, page)
    office.run(time)

    assert subjects(mail_server) == [taken]


def test_a_changed_template_holds_after_half_a_minute(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    page = office.world.page(org, thank_you_template="thanks")
    signed(office, page)
    office.run(time)
    office.template(org, "thanks", subject="new")

    time.forward(seconds=31)
    signed(office, page, email="per@example.org")
    office.run(time)

    assert subjects(mail_server) == ["thanks for Ida", "new"]
    assert [template.name for template in templates.of_org(org.id)] == ["again", "confirm", "thanks"]


# --- services


def test_a_borrowed_service_sends_in_the_name_of_the_borrower(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    lender = orgs.get(office.world.instance.org)
    orgs.replace(lender.model_copy(update={"email_backend": "smtp", "email_from": "post@instance.example.org"}))
    office.smtp(lender, mail_server)
    org = office.world.org("borrower", email_backend="system", email_from="mail@borrower.example.org")
    office.template(org, "thanks")

    thanked(office, org)
    office.run(time)

    assert [mail["From"] for mail in mail_server.mails] == ["Borrower <mail@borrower.example.org>"]


@pytest.mark.parametrize("lends", [None, "system", "ses"])
def test_what_cannot_be_borrowed_waits(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer, lends: str | None
) -> None:
    lender = orgs.get(office.world.instance.org)
    orgs.replace(lender.model_copy(update={"email_backend": lends}))
    org = office.world.org("borrower", email_backend="system", email_from="mail@borrower.example.org")
    office.template(org, "thanks")
    thanked(office, org)

    office.step()

    assert len(office.waiting) == 1
    assert "mail" in supporters(office)[0]


def test_the_transactional_backend_as_far_as_its_budget_goes(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    lender = orgs.get(office.world.instance.org)
    orgs.replace(lender.model_copy(update={"transactional_email_backend": "smtp"}))
    lent = office.smtp(lender, mail_server, transactional_email_budget=3)
    org = mailing(office, "bees", mail_server, transactional_email_backend="system")
    page = office.world.page(org, thank_you_template="thanks")
    used = []
    backend = office.environment.ways.backend
    office.environment.ways.backend = lambda service: used.append(service.org) or backend(service)  # type: ignore[method-assign]

    for number in range(5):
        signed(office, page, email=f"p{number}@example.org")
        time.forward(seconds=1)
        office.run(time)

    assert len(mail_server.taken) == 5
    assert used[::2] == [lent.org] * 3 + [org.id] * 2
    assert counts.read(org.id)["transactional"] == 5
    counts.reset_budget(org.id)
    assert counts.read(org.id)["transactional"] == 0


def test_duplicates_are_not_transactional(office: PostOffice, time: SimulatedTime, mail_server: MailServer) -> None:
    org = mailing(office, "bees", mail_server, transactional_email_backend="system")  # there is none
    page = office.world.page(org, duplicate_template="again")
    for _ in range(2):
        signed(office, page)
        time.forward(seconds=1)

    office.run(time)

    assert subjects(mail_server) == ["again for Ida"]


def test_a_mail_that_does_not_go_out_is_not_charged(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    lender = orgs.get(office.world.instance.org)
    orgs.replace(lender.model_copy(update={"transactional_email_backend": "smtp"}))
    office.smtp(lender, mail_server, transactional_email_budget=3)
    org = mailing(office, "bees", mail_server, transactional_email_backend="system")
    mail_server.replies["MAIL"] = ["451 later"] * 4
    thanked(office, org)

    office.run(time)

    assert len(mail_server.taken) == 1
    assert counts.read(org.id)["transactional"] == 1


# --- what is dropped


def reject(office: PostOffice, action: int, org: Org) -> None:
    decide.reject_supporter(action)


def unsubscribe(office: PostOffice, action: int, org: Org) -> None:
    decide.set_email_status(action, EmailStatus.UNSUB)


def erase(office: PostOffice, action: int, org: Org) -> None:
    for item in office.world.tables.all_items("ActionsTable"):
        key = {name: item[name] for name in ("ref", "sk")}
        unseen_client("dynamodb").delete_item(TableName=office.world.tables["ActionsTable"], Key=key)


def mail_no_more(office: PostOffice, action: int, org: Org) -> None:
    orgs.replace(orgs.get(org.id).model_copy(update={"email_backend": None}))
    office.world.forget()


def take_the_template_off_the_page(office: PostOffice, action: int, org: Org) -> None:
    [page] = pages.every()
    pages.replace(page.model_copy(update={"thank_you_template": None}))
    office.world.forget()


@pytest.mark.parametrize("happens", [reject, unsubscribe, erase, mail_no_more, take_the_template_off_the_page])
def test_what_is_not_due_any_more_is_dropped(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer, happens: Any
) -> None:
    action = thanked(office, org)
    happens(office, action, org)

    office.run(time)

    assert not mail_server.taken
    assert not office.waiting
    assert office.counts == {Counted.DROPPED: 1}
    assert not [supporter for supporter in supporters(office) if "mail" in supporter]


def test_who_confirmed_meanwhile_is_not_asked(office: PostOffice, time: SimulatedTime, mail_server: MailServer) -> None:
    org = mailing(office, "bees", mail_server, supporter_confirm=True, supporter_confirm_template="confirm")
    action = thanked(office, org)

    confirmed(office, action)
    office.run(time)

    assert subjects(mail_server) == ["thanks for Ida"]


def test_an_address_gets_no_more_mails_than_its_cap(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    campaign = office.world.campaign(org, guards={"address_cap": {"burst": 2, "sustained": 3}})
    page = office.world.page(org, campaign, thank_you_template="thanks")
    for _ in range(4):
        signed(office, page)
        time.forward(seconds=1)
    signed(office, page, email="per@example.org")

    office.run(time)

    assert Counter(taken.recipients[0] for taken in mail_server.taken) == {ADDRESS: 2, "per@example.org": 1}
    assert office.counts == {Counted.SENT: 3, Counted.DROPPED: 2}
    assert all(supporter["mailed"] == ["thank_you"] and "mail" not in supporter for supporter in supporters(office))
    assert campaigns.get(campaign.id)


def test_trying_again_does_not_count_for_the_cap(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    campaign = office.world.campaign(org, guards={"address_cap": {"burst": 1, "sustained": 1}})
    mail_server.replies["MAIL"] = ["451 later"] * 5
    signed(office, office.world.page(org, campaign, thank_you_template="thanks"))

    office.run(time)

    assert office.counts == {Counted.SENT: 1}


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "550 nobody", "553 5.1.3 bad address", "550 5.2.1 off"])
def test_who_the_provider_will_never_take_is_given_up(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer, reply: str
) -> None:
    mail_server.replies["RCPT"] = [reply]
    thanked(office, org)

    office.run(time)

    assert not mail_server.taken
    assert office.counts == {Counted.FAILED: 1}
    [supporter] = supporters(office)
    assert supporter["mailed"] == ["thank_you"]
    assert not {"mail", "mail_claim"} & supporter.keys()
    assert "email_status" not in supporter  # bounces are told by events


def test_an_address_that_no_server_takes_is_given_up(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    thanked(office, org, email="a..b@example.org")
    other = office.world.page(org, office.world.campaign(org, "other"), thank_you_template="thanks")
    signed(office, other)

    office.run(time)

    assert [taken.recipients for taken in mail_server.taken] == [[ADDRESS]]
    assert office.counts == {Counted.FAILED: 1, Counted.SENT: 1}


# --- what waits


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL", "451 4.7.1 greylisted"),
        ("MAIL", "550 5.7.1 sender not allowed"),
        ("RCPT", "450 4.2.1 busy"),
        ("RCPT", "550 5.7.1 relaying denied"),
        ("RCPT", "552 5.2.2 full"),
        ("DATA", "451 4.3.0 later"),
        ("DATA", "554 5.6.0 content"),
    ],
)
def test_what_the_provider_does_not_take_now_goes_out_later(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer, command: str, reply: str
) -> None:
    mail_server.replies[command] = [reply] * 3
    thanked(office, org)
    started = time.now_ms

    office.run(time)

    assert len(mail_server.taken) == 1
    assert office.counts == {Counted.SENT: 1}
    assert 7 * 60_000 <= time.now_ms - started <= 8 * 60_000  # 1, 2 and 4 minutes
    assert supporters(office)[0]["mailed"] == ["thank_you"]


def test_without_a_template_a_mail_waits_until_there_is_one(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    templates.remove(org.id, "thanks", "en")
    thanked(office, org)
    for _ in range(4):
        assert office.step()
        time.now_ms = max(message.visible_ms for message in office.waiting.values())
    assert not mail_server.taken

    office.template(org, "thanks")
    office.run(time)

    assert subjects(mail_server) == ["thanks for Ida"]


def test_what_never_goes_out_ends_in_the_dead_letter_queue(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    templates.remove(org.id, "thanks", "en")
    action = thanked(office, org)
    started = time.now_ms

    office.run(time)

    assert [json.loads(message.body)["action"] for message in office.dead] == [action]
    assert time.now_ms - started > 24 * HOUR_MS
    assert "mail" in supporters(office)[0]  # it can be redriven

    office.template(org, "thanks")
    office.put(office.dead.pop().body)
    office.run(time)
    assert subjects(mail_server) == ["thanks for Ida"]


def test_one_poison_message_holds_up_nobody(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    office.put("no order")
    office.put(json.dumps({"mail": "newsletter"}))
    thanked(office, org)

    office.run(time)

    assert subjects(mail_server) == ["thanks for Ida"]
    assert [message.received for message in office.dead] == [MAX_RECEIVE] * 2


def test_a_service_that_is_broken_is_asked_once_a_batch(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    [service] = services.of_org(org.id)
    known = services.ServiceInput(**{name: getattr(service, name) for name in services.ServiceInput.model_fields})
    services.replace(service, known, "wrong")
    other = mailing(office, "wasps", mail_server)
    made = [
        office.world.page(each, office.world.campaign(each, each.name), thank_you_template="thanks")
        for each in (org, other)
    ]
    for number in range(4):
        signed(office, made[number == 3], email=f"p{number}@example.org")

    office.step()

    assert mail_server.logins == 2  # once with the wrong password, once with the right one
    assert len(mail_server.taken) == 1
    assert len(office.waiting) == 3
    assert all("@0" in supporter.get("mail_claim", "@0") for supporter in supporters(office))

    time.forward(seconds=1)
    services.replace(services.get(org.id, service.id), known, PASSWORD)
    office.run(time)
    assert len(mail_server.taken) == 4
    assert office.counts == {Counted.SENT: 4}


def test_a_mail_server_that_is_not_there(office: PostOffice, time: SimulatedTime, mail_server: MailServer) -> None:
    org = mailing(office, "bees", MailServer(1, "tls"))
    thanked(office, org)

    office.step()

    assert len(office.waiting) == 1
    assert office.counts == {}


def test_without_time_nothing_is_begun(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    thanked(office, org)

    office.step(remaining_ms=5_000)

    assert not mail_server.taken
    assert "mail_claim" not in supporters(office)[0]
    office.run(time)
    assert len(mail_server.taken) == 1


# --- exactly once, as far as can be


def test_an_answer_that_is_lost_may_mean_a_second_mail_and_is_counted(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    mail_server.replies["AFTER DATA"] = ["lost"]
    thanked(office, org)

    office.run(time)

    assert len(mail_server.taken) == 2
    assert office.counts == {Counted.SENT: 1, Counted.POSSIBLY_TWICE: 1}
    assert counts.read(org.id)["possibly_twice"] == 1
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == 2


def test_orders_that_come_again_and_in_any_order(
    office: PostOffice, time: SimulatedTime, mail_server: MailServer
) -> None:
    org = mailing(office, "bees", mail_server, supporter_confirm=True, supporter_confirm_template="confirm")
    page = office.world.page(org, thank_you_template="thanks")
    actions = [signed(office, page, email=f"p{number}@example.org") for number in range(5)]
    office.run(time)
    for action in actions:
        confirmed(office, action)
    bodies = [json.dumps(order) for order in office.orders()] * 3
    random.Random(7).shuffle(bodies)
    for body in bodies:
        office.put(body)

    office.run(time)

    assert Counter(subjects(mail_server)) == {"confirm for Ida": 5, "thanks for Ida": 5}
    assert office.counts[Counted.SENT] == 10
    assert office.counts[Counted.POSSIBLY_TWICE] == 0


def test_while_somebody_sends_nobody_else_does(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer
) -> None:
    thanked(office, org)
    [item] = supporters(office)
    refused = []

    def meanwhile() -> None:
        supporter = store.read((item["ref"], item["sk"]))
        try:
            claims.claim(supporter, "thank_you", time.now_ms + 1)  # type: ignore[arg-type]
        except claims.Claimed as claimed:
            refused.append(claimed.until_ms)

    mail_server.on_data = meanwhile
    office.run(time)

    assert len(refused) == 1
    assert len(mail_server.taken) == 1


# --- nobody learns of an address


def test_no_log_line_has_an_address_a_name_or_a_ref(
    office: PostOffice, org: Org, time: SimulatedTime, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mail_server.replies |= {
        "RCPT": [f"550 5.7.1 {ADDRESS} not wanted", f"450 {ADDRESS}", f"550 5.1.1 {ADDRESS}"],
        "DATA": [f"554 {ADDRESS}", "451 Ida Holm"],
    }
    page = office.world.page(org, thank_you_template="thanks")
    for _ in range(3):
        signed(office, page)
        time.forward(seconds=1)
    office.run(time)

    ours = [record for record in caplog.records if not record.name.startswith("mail.")]  # the server's own
    assert {"mail waits", "mail refused for good"} <= {record.getMessage() for record in ours}
    said = "".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    for word in ("ida.holm", "Ida", "Holm", *(supporter["ref"] for supporter in supporters(office))):
        assert word not in said
