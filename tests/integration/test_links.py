"""What a supporter's links do: each row of domain 7.1 and 7.2, as design 7.4 changes them. GET changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage, ActionPageInput
from proca_common.actions import store
from proca_common.actions.status import EmailStatus
from proca_common.actions.store import SupporterItem
from proca_common.approvals.texts import LANGUAGES
from proca_common.aws import dynamo
from proca_common.confirms.links import Links
from proca_common.stages import decide
from tests.harness.faults import faults, refuse
from tests.links import PROGRAMS, everything, links_of, look, press, with_query
from tests.simulated import SimulatedTime
from tests.world import Answer, World

ENGLISH = LANGUAGES["en"]
WAITING = {"custom_supporter_confirm": True}


def page_of(world: World, page_name: str = "", **settings: Any) -> ActionPage:
    org = world.org("ngo", **settings)
    return world.page(org, name=page_name)


def signed(world: World, page: ActionPage, **given: Any) -> Answer:
    answer = world.sign(page, **given)
    assert answer.status == 201, answer.body
    world.run()
    return answer


def supporter_of(world: World, signature: Answer) -> dict[str, Any]:
    [found] = [item for item in world.items("S#") if int(item["id"]) == signature.action]
    return found


def states(world: World, signature: Answer) -> tuple[str, str, str | None]:
    """Status of the supporter, of the action, of the address."""
    supporter = supporter_of(world, signature)
    return supporter["status"], world.action(signature.action)["status"], supporter.get("email_status")


def be_new(signature: Answer, org: int) -> None:
    item = SupporterItem(*store.supporter_key(signature.contact_ref, org, signature.action))
    dynamo.update(item, [SupporterItem.status.set("new")], SupporterItem.ref.exists())


# --- 7.1.1: each state of the supporter, each verb


@pytest.mark.parametrize(
    ("state", "verb", "status", "text", "after"),
    [
        ("new", "accept", 400, ENGLISH.impossible, ("new", "new")),
        ("new", "reject", 200, ENGLISH.rejected, ("rejected", "rejected")),
        ("confirming", "accept", 200, ENGLISH.accepted, ("accepted", "delivered")),
        ("confirming", "reject", 200, ENGLISH.rejected, ("rejected", "rejected")),
        ("accepted", "accept", 200, ENGLISH.already, ("accepted", "delivered")),
        ("accepted", "reject", 200, ENGLISH.rejected, ("rejected", "rejected")),
        ("rejected", "accept", 400, ENGLISH.impossible, ("rejected", "rejected")),
        ("rejected", "reject", 200, ENGLISH.already, ("rejected", "rejected")),
    ],
)
def test_what_a_link_does_depends_on_the_supporter(
    world: World, state: str, verb: str, status: int, text: str, after: tuple[str, str]
) -> None:
    page = page_of(world, **WAITING)
    signature = signed(world, page)
    if state == "new":
        be_new(signature, page.org)
    elif state == "accepted":
        decide.accept_supporter(signature.action)
        world.run()
    elif state == "rejected":
        decide.reject_supporter(signature.action)

    shown = press(getattr(links_of(signature), verb))
    world.run()

    assert (shown.status, text in shown.text) == (status, True)
    assert states(world, signature)[:2] == after
    assert "Location" not in shown.headers


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_pressing_again_is_harmless(world: World, verb: str) -> None:
    signature = signed(world, page_of(world, **WAITING))
    link = getattr(links_of(signature), verb)
    first = press(link)
    world.run()
    before = everything(world)

    again = [press(link) for _ in range(3)]

    assert [first.status, *(shown.status for shown in again)] == [200] * 4
    assert all(ENGLISH.already in shown.text for shown in again)
    assert everything(world) == before


def test_rejecting_takes_the_counts_back(world: World) -> None:
    page = page_of(world)
    signature = signed(world, page)
    assert world.numbers(page.campaign)["persons:total"] == 1
    press(links_of(signature).reject)
    assert not world.numbers(page.campaign)


def test_accepting_releases_everything_that_waited(world: World) -> None:
    page = page_of(world, **WAITING)
    signature = signed(world, page)
    for _ in range(3):
        assert world.act(page, signature.contact_ref).status == 201
    press(links_of(signature).accept)
    world.run()
    assert {item["status"] for item in world.items("A#")} == {"delivered"}
    assert len(world.messages(page.org)) == 4


# --- 7.2: the scenarios


def test_a_double_opt_in_leaves_a_delivered_signature_as_it_is(world: World) -> None:
    signature = signed(world, page_of(world), opt_in=True)
    shown = press(links_of(signature).double_opt_in)
    assert ENGLISH.opted_in in shown.text
    assert states(world, signature) == ("accepted", "delivered", "double_opt_in")


@pytest.mark.parametrize("doi", [None, "0", "false", "no"])
def test_accepting_alone_says_nothing_of_the_address(world: World, doi: str | None) -> None:
    signature = signed(world, page_of(world, **WAITING))
    assert states(world, signature)[:2] == ("confirming", "new")
    press(links_of(signature).accept, **({} if doi is None else {"doi": doi}))
    world.run()
    assert states(world, signature) == ("accepted", "delivered", None)


@pytest.mark.parametrize("doi", ["1", "true", "yes"])
def test_accepting_may_opt_in_too(world: World, doi: str) -> None:
    signature = signed(world, page_of(world, **WAITING))
    press(links_of(signature).accept, doi=doi)
    world.run()
    supporter = supporter_of(world, signature)
    assert states(world, signature) == ("accepted", "delivered", "double_opt_in")
    assert int(supporter["email_status_changed"]) == pytest.approx(world.seconds(), abs=60)


def test_accepting_again_with_opt_in_opts_in(world: World) -> None:
    signature = signed(world, page_of(world, **WAITING))
    press(links_of(signature).accept)
    shown = press(links_of(signature).accept, doi="1")
    assert shown.status == 200
    assert supporter_of(world, signature)["email_status"] == "double_opt_in"


@pytest.mark.parametrize("doi", ["", "2", "TRUE", "on", "1 "])
def test_another_doi_is_malformed_and_does_nothing(world: World, doi: str) -> None:
    signature = signed(world, page_of(world, **WAITING))
    before = everything(world)
    assert press(links_of(signature).accept, doi=doi).status == 400
    assert everything(world) == before


def test_a_rejected_signature_stays_rejected(world: World) -> None:
    """16.6 #8."""
    page = page_of(world, **WAITING)
    signature = signed(world, page)
    press(links_of(signature).reject)
    assert states(world, signature) == ("rejected", "rejected", None)
    before = everything(world)
    world.sweep()
    world.run()
    assert press(links_of(signature).accept, doi="1").status == 400
    assert everything(world) == before
    assert not world.received(page.org)


