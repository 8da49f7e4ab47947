"""Codes by which a second person agrees or refuses: domain 7.4, with guesses slowed and nothing changed by GET."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Any

import pytest

from proca_common.admin.confirms import confirm_create_action
from proca_common.admin.environment import AdminSettings
from proca_common.approvals.texts import LANGUAGES
from proca_common.confirms import store
from proca_common.confirms.confirm import Confirm
from proca_common.confirms.links import code_links
from proca_common.confirms.tokens import DAY_MS
from proca_common.errors import NotFound
from proca_common.guards import caps
from proca_common.stages import decide
from tests.harness.calls import calls
from tests.links import API, PROGRAMS, everything, look, press
from tests.simulated import SimulatedTime
from tests.world import World

ENGLISH = LANGUAGES["en"]
MODERATED = {"custom_action_confirm": True}


@pytest.fixture(autouse=True)
def _nobody_guessed_yet() -> None:
    caps.forget()


class Case:
    """An action, and a code to decide about it."""

    def __init__(self, world: World, **given: Any) -> None:
        self.world = world
        self.page = world.page(world.org("ngo", **MODERATED))
        self.action = world.sign(self.page).action
        world.run()
        self.made = store.create(replace(Confirm("", "confirm_action", self.action), **given))
        self.accept, self.reject = code_links(API, self.made)

    @property
    def status(self) -> str:
        self.world.run()
        return str(self.world.action(self.action)["status"])

    @property
    def charges(self) -> int:
        found = store.find(self.made.code)
        assert found is not None
        return found.charges


def test_a_moderator_accepts_by_link(world: World) -> None:
    case = Case(world)
    assert case.status == "confirming"
    shown = press(case.accept)
    assert (shown.status, ENGLISH.agreed in shown.text) == (200, True)
    assert (case.status, case.charges) == ("delivered", 0)
    assert len(world.messages(case.page.org)) == 1


def test_a_moderator_rejects_by_link(world: World) -> None:
    case = Case(world, charges=3)
    shown = press(case.reject)
    assert (shown.status, ENGLISH.refused in shown.text) == (200, True)
    assert (case.status, case.charges) == ("rejected", 0)
    assert press(case.accept).status == 410
    again = press(case.reject)
    assert (again.status, ENGLISH.already in again.text) == (200, True)


def test_a_code_is_used_up(world: World) -> None:
    case = Case(world, charges=2)
    assert press(case.accept).status == 200
    assert case.charges == 1
    assert ENGLISH.already in press(case.accept).text
    used_up = press(case.accept)
    assert (used_up.status, ENGLISH.expired in used_up.text) == (410, True)
    assert (case.status, case.charges) == ("delivered", 0)


@pytest.mark.parametrize(
    ("state", "verb", "status", "after"),
    [
        ("accepted", "accept", 200, "delivered"),
        ("accepted", "reject", 200, "rejected"),
        ("rejected", "accept", 400, "rejected"),
        ("rejected", "reject", 200, "rejected"),
    ],
)
def test_what_a_code_does_depends_on_the_action(world: World, state: str, verb: str, status: int, after: str) -> None:
    case = Case(world)
    {"accepted": decide.accept_action, "rejected": decide.reject_action}[state](case.action)
    assert press(getattr(case, verb)).status == status
    assert case.status == after


def test_a_new_action_waits_for_its_supporter_not_for_a_moderator(world: World) -> None:
    page = world.page(world.org("ngo", custom_supporter_confirm=True))
    action = world.sign(page).action
    made = store.create(Confirm("", "confirm_action", action))
    for link in code_links(API, made):
        assert press(link).status == 400
    assert world.action(action)["status"] == "new"
    assert store.find(made.code) == made


def test_looking_changes_nothing_and_asks_nothing_of_the_store(world: World) -> None:
    case = Case(world)
    before = everything(world)
    with calls() as recorded:
        for link in (case.accept, case.reject) * 10:
            shown = look(link, language="pl")
            assert (shown.status, '<form method="post">' in shown.text) == (200, True)
            assert look(link, accept=PROGRAMS).json["result"] == "ask"
    assert not recorded.operations
    assert everything(world) == before
    assert LANGUAGES["pl"].refuse.button in shown.text


def test_looking_at_a_code_that_does_not_exist_shows_the_same(world: World) -> None:
    case = Case(world)
    assert look(case.accept) == look(f"{API}/link/accept/{other_than(case.made.code)}")


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


# --- who has it with right


@pytest.mark.parametrize(
    ("made_for", "told", "works"),
    [
        ({}, {}, True),
        ({}, {"email": "ida@example.org"}, False),
        ({}, {"id": "5"}, False),
        ({"email": "ida@example.org"}, {}, False),
        ({"email": "ida@example.org"}, {"email": "Ida@Example.org"}, True),
        ({"email": "ida@example.org"}, {"email": "per@example.org"}, False),
        ({"email": "ida@example.org"}, {"id": "5"}, False),
        ({"object": 5}, {}, False),
        ({"object": 5}, {"id": "5"}, True),
        ({"object": 5}, {"id": "6"}, False),
        ({"object": 5}, {"id": "x"}, False),
        ({"object": 5}, {"id": ""}, False),
        ({"email": "ida@example.org", "object": 5}, {"email": "ida@example.org"}, True),
        ({"email": "ida@example.org", "object": 5}, {"id": "5"}, True),
        ({"email": "ida@example.org", "object": 5}, {"email": "per@example.org", "id": "5"}, False),
    ],
)
def test_a_code_is_good_only_with_what_it_was_made_for(
    world: World, made_for: dict[str, Any], told: dict[str, str], works: bool
) -> None:
    case = Case(world, **made_for)
    shown = press(f"{API}/link/accept/{case.made.code}", **told)
    assert (shown.status, case.status) == ((200, "delivered") if works else (404, "confirming"))


def test_the_links_of_a_code_tell_what_it_was_made_for(world: World) -> None:
    made = Confirm("12345678", "confirm_action", 1)
    assert code_links(f"{API}/v1/", made).accept == f"{API}/v1/link/accept/12345678"
    assert code_links(API, replace(made, object=5)).reject == f"{API}/link/reject/12345678?id=5"
    with_email = replace(made, object=5, email="ida+a@example.org")
    assert code_links(API, with_email).accept == f"{API}/link/accept/12345678?email=ida%2Ba%40example.org"


def test_every_wrong_code_gets_the_same_answer_after_the_same_calls(world: World) -> None:
    case = Case(world, email="ida@example.org")
    unsupported = store.create(Confirm("", "no_such_operation", 5))
    every = {
        "unknown": f"{API}/link/accept/{other_than(case.made.code)}",
        "of somebody else": f"{API}/link/accept/{case.made.code}?email=per@example.org",
        "of nobody": f"{API}/link/accept/{case.made.code}",
        "operation that is not known": code_links(API, unsupported).accept,
        "and its rejection": code_links(API, unsupported).reject,
    }
    before = {kind: [item for item in everything(world) if item.get("kind") != {"S": "cap"}] for kind in every}
    seen = set()
    for link in every.values():
        with calls() as recorded:
            shown = press(link)
        seen.add((shown.status, shown.text, tuple(sorted(shown.headers.items())), *recorded.operations))
    assert {status for status, *_ in seen} == {404}
    assert len(seen) == 1
    after = [item for item in everything(world) if item.get("kind") != {"S": "cap"}]
    assert all(items == after for items in before.values())


def test_a_form_is_as_small_as_any_body(world: World) -> None:
    case = Case(world)
    shown = press(f"{API}/link/accept/{case.made.code}", body="email=" + "x" * 65_536)
    assert (shown.status, case.status) == (413, "confirming")


@pytest.mark.parametrize(
    "link", ["agree/12345678", "accept/1234567", "accept/123456789", "accept/1234567x", "accept/٣٣٣٣٣٣٣٣"]
)
def test_what_is_no_code_is_malformed(world: World, link: str) -> None:
    with calls() as recorded:
        assert look(f"{API}/link/{link}").status == press(f"{API}/link/{link}").status == 400
    assert not recorded.operations


def test_a_code_ends(world: World, time: SimulatedTime) -> None:
    case = Case(world, expires=time.now_ms // 1000 + 3600)
    time.forward(hours=1)
    assert press(case.accept).status == press(case.reject).status == 410
    assert world.action(case.action)["status"] == "confirming"


# --- guesses


def test_guesses_are_slowed_for_the_network_that_guesses(world: World, time: SimulatedTime) -> None:
    case = Case(world)
    wrong = f"{API}/link/accept/{other_than(case.made.code)}"
    answers = [press(wrong, network=f"198.51.100.{number}") for number in range(12)]
    assert [shown.status for shown in answers] == [404] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert ENGLISH.busy in answers[-1].text
    with calls() as recorded:
        assert press(case.accept, network="198.51.100.77").status == 429
    assert not recorded.operations, "not even a right code is looked up"
    assert press(case.accept, network="203.0.113.1").status == 200
    time.forward(minutes=21)
    assert press(wrong, network="198.51.100.1").status == 404


def test_a_network_has_a_hundred_guesses_a_day(world: World, time: SimulatedTime) -> None:
    time.now_ms += DAY_MS - time.now_ms % DAY_MS  # days are counted in UTC
    wrong = f"{API}/link/accept/12345678"
    tried = 0
    for _ in range(24 * 3):
        while press(wrong).status == 404:
            tried += 1
        time.forward(minutes=20)
    assert tried <= 100


# --- codes and where to go


def test_a_code_that_is_taken_is_not_given_out_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Case(world).made
    given = iter([first.code, first.code, "00000007"])
    monkeypatch.setattr(store, "new_code", lambda: next(given))
    assert store.create(Confirm("", "confirm_action", 5)).code == "00000007"
    assert store.find(first.code) == first


def test_codes_are_eight_digits(world: World) -> None:
    assert all(len(code) == 8 and code.isdigit() for code in (store.new_code() for _ in range(100)))


@pytest.mark.parametrize(
    ("redir", "target"),
    [("/campaigns/5?x=1", "/campaigns/5?x=1"), ("//evil.example.net", None), ("https://evil.example.net/", None)],
)
def test_the_browser_goes_on_to_a_path_of_our_own_only(world: World, redir: str, target: str | None) -> None:
    case = Case(world)
    shown = press(case.accept, redir=redir)
    assert (shown.status, shown.headers.get("Location")) == ((303, target) if target else (200, None))
    assert case.status == "delivered"


def test_an_operator_makes_links_for_a_moderator(world: World) -> None:
    case = Case(world)
    settings = AdminSettings.model_construct(link_base_url=None, proca_api_url="https://api.example.org/v1")
    shown = confirm_create_action(Namespace(id=case.action, email="mod@example.org", days=2), settings)
    assert shown["accept"] == f"https://api.example.org/v1/link/accept/{shown['code']}?email=mod%40example.org"
    accept, reject = (str(shown[verb]).replace("/v1", "") for verb in ("accept", "reject"))
    assert press(reject).status == 200
    assert press(accept).status == 410
    assert case.status == "rejected"
    with pytest.raises(NotFound):
        confirm_create_action(Namespace(id=5, email=None, days=2), settings)
