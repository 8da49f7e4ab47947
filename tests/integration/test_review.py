"""Signatures that a pattern refuses or holds, and what becomes of those held (design 4; domain 4.2)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.admin import __main__ as admin
from proca_common.aws.logs import logger
from proca_common.cli.arguments import parsed
from proca_common.errors import NotAllowed, NotFound
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from proca_common.stages import decide, review
from tests.harness.calls import calls
from tests.harness.interleave import probe, run, schedules
from tests.world import Answer, World, signature

BAD = "bad@spam.example.org"


def guards(action: str = "hold", kind: str = "domain", pattern: str = "spam.example.org") -> dict[str, Any]:
    return {"patterns": [{"id": 7, "kind": kind, "pattern": pattern, "action": action}]}


@pytest.fixture
def org(world: World) -> Org:
    return world.org("ngo", custom_supporter_confirm=True)


def page_of(world: World, org: Org, name: str = "bees", **settings: Any) -> ActionPage:
    settings.setdefault("supporter_confirm", False)
    settings.setdefault("guards", guards())
    made = world.page(org, world.campaign(org, name, **settings))
    world.get(f"/v1/pages/{made.id}")
    return made


def supporter(world: World, answer: Answer) -> dict[str, Any]:
    [found] = [item for item in world.items("S#") if int(item["id"]) == answer.action]
    return found


class TestHeld:
    def test_it_is_kept_out_of_everything_and_listed(self, world: World, org: Org) -> None:
        page = page_of(world, org)

        held = world.sign(page, email=BAD)
        world.run()

        assert not world.messages(org)
        assert not world.numbers(page.campaign)
        action = world.action(held.action)
        assert (action["status"], action["held"], supporter(world, held)["status"]) == ("new", "7", "new")
        assert "stage" not in action
        assert action["pending"] == f"review#{held.action % 64}"
        assert [int(found.id) for found in review.held_signatures()] == [held.action]

    def test_nothing_wakes_it(self, world: World, org: Org) -> None:
        held = world.sign(page_of(world, org), email=BAD)
        before = world.action(held.action)
        world.ahead_ms += 86_400_000

        assert world.sweep() == {"woken": 0, "stuck": 0}
        world.run()
        assert world.action(held.action) == before

    def test_its_links_confirm_nothing(self, world: World, org: Org) -> None:
        held = world.sign(page_of(world, org, supporter_confirm=True), email=BAD)

        for decision in (decide.accept_supporter, decide.accept_action, decide.reject_action):
            with pytest.raises(NotAllowed):
                decision(held.action)

    def test_it_gets_the_answer_and_costs_the_calls_of_everyone(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        world.sign(page, email="warm@example.org")
        seen = []
        for email in ("ida.holm@example.org", BAD, BAD, "ida.holm@example.org"):
            with calls() as recorded:
                answer = world.sign(page, email=email)
            headers = sorted(answer.headers.items())
            seen.append((answer.status, sorted(answer.body), headers, recorded.operations, len(recorded[0].keys)))
        assert seen == [seen[0]] * 4

    def test_further_actions_wait_with_it(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        held = world.sign(page, email=BAD)

        shared = world.act(page, held.contact_ref)
        world.run()

        assert shared.status == 201
        assert world.action(shared.action)["status"] == "new"
        assert "held" not in world.action(shared.action)
        found = supporter(world, held)
        assert (found["actions"], found["waiting"]) == ("2", "2")

    def test_earlier_actions_are_not_linked_before(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        earlier = world.act(page, "cmVm")
        held = world.sign(page, email=BAD, contactRef="cmVm")
        world.run()
        assert "supporter" not in world.action(earlier.action)

        assert decide.release_supporter(held.action)
        world.run()

        assert world.action(earlier.action)["status"] == "delivered"
        assert not world.pending()


class TestReleased:
    def test_it_goes_on_as_at_intake(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        held = world.sign(page, email=BAD)

        assert decide.release_supporter(held.action)
        assert not decide.release_supporter(held.action)
        world.run()

        [message] = world.messages(org)
        assert message["contact"]["email"] == BAD
        assert world.action(held.action)["status"] == "delivered"
        assert "held" not in world.action(held.action)
        assert "held" not in supporter(world, held)
        assert world.numbers(page.campaign)["persons:total"] == 1
        assert not world.pending()

    def test_it_has_to_confirm_where_everyone_has(self, world: World, org: Org) -> None:
        page = page_of(world, org, supporter_confirm=True)
        held = world.sign(page, email=BAD)
        shared = world.act(page, held.contact_ref)

        decide.release_supporter(shared.action)
        world.run()

        [message] = world.messages(org, Queue.CONFIRM_SUPPORTER)
        assert message["actionId"] == held.action
        found = supporter(world, held)
        assert (found["status"], found["waiting"]) == ("confirming", "2")
        assert decide.accept_supporter(held.action)
        world.run()
        assert [message["actionId"] for message in world.messages(org)] == [held.action, shared.action]

    def test_what_waited_goes_on_with_it(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        held = world.sign(page, email=BAD)
        shared = [world.act(page, held.contact_ref) for _ in range(3)]

        decide.release_supporter(held.action)
        world.run()

        assert [world.action(answer.action)["status"] for answer in shared] == ["delivered"] * 3
        assert len(world.messages(org)) == 4
        assert supporter(world, held)["waiting"] == "0"

    def test_it_counts_behind_who_signed_before(self, world: World, org: Org) -> None:
        page = page_of(world, org, guards=guards(kind="name", pattern="mallory*"))
        held = world.sign(page, first_name="Mallory")
        world.sign(page, first_name="Ida")
        world.run()

        decide.release_supporter(held.action)
        world.run()

        assert {world.action(held.action)["status"]} == {"delivered"}
        assert world.numbers(page.campaign)["persons:total"] == 1


class TestRefused:
    def test_it_is_rejected_with_all_that_waited(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        held = world.sign(page, email=BAD)
        shared = world.act(page, held.contact_ref)

        assert decide.refuse_supporter(shared.action)
        assert not decide.refuse_supporter(held.action)
        assert not decide.release_supporter(held.action)
        world.run()

        assert [world.action(answer.action)["status"] for answer in (held, shared)] == ["rejected"] * 2
        assert supporter(world, held)["status"] == "rejected"
        assert not world.messages(org)
        assert not world.numbers(page.campaign)
        assert not world.pending()

    def test_a_bounce_ends_the_review_too(self, world: World, org: Org) -> None:
        held = world.sign(page_of(world, org), email=BAD)

        assert decide.reject_supporter(held.action)

        assert not list(review.held_signatures())
        assert not decide.release_supporter(held.action)
        assert "held" not in supporter(world, held)

    def test_only_what_is_held_is_refused(self, world: World, org: Org) -> None:
        page = page_of(world, org)
        signed = world.sign(page)
        world.run()

        assert not decide.refuse_supporter(signed.action)
        assert world.action(signed.action)["status"] == "delivered"
        with pytest.raises(NotFound):
            decide.release_supporter(1)


Act = Callable[[World, ActionPage, Answer], object]


def release(_: World, __: ActionPage, held: Answer) -> object:
    return decide.release_supporter(held.action)


def refuse(_: World, __: ActionPage, held: Answer) -> object:
    return decide.refuse_supporter(held.action)


def bounce(_: World, __: ActionPage, held: Answer) -> object:
    return decide.reject_supporter(held.action)


def share(world: World, page: ActionPage, held: Answer) -> object:
    return world.act(page, held.contact_ref).action


@pytest.mark.parametrize(
    ("first", "second"), [(release, refuse), (release, release), (release, bounce), (release, share), (refuse, share)]
)
def test_whoever_comes_second_meets_what_the_first_decided(world: World, org: Org, first: Act, second: Act) -> None:
    page = page_of(world, org)

    def held() -> Answer:
        answer = world.sign(page, email=f"{random.randrange(10**9)}@spam.example.org")
        world.act(page, answer.contact_ref)
        return answer

    one, two = held(), held()
    lengths = len(probe(lambda: first(world, page, one))), len(probe(lambda: second(world, page, two)))
    for schedule in schedules(*lengths, preemptions=1):
        answer = held()
        done = run(lambda a=answer: first(world, page, a), lambda a=answer: second(world, page, a), schedule)
        assert done.a.error is None, str(done)
        assert done.b.error is None, str(done)
        world.run()
        found = supporter(world, answer)
        own = [item for item in world.items("A#") if item["ref"] == found["ref"]]
        assert "held" not in found, str(done)
        assert found["status"] in ("accepted", "rejected"), str(done)
        assert found["waiting"] == "0", str(done)
        assert {item["status"] for item in own} == ({"delivered"} if found["status"] == "accepted" else {"rejected"}), (
            str(done)
        )
        assert not [item for item in own if "pending" in item], str(done)
    delivered = len({item["ref"] for item in world.items("A#") if item["status"] == "delivered"})
    assert world.numbers(page.campaign).get("persons:total", 0) == delivered


class TestRefusedAtOnce:
    def test_it_is_not_told_which_pattern_it_was(self, world: World, org: Org) -> None:
        page = page_of(world, org, guards=guards("refuse"))

        answer = world.sign(page, email=BAD)

        assert answer.status == 403
        assert answer.body == {
            "type": "urn:proca:problem:not-allowed",
            "title": "Not allowed",
            "status": 403,
            "detail": "this cannot be taken",
        }
        assert not world.items()

    def test_a_request_that_was_taken_before_keeps_its_answer(self, world: World, org: Org) -> None:
        page = page_of(world, org, guards={})
        path, body, headers = f"/v1/pages/{page.id}/actions", signature(email=BAD), {"Idempotency-Key": "once"}
        first = world.post(path, body, headers)

        run_admin("pattern", "add", "domain", "spam.example.org", "refuse", "--campaign", "bees")
        world.forget()

        assert world.post(path, body, headers).body == first.body
        assert world.post(path, body, {"Idempotency-Key": "new"}).status == 403

    def test_the_network_of_the_client_is_that_of_the_connection(self, world: World, org: Org) -> None:
        page = page_of(world, org, guards=guards("refuse", "network", "192.0.2.0/24"))
        other = page_of(world, org, "birds", guards=guards("refuse", "network", "198.51.100.0/24"))

        assert world.sign(page, headers={"X-Forwarded-For": "203.0.113.1"}).status == 403
        assert world.sign(other, headers={"X-Forwarded-For": "198.51.100.1"}).status == 201


def run_admin(*line: str) -> Any:
    """What an admin command returns, in this process."""
    args = parsed(admin.parser(), list(line))
    return args.command(args, None)


def test_an_operator_adds_patterns_and_decides_what_they_hold(world: World, org: Org) -> None:
    page = page_of(world, org, guards={})
    general = run_admin("pattern", "add", "name", "mallory*", "hold")
    own = run_admin("pattern", "add", "domain", "spam.example.org", "hold", "--campaign", "bees")
    world.forget()
    one, two = world.sign(page, first_name="Mallory"), world.sign(page, email=BAD)

    assert [(found["of"], found["id"]) for found in run_admin("pattern", "list")] == [
        ("(all)", general["id"]),
        ("bees", own["id"]),
    ]
    listed = run_admin("review", "list")
    assert [(found["id"], found["pattern"]) for found in listed] == [
        (one.action, general["id"]),
        (two.action, own["id"]),
    ]
    assert not {"email", "name", "ref"} & listed[0].keys()
    assert run_admin("review", "release", str(one.action)) == {"id": one.action, "changed": True}
    assert run_admin("review", "refuse", str(two.action)) == {"id": two.action, "changed": True}
    assert run_admin("review", "list") == []
    for pattern in (general, own):
        run_admin("pattern", "remove", str(pattern["id"]))
    assert run_admin("pattern", "list") == []
    with pytest.raises(NotFound):
        run_admin("pattern", "remove", "1")
    world.forget()
    assert "held" not in world.action(world.sign(page, email=BAD).action)


def test_no_log_line_says_who_was_held_or_refused(world: World, org: Org, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    held, refused = page_of(world, org), page_of(world, org, "birds", guards=guards("refuse"))

    answer = world.sign(held, email=BAD)
    world.sign(refused, email=BAD)
    decide.release_supporter(answer.action)
    world.run()

    logged = [str(vars(record)) for record in caplog.records if record.name == logger.name]
    assert len(logged) >= 4
    for personal in (BAD, "spam.example.org", "Holm", "192.0.2.1", answer.contact_ref):
        assert personal not in " ".join(logged)