def test_rejecting_revokes_the_opt_in(world: World) -> None:
    signature = signed(world, page_of(world, **WAITING))
    press(links_of(signature).accept, doi="1")
    world.run()
    press(links_of(signature).reject)
    assert states(world, signature) == ("rejected", "rejected", "unsub")
    assert "email_status_changed" in supporter_of(world, signature)


def test_a_spam_report_of_an_opted_in_supporter_rejects_it(world: World) -> None:
    """16.6 #9."""
    signature = signed(world, page_of(world))
    press(links_of(signature).double_opt_in)
    decide.reject_supporter(signature.action, EmailStatus.SPAM)
    assert states(world, signature) == ("rejected", "rejected", "spam")


@pytest.mark.parametrize("status", ["bounce", "blocked", "spam", "unsub"])
def test_an_opt_in_does_nothing_once_the_address_is_known_to_be_lost(world: World, status: str) -> None:
    signature = signed(world, page_of(world))
    decide.set_email_status(signature.action, EmailStatus(status))
    for link in (links_of(signature).double_opt_in, with_query(links_of(signature).accept, doi="1")):
        assert press(link).status == 200
        assert supporter_of(world, signature)["email_status"] == status


def test_an_opt_in_of_an_address_that_is_lost_does_not_keep_the_signature_waiting(world: World) -> None:
    signature = signed(world, page_of(world, **WAITING))
    press(links_of(signature).unsubscribe)
    press(links_of(signature).accept, doi="1")
    world.run()
    assert states(world, signature) == ("accepted", "delivered", "unsub")


# --- unsubscribing


@pytest.mark.parametrize("body", [None, "List-Unsubscribe=One-Click"])
def test_unsubscribing_leaves_the_signature(world: World, body: str | None) -> None:
    page = page_of(world, **WAITING)
    signature = signed(world, page)
    shown = press(links_of(signature).unsubscribe, body=body, accept="*/*")
    assert (shown.status, ENGLISH.unsubscribed in shown.text) == (200, True)
    assert states(world, signature) == ("confirming", "new", "unsub")
    assert ENGLISH.already in press(links_of(signature).unsubscribe).text


def test_unsubscribing_leads_nowhere(world: World) -> None:
    page = page_of(world, redirect_hosts=["good.example.org"])
    signature = signed(world, page)
    assert press(links_of(signature).unsubscribe, redir="https://good.example.org/").status == 200


# --- GET


def test_a_scanner_that_opens_every_link_ten_times_changes_nothing(world: World) -> None:
    page = page_of(world, **WAITING, one_click=True)
    signature = signed(world, page)
    code = f"https://api.example.org/link/accept/{12345678}"
    every = [*links_of(signature), with_query(links_of(signature).accept, doi="1", reminder="1"), code]
    before = everything(world)

    for link in every * 10:
        assert look(link).status == 200
        assert look(link, accept=PROGRAMS).status == 200

    assert everything(world) == before


@pytest.mark.parametrize(
    ("name", "what"),
    [("accept", "accept"), ("reject", "reject"), ("double_opt_in", "doi"), ("unsubscribe", "unsub")],
)
def test_the_page_asks_in_the_language_of_the_action_page(world: World, name: str, what: str) -> None:
    org = world.org("ngo", **WAITING)
    campaign = world.campaign(org, "rivers")
    german = ActionPageInput(name="ngo/fluss", locale="de_AT", org=org.id, campaign=campaign.id)
    signature = signed(world, pages.create(german))
    shown = look(getattr(links_of(signature), name), language="fr")
    ask = getattr(LANGUAGES["de"], what)
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert all(text in shown.text for text in (*ask, "Rivers", '<html lang="de">', '<form method="post">'))


def test_nothing_of_the_person_is_in_any_answer(world: World) -> None:
    page = page_of(world, **WAITING)
    signature = signed(world, page, first_name="Zacharias", last_name="Quist", email="zacharias.quist@example.org")
    texts = [look(link).text + press(link).text for link in links_of(signature)]
    shown = "".join(texts).lower()
    assert not [part for part in ("zacharias", "quist", signature.contact_ref.lower()) if part in shown]


@pytest.mark.parametrize("one_click", [False, True])
def test_a_page_submits_itself_if_the_org_wants_it_but_never_to_take_something_back(
    world: World, one_click: bool
) -> None:
    signature = signed(world, page_of(world, **WAITING, one_click=one_click))
    found = links_of(signature)
    scripts = {name: "<script>" in look(getattr(found, name)).text for name in Links._fields}
    assert scripts == {"accept": one_click, "double_opt_in": one_click, "reject": False, "unsubscribe": False}


# --- redirects


def test_the_browser_goes_on_to_an_allowed_host_with_what_was_done(world: World) -> None:
    page = page_of(world, **WAITING, redirect_hosts=["good.example.org"])
    signature = signed(world, page)
    accept, reject, opt_in, _ = links_of(signature)
    redir = "https://good.example.org/thanks?x=1"
    assert press(opt_in, redir=redir).location == "https://good.example.org/thanks?proca_doi=1&x=1"
    assert press(accept, redir=redir, doi="yes").location == (
        "https://good.example.org/thanks?proca_confirm=accept&proca_doi=yes&x=1"
    )
    assert press(accept, redir=redir).location == "https://good.example.org/thanks?proca_confirm=accept&x=1"
    assert press(reject, redir=redir).location == "https://good.example.org/thanks?proca_confirm=reject&x=1"


def test_the_host_in_the_name_of_the_page_is_allowed(world: World) -> None:
    page = page_of(world, "riverwatch.example.org/sign", **WAITING)
    shown = press(links_of(signed(world, page)).accept, redir="https://riverwatch.example.org/thanks")
    assert shown.location == "https://riverwatch.example.org/thanks?proca_confirm=accept"


@pytest.mark.parametrize(
    "redir",
    [
        "https://evil.example.net/",
        "//evil.example.net/",
        "https://good.example.org@evil.example.net/",
        "https://good.example.org",
        "http://good.example.org/",
        "javascript:alert(1)",
        "/local",
        "",
    ],
)
def test_any_other_address_is_not_followed_but_the_link_does_its_work(world: World, redir: str) -> None:
    signature = signed(world, page_of(world, **WAITING, redirect_hosts=["good.example.org"]))
    shown = press(links_of(signature).accept, redir=redir)
    world.run()
    assert (shown.status, ENGLISH.accepted in shown.text) == (200, True)
    assert states(world, signature)[:2] == ("accepted", "delivered")
    assert "evil" not in shown.text + str(shown.headers)


def test_no_address_is_followed_when_the_link_did_not_work(world: World) -> None:
    signature = signed(world, page_of(world, **WAITING, redirect_hosts=["good.example.org"]))
    decide.reject_supporter(signature.action)
    assert press(links_of(signature).accept, redir="https://good.example.org/").status == 400


REFERER = {"Referer": "https://good.example.org/act?who=me"}


@pytest.mark.parametrize(
    ("settings", "target"),
    [({"redirect_hosts": ["good.example.org"]}, "https://good.example.org/act?proca_doi=1&who=me"), ({}, None)],
)
def test_an_opt_in_leads_back_to_where_it_was_done_if_that_is_allowed(
    world: World, settings: dict[str, Any], target: str | None
) -> None:
    page = page_of(world, **settings)
    answer = world.sign(page, headers=REFERER)
    world.run()
    shown = press(links_of(answer).double_opt_in)
    assert (shown.location if target else shown.headers.get("Location")) == target
    assert press(links_of(answer).accept).status == 200, "a host that is known from traffic alone"


def test_a_page_may_lead_to_where_its_link_leads(world: World) -> None:
    """Browsers hold form-action against the redirect, too."""
    page = page_of(world, redirect_hosts=["localhost"])
    signature = signed(world, page)
    policy = look(links_of(signature).accept, redir="http://localhost:8080/")
    assert "form-action 'self' https: http://localhost:8080;" in policy.headers["Content-Security-Policy"]


# --- the end of links


def test_accept_and_opt_in_end_after_180_days(world: World, time: SimulatedTime) -> None:
    page = page_of(world, **WAITING)
    signature = signed(world, page)
    time.forward(hours=24 * 180 - 1)
    found = links_of(signature)
    assert look(found.accept).status == look(found.double_opt_in).status == 200
    time.forward(hours=1)
    before = everything(world)
    for link in (found.accept, found.double_opt_in):
        for shown in (look(link), press(link)):
            assert (shown.status, ENGLISH.expired in shown.text) == (410, True)
            assert "<form" not in shown.text
    assert everything(world) == before
    assert press(found.unsubscribe).status == press(found.reject).status == 200
    assert states(world, signature) == ("rejected", "rejected", "unsub")


# --- programs


def test_programs_get_json(world: World) -> None:
    signature = signed(world, page_of(world, **WAITING, redirect_hosts=["good.example.org"]))
    accept, reject, _, _ = links_of(signature)
    asked = look(accept, accept=PROGRAMS)
    assert (asked.status, asked.json) == (200, {"result": "ask", "question": "accept"})
    done = press(accept, accept=PROGRAMS, redir="https://good.example.org/")
    target = "https://good.example.org/?proca_confirm=accept"
    assert (done.status, done.json) == (200, {"result": "accepted", "redirect": target})
    assert press(accept, accept=PROGRAMS).json == {"result": "already", "redirect": None}
    press(reject)
    refused = press(accept, accept=PROGRAMS)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json == {
        "type": "urn:proca:problem:settled",
        "title": "Malformed request",
        "status": 400,
        "detail": "supporter data already rejected",
    }


@pytest.mark.parametrize("accept", [PROGRAMS, "text/html"])
def test_every_answer_is_kept_nowhere_and_tells_nobody_its_address(world: World, accept: str) -> None:
    signature = signed(world, page_of(world, **WAITING, redirect_hosts=["good.example.org"]))
    link = links_of(signature).accept
    every = [
        look(link, accept=accept),
        press(link, accept=accept, redir="https://good.example.org/"),
        press(link, accept=accept),
        press(link + "x", accept=accept),
        press(link, accept=accept, doi="maybe"),
    ]
    for shown in every:
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["Referrer-Policy"] == "no-referrer"
        assert shown.headers["X-Frame-Options"] == "DENY"
        assert shown.headers["X-Robots-Tag"] == "noindex"
        assert "frame-ancestors 'none'" in shown.headers["Content-Security-Policy"]


def test_reminders_that_worked_are_counted_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    page = page_of(world, **WAITING)
    link = with_query(links_of(signed(world, page)).accept, reminder="1")
    look(link)
    press(link)
    press(link)
    lines = re.findall(r'.*"ReminderConfirmed".*', capsys.readouterr().out)
    assert len(lines) == 1
    assert f'"org":"{page.org}"' in lines[0].replace(" ", "")


@pytest.mark.parametrize(
    ("accept", "shown_as"), [("text/html", "text/html; charset=utf-8"), (PROGRAMS, "application/problem+json")]
)
def test_a_fault_of_ours_is_told_as_one_and_nothing_more(world: World, accept: str, shown_as: str) -> None:
    signature = signed(world, page_of(world, **WAITING))
    with faults(refuse("AccessDeniedException", on="GetItem", message="zq-secret")):
        shown = press(links_of(signature).accept, accept=accept)
    assert (shown.status, shown.headers["Content-Type"]) == (500, shown_as)
    assert "zq-secret" not in shown.text + str(shown.headers)
    assert "Traceback" not in shown.text
    assert states(world, signature)[:2] == ("confirming", "new")
